// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/core/tuning.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/kernel/synapse/slots.hpp>
#include <elegans/simd/lane_sums.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>
#include <elegans/simd/wide_packet.hpp>

namespace elegans::detail {

// mutate all: synapse.dense_rows
/// The synapses of a single sample in rows. A row is a source with a group of 16 neighbouring destinations; it exists
/// if the source feeds at least one of them. If there are at most 8 destinations, a row holds two neighbouring sources,
/// one in each half. A pair of source and destination without a synapse has strength 0. So the kernel needs no indices:
/// it broadcasts the value of a source, and each lane adds up the sums of one destination. Rows are sorted by group,
/// then by source. A packet must not be wider than such a half: see `has_row_of`.
///
/// \tparam Sources, Destinations  numbers of neurons, or Dynamic
template <typename Scalar, int Sources, int Destinations>
class DenseRows {
  static constexpr int groups = Destinations == Dynamic ? Dynamic : pad_neurons(Destinations) / neuron_padding;
  static constexpr int row_capacity = multiply_sizes(Sources, groups);

  static constexpr Index half = neuron_padding / 2;

 public:
  using Slots = SynapseSlots<Scalar, multiply_sizes(row_capacity, neuron_padding)>;
  using Record = PassRecord<Scalar>;
  /// Empty: the sums of a pass stay in registers.
  struct Scratch {};
  struct Adjoint {
    Buffer<Scalar> gates;       ///< one per slot
    SynapseSlots<Scalar> sums;  ///< the SynapseSums of each slot
    Buffer<Scalar> across;      ///< adjoints of the sources, before the sums across lanes
  };

  /// True if the rows can be read with packets of a layout. `with_neuron_lanes` only chooses such layouts.
  template <LaneLayout Lanes>
  static constexpr bool has_row_of(Index destinations) noexcept {
    static_assert(2 * tuning::wasted_lanes < tuning::wasted_lanes_of, "a packet could be wider than half a row");
    return Lanes::lanes <= half || destinations > half;
  }

  DenseRows() = default;

  /// \param synapses  a `SynapseList`
  template <typename List>
  explicit DenseRows(const List& synapses)
      : sources_(synapses.sources()),
        destinations_(synapses.destinations()),
        has_halves_(synapses.destinations() <= half) {
    const Index sources = synapses.sources();
    const Index group_count = pad_neurons(synapses.destinations()) / Slots::line;
    // For each source and group: the first of its slots, or -1 if there is no synapse.
    Buffer<int, row_capacity> first_slots(sources * group_count);
    const auto slots_of = [&](Index s) -> int& {
      return first_slots[synapses.source(s) + sources * (synapses.destination(s) / Slots::line)];
    };
    for (int& slot : std::span(first_slots.data(), static_cast<std::size_t>(first_slots.size()))) slot = -1;
    for (Index s = 0; s < synapses.count(); ++s) slots_of(s) = 0;
    first_of_group_.resize(group_count + 1);
    source_.resize(sources * group_count);
    first_slot_.resize(sources * group_count);
    leader_.resize(sources * group_count);
    int pairs = 0, rows = 0;
    for (Index g = 0; g < group_count; ++g) {
      for (int j = 0; j < sources; ++j) {
        int& slot = first_slots[j + sources * g];
        if (slot < 0) continue;
        const int leader = has_halves() ? j / 2 * 2 : j;
        if (rows == 0 || first_of_group_[g] == pairs || leader_[rows - 1] != leader) leader_[rows++] = leader;
        slot = static_cast<int>((rows - 1) * Slots::line + (j - leader) * half);
        source_[pairs] = j;
        first_slot_[pairs++] = slot;
      }
      first_of_group_[g + 1] = pairs;
    }
    source_.resize(pairs);
    first_slot_.resize(pairs);
    leader_.resize(rows);
    slot_.resize(synapses.count());
    for (Index s = 0; s < synapses.count(); ++s) {
      slot_[s] = static_cast<int>(slots_of(s) + synapses.destination(s) % Slots::line);
    }
  }

