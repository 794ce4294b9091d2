// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/softplus.hpp>
#include <elegans/kernel/synapse/drive.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// mutate all: ltc.membrane
/// The membranes of an LTC's neurons: the differential equation that a solver integrates over a step. For neuron i
///
///     cm dv/dt = N - v D
///     N = gleak vleak + N_s + sum_j w_ji erev_ji g_ji(v_j),   D = gleak + epsilon + D_s + sum_j w_ji g_ji(v_j)
///
/// with the sensory drive N_s and D_s, which the inputs u set once per step, and the gates g of `SynapseEquation`.
/// Hasani et al., Liquid Time-constant Networks, AAAI 2021, equations 1 to 3.
template <typename Scalar, int Units, int Inputs>
class Membrane {
  using Synapses = SynapticDrive<Scalar, Units, Units>;
  using Sensory = SynapticDrive<Scalar, Inputs, Units>;

 public:
  /// \tparam Capacity  the padded number of neurons, to store the values inside the object; or Dynamic
  template <int Capacity = Dynamic>
  struct Scratch {
    Buffer<Scalar, Capacity> numerator, denominator;  ///< leak and sensory drive
    bool inputs_finite = true, all_finite = true;     ///< of this step: u; u and the potentials
    typename Synapses::Scratch synapse;
    typename Sensory::Scratch sensory;
  };
  struct Adjoint {
    Buffer<Scalar> d_numerator, d_denominator;            ///< of N and D over the sub-steps of one step
    Buffer<Scalar> cm, leak_numerator, leak_denominator;  ///< sums over the sequence
    typename Synapses::Adjoint synapse;
    typename Sensory::Adjoint sensory;
  };

  /// \param wiring  built for its number of inputs
  template <typename WiringType>
  explicit Membrane(const WiringType& wiring)
      : units_(wiring.units()), synapse_(wiring.adjacency_matrix()), sensory_(wiring.sensory_adjacency_matrix()) {
    for (auto* values : {&cm_, &leak_numerator_, &leak_denominator_}) values->resize(pad_neurons(units()));
  }

  [[nodiscard]] Index units() const noexcept { return Units == Dynamic ? units_ : Units; }

  /// Packs new parameters, for batches or for single samples.
  void pack(const LTCTensors<const Scalar*>& tensors, bool implicit, Scalar epsilon, bool single) {
    synapse_.pack(single, [&](Index i) { return read_synapse(tensors.synapse, i, implicit); });
    sensory_.pack(single, [&](Index i) { return read_synapse(tensors.sensory, i, implicit); });
    const auto positive = [&](Scalar value) { return implicit ? softplus(value) : value; };
    // A lane that only fills up a packet must not divide by 0: its capacitance is 1.
    std::fill_n(cm_.data(), cm_.size(), Scalar(1));
    for (Index i = 0; i < units(); ++i) {
      const Scalar gleak = positive(tensors.gleak[i]);
      cm_[i] = positive(tensors.cm[i]);
      leak_numerator_[i] = gleak * tensors.vleak[i];
      leak_denominator_[i] = gleak + epsilon;
    }
  }

  /// Number of values that `drive` may record for its adjoint.
  template <LaneLayout Lanes>
  [[nodiscard]] Index record_size() const noexcept {
    return synapse_.template record_size<Lanes>();
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    // A single sample gets room for the packets of every target.
    const Index room = Lanes::single ? pad_neurons(units()) : extent<Lanes>(units());
    scratch.numerator.resize(room);
    scratch.denominator.resize(room);
    synapse_.template reserve<Lanes>(scratch.synapse);
    sensory_.template reserve<Lanes>(scratch.sensory);
  }

  /// The capacitances of a block of neurons.
  template <LaneLayout Lanes>
  [[nodiscard]] EIGEN_ALWAYS_INLINE typename Lanes::Packet cm(Index block) const {
    return Lanes::per_neuron(cm_.data(), block);
  }

