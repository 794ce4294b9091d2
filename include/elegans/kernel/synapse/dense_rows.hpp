// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/slots.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/wide_packet.hpp>

namespace elegans::detail {

/// Synapses of a single sample as rows: a source with a group of 16 neighbouring destinations, at least one of which it
/// feeds, or, where there are 8 destinations at most, two neighbouring sources with all of them, a half for each. A
/// pair without a synapse is one of strength 0, so nothing is looked up. Rows are sorted by group, then by source.
///
/// \tparam Sources, Destinations  numbers of neurons, or Dynamic
template <typename Scalar, int Sources, int Destinations>
class SynapseRows {
  static constexpr int groups = Destinations == Dynamic ? Dynamic : pad_neurons(Destinations) / neuron_padding;
  static constexpr int row_capacity = multiply_sizes(Sources, groups);

 public:
  using Slots = SynapseSlots<Scalar, multiply_sizes(row_capacity, neuron_padding)>;

  SynapseRows() = default;

  /// \param synapses  a `Synapses`
  template <typename Connections>
  explicit SynapseRows(const Connections& synapses) : has_halves_(synapses.destinations() <= half) {
    const Index sources = synapses.sources();
    const Index group_count = pad_neurons(synapses.destinations()) / Slots::row;
    // Whether a source feeds a group, and then where its slots with that group begin.
    Buffer<int, row_capacity> slots(sources * group_count);
    const auto slots_of = [&](Index s) -> int& {
      return slots[synapses.source(s) + sources * (synapses.destination(s) / Slots::row)];
    };
    for (int& slot : std::span(slots.data(), static_cast<std::size_t>(slots.size()))) slot = -1;
    for (Index s = 0; s < synapses.count(); ++s) slots_of(s) = 0;
    first_of_group_.resize(group_count + 1);
    source_.resize(sources * group_count);
    first_slot_.resize(sources * group_count);
    leader_.resize(sources * group_count);
    int pairs = 0, rows = 0;
    for (Index g = 0; g < group_count; ++g) {
      for (int j = 0; j < sources; ++j) {
        int& slot = slots[j + sources * g];
        if (slot < 0) continue;
        const int leader = has_halves() ? j / 2 * 2 : j;
        if (rows == 0 || first_of_group_[g] == pairs || leader_[rows - 1] != leader) leader_[rows++] = leader;
        slot = static_cast<int>((rows - 1) * Slots::row + (j - leader) * half);
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
      slot_[s] = static_cast<int>(slots_of(s) + synapses.destination(s) % Slots::row);
    }
  }

  [[nodiscard]] Index slots() const noexcept { return leader_.size() * Slots::row; }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept { return slot_[synapse]; }

  void reserve() { weights_.resize(slots()); }
  void pack(Index synapse, const SynapseWeight<Scalar>& weight) { weights_.pack(slot_of(synapse), weight); }
  [[nodiscard]] const Scalar* weights() const noexcept { return weights_.data(); }

  /// Calls body(source, slot) for each source that feeds a block of destinations; the slot is that of the block's
  /// first.
  template <typename Lanes, typename Body>
  EIGEN_STRONG_INLINE void for_each_source(Index block, Body&& body) const {
    const Index first = block * Lanes::lanes;
    const Index last = first_of_group_[first / Slots::row + 1];
    const Index offset = Lanes::lanes == Slots::row ? 0 : first % Slots::row;
    for (Index k = first_of_group_[first / Slots::row]; k < last; ++k) body(source_[k], first_slot_[k] + offset);
  }

  /// True if `for_each_two_sources` may take the place of `for_each_source`.
  template <typename Lanes>
  [[nodiscard]] bool takes_two_sources() const noexcept {
    return Lanes::lanes == half && Doubled<Scalar, int{Lanes::lanes}>::exists && has_halves();
  }
  /// Calls body(source, slot) for each row: of the first of its sources.
  template <typename Body>
  EIGEN_STRONG_INLINE void for_each_two_sources(Body&& body) const {
    for (Index row = 0; row < leader_.size(); ++row) body(leader_[row], row * Slots::row);
  }

 private:
  static constexpr Index half = neuron_padding / 2;

  [[nodiscard]] bool has_halves() const noexcept {
    return Destinations == Dynamic ? has_halves_ : Destinations <= half;
  }

  bool has_halves_ = false;
  Buffer<int, add_sizes(groups, 1)> first_of_group_;
  Buffer<int, row_capacity> source_, first_slot_;            // of each pair of source and group
  Buffer<int, row_capacity> leader_;                         // of each row, its first source
  Buffer<int, multiply_sizes(Sources, Destinations)> slot_;  // of each synapse
  Slots weights_;
};

}  // namespace elegans::detail
