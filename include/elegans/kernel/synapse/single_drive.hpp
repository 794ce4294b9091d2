// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/dense_rows.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/kernel/synapse/list.hpp>
#include <elegans/kernel/synapse/slots.hpp>
#include <elegans/kernel/synapse/sparse_columns.hpp>
#include <elegans/simd/lane_sums.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>
#include <elegans/simd/wide_packet.hpp>

namespace elegans::detail {

/// What the synapses do to a single sample: BatchDrive's sums, with neurons in the lanes.
///
/// A row is a source with neighbouring destinations: the source's value is broadcast, and each destination's sums
/// gather in its lane. Backward, the adjoint of a source is a sum across lanes, taken for as many sources at once as a
/// packet has lanes. Where most pairs in the rows would have no synapse, columns take their place.
template <typename Scalar, int Sources, int Destinations>
class NeuronDrive {
  /// A slot of a column, which gathers, costs as much as that many of a row.
  static constexpr Index rows_a_column = 2;
  /// So few that columns would not save anything.
  static constexpr Index few_slots = 256;
  /// Sizes for which there is no other choice, and no room for one.
  static constexpr bool always_rows =
      Sources != Dynamic && Destinations != Dynamic && multiply_sizes(Sources, pad_neurons(Destinations)) <= few_slots;

  using Rows = SynapseRows<Scalar, Sources, Destinations>;
  using Columns = SynapseColumns<Scalar, always_rows ? 0 : Sources, always_rows ? 0 : Destinations>;
  using Slots = SynapseSlots<Scalar>;
  using Kept = KeptPass<Scalar>;

 public:
  struct Scratch : Columns::Scratch {
    /// Where a forward pass leaves what its adjoint will need, and a backward pass finds it: `kept_size` values; or
    /// null, and a backward pass computes it anew.
    Scalar* kept = nullptr;
  };
  /// Room for the adjoint.
  struct Adjoint {
    Buffer<Scalar> gates;   ///< in slots
    Slots sums;             ///< SynapseSums
    Buffer<Scalar> across;  ///< adjoints of the sources, before the sums across lanes
    typename Columns::Adjoint columns;
  };

  NeuronDrive() = default;
  template <typename Matrix>
  explicit NeuronDrive(const Matrix& polarity) : synapses_(polarity), rows_(synapses_) {
    in_rows_ = always_rows || rows_.slots() <= std::max(rows_a_column * Columns::least_slots(synapses_), few_slots);
    if (in_rows()) {
      rows_.reserve();
    } else {
      columns_ = Columns(synapses_);
      columns_.reserve();
    }
  }

  void pack(const SynapseTensors<const Scalar*>& tensors, bool implicit) {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const auto weight = read_synapse(tensors, synapses_.tensor_index(s), implicit);
      if (in_rows()) {
        rows_.pack(s, weight);
      } else {
        columns_.pack(s, weight);
      }
    }
  }

  /// Values that a forward pass may leave for its adjoint.
  [[nodiscard]] Index kept_size() const noexcept { return slots() + 2 * pad_neurons(synapses_.destinations()); }

  void reserve(Scratch& scratch) const {
    if (!in_rows()) columns_.reserve(scratch);
  }

