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

/// Every synapse has a row, no row has a lane or a source twice, and there are no more rows than the busiest neuron has
/// synapses.
void check_rows(const std::vector<Pair>& synapses, int sources) {
  SlotRows<Dynamic> rows(sources);
  std::vector<int> of_lane(neuron_padding), of_source(static_cast<std::size_t>(sources));
  for (const Pair& synapse : synapses) {
    rows.add(synapse.lane, synapse.source);
    ++of_lane[static_cast<std::size_t>(synapse.lane)];
    ++of_source[static_cast<std::size_t>(synapse.source)];
  }
  int busiest = 0;
  for (const auto& counts : {of_lane, of_source}) {
    for (const int count : counts) busiest = std::max(busiest, count);
  }
  CHECK(rows.count() == busiest);
  std::set<std::pair<Index, int>> lanes, taken;
  std::vector<Index> last(neuron_padding);
  for (const Pair& synapse : synapses) {
    const Index row = rows.row_of(synapse.lane, synapse.source);
    REQUIRE(row < rows.count());
    CHECK(lanes.emplace(row, synapse.lane).second);
    CHECK(taken.emplace(row, synapse.source).second);
    auto& end = last[static_cast<std::size_t>(synapse.lane)];
    end = std::max(end, row + 1);
  }
  for (int lane = 0; lane < neuron_padding; ++lane) {
    CHECK(rows.count_from(lane) == *std::max_element(last.begin() + lane, last.end()));
  }
}

}  // namespace

TEST_CASE("No row of slots has a source twice", "[cell][synapses]") {
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
      check_rows(synapses, sources);
    }
  }
}

TEST_CASE("A source that feeds all lanes has a row for each", "[cell][synapses]") {
  std::vector<Pair> synapses;
  for (int lane = 0; lane < neuron_padding; ++lane) synapses.push_back({lane, 3});
  check_rows(synapses, 5);
  check_rows({}, 5);
}

TEST_CASE("Rows can be used again", "[cell][synapses]") {
  SlotRows<4> rows(4);
  rows.add(0, 1);
  rows.add(1, 1);
  CHECK(rows.count() == 2);
  rows.clear();
  CHECK(rows.count() == 0);
  rows.add(1, 1);
  CHECK(rows.count() == 1);
  CHECK(rows.row_of(1, 1) == 0);
}
