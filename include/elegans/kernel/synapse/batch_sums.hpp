// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/simd/lane_sums.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// mutate all: synapse.batch_sums
/// The four sums of a synapse, for a batch. With one lane per sample, each step would load and store four packets per
/// synapse, which takes longer than the additions. Where the target can shuffle lanes, we add up four samples first.
/// Then one packet holds all four sums: lane 4 k + m has the m-th sum over samples 4 k to 4 k + 3.
template <LaneLayout Lanes>
struct BatchSums {
  using Scalar = typename Lanes::Scalar;
  using P = typename Lanes::Packet;
  static constexpr bool folded = FoldedPacket<P>;
  /// Number of scalars per synapse.
  static constexpr Index size = folded ? Lanes::lanes : 4 * Lanes::lanes;

  /// Adds one step of a synapse: see `SynapseSums`.
  static EIGEN_ALWAYS_INLINE void add(Scalar* sums, const P& gate, const P& a, const P& b, const P& d_z, const P& v) {
    if constexpr (folded) {
      add_to(sums, fold(gate * a, gate * b, d_z, d_z * v));
    } else {
      add_to(sums, gate * a);
      add_to(sums + Lanes::lanes, gate * b);
      add_to(sums + 2 * Lanes::lanes, d_z);
      add_to(sums + 3 * Lanes::lanes, d_z * v);
    }
  }

  /// The sums over the samples that `Lanes` sums over.
  [[nodiscard]] static SynapseSums<Scalar> total(const Scalar* sums) {
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
