// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

/// Which synapses are neighbours in a list: those of a source, or those of a destination.
enum class SynapseOrder { by_source, by_destination };

/// The synapses that exist, as compressed sparse rows of a polarity matrix.
///
/// \tparam Sources, Destinations  shape of the polarity matrix, or Dynamic
/// \tparam Order  `by_destination` (then by source), or `by_source` (then by destination)
template <int Sources, int Destinations, SynapseOrder Order>
class SynapseList {
 public:
  SynapseList() = default;

  /// \param polarity  (sources, destinations), not 0 where there is a synapse
  template <typename Matrix>
  explicit SynapseList(const Matrix& polarity) : sources_(polarity.rows()), destinations_(polarity.cols()) {
    constexpr bool by_source = Order == SynapseOrder::by_source;
    const Index groups = by_source ? sources_ : destinations_;
    const Index members = by_source ? destinations_ : sources_;
    const auto exists = [&](Index g, Index m) { return (by_source ? polarity(g, m) : polarity(m, g)) != 0; };
    first_.resize(groups + 1);
    for (Index g = 0; g < groups; ++g) {
      first_[g + 1] = first_[g];
      for (Index m = 0; m < members; ++m) first_[g + 1] += exists(g, m);
    }
    source_.resize(first_[groups]);
    destination_.resize(first_[groups]);
    Index s = 0;
    for (Index g = 0; g < groups; ++g) {
      for (Index m = 0; m < members; ++m) {
        if (!exists(g, m)) continue;
        source_[s] = static_cast<int>(by_source ? g : m);
        destination_[s] = static_cast<int>(by_source ? m : g);
        ++s;
      }
    }
  }

  [[nodiscard]] Index sources() const noexcept { return Sources == Dynamic ? sources_ : Sources; }
  [[nodiscard]] Index destinations() const noexcept { return Destinations == Dynamic ? destinations_ : Destinations; }
  [[nodiscard]] Index count() const noexcept { return source_.size(); }

  [[nodiscard]] int source(Index synapse) const noexcept { return source_[synapse]; }
  [[nodiscard]] int destination(Index synapse) const noexcept { return destination_[synapse]; }
  /// The synapses of group g (a source or a destination, by `Order`) are first(g) … first(g + 1) - 1.
  [[nodiscard]] Index first(Index group) const noexcept { return first_[group]; }

  /// Index of a synapse's value in a column-major (sources, destinations) tensor.
  [[nodiscard]] Index tensor_index(Index synapse) const noexcept {
    return source_[synapse] + sources() * destination_[synapse];
  }

 private:
  static constexpr int groups_ = Order == SynapseOrder::by_source ? Sources : Destinations;

  Index sources_ = 0;
  Index destinations_ = 0;
  Buffer<int, multiply_sizes(Sources, Destinations)> source_;
  Buffer<int, multiply_sizes(Sources, Destinations)> destination_;
  Buffer<int, add_sizes(groups_, 1)> first_;
};

}  // namespace elegans::detail