  /// The number of slots that these synapses need in rows. \param synapses  a `SynapseList` by source
  template <typename List>
  [[nodiscard]] static Index slots_for(const List& synapses) {
    const Index sources_per_row = synapses.destinations() <= half ? 2 : 1;
    Index rows = 0, last = -1;
    for (Index s = 0; s < synapses.count(); ++s) {
      const Index row = synapses.source(s) / sources_per_row * (pad_neurons(synapses.destinations()) / Slots::line) +
                        synapses.destination(s) / Slots::line;
      rows += row != last;
      last = row;
    }
    return rows * Slots::line;
  }
  [[nodiscard]] Index slot_count() const noexcept { return leader_.size() * Slots::line; }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept { return slot_[synapse]; }
  /// The packed parameters of all slots.
  [[nodiscard]] const Scalar* parameters() const noexcept { return parameters_.data(); }

  /// Makes room for the parameters.
  void reserve() { parameters_.resize(slot_count()); }
  void pack(Index synapse, const SynapseWeight<Scalar>& weight) { parameters_.pack(slot_of(synapse), weight); }

  void reserve(Scratch&) const {}
  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    adjoint.gates.resize(slot_count());
    adjoint.sums.resize(slot_count());
    adjoint.sums.clear();
    adjoint.across.resize(extent<Lanes>(sources()) * Lanes::lanes);
    std::fill_n(adjoint.across.data(), adjoint.across.size(), Scalar(0));
  }

