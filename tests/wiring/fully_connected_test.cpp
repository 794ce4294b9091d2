// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::FullyConnected;
using support::refusal_of;

TEST_CASE("A fully connected wiring has every synapse", "[wiring][fully_connected]") {
  FullyConnected wiring(8, 1);
  wiring.build(2);
  CHECK(wiring.synapse_count() == 64);
  CHECK(wiring.sensory_synapse_count() == 16);
}

TEST_CASE("Without self-connections only the diagonal is empty", "[wiring][fully_connected]") {
  FullyConnected wiring(8, 1, {.self_connections = false});
  CHECK(wiring.synapse_count() == 56);
  CHECK(wiring.adjacency_matrix().diagonal().isZero());
}

TEST_CASE("A fully connected wiring has motor neurons only, unless it is told how many", "[wiring][fully_connected]") {
  CHECK(FullyConnected(5).output_dim() == 5);
  FullyConnected seeded(5, {.seed = 7});
  CHECK(seeded.adjacency_matrix() == FullyConnected(5, 5, {.seed = 7}).adjacency_matrix());
}

TEST_CASE("A fully connected wiring has fixed sizes if its type says so", "[wiring][fully_connected]") {
  FullyConnected dynamic(8, 1);
  FullyConnected seeded(8, 1, {.seed = 3});
  FullyConnected copy = seeded;
  FullyConnected<8, 1> fixed;
  FullyConnected<8, 1> fixed_seeded({.seed = 3});
  static_assert(std::is_same_v<decltype(dynamic), FullyConnected<>>);
  static_assert(std::is_same_v<decltype(seeded), FullyConnected<>>);
  static_assert(std::is_same_v<decltype(copy), FullyConnected<>>);
  static_assert(!std::is_default_constructible_v<FullyConnected<>>);
  CHECK(fixed.adjacency_matrix() == dynamic.adjacency_matrix());
  CHECK(fixed_seeded.adjacency_matrix() == seeded.adjacency_matrix());
  CHECK(fixed_seeded.options().seed == 3);
}

TEST_CASE("An impossible fully connected wiring is refused", "[wiring][fully_connected]") {
  CHECK(refusal_of([] { FullyConnected(0, 1); }) == "Wiring: units must be in [1, 46340], got 0");
  CHECK(refusal_of([] { FullyConnected(8, 9); }) == "Wiring: output_dim must be in [1, units = 8], got 9");
  CHECK(refusal_of([] { FullyConnected<8, 1>(7, 1); }) == "Wiring: units is fixed at 8 by the type, got 7");
}
