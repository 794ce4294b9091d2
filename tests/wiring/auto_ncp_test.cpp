// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>
#include <type_traits>

#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::AutoNCP;
using support::refusal_of;

TEST_CASE("AutoNCP derives layers and fan-outs as ncps does", "[wiring][auto_ncp]") {
  const AutoNCP wiring(28, 4, {.sparsity = 0.25});
  CHECK(wiring.options().inter_neurons == 15);
  CHECK(wiring.options().command_neurons == 9);
  CHECK(wiring.options().motor_neurons == 4);
  CHECK(wiring.options().sensory_fanout == 11);
  CHECK(wiring.options().inter_fanout == 6);
  CHECK(wiring.options().recurrent_command_synapses == 13);
  CHECK(wiring.options().motor_fanin == 6);
  CHECK(wiring.options().seed == 22222);
  CHECK(wiring.sparsity() == 0.25);
}

TEST_CASE("The sparsest AutoNCP has fan-outs of one synapse", "[wiring][auto_ncp]") {
  const AutoNCP wiring(28, 4, {.sparsity = 1.0});
  CHECK(wiring.options().sensory_fanout == 1);
  CHECK(wiring.options().recurrent_command_synapses == 1);
}

TEST_CASE("An AutoNCP has fixed sizes if its type says so", "[wiring][auto_ncp]") {
  AutoNCP dynamic(8, 1);
  AutoNCP<8, 1> fixed;
  AutoNCP<8, 1, 2> seeded({.seed = 5});
  static_assert(std::is_same_v<decltype(dynamic), AutoNCP<>>);
  static_assert(std::is_base_of_v<elegans::NCP<8, 1>, AutoNCP<8, 1>>);
  CHECK(fixed.units() == 8);
  CHECK(fixed.output_dim() == 1);
  CHECK(seeded.options().seed == 5);
}

TEST_CASE("An impossible AutoNCP is refused", "[wiring][auto_ncp]") {
  CHECK(refusal_of([] { AutoNCP(8, 7); }) == "AutoNCP: output_dim must be below units - 2 = 6, got 7");
  CHECK(refusal_of([] { AutoNCP(8, 6); }) == "AutoNCP: output_dim must be below units - 2 = 6, got 6");
  CHECK(refusal_of([] { AutoNCP(8, 0); }) == "AutoNCP: output_dim must be at least 1, got 0");
  CHECK(refusal_of([] { AutoNCP(-1, 1); }) == "AutoNCP: units must be in [1, 46340], got -1");
  CHECK(refusal_of([] { AutoNCP(50000, 1); }) == "AutoNCP: units must be in [1, 46340], got 50000");
  CHECK(refusal_of([] { AutoNCP(8, 1, {.sparsity = 0.05}); }) == "AutoNCP: sparsity must be in [0.1, 1], got 0.05");
  CHECK(refusal_of([] { AutoNCP(8, 1, {.sparsity = 1.5}); }) == "AutoNCP: sparsity must be in [0.1, 1], got 1.5");
  CHECK(refusal_of([] { AutoNCP(8, 1, {.sparsity = std::numeric_limits<double>::quiet_NaN()}); }) ==
        "AutoNCP: sparsity must be in [0.1, 1], got nan");
  CHECK(refusal_of([] { AutoNCP(8, 1, {.seed = std::uint64_t{1} << 32}); }) ==
        "AutoNCP: seed must be in [0, 4294967295], got 4294967296");
  CHECK(refusal_of([] { AutoNCP<8, 1>(9, 1); }) == "Wiring: units is fixed at 8 by the type, got 9");
}