  /// Checks whether a step begins with values that are infinite or NaN. Only a single sample needs this, because the
  /// lanes of a batch do not affect each other. Call it first in a step and in its adjoint.
  ///
  /// \param u, v  (inputs) after the input mapping, and (units) potentials
  template <LaneLayout Lanes, typename AnyScratch>
  void begin_step(const Scalar* u, Index inputs, const Scalar* v, AnyScratch& scratch) const {
    using P = typename Lanes::Packet;
    scratch.inputs_finite = !Lanes::single || all_finite<P>(u, Lanes::blocks(inputs));
    scratch.all_finite = scratch.inputs_finite && (!Lanes::single || all_finite<P>(v, Lanes::blocks(units())));
  }

  /// Sums up leak and sensory drive, once per step. \param u  as in `begin_step`
  template <LaneLayout Lanes, typename AnyScratch>
  void sense(const Scalar* u, AnyScratch& scratch) const {
    using P = typename Lanes::Packet;
    Scalar* const numerator = scratch.numerator.data();
    Scalar* const denominator = scratch.denominator.data();
    sensory_.template forward<Lanes>(u, scratch.inputs_finite, scratch.sensory, nullptr, leak<Lanes>(),
                                     [=](Index block, const P& n, const P& d) {
                                       store(numerator + block * Lanes::lanes, n);
                                       store(denominator + block * Lanes::lanes, d);
                                     });
  }

  /// Calls finish(block, N, D) for each block of neurons at the potentials v, after `sense`.
  ///
  /// \param record  where to record the pass for `drive_backward`: `record_size` values, or null
  template <LaneLayout Lanes, typename AnyScratch, typename Finish>
  EIGEN_STRONG_INLINE void drive(const Scalar* v, AnyScratch& scratch, Scalar* record, const Finish& finish) const {
    synapse_.template forward<Lanes>(v, scratch.all_finite, scratch.synapse, record, sensed<Lanes>(scratch), finish);
  }

