// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include <elegans/cell/lanes.hpp>
#include <elegans/cell/synapse_tensors.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>
#include <elegans/core/sigmoid.hpp>

namespace elegans::detail {

/// Synapses between two sets of neurons as rows: an outer neuron with a group of 16 neighbouring inner ones, at least
/// one of which it has a synapse with. A pair without a synapse is one of strength 0, so nothing is looked up. Rows are
/// sorted by group, then by outer neuron. Which of the two sets is the sources' is up to the user.
///
/// \tparam Outer, Inner  numbers of neurons, or Dynamic
template <typename Scalar, int Outer, int Inner>
class SynapseRows {
  static constexpr int groups = Inner == Dynamic ? Dynamic : pad_neurons(Inner) / neuron_padding;
  static constexpr int row_capacity = multiply_sizes(Outer, groups);

 public:
  static constexpr Index group = neuron_padding;
  /// A value for each pair in a row.
  static constexpr int slot_capacity = multiply_sizes(row_capacity, neuron_padding);

  SynapseRows() = default;

  /// \param outer_of, inner_of  synapse -> neuron
  template <typename OuterOf, typename InnerOf>
  SynapseRows(Index outers, Index inners, Index synapses, OuterOf outer_of, InnerOf inner_of) {
    const Index group_count = pad_neurons(inners) / group;
    // Where a pair of outer neuron and group has its row; -1 without one.
    Buffer<int, row_capacity> rows(outers * group_count);
    const auto row_of = [&](Index s) -> int& { return rows[outer_of(s) + outers * (inner_of(s) / group)]; };
    for (int& row : std::span(rows.data(), static_cast<std::size_t>(rows.size()))) row = -1;
    for (Index s = 0; s < synapses; ++s) row_of(s) = 0;
    first_of_group_.resize(group_count + 1);
    int count = 0;
    for (Index g = 0; g < group_count; ++g) {
      for (Index o = 0; o < outers; ++o) {
        if (int& row = rows[o + outers * g]; row == 0) row = count++;
      }
      first_of_group_[g + 1] = count;
    }
    outer_.resize(count);
    for (Index i = 0; i < rows.size(); ++i) {
      if (rows[i] >= 0) outer_[rows[i]] = static_cast<int>(i % outers);
    }
    slot_.resize(synapses);
    for (Index s = 0; s < synapses; ++s) slot_[s] = static_cast<int>(row_of(s) * group + inner_of(s) % group);
  }

  [[nodiscard]] Index slots() const noexcept { return outer_.size() * group; }
  [[nodiscard]] Index slot_of(Index synapse) const noexcept { return slot_[synapse]; }

  void reserve() { weights_.resize(weight_kinds * slots()); }
  void pack(Index synapse, const SynapseWeight<Scalar>& values) {
    Scalar* const weights = weights_.data() + place<weight_kinds>(slot_of(synapse));
    weights[steepness] = values.steepness;
    weights[sigma] = values.sigma;
    weights[mu] = values.mu;
    weights[w] = values.w;
    weights[w_erev] = values.w_erev;
  }

  // Where the weights of a slot lie, from its place on.
  static constexpr int weight_kinds = 5;
  static constexpr Index steepness = 0, sigma = group, mu = 2 * group, w = 3 * group, w_erev = 4 * group;
  /// Place of a slot where a row has `Kinds` values a pair, all of a kind side by side.
  template <int Kinds>
  [[nodiscard]] static constexpr Index place(Index slot) noexcept {
    return slot / group * (Kinds * group) + slot % group;
  }
  [[nodiscard]] const Scalar* weights() const noexcept { return weights_.data(); }

  template <typename P>
  static EIGEN_STRONG_INLINE P gate(const Scalar* weights, const P& v) {
    using namespace Eigen::internal;
    return sigmoid_of_scaled<P>(pmul(load<P>(weights + steepness), psub(v, load<P>(weights + mu))));
  }

  /// Calls body(outer neuron, slot) for each row that has pairs in a block of inner neurons: slot is the first's.
  template <typename Lanes, typename Body>
  EIGEN_STRONG_INLINE void for_each_outer(Index block, Body&& body) const {
    const Index g = block * Lanes::lanes / group;
    const Index offset = block * Lanes::lanes % group;
    const Index last = first_of_group_[g + 1];
    for (Index row = first_of_group_[g]; row < last; ++row) body(outer_[row], row * group + offset);
  }

 private:
  Buffer<int, add_sizes(groups, 1)> first_of_group_;
  Buffer<int, row_capacity> outer_;                 ///< of each row
  Buffer<int, multiply_sizes(Outer, Inner)> slot_;  ///< of each synapse
  Buffer<Scalar, multiply_sizes(slot_capacity, weight_kinds)> weights_;
};

}  // namespace elegans::detail