  /// As BatchDrive's; a block is a packet of destinations.
  template <typename Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* before, Scratch& scratch, Begin begin, Finish finish) const {
    using P = typename Lanes::Packet;
    const Kept kept = kept_in(scratch);
    if (!in_rows()) return columns_.template forward<Lanes>(before, scratch, kept, begin, finish);
    for (Index block = 0; block < Lanes::blocks(synapses_.destinations()); ++block) {
      auto [numerator, denominator] = begin(block);
      if (kept) {
        add_rows<Lanes, true>(block, before, numerator, denominator, kept.gates);
        store<P>(kept.numerator + block * Lanes::lanes, numerator);
        store<P>(kept.denominator + block * Lanes::lanes, denominator);
      } else {
        add_rows<Lanes, false>(block, before, numerator, denominator, nullptr);
      }
      finish(block, numerator, denominator);
    }
  }

  template <typename Lanes>
  void reset(Adjoint& adjoint) const {
    if (!in_rows()) return columns_.reset(adjoint.columns);
    adjoint.gates.resize(rows_.slots());
    adjoint.sums.resize(rows_.slots());
    adjoint.sums.clear();
    adjoint.across.resize(extent<Lanes>(synapses_.sources()) * Lanes::lanes);
    std::fill_n(adjoint.across.data(), adjoint.across.size(), Scalar(0));
  }

  template <typename Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* before, Scratch& scratch, Begin begin, Respond respond,
                                    Scalar* d_before, Adjoint& adjoint) const {
    const Kept kept = kept_in(scratch);
    if (!in_rows()) {
      return columns_.template backward<Lanes>(before, scratch, kept, begin, respond, d_before, adjoint.columns);
    }
    using P = typename Lanes::Packet;
    const Scalar* const gates = kept ? kept.gates : adjoint.gates.data();
    const Index blocks = Lanes::blocks(synapses_.destinations());
    for (Index block = 0; block < blocks; ++block) {
      const Index i = block * Lanes::lanes;
      std::pair<P, P> response;
      if (kept) {
        response = respond(block, load<P>(kept.numerator + i), load<P>(kept.denominator + i));
      } else {
        auto [numerator, denominator] = begin(block);
        add_rows<Lanes, true>(block, before, numerator, denominator, adjoint.gates.data());
        response = respond(block, numerator, denominator);
      }
      respond_in_rows<Lanes>(block, before, gates, response.first, response.second, adjoint);
    }
    const P unscaled = broadcast<P>(Scalar(1) / sigmoid_scale<Scalar>);
    for (Index block = 0; block < Lanes::blocks(synapses_.sources()); ++block) {
      P of_sources[Lanes::lanes];
      for (Index k = 0; k < Lanes::lanes; ++k) {
        of_sources[k] = load<P>(adjoint.across.data() + (block * Lanes::lanes + k) * Lanes::lanes);
      }
      const P sums = sum_each<P>(of_sources);
      add_product_to<P>(d_before + block * Lanes::lanes, sums, unscaled);
    }
    if (blocks == 1) return;  // every row is written anew, what has none stays 0
    for (Index i = 0; i < adjoint.across.size(); i += Lanes::lanes) {
      store<P>(adjoint.across.data() + i, broadcast<P>(Scalar(0)));
    }
  }

  template <typename Lanes>
  void collect(const Adjoint& adjoint, const SynapseTensors<const Scalar*>& tensors,
               const SynapseTensors<Scalar*>& gradient, bool implicit) const {
    for (Index s = 0; s < synapses_.count(); ++s) {
      add_synapse_gradient<Scalar>(
          tensors, gradient, synapses_.tensor_index(s), implicit,
          in_rows() ? adjoint.sums.sums(rows_.slot_of(s)) : adjoint.columns.sums.sums(columns_.slot_of(s)));
    }
  }

 private:
  [[nodiscard]] bool in_rows() const noexcept { return always_rows || in_rows_; }
  [[nodiscard]] Index slots() const noexcept { return in_rows() ? rows_.slots() : columns_.slots(); }

  [[nodiscard]] Kept kept_in(const Scratch& scratch) const noexcept {
    if (!scratch.kept) return {};
    Scalar* const numerator = scratch.kept + slots();
    return {scratch.kept, numerator, numerator + pad_neurons(synapses_.destinations())};
  }

  /// Adds the rows of a block to its sums; may leave the gates behind.
  template <typename Lanes, bool Keep, typename P>
  EIGEN_STRONG_INLINE void add_rows(Index block, const Scalar* before, P& numerator, P& denominator,
                                    [[maybe_unused]] Scalar* gates) const {
    using namespace Eigen::internal;
    const Scalar* const all_weights = rows_.weights();
    P num = numerator;
    P den = denominator;
    rows_.template for_each_source<Lanes>(block, [&](Index source, Index slot) {
      const Scalar* const weights = all_weights + Slots::template place<Lanes::lanes>(slot);
      const P gate = Slots::template gate<P>(weights, broadcast<P>(before[source]));
      if constexpr (Keep) store<P>(gates + slot, gate);
      num = pmadd(load<P>(weights + Slots::w_erev), gate, num);
      den = pmadd(load<P>(weights + Slots::w), gate, den);
    });
    numerator = num;
    denominator = den;
  }

  /// From the adjoints a and b of a block's numerator and denominator to the sums of its synapses, and to what goes
  /// back to their sources.
  template <typename Lanes, typename P>
  EIGEN_STRONG_INLINE void respond_in_rows(Index block, const Scalar* before, const Scalar* gates, const P& a,
                                           const P& b, Adjoint& adjoint) const {
    // As local variables, as every store might else have changed them.
    const Scalar* const all_weights = rows_.weights();
    Scalar* const all_sums = adjoint.sums.data();
    Scalar* const across = adjoint.across.data();
    using Two = Doubled<Scalar, int{Lanes::lanes}>;
    if constexpr (Two::exists) {
      if (rows_.template takes_two_sources<Lanes>()) {
        const typename Two::type both_a = Two::join(a, a);
        const typename Two::type both_b = Two::join(b, b);
        using Pair = typename Two::type;
        rows_.for_each_two_sources([=](Index source, Index slot) {
          const Index place = Slots::template place<neuron_padding>(slot);
          store<Pair>(across + source * Lanes::lanes,
                      Slots::template respond<Pair>(all_weights + place, all_sums + place, load<Pair>(gates + slot),
                                                    both_a, both_b, Two::broadcast_two(before + source)));
        });
        return;
      }
    }
    const auto respond = [=](Index source, Index slot) {
      const Index place = Slots::template place<Lanes::lanes>(slot);
      return Slots::template respond<P>(all_weights + place, all_sums + place, load<P>(gates + slot), a, b,
                                        broadcast<P>(before[source]));
    };
    if (Lanes::blocks(synapses_.destinations()) == 1) {
      rows_.template for_each_source<Lanes>(
          block, [=](Index source, Index slot) { store<P>(across + source * Lanes::lanes, respond(source, slot)); });
    } else {
      rows_.template for_each_source<Lanes>(
          block, [=](Index source, Index slot) { add_to<P>(across + source * Lanes::lanes, respond(source, slot)); });
    }
  }

  Synapses<Sources, Destinations, SynapseOrder::by_source> synapses_;
  bool in_rows_ = false;
  Rows rows_;
  Columns columns_;
};

}  // namespace elegans::detail
