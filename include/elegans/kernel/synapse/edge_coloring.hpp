// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

// mutate all: synapse.edge_coloring
/// Gives each synapse of up to 16 destinations a color, so that neither a destination nor a source has a color twice.
/// The synapses of a color can then share a packet, one lane per destination.
/// This colors the edges of a bipartite graph. The number of colors that suffices is the largest number of synapses of
/// any neuron (D. König, Über Graphen und ihre Anwendung auf Determinantentheorie und Mengenlehre, 1916). If no color
/// is free at both ends of a synapse, `exchange` swaps two colors along the path of synapses that are in the way.
///
/// \tparam Sources  number of sources, or Dynamic
template <int Sources>
class EdgeColoring {
  static constexpr int lanes = neuron_padding;

 public:
  static constexpr int most_colors = Sources == Dynamic ? Dynamic : (std::max)(Sources, lanes);

  explicit EdgeColoring(Index sources) : source_(std::max<Index>(sources, lanes) * lanes) { clear(); }

  void clear() {
    std::fill_n(source_.data(), source_.size(), none);
    std::fill_n(first_free_, lanes, 0);
    colors_ = 0;
  }

  /// Colors the synapse from a source to the destination of a lane. The synapse must not have a color yet.
  void add(int lane, int source) {
    int& free_at_lane = first_free_[lane];
    while (source_of(free_at_lane, lane) != none) ++free_at_lane;
    int free_at_source = 0;  // soon found: a source has 16 synapses at most
    while (lane_of(free_at_source, source) != none) ++free_at_source;
    if (lane_of(free_at_lane, source) != none) exchange(free_at_lane, free_at_source, source);
    source_of(free_at_lane, lane) = source;
    colors_ = (std::max)(colors_, free_at_lane + 1);
  }

  /// Number of colors.
  [[nodiscard]] Index count() const noexcept { return colors_; }
  /// Number of colors that a lane, or one behind it, uses.
  [[nodiscard]] Index count_from(Index lane) const noexcept {
    int color = colors_;
    while (color > 0 && !is_used_from(color - 1, static_cast<int>(lane))) --color;
    return color;
  }
  [[nodiscard]] Index color_of(Index lane, int source) const noexcept {
    int color = 0;
    while (source_of(color, static_cast<int>(lane)) != source) ++color;
    return color;
  }

 private:
  static constexpr int none = -1;
  static constexpr int capacity = multiply_sizes(most_colors, lanes);

  [[nodiscard]] int& source_of(int color, int lane) noexcept { return source_[color * lanes + lane]; }
  [[nodiscard]] int source_of(int color, int lane) const noexcept { return source_[color * lanes + lane]; }

  /// The lane whose synapse of that color has this source.
  [[nodiscard]] int lane_of(int color, int source) const noexcept {
    for (int lane = 0; lane < lanes; ++lane) {
      if (source_of(color, lane) == source) return lane;
    }
    return none;
  }
  /// True if a lane, this one or one behind it, uses the color.
  [[nodiscard]] bool is_used_from(int color, int first) const noexcept {
    for (int lane = first; lane < lanes; ++lane) {
      if (source_of(color, lane) != none) return true;
    }
    return false;
  }

  /// Frees a color at a source, where another color is free. The source's synapse of that color gets the other color.
  /// The synapse that had the other color in the same lane gets the first color in exchange. That may take the first
  /// color away from the next synapse of its own source, and so on. The path meets no neuron twice, so it ends.
  void exchange(int color, int other, int source) {
    colors_ = (std::max)(colors_, other + 1);
    int lane = lane_of(color, source);
    source_of(color, lane) = none;
    first_free_[lane] = (std::min)(first_free_[lane], color);
    while (true) {
      const int pushed_out = std::exchange(source_of(other, lane), source);
      if (pushed_out == none) return;
      const int next = lane_of(color, pushed_out);
      source_of(color, lane) = pushed_out;
      if (next == none) return;
      source_of(color, next) = none;
      first_free_[next] = (std::min)(first_free_[next], color);
      source = pushed_out;
      lane = next;
    }
  }

  int colors_ = 0;
  int first_free_[lanes]{};  // of each lane: no color below it is free
  Buffer<int, capacity> source_;
};

}  // namespace elegans::detail
