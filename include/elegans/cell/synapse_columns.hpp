// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include <elegans/cell/lanes.hpp>
#include <elegans/cell/synapse_tensors.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>
#include <elegans/core/sigmoid.hpp>
#include <elegans/core/table.hpp>

namespace elegans::detail {

/// Synapses of a single sample, few enough that most pairs in a row (see SynapseRows) would have none: each lane is a
/// destination, and walks down a column of its own synapses. Destinations are sorted by their number of synapses, so
/// that columns side by side are about as long; the price is that every lane gathers its own source.
template <typename Scalar, int Sources, int Destinations>
class SynapseColumns {
  static constexpr int padded_destinations = pad_neurons(Destinations);
  static constexpr int capacity = multiply_sizes(Sources, padded_destinations);

 public:
  static constexpr Index group = neuron_padding;

  /// Room for a pass: sums in the order of the neurons.
  struct Scratch {
    Buffer<Scalar, padded_destinations> numerator, denominator;
  };
  struct Adjoint {
    Buffer<Scalar> gates, products;  ///< in slots; products are what goes back to the sources
    Buffer<Scalar> a, b;             ///< of destinations, in the order of the neurons, then in that of the lanes
    Buffer<Scalar> sums;             ///< SynapseSums: a group of each in turn
  };

  SynapseColumns() = default;

  /// \param synapses  a `Synapses` by source
  template <typename Connections>
  explicit SynapseColumns(const Connections& synapses) : sources_(synapses.sources()) {
    const Index destinations = synapses.destinations();
    Buffer<int, padded_destinations> degree(destinations), lane(destinations);
    for (Index s = 0; s < synapses.count(); ++s) ++degree[synapses.destination(s)];
    neuron_.resize(destinations);
    std::iota(neuron_.data(), neuron_.data() + destinations, 0);
    std::sort(neuron_.data(), neuron_.data() + destinations,
              [&](int a, int b) { return degree[a] != degree[b] ? degree[a] > degree[b] : a < b; });
    length_.resize(pad_neurons(destinations));
    first_of_group_.resize(length_.size() / group + 1);
    for (Index p = 0; p < destinations; ++p) {
      lane[neuron_[p]] = static_cast<int>(p);
      length_[p] = degree[neuron_[p]];
    }
    for (Index g = 0; g < length_.size() / group; ++g) {
      first_of_group_[g + 1] = first_of_group_[g] + length_[g * group] * static_cast<int>(group);
    }
    source_.resize(first_of_group_[length_.size() / group]);
    slot_.resize(synapses.count());
    for (int& count : std::span(degree.data(), static_cast<std::size_t>(degree.size()))) count = 0;
    for (Index s = 0; s < synapses.count(); ++s) {
      const int destination = synapses.destination(s);
      const Index p = lane[destination];
      slot_[s] = static_cast<int>(first_of_group_[p / group] + degree[destination]++ * group + p % group);
      source_[slot_[s]] = synapses.source(s);
    }
    // What fills up the last four of a source lies behind all others, where products are 0.
    first_of_source_.resize(sources_ + 1);
    for (Index j = 0; j < sources_; ++j) {
      const Index count = synapses.first(j + 1) - synapses.first(j);
      first_of_source_[j + 1] = first_of_source_[j] + static_cast<int>((count + 3) / 4 * 4);
    }
    slot_of_source_.resize(first_of_source_[sources_]);
    for (Index j = 0; j < sources_; ++j) {
      const Index count = synapses.first(j + 1) - synapses.first(j);
      for (Index k = 0; k < first_of_source_[j + 1] - first_of_source_[j]; ++k) {
        slot_of_source_[first_of_source_[j] + k] = k < count ? slot_[synapses.first(j) + k] : static_cast<int>(slots());
      }
    }
  }

  /// Synapses, and what is left empty below shorter columns.
  [[nodiscard]] Index slots() const noexcept { return source_.size(); }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept { return slot_[synapse]; }

  void reserve() { weights_.resize(weight_kinds * slots()); }
  void reserve(Scratch& scratch) const {
    scratch.numerator.resize(length_.size());
    scratch.denominator.resize(length_.size());
  }
  void reset(Adjoint& adjoint) const {
    adjoint.gates.resize(slots());
    adjoint.products.resize(slots() + 1);
    adjoint.products[slots()] = Scalar(0);
    for (auto* values : {&adjoint.a, &adjoint.b}) values->resize(2 * length_.size());
    adjoint.sums.resize(4 * slots());
    std::fill_n(adjoint.sums.data(), adjoint.sums.size(), Scalar(0));
  }

