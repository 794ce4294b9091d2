// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/lanes.hpp>
#include <elegans/cell/synapse_tensors.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>
#include <elegans/wiring/synapses.hpp>

namespace elegans::detail {

/// What the synapses do to a single sample: BatchDrive's sums, with neurons or synapses in the lanes.
///
/// Synapses are sorted by source. If every source feeds every destination, a packet holds neighbouring destinations,
/// and a source's value is broadcast to them. Else a packet holds neighbouring synapses of the list: values are
/// gathered one by one, gates computed a packet at a time, and the products scattered one by one.
template <typename Scalar, int Sources, int Destinations>
class NeuronDrive {
  static constexpr int padded_destinations = pad_neurons(Destinations);
  /// Slots: dense, a row of padded destinations a source; else the list of synapses, padded. The first is never
  /// smaller.
  static constexpr int slot_capacity = multiply_sizes(Sources, padded_destinations);

 public:
  /// Room for a forward pass: gathered values, products, sums.
  struct Scratch {
    Buffer<Scalar, slot_capacity> values, to_numerator, to_denominator;
    Buffer<Scalar, padded_destinations> numerator, denominator;
  };
  /// Room for the adjoint, in slots.
  struct Adjoint {
    Buffer<Scalar> gates, values, a, b, d_values;
    Buffer<Scalar> a_of_neuron, b_of_neuron;
    Buffer<Scalar> gate_a, gate_b, slope, slope_v;
  };

  NeuronDrive() = default;
  template <typename Matrix>
  explicit NeuronDrive(const Matrix& polarity)
      : synapses_(polarity), dense_(synapses_.is_dense()), row_(pad_neurons(synapses_.destinations())) {
    const Index slots = dense_ ? synapses_.sources() * row_ : pad_neurons(synapses_.count());
    for (auto* values : {&sigma_, &mu_, &w_, &w_erev_}) values->resize(slots);
  }

  void pack(const SynapseTensors<const Scalar*>& tensors, bool implicit) {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const auto synapse = read_synapse(tensors, synapses_.tensor_index(s), implicit);
      const Index slot = slot_of(s);
      sigma_[slot] = synapse.sigma;
      mu_[slot] = synapse.mu;
      w_[slot] = synapse.w;
      w_erev_[slot] = synapse.w_erev;
    }
  }

  void reserve(Scratch& scratch) const {
    if (dense_) return;
    for (auto* values : {&scratch.values, &scratch.to_numerator, &scratch.to_denominator}) values->resize(slots());
    scratch.numerator.resize(row_);
    scratch.denominator.resize(row_);
  }

