// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/simd/lane_sums.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

/// Where the adjoint of a batch keeps a synapse's four sums. Each could have a lane a sample; but then every step loads
/// and stores four packets a synapse, which takes longer than what is added. Where the target can shuffle lanes, four
/// samples are summed up first, and one packet holds all: lane 4 k + m has the m-th sum, of samples 4 k to 4 k + 3.
template <typename Lanes>
struct SumsOfBatch {
  using Scalar = typename Lanes::Scalar;
  using P = typename Lanes::Packet;
  static constexpr bool folded = FoldedPacket<P>;
  /// Scalars a synapse.
  static constexpr Index size = folded ? Lanes::lanes : 4 * Lanes::lanes;

  static EIGEN_STRONG_INLINE void add(Scalar* sums, const P& gate_a, const P& gate_b, const P& slope,
                                      const P& slope_v) {
    if constexpr (folded) {
      add_to<P>(sums, fold<P>(gate_a, gate_b, slope, slope_v));
    } else {
      add_to<P>(sums, gate_a);
      add_to<P>(sums + Lanes::lanes, gate_b);
      add_to<P>(sums + 2 * Lanes::lanes, slope);
      add_to<P>(sums + 3 * Lanes::lanes, slope_v);
    }
  }

  /// Over the samples that `Lanes` sums over.
  static SynapseSums<Scalar> total(const Scalar* sums) {
    if constexpr (folded) {
      SynapseSums<Scalar> result{};
      for (const Scalar* group = sums + Lanes::first_summed; group < sums + Lanes::last_summed; group += 4) {
        result.gate_a += group[0];
        result.gate_b += group[1];
        result.slope += group[2];
        result.slope_v += group[3];
      }
      return result;
    } else {
      return {Lanes::sum_samples(sums, 0), Lanes::sum_samples(sums, 1), Lanes::sum_samples(sums, 2),
              Lanes::sum_samples(sums, 3)};
    }
  }
};

}  // namespace elegans::detail
