// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

/// Finds each synapse of up to 16 destinations a row in its destination's column, so that no row has a source twice.
///
/// That is a coloring of a bipartite graph's edges, a row a color: as many rows suffice as the busiest neuron on either
/// side has synapses (D. König, Über Graphen und ihre Anwendung auf Determinantentheorie und Mengenlehre, 1916). A
/// synapse that finds no row free at both its ends exchanges two rows along the path of synapses that are in its way.
///
/// \tparam Sources  number of sources, or Dynamic
template <int Sources>
class SlotRows {
  static constexpr int lanes = neuron_padding;

 public:
  static constexpr int most_rows = Sources == Dynamic ? Dynamic : std::max(Sources, lanes);

  /// \param sources  so many there may be, by number
  explicit SlotRows(Index sources) : source_(std::max<Index>(sources, lanes) * lanes) { clear(); }

  void clear() {
    std::fill_n(source_.data(), source_.size(), none);
    std::fill_n(maybe_free_, lanes, 0);
    rows_ = 0;
  }

  /// A synapse, of a pair that has none yet.
  void add(int lane, int source) {
    int& at_lane = maybe_free_[lane];
    while (at(at_lane, lane) != none) ++at_lane;
    int at_source = 0;  // soon found: it is in 16 rows at most
    while (lane_of(at_source, source) != none) ++at_source;
    if (lane_of(at_lane, source) != none) exchange(at_lane, at_source, source);
    at(at_lane, lane) = source;
    rows_ = std::max(rows_, at_lane + 1);
  }

  [[nodiscard]] Index count() const noexcept { return rows_; }
  /// Rows that a lane, or one behind it, makes use of.
  [[nodiscard]] Index count_from(Index lane) const noexcept {
    int row = rows_;
    while (row > 0 && lane_of_any(row - 1, static_cast<int>(lane)) == none) --row;
    return row;
  }
  [[nodiscard]] Index row_of(Index lane, int source) const noexcept {
    int row = 0;
    while (at(row, static_cast<int>(lane)) != source) ++row;
    return row;
  }

 private:
  static constexpr int none = -1;
  static constexpr int capacity = multiply_sizes(most_rows, lanes);

  [[nodiscard]] int& at(int row, int lane) noexcept { return source_[row * lanes + lane]; }
  [[nodiscard]] int at(int row, int lane) const noexcept { return source_[row * lanes + lane]; }

  /// Which lane has this source in a row.
  [[nodiscard]] int lane_of(int row, int source) const noexcept {
    for (int lane = 0; lane < lanes; ++lane) {
      if (at(row, lane) == source) return lane;
    }
    return none;
  }
  /// A lane, this one or one behind it, that has any source in a row.
  [[nodiscard]] int lane_of_any(int row, int first) const noexcept {
    for (int lane = first; lane < lanes; ++lane) {
      if (at(row, lane) != none) return lane;
    }
    return none;
  }

  /// Makes a row free at a source where another row is: its synapse moves there, what was there in that lane comes back
  /// in its place and pushes out its own source's next, and so on. It ends, as the path meets no neuron twice.
  void exchange(int row, int other, int source) {
    rows_ = std::max(rows_, other + 1);
    int lane = lane_of(row, source);
    at(row, lane) = none;
    maybe_free_[lane] = std::min(maybe_free_[lane], row);
    while (true) {
      const int pushed_out = std::exchange(at(other, lane), source);
      if (pushed_out == none) return;
      const int next = lane_of(row, pushed_out);
      at(row, lane) = pushed_out;
      if (next == none) return;
      at(row, next) = none;
      maybe_free_[next] = std::min(maybe_free_[next], row);
      source = pushed_out;
      lane = next;
    }
  }

  int rows_ = 0;
  int maybe_free_[lanes]{};  // of each lane, the first row that may be
  Buffer<int, capacity> source_;
};

}  // namespace elegans::detail
