// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/edge_coloring.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/kernel/synapse/slots.hpp>
#include <elegans/simd/lane_table.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// Synapses of a single sample, few enough that most pairs in a row (see SynapseRows) would have none: each lane is a
/// destination, and walks down a column of its own synapses. Destinations are sorted by their number of synapses, so
/// that columns side by side are about as long. The price is that every lane gathers its own source, and that what goes
/// back to the sources goes to a different one from each lane; but never two lanes of a row to the same (see SlotRows).
template <typename Scalar, int Sources, int Destinations>
class SynapseColumns {
  static constexpr int padded_destinations = pad_neurons(Destinations);
  static constexpr int group_count = padded_destinations == Dynamic ? Dynamic : padded_destinations / neuron_padding;
  static constexpr int capacity = multiply_sizes(SlotRows<Sources>::most_rows, padded_destinations);

 public:
  using Slots = SynapseSlots<Scalar, capacity>;
  using Kept = KeptPass<Scalar>;

  /// Room for a pass: sums in the order of the lanes.
  struct Scratch {
    Buffer<Scalar, padded_destinations> numerator, denominator;
  };
  struct Adjoint {
    Buffer<Scalar> gates, products;  ///< in slots; products are what goes back to the sources
    Buffer<Scalar> a, b;             ///< of destinations, in the order of the neurons
    SynapseSlots<Scalar> sums;       ///< SynapseSums
  };

  SynapseColumns() = default;

  /// \param synapses  a `Synapses`
  template <typename Connections>
  explicit SynapseColumns(const Connections& synapses)
      : sources_(synapses.sources()), destinations_(synapses.destinations()) {
    const Index padded = pad_neurons(destinations_);
    const auto degree = degrees(synapses);
    neuron_.resize(padded);
    std::iota(neuron_.data(), neuron_.data() + padded, 0);
    std::sort(neuron_.data(), neuron_.data() + padded,
              [&](int a, int b) { return degree[a] != degree[b] ? degree[a] > degree[b] : a < b; });
    lane_.resize(padded);
    for (Index p = 0; p < padded; ++p) lane_[neuron_[p]] = static_cast<int>(p);

    first_of_group_.resize(padded / Slots::row + 1);
    rows_of_lane_.resize(padded);
    slot_.resize(synapses.count());
    SlotRows<Sources> rows(sources_);
    for (Index g = 0; g < padded / Slots::row; ++g) {
      rows.clear();
      for (Index s = 0; s < synapses.count(); ++s) {
        const int p = lane_[synapses.destination(s)];
        if (p / Slots::row == g) rows.add(p % static_cast<int>(Slots::row), synapses.source(s));
      }
      const Index first = first_of_group_[g];
      first_of_group_[g + 1] = static_cast<int>(first + rows.count());
      for (Index k = 0; k < Slots::row; ++k) rows_of_lane_[g * Slots::row + k] = static_cast<int>(rows.count_from(k));
      for (Index s = 0; s < synapses.count(); ++s) {
        const int p = lane_[synapses.destination(s)];
        if (p / Slots::row != g) continue;
        const Index k = p % Slots::row;
        slot_[s] = static_cast<int>((first + rows.row_of(k, synapses.source(s))) * Slots::row + k);
      }
    }
    source_.resize(first_of_group_[padded / Slots::row] * Slots::row);
    for (Index s = 0; s < synapses.count(); ++s) source_[slot_[s]] = synapses.source(s);
    set_ways_back(synapses);
  }

  /// Slots that columns of these synapses take at least, and seldom more.
  template <typename Connections>
  [[nodiscard]] static Index least_slots(const Connections& synapses) {
    auto degree = degrees(synapses);
    std::sort(degree.data(), degree.data() + degree.size(), std::greater<>());
    Index slots = 0;
    for (Index p = 0; p < degree.size(); p += Slots::row) slots += degree[p] * Slots::row;
    return slots;
  }

  /// Synapses, and what is left empty in columns.
  [[nodiscard]] Index slots() const noexcept { return source_.size(); }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept { return slot_[synapse]; }

  void reserve() { weights_.resize(slots()); }
  void reserve(Scratch& scratch) const {
    scratch.numerator.resize(neuron_.size());
    scratch.denominator.resize(neuron_.size());
  }
  void reset(Adjoint& adjoint) const {
    adjoint.gates.resize(slots());
    adjoint.products.resize(slots() + 1);
    adjoint.products[slots()] = Scalar(0);
    for (auto* values : {&adjoint.a, &adjoint.b}) values->resize(neuron_.size());
    adjoint.sums.resize(slots());
    adjoint.sums.clear();
  }

  void pack(Index synapse, const SynapseWeight<Scalar>& weight) { weights_.pack(slot_of(synapse), weight); }