  void pack(Index synapse, const SynapseWeight<Scalar>& values) {
    Scalar* const weights = weights_.data() + place<weight_kinds>(slot_of(synapse));
    weights[steepness] = values.steepness;
    weights[mu] = values.mu;
    weights[w] = values.w;
    weights[w_erev] = values.w_erev;
  }

  /// As NeuronDrive's. \param kept  where to leave the gates for a backward pass, or null
  template <typename Lanes, typename Begin, typename Finish>
  EIGEN_DONT_INLINE void forward(const Scalar* before, Scratch& scratch, Scalar* kept, Begin begin,
                                 Finish finish) const {
    using P = typename Lanes::Packet;
    using Eigen::internal::padd;
    if (kept) {
      add_columns<Lanes, Gates::keep>(before, scratch, kept);
    } else {
      add_columns<Lanes, Gates::forget>(before, scratch, static_cast<Scalar*>(nullptr));
    }
    for (Index block = 0; block < Lanes::blocks(neuron_.size()); ++block) {
      const Index i = block * Lanes::lanes;
      const auto [numerator, denominator] = begin(block);
      finish(block, padd(numerator, load<P>(scratch.numerator.data() + i)),
             padd(denominator, load<P>(scratch.denominator.data() + i)));
    }
  }

  /// As NeuronDrive's.
  /// \param kept  what the forward pass left behind, or null
  template <typename Lanes, typename Begin, typename Respond>
  EIGEN_DONT_INLINE void backward(const Scalar* before, Scratch& scratch, const Scalar* kept, Begin begin,
                                  Respond respond, Scalar* d_before, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    if (kept) {
      add_columns<Lanes, Gates::know>(before, scratch, kept);
    } else {
      add_columns<Lanes, Gates::keep>(before, scratch, adjoint.gates.data());
    }
    for (Index block = 0; block < Lanes::blocks(neuron_.size()); ++block) {
      const Index i = block * Lanes::lanes;
      const auto [numerator, denominator] = begin(block);
      const auto [a, b] = respond(block, padd(numerator, load<P>(scratch.numerator.data() + i)),
                                  padd(denominator, load<P>(scratch.denominator.data() + i)));
      store<P>(adjoint.a.data() + i, a);
      store<P>(adjoint.b.data() + i, b);
    }
    Scalar* const a_of_lane = adjoint.a.data() + length_.size();
    Scalar* const b_of_lane = adjoint.b.data() + length_.size();
    for (Index p = 0; p < neuron_.size(); ++p) {
      a_of_lane[p] = adjoint.a[neuron_[p]];
      b_of_lane[p] = adjoint.b[neuron_[p]];
    }
    // As local variables, as every store might else have changed them.
    const Scalar* const all_weights = weights_.data();
    const int* const sources = source_.data();
    const Table<Scalar, int{Lanes::lanes}> table(before, sources_);
    const Scalar* const gates = kept ? kept : adjoint.gates.data();
    Scalar* const products = adjoint.products.data();
    Scalar* const all_sums = adjoint.sums.data();
    const P one = broadcast<P>(Scalar(1));
    // From the end, where the first-level cache still has what the gates were made of.
    for_each_block_from_end<Lanes>([&](Index p, Index first, Index last) {
      const P a = load<P>(a_of_lane + p);
      const P b = load<P>(b_of_lane + p);
      for (Index slot = last - group; slot >= first; slot -= group) {
        const Scalar* const weights = all_weights + place<weight_kinds>(slot);
        Scalar* const sums = all_sums + place<4>(slot);
        const P gate = load<P>(gates + slot);
        const P d_gate = pmadd(load<P>(weights + w_erev), a, pmul(load<P>(weights + w), b));
        const P d_z = pmul(d_gate, pmul(gate, psub(one, gate)));
        add_product_to<P>(sums, gate, a);
        add_product_to<P>(sums + group, gate, b);
        add_to<P>(sums + 2 * group, d_z);
        add_product_to<P>(sums + 3 * group, d_z, table.gather(sources + slot));
        store<P>(products + slot, pmul(load<P>(weights + steepness), d_z));
      }
    });
    const int* const slots = slot_of_source_.data();
    for (Index j = 0; j < sources_; ++j) {
      Scalar sum(0);
      for (Index k = first_of_source_[j]; k < first_of_source_[j + 1]; k += 4) {
        sum += (products[slots[k]] + products[slots[k + 1]]) + (products[slots[k + 2]] + products[slots[k + 3]]);
      }
      d_before[j] += sum * (Scalar(1) / sigmoid_scale<Scalar>);
    }
  }

