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

// mutate all: synapse.sparse_columns
/// The synapses of a single sample in columns, for wirings so sparse that most slots of `DenseRows` would be empty.
/// Each lane is a destination, and walks down the column of that destination's synapses. Destinations are sorted by
/// their number of synapses, so that neighbouring columns have about the same length. The price is that every lane has
/// to look up a different source, and to send an adjoint back to it. `EdgeColoring` orders each column so that no two
/// lanes of a line have the same source.
template <typename Scalar, int Sources, int Destinations>
class SparseColumns {
  static constexpr int padded_destinations = pad_neurons(Destinations);
  static constexpr int group_count = padded_destinations == Dynamic ? Dynamic : padded_destinations / neuron_padding;
  static constexpr int capacity = multiply_sizes(EdgeColoring<Sources>::most_colors, padded_destinations);

 public:
  using Slots = SynapseSlots<Scalar, capacity>;
  using Record = PassRecord<Scalar>;

  /// Room for a pass: the sums of the destinations, in the order of the lanes.
  struct Scratch {
    Buffer<Scalar, padded_destinations> numerator, denominator;
  };
  struct Adjoint {
    Buffer<Scalar> gates, products;  ///< one per slot; a product is an adjoint on its way back to a source
    Buffer<Scalar> a, b;             ///< of the destinations, in the order of the neurons
    SynapseSlots<Scalar> sums;       ///< the SynapseSums of each slot
  };

  SparseColumns() = default;

  /// \param synapses  a `SynapseList`
  template <typename List>
  explicit SparseColumns(const List& synapses) : sources_(synapses.sources()), destinations_(synapses.destinations()) {
    const Index padded = pad_neurons(destinations_);
    const auto count = synapse_counts(synapses);
    neuron_.resize(padded);
    std::iota(neuron_.data(), neuron_.data() + padded, 0);
    std::sort(neuron_.data(), neuron_.data() + padded,
              [&](int a, int b) { return count[a] != count[b] ? count[a] > count[b] : a < b; });
    lane_.resize(padded);
    for (Index p = 0; p < padded; ++p) lane_[neuron_[p]] = static_cast<int>(p);

    first_of_group_.resize(padded / Slots::line + 1);
    lines_from_.resize(padded);
    slot_.resize(synapses.count());
    EdgeColoring<Sources> coloring(sources_);
    for (Index g = 0; g < padded / Slots::line; ++g) {
      coloring.clear();
      for (Index s = 0; s < synapses.count(); ++s) {
        const int p = lane_[synapses.destination(s)];
        if (p / Slots::line == g) coloring.add(p % static_cast<int>(Slots::line), synapses.source(s));
      }
      const Index first = first_of_group_[g];
      first_of_group_[g + 1] = static_cast<int>(first + coloring.count());
      for (Index k = 0; k < Slots::line; ++k)
        lines_from_[g * Slots::line + k] = static_cast<int>(coloring.count_from(k));
      for (Index s = 0; s < synapses.count(); ++s) {
        const int p = lane_[synapses.destination(s)];
        if (p / Slots::line != g) continue;
        const Index k = p % Slots::line;
        slot_[s] = static_cast<int>((first + coloring.color_of(k, synapses.source(s))) * Slots::line + k);
      }
    }
    source_.resize(first_of_group_[padded / Slots::line] * Slots::line);
    for (Index s = 0; s < synapses.count(); ++s) source_[slot_[s]] = synapses.source(s);
    set_routes(synapses);
  }

  /// The least number of slots that these synapses need in columns. They seldom need more.
  template <typename List>
  [[nodiscard]] static Index least_slots(const List& synapses) {
    auto count = synapse_counts(synapses);
    std::sort(count.data(), count.data() + count.size(), std::greater<>());
    Index total = 0;
    for (Index p = 0; p < count.size(); p += Slots::line) total += count[p] * Slots::line;
    return total;
  }