  /// As NeuronDrive's. \param kept  where to leave the pass for its adjoint, if anywhere
  template <typename Lanes, typename Begin, typename Finish>
  EIGEN_DONT_INLINE void forward(const Scalar* before, Scratch& scratch, const Kept& kept, Begin begin,
                                 Finish finish) const {
    using P = typename Lanes::Packet;
    if (kept) {
      add_columns<Lanes, true>(before, scratch, kept.gates);
    } else {
      add_columns<Lanes, false>(before, scratch, nullptr);
    }
    for_each_sum<Lanes>(scratch, begin, [&](Index block, const P& numerator, const P& denominator) {
      if (kept) {
        store<P>(kept.numerator + block * Lanes::lanes, numerator);
        store<P>(kept.denominator + block * Lanes::lanes, denominator);
      }
      finish(block, numerator, denominator);
    });
  }

  /// As NeuronDrive's. \param kept  what the forward pass left behind, if anything
  template <typename Lanes, typename Begin, typename Respond>
  EIGEN_DONT_INLINE void backward(const Scalar* before, Scratch& scratch, const Kept& kept, Begin begin,
                                  Respond respond, Scalar* d_before, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    const auto answer = [&](Index block, const P& numerator, const P& denominator) {
      const auto [a, b] = respond(block, numerator, denominator);
      store<P>(adjoint.a.data() + block * Lanes::lanes, a);
      store<P>(adjoint.b.data() + block * Lanes::lanes, b);
    };
    if (kept) {
      for (Index block = 0; block < Lanes::blocks(destinations_); ++block) {
        answer(block, load<P>(kept.numerator + block * Lanes::lanes), load<P>(kept.denominator + block * Lanes::lanes));
      }
    } else {
      add_columns<Lanes, true>(before, scratch, adjoint.gates.data());
      for_each_sum<Lanes>(scratch, begin, answer);
    }
    const Scalar* const gates = kept ? kept.gates : adjoint.gates.data();
    using Sums = TableSums<Scalar, int{Lanes::lanes}>;
    const P unscaled = broadcast<P>(Scalar(1) / sigmoid_scale<Scalar>);
    if constexpr (Sums::capacity > 0) {
      if (sources_ <= Sums::capacity) {
        Sums sums;
        const int* const ways = way_back_.data();
        respond_in_columns<Lanes>(before, gates, adjoint,
                                  [&](Index slot, const P& product) { sums.add(ways + slot, product); });
        sums.add_products_to(d_before, sources_, unscaled);
        return;
      }
    }
    Scalar* const products = adjoint.products.data();
    respond_in_columns<Lanes>(before, gates, adjoint,
                              [=](Index slot, const P& product) { store<P>(products + slot, product); });
    const int* const slots = slot_of_source_.data();
    for (Index j = 0; j < sources_; ++j) {
      Scalar sum(0);
      for (Index k = first_of_source_[j]; k < first_of_source_[j + 1]; k += 4) {
        sum += (products[slots[k]] + products[slots[k + 1]]) + (products[slots[k + 2]] + products[slots[k + 3]]);
      }
      d_before[j] += sum * (Scalar(1) / sigmoid_scale<Scalar>);
    }
  }

 private:
  /// How many synapses each destination has; 0 what fills up the last packet.
  template <typename Connections>
  [[nodiscard]] static auto degrees(const Connections& synapses) {
    Buffer<int, padded_destinations> degree(pad_neurons(synapses.destinations()));
    for (Index s = 0; s < synapses.count(); ++s) ++degree[synapses.destination(s)];
    return degree;
  }

  /// Both ways in which products find their sources: by their lanes, and one by one.
  template <typename Connections>
  void set_ways_back(const Connections& synapses) {
    way_back_.resize(slots());
    for (int& way : std::span(way_back_.data(), static_cast<std::size_t>(slots()))) way = table_sums_none;
    first_of_source_.resize(sources_ + 1);
    for (Index s = 0; s < synapses.count(); ++s) {
      const int source = synapses.source(s);
      first_of_source_[source + 1] += 1;
      if (source < table_sums_capacity) {
        const Index row = slot_[s] / Slots::row * Slots::row;
        set_table_sum(way_back_.data() + row, source, static_cast<int>(slot_[s] - row));
      }
    }
    // What fills up the last four of a source lies behind all others, where products are 0.
    for (Index j = 0; j < sources_; ++j) {
      first_of_source_[j + 1] = first_of_source_[j] + (first_of_source_[j + 1] + 3) / 4 * 4;
    }
    slot_of_source_.resize(first_of_source_[sources_]);
    for (int& slot : std::span(slot_of_source_.data(), static_cast<std::size_t>(slot_of_source_.size()))) {
      slot = static_cast<int>(slots());
    }
    Buffer<int, Sources> found(sources_);
    for (Index s = 0; s < synapses.count(); ++s) {
      const int source = synapses.source(s);
      slot_of_source_[first_of_source_[source] + found[source]++] = slot_[s];
    }
  }

