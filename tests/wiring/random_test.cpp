// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <type_traits>

#include <elegans/wiring/random.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Random;
using support::refusal_of;

TEST_CASE("A random wiring has as many synapses as its sparsity says", "[wiring][random]") {
  for (const double sparsity : {0.0, 0.25, 0.5, 0.75}) {
    Random wiring(8, 1, {.sparsity = sparsity});
    wiring.build(4);
    CHECK(wiring.synapse_count() == 64 * (1 - sparsity));
    CHECK(wiring.sensory_synapse_count() == 32 * (1 - sparsity));
  }
}

TEST_CASE("A number of synapses that ends in a half is rounded to the even number", "[wiring][random]") {
  CHECK(Random(1, 1, {.sparsity = 0.5}).synapse_count() == 0);
  CHECK(Random(3, 1, {.sparsity = 0.5}).synapse_count() == 4);
  CHECK(Random(6, 1, {.sparsity = 0.875}).synapse_count() == 4);
}

TEST_CASE("A random wiring may have no synapses", "[wiring][random]") {
  Random wiring(5, 2, {.sparsity = 0.999});
  wiring.build(2);
  CHECK(wiring.synapse_count() == 0);
  CHECK(wiring.sensory_synapse_count() == 0);
}

TEST_CASE("A random wiring has motor neurons only, unless it is told how many", "[wiring][random]") {
  CHECK(Random(5).output_dim() == 5);
  CHECK(Random(5, {.sparsity = 0.5}).synapse_count() == 12);
}

TEST_CASE("A random wiring has fixed sizes if its type says so", "[wiring][random]") {
  Random dynamic(8, 1, {.sparsity = 0.5, .seed = 3});
  Random<8, 1> fixed({.sparsity = 0.5, .seed = 3});
  Random<8, 1> dense;
  static_assert(std::is_same_v<decltype(dynamic), Random<>>);
  CHECK(fixed.adjacency_matrix() == dynamic.adjacency_matrix());
  CHECK(dense.synapse_count() == 64);
  CHECK(fixed.options().sparsity == 0.5);
}

TEST_CASE("A random wiring of impossible sparsity is refused", "[wiring][random]") {
  CHECK(refusal_of([] { Random(8, 1, {.sparsity = 1.0}); }) == "Random: sparsity must be in [0, 1), got 1");
  CHECK(refusal_of([] { Random(8, 1, {.sparsity = -0.5}); }) == "Random: sparsity must be in [0, 1), got -0.5");
  CHECK(refusal_of([] { Random(8, 1, {.sparsity = std::numeric_limits<double>::quiet_NaN()}); }) ==
        "Random: sparsity must be in [0, 1), got nan");
  CHECK(refusal_of([] { Random(8, 0); }) == "Wiring: output_dim must be in [1, units = 8], got 0");
}
