// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/random.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace {

/// Number of allocations while a wiring is made, built for three inputs, copied and asked for its synapses.
template <typename Make>
long allocations_of(Make make) {
  const long before = allocations;
  auto wiring = make();
  wiring.build(3);
  const auto copy = wiring;
  const int synapses = copy.synapse_count() + copy.sensory_synapse_count();
  const long count = allocations - before;
  CHECK(synapses > 0);
  return count;
}

}  // namespace

TEST_CASE("The counter sees the heap of a dynamic wiring", "[wiring][allocation]") {
  CHECK(allocations_of([] { return elegans::FullyConnected(9, 2); }) > 0);
}

TEST_CASE("A wiring of fixed sizes is made, built and copied without the heap", "[wiring][allocation]") {
  CHECK(allocations_of([] { return elegans::FullyConnected<9, 2, 3>(); }) == 0);
  CHECK(allocations_of([] { return elegans::Random<9, 2, 3>({.sparsity = 0.4}); }) == 0);
  // This one is large enough for the other way in which numpy chooses without replacement.
  CHECK(allocations_of([] { return elegans::Random<101, 1, 3>({.sparsity = 0.5}); }) == 0);
  CHECK(allocations_of([] { return elegans::AutoNCP<9, 2, 3>(); }) == 0);
  CHECK(allocations_of([] {
          return elegans::NCP<9, 2, 3>({.inter_neurons = 4,
                                        .command_neurons = 3,
                                        .motor_neurons = 2,
                                        .sensory_fanout = 2,
                                        .inter_fanout = 2,
                                        .recurrent_command_synapses = 3,
                                        .motor_fanin = 2});
        }) == 0);
  CHECK(allocations_of([] {
          return elegans::NCP<12, 2, 3>({.inter_neurons = {4, 3},
                                         .command_neurons = 3,
                                         .motor_neurons = 2,
                                         .sensory_fanout = 2,
                                         .inter_fanout = {2, 1},
                                         .recurrent_command_synapses = 3,
                                         .motor_fanin = 2});
        }) == 0);
}
