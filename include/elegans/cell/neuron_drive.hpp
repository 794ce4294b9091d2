// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/lanes.hpp>
#include <elegans/cell/synapse_columns.hpp>
#include <elegans/cell/synapse_rows.hpp>
#include <elegans/cell/synapse_tensors.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>
#include <elegans/wiring/synapses.hpp>

namespace elegans::detail {

/// What the synapses do to a single sample: BatchDrive's sums, with neurons in the lanes.
///
/// A row is a source with neighbouring destinations: the source's value is broadcast, and each destination's sums
/// gather in its lane. Backward, the adjoint of a source is a sum across lanes, taken for as many sources at once as a
/// packet has lanes. Where most pairs in the rows would have no synapse, columns take their place.
template <typename Scalar, int Sources, int Destinations>
class NeuronDrive {
  using Rows = SynapseRows<Scalar, Sources, Destinations>;
  using Columns = SynapseColumns<Scalar, Sources, Destinations>;
  /// A slot of a column, which gathers, costs as much as that many of a row.
  static constexpr Index rows_a_column = 2;
  /// So few that columns would not save anything.
  static constexpr Index few_slots = 256;

 public:
  struct Scratch : Columns::Scratch {
    Scalar* gates = nullptr;  ///< where a forward pass leaves them, and a backward pass finds them
  };
  /// Room for the adjoint.
  struct Adjoint {
    Buffer<Scalar> gates;   ///< in slots
    Buffer<Scalar> sums;    ///< SynapseSums: a group of each in turn
    Buffer<Scalar> across;  ///< adjoints of the sources, before the sums across lanes
    typename Columns::Adjoint columns;
  };

  NeuronDrive() = default;
  template <typename Matrix>
  explicit NeuronDrive(const Matrix& polarity) : synapses_(polarity) {
    rows_ = Rows(
        synapses_.sources(), synapses_.destinations(), synapses_.count(),
        [this](Index s) { return synapses_.source(s); }, [this](Index s) { return synapses_.destination(s); });
    columns_ = Columns(synapses_);
    in_rows_ = rows_.slots() <= std::max(rows_a_column * columns_.slots(), few_slots);
    if (in_rows_) {
      rows_.reserve();
    } else {
      columns_.reserve();
    }
  }

  void pack(const SynapseTensors<const Scalar*>& tensors, bool implicit) {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const auto weight = read_synapse(tensors, synapses_.tensor_index(s), implicit);
      if (in_rows_) {
        rows_.pack(s, weight);
      } else {
        columns_.pack(s, weight);
      }
    }
  }

  /// Gates that a pass may leave for its adjoint.
  [[nodiscard]] Index gate_count() const noexcept { return in_rows_ ? rows_.slots() : columns_.slots(); }

  void reserve(Scratch& scratch) const {
    if (!in_rows_) columns_.reserve(scratch);
  }