  [[nodiscard]] Index slot_count() const noexcept { return source_.size(); }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept { return slot_[synapse]; }
  /// The packed parameters of all slots.
  [[nodiscard]] const Scalar* parameters() const noexcept { return parameters_.data(); }

  /// Makes room for the parameters.
  void reserve() { parameters_.resize(slot_count()); }
  void pack(Index synapse, const SynapseWeight<Scalar>& weight) { parameters_.pack(slot_of(synapse), weight); }

  void reserve(Scratch& scratch) const {
    scratch.numerator.resize(neuron_.size());
    scratch.denominator.resize(neuron_.size());
  }
  template <LaneLayout>
  void reset(Adjoint& adjoint) const {
    adjoint.gates.resize(slot_count());
    adjoint.products.resize(slot_count() + 1);
    adjoint.products[slot_count()] = Scalar(0);
    for (auto* values : {&adjoint.a, &adjoint.b}) values->resize(neuron_.size());
    adjoint.sums.resize(slot_count());
    adjoint.sums.clear();
  }

  /// As `BatchDrive::forward`. A block is a packet of destinations.
  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_DONT_INLINE void forward(const Scalar* v, Scratch& scratch, const Record& record, const Begin& begin,
                                 const Finish& finish) const {
    using P = typename Lanes::Packet;
    if (record) {
      add_columns<Lanes, true>(v, scratch, record.gates);
    } else {
      add_columns<Lanes, false>(v, scratch, nullptr);
    }
    for_each_sum<Lanes>(scratch, begin, [&](Index block, const P& numerator, const P& denominator) {
      if (record) {
        store(record.numerator + block * Lanes::lanes, numerator);
        store(record.denominator + block * Lanes::lanes, denominator);
      }
      finish(block, numerator, denominator);
    });
  }

  /// As `BatchDrive::backward`. Reads the record of the forward pass, or computes the pass again if there is none.
  template <LaneLayout Lanes, typename Begin, typename Respond>
  EIGEN_DONT_INLINE void backward(const Scalar* v, Scratch& scratch, const Record& record, const Begin& begin,
                                  const Respond& respond, Scalar* d_v, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    const auto store_response = [&](Index block, const P& numerator, const P& denominator) {
      const std::pair<P, P> response = respond(block, numerator, denominator);
      store(adjoint.a.data() + block * Lanes::lanes, response.first);
      store(adjoint.b.data() + block * Lanes::lanes, response.second);
    };
    if (record) {
      for (Index block = 0; block < Lanes::blocks(destinations_); ++block) {
        const Index i = block * Lanes::lanes;
        store_response(block, load<P>(record.numerator + i), load<P>(record.denominator + i));
      }
    } else {
      add_columns<Lanes, true>(v, scratch, adjoint.gates.data());
      for_each_sum<Lanes>(scratch, begin, store_response);
    }
    const Scalar* const gates = record ? record.gates : adjoint.gates.data();
    constexpr Scalar unscale = Scalar(1) / sigmoid_scale<Scalar>;
    using Sums = LaneTableSums<Scalar, int{Lanes::lanes}>;
    if constexpr (Sums::capacity > 0) {
      if (sources_ <= Sums::capacity) {
        Sums sums;
        const int* const routes = route_.data();
        respond_in_columns<Lanes>(v, gates, adjoint,
                                  [&](Index slot, const P& product) { sums.add(routes + slot, product); });
        sums.add_products_to(d_v, sources_, P(unscale));
        return;
      }
    }
    Scalar* const products = adjoint.products.data();
    respond_in_columns<Lanes>(v, gates, adjoint,
                              [=](Index slot, const P& product) { store(products + slot, product); });
    const int* const slot_list = slot_of_source_.data();
    for (Index j = 0; j < sources_; ++j) {
      Scalar sum(0);
      for (Index k = first_of_source_[j]; k < first_of_source_[j + 1]; k += 4) {
        sum += (products[slot_list[k]] + products[slot_list[k + 1]]) +
               (products[slot_list[k + 2]] + products[slot_list[k + 3]]);
      }
      d_v[j] += sum * unscale;
    }
  }

