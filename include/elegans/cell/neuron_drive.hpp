// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/lanes.hpp>
#include <elegans/cell/synapse_tensors.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>
#include <elegans/core/sigmoid.hpp>
#include <elegans/wiring/synapses.hpp>

namespace elegans::detail {

/// What the synapses do to a single sample: BatchDrive's sums, with neurons or synapses in the lanes.
///
/// Either rows: a row is a source and 16 neighbouring destinations, of which it feeds at least one. A packet holds
/// destinations, a source's value is broadcast to them, and a pair without a synapse is one of strength 0: nothing is
/// looked up. Or, where rows would be nearly empty, a list: a packet holds neighbouring synapses, values are gathered
/// one by one, gates computed a packet at a time, and the products scattered one by one, which costs as much as
/// `emptiest_row` slots of a row.
template <typename Scalar, int Sources, int Destinations>
class NeuronDrive {
  static constexpr Index group = neuron_padding;
  static constexpr int padded_destinations = pad_neurons(Destinations);
  static constexpr int groups = Destinations == Dynamic ? Dynamic : padded_destinations / neuron_padding;
  static constexpr int row_capacity = multiply_sizes(Sources, groups);
  static constexpr int synapse_capacity = multiply_sizes(Sources, Destinations);
  /// Slots: those of the rows; else the list of synapses, padded. The first is never smaller.
  static constexpr int slot_capacity = multiply_sizes(Sources, padded_destinations);
  static constexpr Index emptiest_row = 8;

 public:
  /// Room for a forward pass over a list: gathered values, products, sums.
  struct Scratch {
    Buffer<Scalar, slot_capacity> values, to_numerator, to_denominator;
    Buffer<Scalar, padded_destinations> numerator, denominator;
  };
  /// Room for the adjoint, in slots.
  struct Adjoint {
    Buffer<Scalar> gates, values, a, b, d_values;
    Buffer<Scalar> a_of_neuron, b_of_neuron;
    Buffer<Scalar> sums;  ///< gate_a, gate_b, slope, slope_v of SynapseSums: a group of each in turn
  };

  NeuronDrive() = default;
  template <typename Matrix>
  explicit NeuronDrive(const Matrix& polarity)
      : synapses_(polarity), padded_(pad_neurons(synapses_.destinations())) {
    make_rows(polarity);
    in_rows_ = slots_in_rows() <= std::max(emptiest_row * synapses_.count(), Index{neuron_padding} * 16);
    const Index slots = in_rows_ ? slots_in_rows() : pad_neurons(synapses_.count());
    weights_.resize(5 * slots);
  }

  void pack(const SynapseTensors<const Scalar*>& tensors, bool implicit) {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const auto synapse = read_synapse(tensors, synapses_.tensor_index(s), implicit);
      Scalar* const weights = weights_.data() + place<5>(slot_of(s));
      weights[steepness] = synapse.steepness;
      weights[sigma] = synapse.sigma;
      weights[mu] = synapse.mu;
      weights[w] = synapse.w;
      weights[w_erev] = synapse.w_erev;
    }
  }

  void reserve(Scratch& scratch) const {
    if (in_rows_) return;
    for (auto* values : {&scratch.values, &scratch.to_numerator, &scratch.to_denominator}) values->resize(slots());
    scratch.numerator.resize(padded_);
    scratch.denominator.resize(padded_);
  }