  /// As BatchDrive's; a block is a packet of destinations.
  template <typename Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* before, Scratch& scratch, Begin begin, Finish finish) const {
    if (!in_rows_) return columns_.template forward<Lanes>(before, scratch, scratch.gates, begin, finish);
    for (Index block = 0; block < Lanes::blocks(synapses_.destinations()); ++block) {
      auto [numerator, denominator] = begin(block);
      if (scratch.gates) {
        add_rows<Lanes, true>(block, before, numerator, denominator, scratch.gates);
      } else {
        add_rows<Lanes, false>(block, before, numerator, denominator, nullptr);
      }
      finish(block, numerator, denominator);
    }
  }

  template <typename Lanes>
  void reset(Adjoint& adjoint) const {
    if (!in_rows_) return columns_.reset(adjoint.columns);
    adjoint.gates.resize(rows_.slots());
    for (auto [values, size] : {std::pair{&adjoint.sums, 4 * rows_.slots()},
                                std::pair{&adjoint.across, extent<Lanes>(synapses_.sources()) * Lanes::lanes}}) {
      values->resize(size);
      std::fill_n(values->data(), size, Scalar(0));
    }
  }

  template <typename Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* before, Scratch& scratch, Begin begin, Respond respond,
                                    Scalar* d_before, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    if (!in_rows_) {
      return columns_.template backward<Lanes>(before, scratch, scratch.gates, begin, respond, d_before,
                                               adjoint.columns);
    }
    // As local variables, as every store might else have changed them.
    constexpr Index lanes = Lanes::lanes;
    const Scalar* const all_weights = rows_.weights();
    const Scalar* const gates = scratch.gates ? scratch.gates : adjoint.gates.data();
    Scalar* const all_sums = adjoint.sums.data();
    Scalar* const across = adjoint.across.data();
    const P one = broadcast<P>(Scalar(1));
    const Index blocks = Lanes::blocks(synapses_.destinations());
    for (Index block = 0; block < blocks; ++block) {
      auto [numerator, denominator] = begin(block);
      if (scratch.gates) {
        add_known_rows<Lanes>(block, numerator, denominator, gates);
      } else {
        add_rows<Lanes, true>(block, before, numerator, denominator, adjoint.gates.data());
      }
      const auto response = respond(block, numerator, denominator);
      const P a = response.first;
      const P b = response.second;
      const auto each = [=](Index source, Index slot) {
        const Scalar* const weights = all_weights + Rows::template place<Rows::weight_kinds>(slot);
        Scalar* const sums = all_sums + Rows::template place<4>(slot);
        const P gate = load<P>(gates + slot);
        const P d_gate = pmadd(load<P>(weights + Rows::w_erev), a, pmul(load<P>(weights + Rows::w), b));
        const P d_z = pmul(d_gate, pmul(gate, psub(one, gate)));
        add_product_to<P>(sums, gate, a);
        add_product_to<P>(sums + group, gate, b);
        add_to<P>(sums + 2 * group, d_z);
        add_product_to<P>(sums + 3 * group, d_z, broadcast<P>(before[source]));
        return pmul(load<P>(weights + Rows::sigma), d_z);
      };
      if (blocks == 1) {
        rows_.template for_each_outer<Lanes>(
            block, [=](Index source, Index slot) { store<P>(across + source * lanes, each(source, slot)); });
      } else {
        rows_.template for_each_outer<Lanes>(
            block, [=](Index source, Index slot) { add_to<P>(across + source * lanes, each(source, slot)); });
      }
    }
    for (Index block = 0; block < Lanes::blocks(synapses_.sources()); ++block) {
      add_to<P>(d_before + block * lanes, sum_each<P>(across + block * lanes * lanes, lanes));
    }
    if (blocks == 1) return;  // every row is written anew, what has none stays 0
    for (Index i = 0; i < adjoint.across.size(); i += lanes) store<P>(across + i, broadcast<P>(Scalar(0)));
  }

  template <typename Lanes>
  void collect(const Adjoint& adjoint, const SynapseTensors<const Scalar*>& tensors,
               const SynapseTensors<Scalar*>& gradient, bool implicit) const {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const Scalar* const sums = in_rows_ ? adjoint.sums.data() + Rows::template place<4>(rows_.slot_of(s))
                                          : adjoint.columns.sums.data() + Rows::template place<4>(columns_.slot_of(s));
      add_synapse_gradient<Scalar>(tensors, gradient, synapses_.tensor_index(s), implicit,
                                   {sums[0], sums[group], sums[2 * group], sums[3 * group]});
    }
  }

 private:
  static constexpr Index group = neuron_padding;
  /// Adds the rows of a block to its sums; may leave the gates behind.
  template <typename Lanes, bool Keep, typename P>
  EIGEN_STRONG_INLINE void add_rows(Index block, const Scalar* before, P& numerator, P& denominator,
                                    [[maybe_unused]] Scalar* gates) const {
    using namespace Eigen::internal;
    const Scalar* const all_weights = rows_.weights();
    P num = numerator;
    P den = denominator;
    rows_.template for_each_outer<Lanes>(block, [&](Index source, Index slot) {
      const Scalar* const weights = all_weights + Rows::template place<Rows::weight_kinds>(slot);
      const P gate = Rows::template gate<P>(weights, broadcast<P>(before[source]));
      if constexpr (Keep) store<P>(gates + slot, gate);
      num = pmadd(load<P>(weights + Rows::w_erev), gate, num);
      den = pmadd(load<P>(weights + Rows::w), gate, den);
    });
    numerator = num;
    denominator = den;
  }

  /// The same, where the gates are known.
  template <typename Lanes, typename P>
  EIGEN_STRONG_INLINE void add_known_rows(Index block, P& numerator, P& denominator, const Scalar* gates) const {
    using namespace Eigen::internal;
    const Scalar* const all_weights = rows_.weights();
    P num = numerator;
    P den = denominator;
    rows_.template for_each_outer<Lanes>(block, [&](Index, Index slot) {
      const Scalar* const weights = all_weights + Rows::template place<Rows::weight_kinds>(slot);
      const P gate = load<P>(gates + slot);
      num = pmadd(load<P>(weights + Rows::w_erev), gate, num);
      den = pmadd(load<P>(weights + Rows::w), gate, den);
    });
    numerator = num;
    denominator = den;
  }

  Synapses<Sources, Destinations, SynapseOrder::by_source> synapses_;
  bool in_rows_ = false;
  Rows rows_;
  Columns columns_;
};

}  // namespace elegans::detail
