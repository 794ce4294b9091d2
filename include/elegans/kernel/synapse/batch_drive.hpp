// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/batch_sums.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/kernel/synapse/list.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// mutate all: synapse.batch_drive
/// The drive of a batch's synapses: a packet's lanes are samples. The numerator and denominator of a destination stay
/// in registers while the kernel walks down its synapses. For the equation see `SynapseEquation`.
template <typename Scalar, int Sources, int Destinations>
class BatchDrive {
 public:
  /// Room for the adjoint.
  struct Adjoint {
    Buffer<Scalar> gates;  ///< of one destination, one lane per sample
    Buffer<Scalar> sums;   ///< of every synapse, see BatchSums
  };

  BatchDrive() = default;
  template <typename Matrix>
  explicit BatchDrive(const Matrix& polarity) : synapses_(polarity), weights_(synapses_.count()) {}

  /// Packs new parameters. \param weight_of  index in a (sources, destinations) tensor -> SynapseWeight
  template <typename WeightOf>
  void pack(const WeightOf& weight_of) {
    for (Index s = 0; s < synapses_.count(); ++s) weights_[s] = weight_of(synapses_.tensor_index(s));
  }

  /// \param v       values of the sources
  /// \param begin   block -> numerator and denominator without these synapses
  /// \param finish  (block, numerator, denominator) -> void
  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* v, const Begin& begin, const Finish& finish) const {
    for (Index i = 0; i < synapses_.destinations(); ++i) {
      auto [numerator, denominator] = begin(i);
      add_synapses<Lanes>(i, v, numerator, denominator, [](Index, const auto&) {});
      finish(i, numerator, denominator);
    }
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    Index most = 0;
    for (Index i = 0; i < synapses_.destinations(); ++i) {
      most = (std::max)(most, synapses_.first(i + 1) - synapses_.first(i));
    }
    adjoint.gates.resize(most * Lanes::lanes);
    adjoint.sums.resize(synapses_.count() * BatchSums<Lanes>::size);
    std::fill_n(adjoint.sums.data(), adjoint.sums.size(), Scalar(0));
  }

  /// Computes the gates of one destination again. While they are still in the first-level cache, it walks over them a
  /// second time.
  ///
  /// \param respond  (block, numerator, denominator) -> their adjoints a and b
  /// \param d_v      adjoints of the sources, added to
  template <LaneLayout Lanes, typename Begin, typename Respond>
  EIGEN_DONT_INLINE void backward(const Scalar* v, const Begin& begin, const Respond& respond, Scalar* d_v,
                                  Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    using Sums = BatchSums<Lanes>;
    constexpr Index lanes = Lanes::lanes;
    // Local variables: the compiler must assume that any store changes a member.
    Scalar* const gates = adjoint.gates.data();
    Scalar* const sums = adjoint.sums.data();
    const SynapseWeight<Scalar>* const weights = weights_.data();
    for (Index i = 0; i < synapses_.destinations(); ++i) {
      const Index first = synapses_.first(i);
      auto [numerator, denominator] = begin(i);
      add_synapses<Lanes>(i, v, numerator, denominator,
                          [=](Index s, const P& gate) { store(gates + (s - first) * lanes, gate); });
      const std::pair<P, P> response = respond(i, numerator, denominator);
      const P a = response.first, b = response.second;
      const Index last = synapses_.first(i + 1);
      for (Index s = first; s < last; ++s) {
        const Index source = synapses_.source(s) * lanes;
        const P gate = load<P>(gates + (s - first) * lanes);
        const P d_z = equation<P>(weights[s]).d_z(gate, a, b);
        Sums::add(sums + s * Sums::size, gate, a, b, d_z, load<P>(v + source));
        add_product_to(d_v + source, P(weights[s].sigma), d_z);
      }
    }
  }

  /// Passes on the sums of every synapse.
  ///
  /// \param add  (index in a (sources, destinations) tensor, SynapseSums) -> void
  template <LaneLayout Lanes, typename Add>
  void collect(const Adjoint& adjoint, const Add& add) const {
    using Sums = BatchSums<Lanes>;
    for (Index s = 0; s < synapses_.count(); ++s) {
      add(synapses_.tensor_index(s), Sums::total(adjoint.sums.data() + s * Sums::size));
    }
  }

 private:
  /// The same synapse in all lanes.
  template <typename P>
  [[nodiscard]] static EIGEN_ALWAYS_INLINE SynapseEquation<P> equation(const SynapseWeight<Scalar>& weight) {
    return {P(weight.steepness), P(weight.mu), P(weight.w), P(weight.w_erev)};
  }

  /// Adds the synapses of a destination to its sums. \param on_gate  (synapse, gate) -> void
  template <LaneLayout Lanes, typename P, typename OnGate>
  EIGEN_STRONG_INLINE void add_synapses(Index destination, const Scalar* v, P& numerator, P& denominator,
                                        const OnGate& on_gate) const {
    P n = numerator, d = denominator;
    const SynapseWeight<Scalar>* const weights = weights_.data();
    const Index last = synapses_.first(destination + 1);
    for (Index s = synapses_.first(destination); s < last; ++s) {
      const auto synapse = equation<P>(weights[s]);
      const P gate =
          synapse.template gate<Evaluation::fewest_operations>(load<P>(v + synapses_.source(s) * Lanes::lanes));
      synapse.drive(gate, n, d);
      on_gate(s, gate);
    }
    numerator = n;
    denominator = d;
  }

  SynapseList<Sources, Destinations, SynapseOrder::by_destination> synapses_;
  Buffer<SynapseWeight<Scalar>, multiply_sizes(Sources, Destinations)> weights_;
};

}  // namespace elegans::detail