  /// Place of a slot where a group of slots has `Kinds` values each, all of a kind side by side.
  template <int Kinds>
  [[nodiscard]] static constexpr Index place(Index slot) noexcept {
    return slot / group * (Kinds * group) + slot % group;
  }

 private:
  // Where the weights of a slot lie, from its place on.
  static constexpr int weight_kinds = 4;
  static constexpr Index steepness = 0, mu = group, w = 2 * group, w_erev = 3 * group;

  /// Calls body(first lane, first slot, end of the slots) for each packet of lanes that have synapses; its slots are a
  /// group apart.
  template <typename Lanes, typename Body>
  EIGEN_STRONG_INLINE void for_each_block(Body&& body) const {
    for (Index p = 0; p < length_.size() && length_[p] > 0; p += Lanes::lanes) {
      const Index first = first_of_group_[p / group] + p % group;
      body(p, first, first + length_[p] * group);
    }
  }

  template <typename Lanes, typename Body>
  EIGEN_STRONG_INLINE void for_each_block_from_end(Body&& body) const {
    Index p = length_.size();
    while (p > 0) {
      p -= Lanes::lanes;
      if (length_[p] == 0) continue;
      const Index first = first_of_group_[p / group] + p % group;
      body(p, first, first + length_[p] * group);
    }
  }

  /// What a pass does with the gates.
  enum class Gates { forget, keep, know };

  /// What all columns add to the numerators and denominators. \param gates  in slots, left there or found there
  template <typename Lanes, Gates use, typename Values>
  EIGEN_STRONG_INLINE void add_columns(const Scalar* before, Scratch& scratch, [[maybe_unused]] Values* gates) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const Scalar* const all_weights = weights_.data();
    [[maybe_unused]] const int* const sources = source_.data();
    [[maybe_unused]] const Table<Scalar, int{Lanes::lanes}> table(before, sources_);
    for_each_block<Lanes>([&](Index p, Index first, Index last) {
      P numerator = broadcast<P>(Scalar(0));
      P denominator = numerator;
      for (Index slot = first; slot < last; slot += group) {
        const Scalar* const weights = all_weights + place<weight_kinds>(slot);
        P gate;
        if constexpr (use == Gates::know) {
          gate = load<P>(gates + slot);
        } else {
          const P above = psub(table.gather(sources + slot), load<P>(weights + mu));
          gate = sigmoid_of_scaled<P>(pmul(load<P>(weights + steepness), above));
        }
        if constexpr (use == Gates::keep) store<P>(gates + slot, gate);
        numerator = pmadd(load<P>(weights + w_erev), gate, numerator);
        denominator = pmadd(load<P>(weights + w), gate, denominator);
      }
      Scalar sums[2][Lanes::lanes];
      store<P>(sums[0], numerator);
      store<P>(sums[1], denominator);
      for (Index k = 0; k < std::min<Index>(Lanes::lanes, neuron_.size() - p); ++k) {
        scratch.numerator[neuron_[p + k]] = sums[0][k];
        scratch.denominator[neuron_[p + k]] = sums[1][k];
      }
    });
  }

  Index sources_ = 0;
  Buffer<int, padded_destinations> neuron_;  // lane -> destination
  Buffer<int, padded_destinations> length_;  // lane -> synapses, falling; 0 in those that only fill up a group
  Buffer<int, add_sizes(padded_destinations == Dynamic ? Dynamic : padded_destinations / neuron_padding, 1)>
      first_of_group_;            // slot
  Buffer<int, capacity> source_;  // of each slot; of an empty one, 0
  Buffer<int, capacity> slot_;    // of each synapse
  Buffer<int, add_sizes(Sources, 1)> first_of_source_;
  Buffer<int, capacity> slot_of_source_;  // of each source's synapses in turn, filled up to a multiple of four
  Buffer<Scalar, multiply_sizes(capacity, weight_kinds)> weights_;
};

}  // namespace elegans::detail