  template <typename Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* before, Scratch& scratch, Begin begin, Finish finish) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const Index blocks = Lanes::blocks(synapses_.destinations());
    if (in_rows_) {
      const Scalar* const all_weights = weights_.data();
      for (Index block = 0; block < blocks; ++block) {
        auto [numerator, denominator] = begin(block);
        for_each_row<Lanes>(block, [&](Index source, Index slot) {
          const Scalar* const weights = all_weights + place<5>(slot);
          const P gate = gate_of<P>(weights, broadcast<P>(before[source]));
          numerator = pmadd(load<P>(weights + w_erev), gate, numerator);
          denominator = pmadd(load<P>(weights + w), gate, denominator);
        });
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
    for (auto* values : {&adjoint.a_of_neuron, &adjoint.b_of_neuron}) values->resize(padded_);
    adjoint.sums.resize(4 * slots());
    std::fill_n(adjoint.sums.data(), adjoint.sums.size(), Scalar(0));
  }

  template <typename Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* before, Scratch& scratch, Begin begin, Respond respond,
                                    Scalar* d_before, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const Index blocks = Lanes::blocks(synapses_.destinations());
    constexpr Index lanes = Lanes::lanes;
    // As local variables, as every store might else have changed them.
    const Scalar* const all_weights = weights_.data();
    Scalar* const all_sums = adjoint.sums.data();
    Scalar* const gates = adjoint.gates.data();
    if (in_rows_) {
      for (Index block = 0; block < blocks; ++block) {
        auto [numerator, denominator] = begin(block);
        for_each_row<Lanes>(block, [&](Index source, Index slot) {
          const Scalar* const weights = all_weights + place<5>(slot);
          const P gate = gate_of<P>(weights, broadcast<P>(before[source]));
          store<P>(gates + slot, gate);
          numerator = pmadd(load<P>(weights + w_erev), gate, numerator);
          denominator = pmadd(load<P>(weights + w), gate, denominator);
        });
        const auto [a, b] = respond(block, numerator, denominator);
        for_each_row<Lanes>(block, [&, a = a, b = b](Index source, Index slot) {
          d_before[source] += predux(d_value<P>(all_weights + place<5>(slot), all_sums + place<4>(slot),
                                                load<P>(gates + slot), broadcast<P>(before[source]), a, b));
        });
      }
      return;
    }
    for (Index s = 0; s < synapses_.count(); ++s) scratch.values[s] = before[synapses_.source(s)];
    flat_gates(scratch, gates);
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
               d_value<F>(all_weights + place<5>(slot), all_sums + place<4>(slot), load<F>(gates + slot),
                          load<F>(scratch.values.data() + slot), load<F>(adjoint.a.data() + slot),
                          load<F>(adjoint.b.data() + slot)));
    }
    for (Index s = 0; s < synapses_.count(); ++s) d_before[synapses_.source(s)] += adjoint.d_values[s];
  }

  template <typename Lanes>
  void collect(const Adjoint& adjoint, const SynapseTensors<const Scalar*>& tensors,
               const SynapseTensors<Scalar*>& gradient, bool implicit) const {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const Scalar* const sums = adjoint.sums.data() + place<4>(slot_of(s));
      add_synapse_gradient<Scalar>(tensors, gradient, synapses_.tensor_index(s), implicit,
                                   {sums[0], sums[group], sums[2 * group], sums[3 * group]});
    }
  }

 private:
  // Where the weights of a slot lie, from its place on.
  static constexpr Index steepness = 0, sigma = group, mu = 2 * group, w = 3 * group, w_erev = 4 * group;
  /// Place of a slot where a group has `Values` values each, one value of all its slots after the other.
  template <int Values>
  [[nodiscard]] static constexpr Index place(Index slot) noexcept {
    return slot / group * (Values * group) + slot % group;
  }

  [[nodiscard]] Index slots() const noexcept { return weights_.size() / 5; }
  [[nodiscard]] Index slots_in_rows() const noexcept { return row_source_.size() * group; }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept { return in_rows_ ? slot_[synapse] : synapse; }

  template <typename Matrix>
  void make_rows(const Matrix& polarity) {
    const Index group_count = padded_ / group;
    const auto feeds = [&](Index source, Index g) {
      for (Index i = g * group; i < std::min((g + 1) * group, synapses_.destinations()); ++i) {
        if (polarity(source, i) != 0) return true;
      }
      return false;
    };
    first_row_.resize(group_count + 1);
    Index rows = 0;
    for (Index g = 0; g < group_count; ++g) {
      for (Index j = 0; j < synapses_.sources(); ++j) rows += feeds(j, g);
      first_row_[g + 1] = static_cast<int>(rows);
    }
    row_source_.resize(rows);
    slot_.resize(synapses_.count());
    rows = 0;
    for (Index g = 0; g < group_count; ++g) {
      for (Index j = 0; j < synapses_.sources(); ++j) {
        if (!feeds(j, g)) continue;
        for (Index s = synapses_.first(j); s < synapses_.first(j + 1); ++s) {
          if (synapses_.destination(s) / group == g) {
            slot_[s] = static_cast<int>(rows * group + synapses_.destination(s) % group);
          }
        }
        row_source_[rows++] = static_cast<int>(j);
      }
    }
  }

  /// Calls body(source, slot of the block's first destination) for each row that has a part in a block.
  template <typename Lanes, typename Body>
  EIGEN_STRONG_INLINE void for_each_row(Index block, Body&& body) const {
    const Index g = block * Lanes::lanes / group;
    const Index offset = block * Lanes::lanes % group;
    for (Index row = first_row_[g]; row < first_row_[g + 1]; ++row) body(row_source_[row], row * group + offset);
  }

  template <typename P>
  static EIGEN_STRONG_INLINE P gate_of(const Scalar* weights, const P& v) {
    using namespace Eigen::internal;
    return sigmoid_of_scaled<P>(pmul(load<P>(weights + steepness), psub(v, load<P>(weights + mu))));
  }

  /// Gates and their products, a full packet of synapses at a time.
  EIGEN_STRONG_INLINE void flat_gates(Scratch& scratch, Scalar* gates) const {
    constexpr int full = full_lanes<Scalar>;
    using F = Packet<Scalar, full>;
    using namespace Eigen::internal;
    for (Index slot = 0; slot < synapses_.count(); slot += full) {
      const Scalar* const weights = weights_.data() + place<5>(slot);
      const F gate = gate_of<F>(weights, load<F>(scratch.values.data() + slot));
      if (gates) store<F>(gates + slot, gate);
      store<F>(scratch.to_numerator.data() + slot, pmul(load<F>(weights + w_erev), gate));
      store<F>(scratch.to_denominator.data() + slot, pmul(load<F>(weights + w), gate));
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
  static EIGEN_STRONG_INLINE P d_value(const Scalar* weights, Scalar* sums, const P& gate, const P& v, const P& a,
                                       const P& b) {
    using namespace Eigen::internal;
    const P d_gate = pmadd(load<P>(weights + w_erev), a, pmul(load<P>(weights + w), b));
    const P d_z = pmul(d_gate, pmul(gate, psub(broadcast<P>(Scalar(1)), gate)));
    add_product_to<P>(sums, gate, a);
    add_product_to<P>(sums + group, gate, b);
    add_to<P>(sums + 2 * group, d_z);
    add_product_to<P>(sums + 3 * group, d_z, v);
    return pmul(load<P>(weights + sigma), d_z);
  }

  Synapses<Sources, Destinations, SynapseOrder::by_source> synapses_;
  bool in_rows_ = false;
  Index padded_ = 0;
  Buffer<int, add_sizes(groups, 1)> first_row_;  ///< of each group of destinations
  Buffer<int, row_capacity> row_source_;
  Buffer<int, synapse_capacity> slot_;  ///< of each synapse, in rows
  Buffer<Scalar, multiply_sizes(5, slot_capacity)> weights_;
};

}  // namespace elegans::detail
