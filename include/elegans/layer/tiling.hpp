// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/core/tuning.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

// mutate all: layer.tiling
/// Cuts a batch into tiles. The samples of a tile go through time together, one per lane. Only this class decides how
/// many samples a tile has. A gradient is rounded tile by tile, so the cut depends on the batch and the target, but not
/// on the number of workers.
///
/// \tparam Width  lanes of the target's widest packet. It is part of the type of everything that depends on the cut, so
///                that one program can contain translation units for different targets
template <typename Scalar, int Width = full_lanes<Scalar>>
class Tiling {
 public:
  /// \param units        number of neurons: decides the lanes of a single sample
  /// \param joins_tiles  whether two small tiles may share a packet, which is faster unless each has its own worker
  Tiling(Index batch, Index units, bool joins_tiles) noexcept
      : batch_(batch),
        units_(units),
        joins_tiles_(joins_tiles),
        lanes_(batch < Index{2} * Width ? std::min<Index>(Width, tuning::small_tile) : Width) {}

  /// Calls body<Lanes>(samples) for the tile whose first sample is `first`.
  template <typename Body>
  decltype(auto) with_tile(Index first, Body&& body) const {
    const Index left = batch_ - first;
    return with_lanes<Scalar>(
        left, units_,
        [&]<LaneLayout Lanes>() -> decltype(auto) {
          return body.template operator()<Lanes>((std::min)(Lanes::samples, left));
        },
        joins_tiles_&& left >= 2 * lanes_ ? Index{Width} : lanes_);
  }

  /// Calls body<Lanes>(first sample, samples), tile after tile.
  template <typename Body>
  void for_each_tile(Body&& body) const {
    for (Index first = 0; first < batch_;) {
      first += with_tile(first, [&]<LaneLayout Lanes>(Index samples) {
        body.template operator()<Lanes>(first, samples);
        return samples;
      });
    }
  }

  /// True if a tile of these lanes is two small tiles that share a packet.
  template <LaneLayout Lanes>
  [[nodiscard]] bool is_joined() const noexcept {
    return !Lanes::single && lanes_ < Lanes::lanes;
  }

 private:
  Index batch_;
  Index units_;
  bool joins_tiles_;
  Index lanes_;  // the most samples in a tile
};

}  // namespace elegans::detail
