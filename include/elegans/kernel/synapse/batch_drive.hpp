// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/batch_sums.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/kernel/synapse/list.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// What the synapses do to a batch: a packet's lanes are samples, and each destination's numerator and denominator stay
/// in registers while its synapses pass by.
///
///     numerator[i]   += sum_j w_ji erev_ji g_ji        g_ji = sigmoid(sigma_ji (v_j - mu_ji))
///     denominator[i] += sum_j w_ji g_ji
template <typename Scalar, int Sources, int Destinations>
class BatchDrive {
 public:
  /// Room for the adjoint: the gates of one destination, a lane a sample, and every synapse's sums.
  struct Adjoint {
    Buffer<Scalar> gates;
    Buffer<Scalar> sums;
  };

  BatchDrive() = default;
  template <typename Matrix>
  explicit BatchDrive(const Matrix& polarity) : synapses_(polarity), weights_(synapses_.count()) {}

  [[nodiscard]] Index count() const noexcept { return synapses_.count(); }

  void pack(const SynapseTensors<const Scalar*>& tensors, bool implicit) {
    for (Index s = 0; s < synapses_.count(); ++s) {
      weights_[s] = read_synapse(tensors, synapses_.tensor_index(s), implicit);
    }
  }

  /// \param before  source values
  /// \param begin   block -> numerator and denominator without these synapses
  /// \param finish  (block, numerator, denominator) -> void
  template <typename Lanes, typename Scratch, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* before, Scratch&, Begin begin, Finish finish) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    for (Index i = 0; i < synapses_.destinations(); ++i) {
      auto [numerator, denominator] = begin(i);
      for (Index s = synapses_.first(i); s < synapses_.first(i + 1); ++s) {
        const auto& synapse = weights_[s];
        const P v = load<P>(before + synapses_.source(s) * Lanes::lanes);
        const P gate = gate_of<P>(synapse, v);
        numerator = pmadd(broadcast<P>(synapse.w_erev), gate, numerator);
        denominator = pmadd(broadcast<P>(synapse.w), gate, denominator);
      }
      finish(i, numerator, denominator);
    }
  }

  template <typename Lanes>
  void reset(Adjoint& adjoint) const {
    Index most = 0;
    for (Index i = 0; i < synapses_.destinations(); ++i) {
      most = std::max(most, synapses_.first(i + 1) - synapses_.first(i));
    }
    adjoint.gates.resize(most * Lanes::lanes);
    adjoint.sums.resize(synapses_.count() * SumsOfBatch<Lanes>::size);
    std::fill_n(adjoint.sums.data(), adjoint.sums.size(), Scalar(0));
  }

  /// Recomputes each gate once, keeps those of one destination in the first-level cache, and walks them twice.
  ///
  /// \param respond   (block, numerator, denominator) -> their adjoints a and b
  /// \param d_before  adjoints of the source values, added to
  template <typename Lanes, typename Scratch, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* before, Scratch&, Begin begin, Respond respond, Scalar* d_before,
                                    Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    using Sums = SumsOfBatch<Lanes>;
    constexpr Index lanes = Lanes::lanes;
    Scalar* const gates = adjoint.gates.data();
    const P one = broadcast<P>(Scalar(1));
    for (Index i = 0; i < synapses_.destinations(); ++i) {
      const Index first = synapses_.first(i);
      const Index last = synapses_.first(i + 1);
      auto [numerator, denominator] = begin(i);
      for (Index s = first; s < last; ++s) {
        const auto& synapse = weights_[s];
        const P v = load<P>(before + synapses_.source(s) * lanes);
        const P gate = gate_of<P>(synapse, v);
        store<P>(gates + (s - first) * lanes, gate);
        numerator = pmadd(broadcast<P>(synapse.w_erev), gate, numerator);
        denominator = pmadd(broadcast<P>(synapse.w), gate, denominator);
      }
      const auto [a, b] = respond(i, numerator, denominator);
      for (Index s = first; s < last; ++s) {
        const auto& synapse = weights_[s];
        const P v = load<P>(before + synapses_.source(s) * lanes);
        const P gate = load<P>(gates + (s - first) * lanes);
        const P d_gate = pmadd(broadcast<P>(synapse.w_erev), a, pmul(broadcast<P>(synapse.w), b));
        const P d_z = pmul(d_gate, pmul(gate, psub(one, gate)));
        Sums::add(adjoint.sums.data() + s * Sums::size, pmul(gate, a), pmul(gate, b), d_z, pmul(d_z, v));
        add_product_to<P>(d_before + synapses_.source(s) * lanes, broadcast<P>(synapse.sigma), d_z);
      }
    }
  }

  template <typename Lanes>
  void collect(const Adjoint& adjoint, const SynapseTensors<const Scalar*>& tensors,
               const SynapseTensors<Scalar*>& gradient, bool implicit) const {
    using Sums = SumsOfBatch<Lanes>;
    for (Index s = 0; s < synapses_.count(); ++s) {
      add_synapse_gradient<Scalar>(tensors, gradient, synapses_.tensor_index(s), implicit,
                                   Sums::total(adjoint.sums.data() + s * Sums::size));
    }
  }

 private:
  template <typename P>
  static EIGEN_STRONG_INLINE P gate_of(const SynapseWeight<Scalar>& synapse, const P& v) {
    using namespace Eigen::internal;
    return sigmoid_of_scaled<P>(pmul(broadcast<P>(synapse.steepness), psub(v, broadcast<P>(synapse.mu))));
  }

  Synapses<Sources, Destinations, SynapseOrder::by_destination> synapses_;
  Buffer<SynapseWeight<Scalar>, multiply_sizes(Sources, Destinations)> weights_;
};

}  // namespace elegans::detail
