// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include <elegans/kernel/synapse/edge_coloring.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

struct Pair {
  int lane, source;
};

/// Every synapse has a color, no color has a lane or a source twice, and there are no more colors than the busiest
/// neuron has synapses.
void check_coloring(const std::vector<Pair>& synapses, int sources) {
  EdgeColoring<Dynamic> coloring(sources);
  std::vector<int> of_lane(neuron_padding), of_source(static_cast<std::size_t>(sources));
  for (const Pair& synapse : synapses) {
    coloring.add(synapse.lane, synapse.source);
    ++of_lane[static_cast<std::size_t>(synapse.lane)];
    ++of_source[static_cast<std::size_t>(synapse.source)];
  }
  int busiest = 0;
  for (const auto& counts : {of_lane, of_source}) {
    for (const int count : counts) busiest = std::max(busiest, count);
  }
  CHECK(coloring.count() == busiest);
  std::set<std::pair<Index, int>> lanes, taken;
  std::vector<Index> last(neuron_padding);
  for (const Pair& synapse : synapses) {
    const Index color = coloring.color_of(synapse.lane, synapse.source);
    REQUIRE(color < coloring.count());
    CHECK(lanes.emplace(color, synapse.lane).second);
    CHECK(taken.emplace(color, synapse.source).second);
    auto& end = last[static_cast<std::size_t>(synapse.lane)];
    end = std::max(end, color + 1);
  }
  for (int lane = 0; lane < neuron_padding; ++lane) {
    CHECK(coloring.count_from(lane) == *std::max_element(last.begin() + lane, last.end()));
  }
}

}  // namespace

TEST_CASE("No color has a source or a destination twice", "[kernel][synapse]") {
  std::mt19937 random(5);
  for (const int sources : {1, 2, 7, 16, 40, 64, 90}) {
    for (const double density : {0.02, 0.1, 0.3, 0.7, 1.0}) {
      std::vector<Pair> synapses;
      for (int lane = 0; lane < neuron_padding; ++lane) {
        for (int source = 0; source < sources; ++source) {
          if (std::bernoulli_distribution(density)(random)) synapses.push_back({lane, source});
        }
      }
      std::shuffle(synapses.begin(), synapses.end(), random);
      check_coloring(synapses, sources);
    }
  }
}

TEST_CASE("A source that feeds all lanes has a color for each", "[kernel][synapse]") {
  std::vector<Pair> synapses;
  for (int lane = 0; lane < neuron_padding; ++lane) synapses.push_back({lane, 3});
  check_coloring(synapses, 5);
  check_coloring({}, 5);
}

TEST_CASE("A coloring that was cleared starts anew", "[kernel][synapse]") {
  EdgeColoring<4> coloring(4);
  coloring.add(0, 1);
  coloring.add(1, 1);
  CHECK(coloring.count() == 2);
  coloring.clear();
  CHECK(coloring.count() == 0);
  coloring.add(1, 1);
  CHECK(coloring.count() == 1);
  CHECK(coloring.color_of(1, 1) == 0);
}