  template <typename Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* before, Scratch& scratch, Begin begin, Finish finish) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const Index blocks = Lanes::blocks(synapses_.destinations());
    if (dense_) {
      for (Index block = 0; block < blocks; ++block) {
        auto [numerator, denominator] = begin(block);
        for (Index j = 0; j < synapses_.sources(); ++j) {
          const Index slot = j * row_ + block * Lanes::lanes;
          const P gate = gate_at<P>(slot, broadcast<P>(before[j]));
          numerator = pmadd(load<P>(w_erev_.data() + slot), gate, numerator);
          denominator = pmadd(load<P>(w_.data() + slot), gate, denominator);
        }
        finish(block, numerator, denominator);
      }
      return;
    }
    for (Index s = 0; s < synapses_.count(); ++s) scratch.values[s] = before[synapses_.source(s)];
    flat_gates(scratch, nullptr);
    sum_by_destination<Lanes>(scratch, begin);
    for (Index block = 0; block < blocks; ++block) {
      finish(block, load<P>(scratch.numerator.data() + block * Lanes::lanes),
             load<P>(scratch.denominator.data() + block * Lanes::lanes));
    }
  }

  template <typename Lanes>
  void reset(Adjoint& adjoint) const {
    for (auto* values : {&adjoint.gates, &adjoint.values, &adjoint.a, &adjoint.b, &adjoint.d_values}) {
      values->resize(slots());
    }
    for (auto* values : {&adjoint.a_of_neuron, &adjoint.b_of_neuron}) values->resize(row_);
    for (auto* sums : {&adjoint.gate_a, &adjoint.gate_b, &adjoint.slope, &adjoint.slope_v}) {
      sums->resize(slots());
      std::fill_n(sums->data(), sums->size(), Scalar(0));
    }
  }

  template <typename Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* before, Scratch& scratch, Begin begin, Respond respond,
                                    Scalar* d_before, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const Index blocks = Lanes::blocks(synapses_.destinations());
    constexpr Index lanes = Lanes::lanes;
    if (dense_) {
      for (Index block = 0; block < blocks; ++block) {
        auto [numerator, denominator] = begin(block);
        for (Index j = 0; j < synapses_.sources(); ++j) {
          const Index slot = j * row_ + block * lanes;
          const P gate = gate_at<P>(slot, broadcast<P>(before[j]));
          store<P>(adjoint.gates.data() + slot, gate);
          numerator = pmadd(load<P>(w_erev_.data() + slot), gate, numerator);
          denominator = pmadd(load<P>(w_.data() + slot), gate, denominator);
        }
        const auto [a, b] = respond(block, numerator, denominator);
        for (Index j = 0; j < synapses_.sources(); ++j) {
          const P d_v = backward_slot<P>(j * row_ + block * lanes, broadcast<P>(before[j]), a, b, adjoint);
          d_before[j] += predux(d_v);
        }
      }
      return;
    }
    for (Index s = 0; s < synapses_.count(); ++s) scratch.values[s] = before[synapses_.source(s)];
    flat_gates(scratch, adjoint.gates.data());
    sum_by_destination<Lanes>(scratch, begin);
    for (Index block = 0; block < blocks; ++block) {
      const auto [a, b] = respond(block, load<P>(scratch.numerator.data() + block * lanes),
                                  load<P>(scratch.denominator.data() + block * lanes));
      store<P>(adjoint.a_of_neuron.data() + block * lanes, a);
      store<P>(adjoint.b_of_neuron.data() + block * lanes, b);
    }
    for (Index s = 0; s < synapses_.count(); ++s) {
      adjoint.a[s] = adjoint.a_of_neuron[synapses_.destination(s)];
      adjoint.b[s] = adjoint.b_of_neuron[synapses_.destination(s)];
    }
    constexpr int full = full_lanes<Scalar>;
    using F = Packet<Scalar, full>;
    for (Index slot = 0; slot < synapses_.count(); slot += full) {
      store<F>(adjoint.d_values.data() + slot,
               backward_slot<F>(slot, load<F>(scratch.values.data() + slot), load<F>(adjoint.a.data() + slot),
                                load<F>(adjoint.b.data() + slot), adjoint));
    }
    for (Index s = 0; s < synapses_.count(); ++s) d_before[synapses_.source(s)] += adjoint.d_values[s];
  }

  template <typename Lanes>
  void collect(const Adjoint& adjoint, const SynapseTensors<const Scalar*>& tensors,
               const SynapseTensors<Scalar*>& gradient, bool implicit) const {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const Index slot = slot_of(s);
      add_synapse_gradient<Scalar>(
          tensors, gradient, synapses_.tensor_index(s), implicit,
          {adjoint.gate_a[slot], adjoint.gate_b[slot], adjoint.slope[slot], adjoint.slope_v[slot]});
    }
  }

 private:
  [[nodiscard]] Index slots() const noexcept { return sigma_.size(); }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept {
    return dense_ ? synapses_.source(synapse) * row_ + synapses_.destination(synapse) : synapse;
  }

  template <typename P>
  EIGEN_STRONG_INLINE P gate_at(Index slot, const P& v) const {
    using namespace Eigen::internal;
    return sigmoid<P>(pmul(load<P>(sigma_.data() + slot), psub(v, load<P>(mu_.data() + slot))));
  }

  /// Gates and their products, a full packet of synapses at a time.
  EIGEN_STRONG_INLINE void flat_gates(Scratch& scratch, Scalar* gates) const {
    constexpr int full = full_lanes<Scalar>;
    using F = Packet<Scalar, full>;
    using namespace Eigen::internal;
    for (Index slot = 0; slot < synapses_.count(); slot += full) {
      const F gate = gate_at<F>(slot, load<F>(scratch.values.data() + slot));
      if (gates) store<F>(gates + slot, gate);
      store<F>(scratch.to_numerator.data() + slot, pmul(load<F>(w_erev_.data() + slot), gate));
      store<F>(scratch.to_denominator.data() + slot, pmul(load<F>(w_.data() + slot), gate));
    }
  }

  template <typename Lanes, typename Begin>
  EIGEN_STRONG_INLINE void sum_by_destination(Scratch& scratch, Begin begin) const {
    using P = typename Lanes::Packet;
    for (Index block = 0; block < Lanes::blocks(synapses_.destinations()); ++block) {
      const auto [numerator, denominator] = begin(block);
      store<P>(scratch.numerator.data() + block * Lanes::lanes, numerator);
      store<P>(scratch.denominator.data() + block * Lanes::lanes, denominator);
    }
    for (Index s = 0; s < synapses_.count(); ++s) {
      scratch.numerator[synapses_.destination(s)] += scratch.to_numerator[s];
      scratch.denominator[synapses_.destination(s)] += scratch.to_denominator[s];
    }
  }

  /// The adjoint of a packet of slots whose gates are known: adds to their sums, returns the adjoints of v.
  template <typename P>
  EIGEN_STRONG_INLINE P backward_slot(Index slot, const P& v, const P& a, const P& b, Adjoint& adjoint) const {
    using namespace Eigen::internal;
    const P gate = load<P>(adjoint.gates.data() + slot);
    const P d_gate = pmadd(load<P>(w_erev_.data() + slot), a, pmul(load<P>(w_.data() + slot), b));
    const P d_z = pmul(d_gate, pmul(gate, psub(broadcast<P>(Scalar(1)), gate)));
    add_product_to<P>(adjoint.gate_a.data() + slot, gate, a);
    add_product_to<P>(adjoint.gate_b.data() + slot, gate, b);
    add_to<P>(adjoint.slope.data() + slot, d_z);
    add_product_to<P>(adjoint.slope_v.data() + slot, d_z, v);
    return pmul(load<P>(sigma_.data() + slot), d_z);
  }

  Synapses<Sources, Destinations, SynapseOrder::by_source> synapses_;
  bool dense_ = false;
  Index row_ = 0;
  Buffer<Scalar, slot_capacity> sigma_, mu_, w_, w_erev_;
};

}  // namespace elegans::detail
