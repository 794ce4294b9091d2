// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <vector>

#include <elegans/layer/tiling.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

struct Cut {
  Index first, samples, lanes;
  bool single, joined;
  friend bool operator==(const Cut&, const Cut&) = default;
};

template <typename Scalar>
std::vector<Cut> cuts(Index batch, Index units, bool joins_tiles) {
  std::vector<Cut> result;
  const detail::Tiling<Scalar> tiling(batch, units, joins_tiles);
  tiling.for_each_tile([&]<LaneLayout Lanes>(Index first, Index samples) {
    result.push_back({first, samples, Lanes::lanes, Lanes::single, tiling.template is_joined<Lanes>()});
    // Whoever asks for a tile by its first sample gets the same one.
    tiling.with_tile(first, [&]<LaneLayout Again>(Index again) {
      CHECK(again == samples);
      CHECK(Again::lanes == Lanes::lanes);
      CHECK(Again::single == Lanes::single);
    });
  });
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE("Tiles cover every batch once, in order", "[layer][tiling]", float, double) {
  for (const bool joins : {false, true}) {
    for (Index batch = 1; batch <= 70; ++batch) {
      CAPTURE(batch, joins);
      Index next = 0;
      for (const Cut& cut : cuts<TestType>(batch, 12, joins)) {
        CHECK(cut.first == next);
        CHECK(cut.samples >= 1);
        CHECK(cut.samples <= (cut.single ? 1 : cut.lanes));
        CHECK(cut.single == (batch - cut.first == 1));
        next += cut.samples;
      }
      CHECK(next == batch);
    }
  }
}

TEMPLATE_TEST_CASE("Tiles that share a packet are the two that several workers would take", "[layer][tiling]", float,
                   double) {
  // So the sums of a gradient are rounded alike, whether one worker joins tiles or several take one each.
  bool any_joined = false;
  for (Index batch = 1; batch <= 70; ++batch) {
    CAPTURE(batch);
    std::vector<Cut> halves;
    for (const Cut& cut : cuts<TestType>(batch, 12, true)) {
      if (!cut.joined) {
        halves.push_back(cut);
        continue;
      }
      any_joined = true;
      REQUIRE(cut.samples == cut.lanes);
      for (const Index half : {0, 1}) {
        halves.push_back({cut.first + half * cut.lanes / 2, cut.lanes / 2, cut.lanes / 2, false, false});
      }
    }
    CHECK(halves == cuts<TestType>(batch, 12, false));
  }
  CHECK(any_joined == (detail::full_lanes<TestType> > detail::tuning::small_tile));
}
