// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/lanes.hpp>
#include <elegans/cell/synapse_tensors.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>
#include <elegans/core/sigmoid.hpp>

namespace elegans::detail {

/// NeuronDrive for synapses that are few and far between: a packet holds neighbouring synapses of a list. Values are
/// gathered one by one, gates computed a packet at a time, and the products scattered one by one.
///
/// The list itself is the caller's: `Connections` is its `Synapses`.
template <typename Scalar, int Sources, int Destinations>
class SynapseList {
  static constexpr int padded_destinations = pad_neurons(Destinations);
  static constexpr int capacity =
      multiply_sizes(Sources, Destinations) == Dynamic ? Dynamic : pad_neurons(multiply_sizes(Sources, Destinations));

 public:
  /// Room for a forward pass: gathered values, products, sums.
  struct Scratch {
    Buffer<Scalar, capacity> values, to_numerator, to_denominator;
    Buffer<Scalar, padded_destinations> numerator, denominator;
  };
  struct Adjoint {
    Buffer<Scalar> gates, a, b, d_values;
    Buffer<Scalar> a_of_neuron, b_of_neuron;
    Buffer<Scalar> sums;  ///< SynapseSums: a group of each in turn
  };

  template <typename Connections>
  void reserve(const Connections& synapses) {
    for (auto* values : {&steepness_, &sigma_, &mu_, &w_, &w_erev_}) values->resize(pad_neurons(synapses.count()));
  }
  template <typename Connections>
  void reserve(const Connections& synapses, Scratch& scratch) const {
    for (auto* values : {&scratch.values, &scratch.to_numerator, &scratch.to_denominator}) values->resize(slots());
    scratch.numerator.resize(pad_neurons(synapses.destinations()));
    scratch.denominator.resize(pad_neurons(synapses.destinations()));
  }
  template <typename Connections>
  void reset(const Connections& synapses, Adjoint& adjoint) const {
    for (auto* values : {&adjoint.gates, &adjoint.a, &adjoint.b, &adjoint.d_values}) values->resize(slots());
    for (auto* values : {&adjoint.a_of_neuron, &adjoint.b_of_neuron}) {
      values->resize(pad_neurons(synapses.destinations()));
    }
    adjoint.sums.resize(4 * slots());
    std::fill_n(adjoint.sums.data(), adjoint.sums.size(), Scalar(0));
  }

  void pack(Index synapse, const SynapseWeight<Scalar>& weight) {
    steepness_[synapse] = weight.steepness;
    sigma_[synapse] = weight.sigma;
    mu_[synapse] = weight.mu;
    w_[synapse] = weight.w;
    w_erev_[synapse] = weight.w_erev;
  }

  template <typename Lanes, typename Connections, typename Begin, typename Finish>
  void forward(const Connections& synapses, const Scalar* before, Scratch& scratch, Begin begin, Finish finish) const {
    using P = typename Lanes::Packet;
    gates(synapses, before, scratch, nullptr);
    sum_by_destination<Lanes>(synapses, scratch, begin);
    for (Index block = 0; block < Lanes::blocks(synapses.destinations()); ++block) {
      finish(block, load<P>(scratch.numerator.data() + block * Lanes::lanes),
             load<P>(scratch.denominator.data() + block * Lanes::lanes));
    }
  }

  template <typename Lanes, typename Connections, typename Begin, typename Respond>
  void backward(const Connections& synapses, const Scalar* before, Scratch& scratch, Begin begin, Respond respond,
                Scalar* d_before, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    gates(synapses, before, scratch, adjoint.gates.data());
    sum_by_destination<Lanes>(synapses, scratch, begin);
    for (Index block = 0; block < Lanes::blocks(synapses.destinations()); ++block) {
      const auto [a, b] = respond(block, load<P>(scratch.numerator.data() + block * Lanes::lanes),
                                  load<P>(scratch.denominator.data() + block * Lanes::lanes));
      store<P>(adjoint.a_of_neuron.data() + block * Lanes::lanes, a);
      store<P>(adjoint.b_of_neuron.data() + block * Lanes::lanes, b);
    }
    for (Index s = 0; s < synapses.count(); ++s) {
      adjoint.a[s] = adjoint.a_of_neuron[synapses.destination(s)];
      adjoint.b[s] = adjoint.b_of_neuron[synapses.destination(s)];
    }
    constexpr int full = full_lanes<Scalar>;
    using F = Packet<Scalar, full>;
    for (Index s = 0; s < synapses.count(); s += full) {
      const F gate = load<F>(adjoint.gates.data() + s);
      const F a = load<F>(adjoint.a.data() + s);
      const F b = load<F>(adjoint.b.data() + s);
      const F d_gate = pmadd(load<F>(w_erev_.data() + s), a, pmul(load<F>(w_.data() + s), b));
      const F d_z = pmul(d_gate, pmul(gate, psub(broadcast<F>(Scalar(1)), gate)));
      Scalar* const sums = adjoint.sums.data() + s / group * (4 * group) + s % group;
      add_product_to<F>(sums, gate, a);
      add_product_to<F>(sums + group, gate, b);
      add_to<F>(sums + 2 * group, d_z);
      add_product_to<F>(sums + 3 * group, d_z, load<F>(scratch.values.data() + s));
      store<F>(adjoint.d_values.data() + s, pmul(load<F>(sigma_.data() + s), d_z));
    }
    for (Index s = 0; s < synapses.count(); ++s) d_before[synapses.source(s)] += adjoint.d_values[s];
  }

 private:
  static constexpr Index group = neuron_padding;

  [[nodiscard]] Index slots() const noexcept { return sigma_.size(); }

  /// Gates and their products, a full packet of synapses at a time.
  template <typename Connections>
  EIGEN_STRONG_INLINE void gates(const Connections& synapses, const Scalar* before, Scratch& scratch,
                                 Scalar* kept) const {
    constexpr int full = full_lanes<Scalar>;
    using F = Packet<Scalar, full>;
    using namespace Eigen::internal;
    for (Index s = 0; s < synapses.count(); ++s) scratch.values[s] = before[synapses.source(s)];
    for (Index s = 0; s < synapses.count(); s += full) {
      const F gate = sigmoid_of_scaled<F>(
          pmul(load<F>(steepness_.data() + s), psub(load<F>(scratch.values.data() + s), load<F>(mu_.data() + s))));
      if (kept) store<F>(kept + s, gate);
      store<F>(scratch.to_numerator.data() + s, pmul(load<F>(w_erev_.data() + s), gate));
      store<F>(scratch.to_denominator.data() + s, pmul(load<F>(w_.data() + s), gate));
    }
  }

  template <typename Lanes, typename Connections, typename Begin>
  void sum_by_destination(const Connections& synapses, Scratch& scratch, Begin begin) const {
    using P = typename Lanes::Packet;
    for (Index block = 0; block < Lanes::blocks(synapses.destinations()); ++block) {
      const auto [numerator, denominator] = begin(block);
      store<P>(scratch.numerator.data() + block * Lanes::lanes, numerator);
      store<P>(scratch.denominator.data() + block * Lanes::lanes, denominator);
    }
    for (Index s = 0; s < synapses.count(); ++s) {
      scratch.numerator[synapses.destination(s)] += scratch.to_numerator[s];
      scratch.denominator[synapses.destination(s)] += scratch.to_denominator[s];
    }
  }

  Buffer<Scalar, capacity> steepness_, sigma_, mu_, w_, w_erev_;
};

}  // namespace elegans::detail