  /// Starts with sums of 0.
  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    for (auto* values : {&adjoint.d_numerator, &adjoint.d_denominator, &adjoint.cm, &adjoint.leak_numerator,
                         &adjoint.leak_denominator}) {
      values->resize(extent<Lanes>(units()));
      std::fill_n(values->data(), values->size(), Scalar(0));
    }
    synapse_.template reset<Lanes>(adjoint.synapse);
    sensory_.template reset<Lanes>(adjoint.sensory);
  }

  /// Clears the adjoints of N and D, which a step sums up over its sub-steps.
  void clear_step(Adjoint& adjoint) const {
    std::fill_n(adjoint.d_numerator.data(), adjoint.d_numerator.size(), Scalar(0));
    std::fill_n(adjoint.d_denominator.data(), adjoint.d_denominator.size(), Scalar(0));
  }

  /// The adjoint of `drive`.
  ///
  /// \param respond  (block, N, D) -> the adjoints a and b of N and D, a pair of packets
  /// \param d_v      adjoints of the potentials, added to
  template <LaneLayout Lanes, typename AnyScratch, typename Respond>
  EIGEN_STRONG_INLINE void drive_backward(const Scalar* v, AnyScratch& scratch, Scalar* record, const Respond& respond,
                                          Scalar* d_v, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    Scalar* const d_numerator = adjoint.d_numerator.data();
    Scalar* const d_denominator = adjoint.d_denominator.data();
    synapse_.template backward<Lanes>(
        v, scratch.all_finite, scratch.synapse, record, sensed<Lanes>(scratch),
        [&respond, d_numerator, d_denominator](Index block, const P& n, const P& d) {
          const std::pair<P, P> response = respond(block, n, d);
          add_to(d_numerator + block * Lanes::lanes, response.first);
          add_to(d_denominator + block * Lanes::lanes, response.second);
          return response;
        },
        d_v, adjoint.synapse);
  }

  /// The adjoint of `sense`, after all sub-steps of a step. \param d_u  adjoints of the inputs, added to
  template <LaneLayout Lanes, typename AnyScratch>
  void sense_backward(const Scalar* u, AnyScratch& scratch, Scalar* d_u, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    const Scalar* const d_numerator = adjoint.d_numerator.data();
    const Scalar* const d_denominator = adjoint.d_denominator.data();
    Scalar* const leak_numerator = adjoint.leak_numerator.data();
    Scalar* const leak_denominator = adjoint.leak_denominator.data();
    sensory_.template backward<Lanes>(
        u, scratch.inputs_finite, scratch.sensory, nullptr, leak<Lanes>(),
        [=](Index block, const P&, const P&) {
          const Index i = block * Lanes::lanes;
          const P a = load<P>(d_numerator + i);
          const P b = load<P>(d_denominator + i);
          add_to(leak_numerator + i, a);
          add_to(leak_denominator + i, b);
          return std::pair<P, P>{a, b};
        },
        d_u, adjoint.sensory);
  }

  /// Adds the sums of the adjoint to a gradient.
  template <LaneLayout Lanes>
  void collect(const Adjoint& adjoint, const LTCTensors<const Scalar*>& tensors, const LTCTensors<Scalar*>& gradient,
               bool implicit) const {
    synapse_.template collect<Lanes>(adjoint.synapse, [&](Index i, const SynapseSums<Scalar>& sums) {
      add_synapse_gradient<Scalar>(tensors.synapse, gradient.synapse, i, implicit, sums);
    });
    sensory_.template collect<Lanes>(adjoint.sensory, [&](Index i, const SynapseSums<Scalar>& sums) {
      add_synapse_gradient<Scalar>(tensors.sensory, gradient.sensory, i, implicit, sums);
    });
    for (Index i = 0; i < units(); ++i) {
      const Scalar gleak = implicit ? softplus(tensors.gleak[i]) : tensors.gleak[i];
      const Scalar d_numerator = Lanes::sum_samples(adjoint.leak_numerator.data(), i);
      const Scalar d_gleak = d_numerator * tensors.vleak[i] + Lanes::sum_samples(adjoint.leak_denominator.data(), i);
      const Scalar d_cm = Lanes::sum_samples(adjoint.cm.data(), i);
      gradient.vleak[i] += d_numerator * gleak;
      gradient.gleak[i] += implicit ? d_gleak * softplus_derivative(tensors.gleak[i]) : d_gleak;
      gradient.cm[i] += implicit ? d_cm * softplus_derivative(tensors.cm[i]) : d_cm;
    }
  }

 private:
  /// A neuron's numerator and denominator from its leak alone.
  template <LaneLayout Lanes>
  [[nodiscard]] auto leak() const {
    using P = typename Lanes::Packet;
    return [numerator = leak_numerator_.data(), denominator = leak_denominator_.data()](Index block) {
      return std::pair<P, P>{Lanes::per_neuron(numerator, block), Lanes::per_neuron(denominator, block)};
    };
  }
  /// Leak and sensory drive, as `sense` summed them up.
  template <LaneLayout Lanes, typename AnyScratch>
  [[nodiscard]] static auto sensed(const AnyScratch& scratch) {
    using P = typename Lanes::Packet;
    return [numerator = scratch.numerator.data(), denominator = scratch.denominator.data()](Index block) {
      return std::pair<P, P>{load<P>(numerator + block * Lanes::lanes), load<P>(denominator + block * Lanes::lanes)};
    };
  }

  Index units_;
  Synapses synapse_;
  Sensory sensory_;
  // One value per neuron, padded to whole packets: cm, gleak vleak, and gleak + epsilon.
  Buffer<Scalar, pad_neurons(Units)> cm_, leak_numerator_, leak_denominator_;
};

}  // namespace elegans::detail