  /// Calls begin_lanes(first lane), then body(where their values begin, first slot) for each row, and end_lanes(first
  /// lane), for each packet of lanes. From the end, as the first-level cache then still has what the pass before left
  /// there.
  template <typename Lanes, bool FromEnd, typename BeginLanes, typename Body, typename EndLanes>
  EIGEN_STRONG_INLINE void for_each_row(BeginLanes&& begin_lanes, Body&& body, EndLanes&& end_lanes) const {
    const Index count = neuron_.size() / Lanes::lanes;
    for (Index n = 0; n < count; ++n) {
      const Index p = (FromEnd ? count - 1 - n : n) * Lanes::lanes;
      const Index first = first_of_group_[p / Slots::row];
      const Index last = first + rows_of_lane_[p];
      const Index lane = Lanes::lanes == Slots::row ? 0 : p % Slots::row;
      if (first == last) continue;
      begin_lanes(p);
      if constexpr (FromEnd) {
        for (Index row = last - 1; row >= first; --row) body(row * Slots::stride + lane, row * Slots::row + lane);
      } else {
        for (Index row = first; row < last; ++row) body(row * Slots::stride + lane, row * Slots::row + lane);
      }
      end_lanes(p);
    }
  }

  /// What all columns add to the numerators and denominators, in the order of the lanes. \param gates  in slots, left
  /// there if `Keep`
  template <typename Lanes, bool Keep>
  EIGEN_STRONG_INLINE void add_columns(const Scalar* before, Scratch& scratch, [[maybe_unused]] Scalar* gates) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const Scalar* const all_weights = weights_.data();
    const int* const sources = source_.data();
    const Table<Scalar, int{Lanes::lanes}> table(before, sources_);
    P numerator, denominator;
    for_each_row<Lanes, false>([&](Index) { numerator = denominator = broadcast<P>(Scalar(0)); },
                               [&](Index place, Index slot) {
                                 const Scalar* const weights = all_weights + place;
                                 const P gate = Slots::template gate<P>(weights, table.gather(sources + slot));
                                 if constexpr (Keep) store<P>(gates + slot, gate);
                                 numerator = pmadd(load<P>(weights + Slots::w_erev), gate, numerator);
                                 denominator = pmadd(load<P>(weights + Slots::w), gate, denominator);
                               },
                               [&](Index p) {
                                 store<P>(scratch.numerator.data() + p, numerator);
                                 store<P>(scratch.denominator.data() + p, denominator);
                               });
  }

  /// Calls body(block, numerator, denominator) for each block of neurons, after `add_columns`.
  template <typename Lanes, typename Begin, typename Body>
  EIGEN_STRONG_INLINE void for_each_sum(const Scratch& scratch, Begin& begin, Body&& body) const {
    using Eigen::internal::padd;
    using Sums = Table<Scalar, int{Lanes::lanes}>;
    const Sums numerators(scratch.numerator.data(), neuron_.size());
    const Sums denominators(scratch.denominator.data(), neuron_.size());
    for (Index block = 0; block < Lanes::blocks(destinations_); ++block) {
      const int* const lanes = lane_.data() + block * Lanes::lanes;
      const auto [numerator, denominator] = begin(block);
      body(block, padd(numerator, numerators.gather(lanes)), padd(denominator, denominators.gather(lanes)));
    }
  }

  /// From the adjoints of all numerators and denominators, a and b, to the sums of the synapses.
  /// \param take  (slot, what goes back to the sources of this and the next ones) -> void
  template <typename Lanes, typename Take>
  EIGEN_STRONG_INLINE void respond_in_columns(const Scalar* before, const Scalar* gates, Adjoint& adjoint,
                                              Take take) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    // As local variables, as every store might else have changed them.
    const Scalar* const all_weights = weights_.data();
    Scalar* const all_sums = adjoint.sums.data();
    const int* const sources = source_.data();
    const int* const neurons = neuron_.data();
    const Table<Scalar, int{Lanes::lanes}> table(before, sources_);
    const Table<Scalar, int{Lanes::lanes}> all_a(adjoint.a.data(), neuron_.size());
    const Table<Scalar, int{Lanes::lanes}> all_b(adjoint.b.data(), neuron_.size());
    P a, b;
    for_each_row<Lanes, true>(
        [&](Index p) {
          a = all_a.gather(neurons + p);
          b = all_b.gather(neurons + p);
        },
        [&](Index place, Index slot) {
          take(slot, Slots::template respond<P>(all_weights + place, all_sums + place, load<P>(gates + slot), a, b,
                                                table.gather(sources + slot)));
        },
        [](Index) {});
  }

  Index sources_ = 0;
  Index destinations_ = 0;
  Buffer<int, padded_destinations> neuron_;                  // lane -> destination
  Buffer<int, padded_destinations> lane_;                    // destination -> lane
  Buffer<int, padded_destinations> rows_of_lane_;            // of this one, and of those behind it in its group
  Buffer<int, add_sizes(group_count, 1)> first_of_group_;    // row
  Buffer<int, capacity> source_;                             // of each slot; of an empty one, 0
  Buffer<int, multiply_sizes(Sources, Destinations)> slot_;  // of each synapse
  Buffer<int, capacity> way_back_;                           // in slots, see TableSums
  Buffer<int, add_sizes(Sources, 1)> first_of_source_;
  // Of each source's synapses in turn, filled up to a multiple of four.
  Buffer<int, multiply_sizes(Sources, add_sizes(Destinations, 3))> slot_of_source_;
  Slots weights_;
};

}  // namespace elegans::detail