 private:
  /// Number of synapses of each destination, and 0 for the lanes that fill up the last packet.
  template <typename List>
  [[nodiscard]] static auto synapse_counts(const List& synapses) {
    Buffer<int, padded_destinations> count(pad_neurons(synapses.destinations()));
    for (Index s = 0; s < synapses.count(); ++s) ++count[synapses.destination(s)];
    return count;
  }

  /// Prepares both ways back from the slots to the sources: routes for `LaneTableSums`, and a list of slots per source.
  template <typename List>
  void set_routes(const List& synapses) {
    route_.resize(slot_count());
    for (int& route : std::span(route_.data(), static_cast<std::size_t>(slot_count()))) route = no_route;
    first_of_source_.resize(sources_ + 1);
    for (Index s = 0; s < synapses.count(); ++s) {
      const int source = synapses.source(s);
      first_of_source_[source + 1] += 1;
      if (source < lane_table_sums) {
        const Index first = slot_[s] / Slots::line * Slots::line;
        set_route(route_.data() + first, source, static_cast<int>(slot_[s] - first));
      }
    }
    // Each source's list is filled up to a multiple of four with the slot behind all others, where the product is 0.
    for (Index j = 0; j < sources_; ++j) {
      first_of_source_[j + 1] = first_of_source_[j] + (first_of_source_[j + 1] + 3) / 4 * 4;
    }
    slot_of_source_.resize(first_of_source_[sources_]);
    for (int& slot : std::span(slot_of_source_.data(), static_cast<std::size_t>(slot_of_source_.size()))) {
      slot = static_cast<int>(slot_count());
    }
    Buffer<int, Sources> found(sources_);
    for (Index s = 0; s < synapses.count(); ++s) {
      const int source = synapses.source(s);
      slot_of_source_[first_of_source_[source] + found[source]++] = slot_[s];
    }
  }

  /// For each packet of lanes, calls begin(first lane), then body(offset, slot) for each of its lines, then end(first
  /// lane).
  ///
  /// \tparam FromEnd  walks from the last line to the first: after a forward pass, the first-level cache still has the
  /// last lines
  template <LaneLayout Lanes, bool FromEnd, typename BeginLanes, typename Body, typename EndLanes>
  EIGEN_STRONG_INLINE void for_each_line(BeginLanes&& begin, Body&& body, EndLanes&& end) const {
    const Index count = neuron_.size() / Lanes::lanes;
    for (Index n = 0; n < count; ++n) {
      const Index p = (FromEnd ? count - 1 - n : n) * Lanes::lanes;
      const Index first = first_of_group_[p / Slots::line];
      const Index last = first + lines_from_[p];
      const Index lane = Lanes::lanes == Slots::line ? 0 : p % Slots::line;
      if (first == last) continue;
      begin(p);
      if constexpr (FromEnd) {
        for (Index k = last - 1; k >= first; --k) body(k * Slots::line_size + lane, k * Slots::line + lane);
      } else {
        for (Index k = first; k < last; ++k) body(k * Slots::line_size + lane, k * Slots::line + lane);
      }
      end(p);
    }
  }

  /// Computes the sums of all columns, in the order of the lanes. \param gates  one per slot, written if `Records`
  template <LaneLayout Lanes, bool Records>
  EIGEN_STRONG_INLINE void add_columns(const Scalar* v, Scratch& scratch, [[maybe_unused]] Scalar* gates) const {
    using P = typename Lanes::Packet;
    const Scalar* const parameters = parameters_.data();
    const int* const sources = source_.data();
    const LaneTable<Scalar, int{Lanes::lanes}> table(v, sources_);
    P numerator(Scalar(0)), denominator(Scalar(0));
    for_each_line<Lanes, false>([&](Index) { numerator = denominator = P(Scalar(0)); },
                                [&](Index offset, Index slot) {
                                  const auto synapses = Slots::template equation<P>(parameters + offset);
                                  const P gate =
                                      synapses.template gate<Evaluation::shortest_chain>(table.look_up(sources + slot));
                                  synapses.drive(gate, numerator, denominator);
                                  if constexpr (Records) store(gates + slot, gate);
                                },
                                [&](Index p) {
                                  store(scratch.numerator.data() + p, numerator);
                                  store(scratch.denominator.data() + p, denominator);
                                });
  }