  /// As `BatchDrive::forward`. A block is a packet of destinations.
  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* v, Scratch&, const Record& record, const Begin& begin,
                                   const Finish& finish) const {
    eigen_assert(has_row_of<Lanes>(destinations()));
    for (Index block = 0; block < Lanes::blocks(destinations()); ++block) {
      auto [numerator, denominator] = begin(block);
      if (record) {
        add_rows<Lanes, true>(block, v, numerator, denominator, record.gates);
        store(record.numerator + block * Lanes::lanes, numerator);
        store(record.denominator + block * Lanes::lanes, denominator);
      } else {
        add_rows<Lanes, false>(block, v, numerator, denominator, nullptr);
      }
      finish(block, numerator, denominator);
    }
  }

  /// As `BatchDrive::backward`. Reads the record of the forward pass, or computes the pass again if there is none.
  template <LaneLayout Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* v, Scratch&, const Record& record, const Begin& begin,
                                    const Respond& respond, Scalar* d_v, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    const Scalar* const gates = record ? record.gates : adjoint.gates.data();
    const Index blocks = Lanes::blocks(destinations());
    for (Index block = 0; block < blocks; ++block) {
      const Index i = block * Lanes::lanes;
      std::pair<P, P> response;
      if (record) {
        response = respond(block, load<P>(record.numerator + i), load<P>(record.denominator + i));
      } else {
        auto [numerator, denominator] = begin(block);
        add_rows<Lanes, true>(block, v, numerator, denominator, adjoint.gates.data());
        response = respond(block, numerator, denominator);
      }
      respond_in_rows<Lanes>(block, v, gates, response.first, response.second, adjoint);
    }
    const P unscale(Scalar(1) / sigmoid_scale<Scalar>);
    for (Index block = 0; block < Lanes::blocks(sources()); ++block) {
      P of_sources[Lanes::lanes];
      for (Index k = 0; k < Lanes::lanes; ++k) {
        of_sources[k] = load<P>(adjoint.across.data() + (block * Lanes::lanes + k) * Lanes::lanes);
      }
      add_product_to(d_v + block * Lanes::lanes, sum_each(of_sources), unscale);
    }
    if (blocks == 1) return;  // the next pass writes every row anew, and sources without a row stay 0
    for (Index i = 0; i < adjoint.across.size(); i += Lanes::lanes) store(adjoint.across.data() + i, P(Scalar(0)));
  }

 private:
  [[nodiscard]] Index sources() const noexcept { return Sources == Dynamic ? sources_ : Sources; }
  [[nodiscard]] Index destinations() const noexcept { return Destinations == Dynamic ? destinations_ : Destinations; }
  [[nodiscard]] bool has_halves() const noexcept {
    return Destinations == Dynamic ? has_halves_ : Destinations <= half;
  }

  /// The pairs of source and group from which a block of destinations gets its synapses. The slot of the block's first
  /// destination is `within` slots behind the first of the pair.
  struct Pairs {
    Index first, last, within;
  };
  template <LaneLayout Lanes>
  [[nodiscard]] Pairs pairs_of(Index block) const {
    const Index first = block * Lanes::lanes;
    return {first_of_group_[first / Slots::line], first_of_group_[first / Slots::line + 1],
            Lanes::lanes == Slots::line ? 0 : first % Slots::line};
  }

  /// Adds the rows of a block to its sums. \param gates  written if `Records`
  template <LaneLayout Lanes, bool Records, typename P>
  EIGEN_ALWAYS_INLINE void add_rows(Index block, const Scalar* v, P& numerator, P& denominator,
                                    [[maybe_unused]] Scalar* gates) const {
    const Scalar* const parameters = parameters_.data();
    P n = numerator, d = denominator;
    const auto [first, last, within] = pairs_of<Lanes>(block);
    for (Index k = first; k < last; ++k) {
      const Index slot = first_slot_[k] + within;
      const auto synapses = Slots::template equation<P>(parameters + Slots::template offset<Lanes::lanes>(slot));
      const P gate = synapses.template gate<Evaluation::shortest_chain>(P(v[source_[k]]));
      synapses.drive(gate, n, d);
      if constexpr (Records) store(gates + slot, gate);
    }
    numerator = n;
    denominator = d;
  }

  /// The adjoint of `add_rows`. From the adjoints a and b of a block's numerator and denominator it computes the
  /// adjoints of the sources, and adds to the sums of the synapses.
  template <LaneLayout Lanes, typename P>
  EIGEN_STRONG_INLINE void respond_in_rows(Index block, const Scalar* v, const Scalar* gates, const P& a, const P& b,
                                           Adjoint& adjoint) const {
    // Local variables: the compiler must assume that any store changes a member.
    const Scalar* const parameters = parameters_.data();
    Scalar* const sums = adjoint.sums.data();
    Scalar* const across = adjoint.across.data();
    using Wide = WidePacket<Scalar, int{Lanes::lanes}>;
    if constexpr (Wide::exists && Lanes::lanes == half) {
      if (has_halves()) {
        // Two sources at a time, row by row.
        const auto both_a = Wide::join(a, a);
        const auto both_b = Wide::join(b, b);
        for (Index row = 0; row < leader_.size(); ++row) {
          const Index slot = row * Slots::line;
          const Index offset = Slots::template offset<neuron_padding>(slot);
          const Index source = leader_[row];
          store(across + source * Lanes::lanes,
                Slots::respond(parameters + offset, sums + offset, load<typename Wide::Type>(gates + slot), both_a,
                               both_b, Wide::broadcast_two(v + source)));
        }
        return;
      }
    }
    const bool is_only_block = Lanes::blocks(destinations()) == 1;
    const auto [first, last, within] = pairs_of<Lanes>(block);
    for (Index k = first; k < last; ++k) {
      const Index source = source_[k];
      const Index slot = first_slot_[k] + within;
      const Index offset = Slots::template offset<Lanes::lanes>(slot);
      const P d_source = Slots::respond(parameters + offset, sums + offset, load<P>(gates + slot), a, b, P(v[source]));
      if (is_only_block) {
        store(across + source * Lanes::lanes, d_source);
      } else {
        add_to(across + source * Lanes::lanes, d_source);
      }
    }
  }

  Index sources_ = 0;
  Index destinations_ = 0;
  bool has_halves_ = false;
  Buffer<int, add_sizes(groups, 1)> first_of_group_;
  Buffer<int, row_capacity> source_, first_slot_;            // of each pair of source and group
  Buffer<int, row_capacity> leader_;                         // of each row, its first source
  Buffer<int, multiply_sizes(Sources, Destinations)> slot_;  // of each synapse
  Slots parameters_;
};

}  // namespace elegans::detail