  /// Calls body(block, numerator, denominator) for each block of neurons, after `add_columns`.
  template <LaneLayout Lanes, typename Begin, typename Body>
  EIGEN_STRONG_INLINE void for_each_sum(const Scratch& scratch, const Begin& begin, Body&& body) const {
    using Sums = LaneTable<Scalar, int{Lanes::lanes}>;
    const Sums numerators(scratch.numerator.data(), neuron_.size());
    const Sums denominators(scratch.denominator.data(), neuron_.size());
    for (Index block = 0; block < Lanes::blocks(destinations_); ++block) {
      const int* const lanes = lane_.data() + block * Lanes::lanes;
      const auto [numerator, denominator] = begin(block);
      body(block, numerator + numerators.look_up(lanes), denominator + denominators.look_up(lanes));
    }
  }

  /// The adjoint of `add_columns`. From the adjoints a and b of all numerators and denominators it computes the
  /// adjoints of the sources, and adds to the sums of the synapses.
  /// \param on_product  (slot, adjoints of the sources of this packet of slots) -> void
  template <LaneLayout Lanes, typename OnProduct>
  EIGEN_STRONG_INLINE void respond_in_columns(const Scalar* v, const Scalar* gates, Adjoint& adjoint,
                                              const OnProduct& on_product) const {
    using P = typename Lanes::Packet;
    // Local variables: the compiler must assume that any store changes a member.
    const Scalar* const parameters = parameters_.data();
    Scalar* const sums = adjoint.sums.data();
    const int* const sources = source_.data();
    const int* const neurons = neuron_.data();
    const LaneTable<Scalar, int{Lanes::lanes}> table(v, sources_);
    const LaneTable<Scalar, int{Lanes::lanes}> all_a(adjoint.a.data(), neuron_.size());
    const LaneTable<Scalar, int{Lanes::lanes}> all_b(adjoint.b.data(), neuron_.size());
    P a(Scalar(0)), b(Scalar(0));
    for_each_line<Lanes, true>(
        [&](Index p) {
          a = all_a.look_up(neurons + p);
          b = all_b.look_up(neurons + p);
        },
        [&](Index offset, Index slot) {
          on_product(slot, Slots::respond(parameters + offset, sums + offset, load<P>(gates + slot), a, b,
                                          table.look_up(sources + slot)));
        },
        [](Index) {});
  }

  Index sources_ = 0;
  Index destinations_ = 0;
  Buffer<int, padded_destinations> neuron_;                  // of each lane, its destination
  Buffer<int, padded_destinations> lane_;                    // of each destination, its lane
  Buffer<int, padded_destinations> lines_from_;              // lines that a lane, or one behind it in its group, uses
  Buffer<int, add_sizes(group_count, 1)> first_of_group_;    // of each group of lanes, its first line
  Buffer<int, capacity> source_;                             // of each slot; 0 if it is empty
  Buffer<int, multiply_sizes(Sources, Destinations)> slot_;  // of each synapse
  Buffer<int, capacity> route_;                              // of each slot, see LaneTableSums
  // Each source's slots in turn, filled up to a multiple of four.
  Buffer<int, add_sizes(Sources, 1)> first_of_source_;
  Buffer<int, multiply_sizes(Sources, add_sizes(Destinations, 3))> slot_of_source_;
  Slots parameters_;
};

}  // namespace elegans::detail
