// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <elegans/wiring/ncp.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::NCP;
using elegans::NCPOptions;
using elegans::NeuronType;

namespace {

constexpr NCPOptions few_neurons{.inter_neurons = 4,
                                 .command_neurons = 3,
                                 .motor_neurons = 2,
                                 .sensory_fanout = 2,
                                 .inter_fanout = 2,
                                 .recurrent_command_synapses = 3,
                                 .motor_fanin = 2};

template <typename Change>
std::string refusal_with(Change change) {
  NCPOptions options = few_neurons;
  change(options);
  return support::refusal_of([&] { NCP wiring(options); });
}

}  // namespace

TEST_CASE("A neural circuit policy numbers motor, command and inter neurons in this order", "[wiring][ncp]") {
  const NCP wiring(few_neurons);
  static_assert(std::is_same_v<decltype(wiring), const NCP<>>);
  CHECK(wiring.units() == 9);
  CHECK(wiring.output_dim() == 2);
  CHECK(wiring.num_layers() == 3);
  CHECK(wiring.neurons_of_layer(0) == std::vector{5, 6, 7, 8});
  CHECK(wiring.neurons_of_layer(1) == std::vector{2, 3, 4});
  CHECK(wiring.neurons_of_layer(2) == std::vector{0, 1});
  CHECK(wiring.neuron_type(1) == NeuronType::motor);
  CHECK(wiring.neuron_type(2) == NeuronType::command);
  CHECK(wiring.neuron_type(5) == NeuronType::inter);
}

TEST_CASE("A neural circuit policy has no synapses before it is built", "[wiring][ncp]") {
  NCP wiring(few_neurons);
  CHECK(wiring.synapse_count() == 0);
  wiring.build(3);
  CHECK(wiring.synapse_count() > 0);
}

TEST_CASE("Synapses of a neural circuit policy lead from one layer to the next", "[wiring][ncp]") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    NCPOptions options = few_neurons;
    options.seed = seed;
    NCP wiring(options);
    wiring.build(3);
    const auto mask = wiring.sparsity_mask();
    const auto sensory_mask = wiring.sensory_sparsity_mask();
    CHECK(mask.topRows(2).sum() == 0);
    CHECK(mask.block(2, 5, 3, 4).sum() == 0);
    CHECK(mask.bottomLeftCorner(4, 2).sum() == 0);
    CHECK(mask.bottomRightCorner(4, 4).sum() == 0);
    CHECK(sensory_mask.leftCols(5).sum() == 0);
    CHECK(mask.block(2, 2, 3, 3).sum() <= 3);
    // No neuron is forgotten.
    CHECK(sensory_mask.rightCols(4).colwise().sum().minCoeff() >= 1);
    CHECK(mask.block(5, 2, 4, 3).colwise().sum().minCoeff() >= 1);
    CHECK(mask.block(2, 0, 3, 2).rowwise().sum().minCoeff() >= 1);
    CHECK(mask.block(2, 0, 3, 2).colwise().sum().minCoeff() >= 2);
  }
}

TEST_CASE("With fan-outs of zero each neuron gets the one synapse of a forgotten neuron", "[wiring][ncp]") {
  NCPOptions options = few_neurons;
  options.inter_fanout = options.sensory_fanout = options.recurrent_command_synapses = options.motor_fanin = 0;
  NCP wiring(options);
  wiring.build(3);
  CHECK(wiring.sensory_synapse_count() == 4);
  CHECK(wiring.synapse_count() == 3 + 3);
}

TEST_CASE("A forgotten command neuron gets at most as many inter neurons as there are command neurons",
          "[wiring][ncp]") {
  int forgotten = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    NCP wiring({.inter_neurons = 10,
                .command_neurons = 2,
                .motor_neurons = 1,
                .sensory_fanout = 1,
                .inter_fanout = 1,
                .recurrent_command_synapses = 0,
                .motor_fanin = 2,
                .seed = seed});
    wiring.build(1);
    const int count = wiring.sparsity_mask().bottomRows(10).sum();
    if (count == 10) continue;
    ++forgotten;
    CHECK(count == 10 + 2);
  }
  CHECK(forgotten > 0);
}

TEST_CASE("An impossible neural circuit policy is refused", "[wiring][ncp]") {
  CHECK(refusal_with([](NCPOptions& o) { o.inter_neurons = 0; }) == "NCP: inter_neurons must be at least 1, got 0");
  CHECK(refusal_with([](NCPOptions& o) { o.command_neurons = -2; }) ==
        "NCP: command_neurons must be at least 1, got -2");
  CHECK(refusal_with([](NCPOptions& o) { o.motor_neurons = 0; }) == "NCP: motor_neurons must be at least 1, got 0");
  CHECK(refusal_with([](NCPOptions& o) { o.sensory_fanout = 5; }) ==
        "NCP: sensory_fanout must be in [0, inter_neurons = 4], got 5");
  CHECK(refusal_with([](NCPOptions& o) { o.inter_fanout = 4; }) ==
        "NCP: inter_fanout must be in [0, command_neurons = 3], got 4");
  CHECK(refusal_with([](NCPOptions& o) { o.motor_fanin = -1; }) ==
        "NCP: motor_fanin must be in [0, command_neurons = 3], got -1");
  CHECK(refusal_with([](NCPOptions& o) { o.recurrent_command_synapses = -1; }) ==
        "NCP: recurrent_command_synapses must be at least 0, got -1");
  CHECK(refusal_with([](NCPOptions& o) { o.seed = std::uint64_t{1} << 32; }) ==
        "NCP: seed must be in [0, 4294967295], got 4294967296");
  CHECK(refusal_with([](NCPOptions& o) { o.inter_neurons = 2147483647; }) ==
        "NCP: inter_neurons + command_neurons + motor_neurons must be at most 46340, got 2147483652");
  CHECK(support::refusal_of([] { NCP<8, 2>{few_neurons}; }) == "Wiring: units is fixed at 8 by the type, got 9");
}

TEST_CASE("Fan-outs that are left out are refused", "[wiring][ncp]") {
  CHECK(support::refusal_of([] { NCP({.inter_neurons = 4, .command_neurons = 3, .motor_neurons = 2}); }) ==
        "NCP: sensory_fanout must be in [0, inter_neurons = 4], got -1");
}

TEST_CASE("A neural circuit policy may have several inter layers, and each feeds the next", "[wiring][ncp]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    NCP wiring({.inter_neurons = {6, 4, 5},
                .command_neurons = 3,
                .motor_neurons = 2,
                .sensory_fanout = 2,
                .inter_fanout = {1, 2, 3},
                .recurrent_command_synapses = 3,
                .motor_fanin = 2,
                .seed = seed});
    wiring.build(4);
    CHECK(wiring.units() == 20);
    REQUIRE(wiring.num_layers() == 5);
    CHECK(wiring.neurons_of_layer(0) == std::vector{14, 15, 16, 17, 18, 19});
    CHECK(wiring.neurons_of_layer(1) == std::vector{10, 11, 12, 13});
    CHECK(wiring.neurons_of_layer(2) == std::vector{5, 6, 7, 8, 9});
    CHECK(wiring.neurons_of_layer(3) == std::vector{2, 3, 4});
    CHECK(wiring.neurons_of_layer(4) == std::vector{0, 1});
    CHECK(wiring.neuron_type(13) == NeuronType::inter);
    const auto mask = wiring.sparsity_mask();
    for (int s = 0; s < 20; ++s) {
      for (int d = 0; d < 20; ++d) {
        const int layers = wiring.layer_of(d) - wiring.layer_of(s);
        if (mask(s, d) != 0) CHECK((layers == 1 || (layers == 0 && wiring.layer_of(s) == 3)));
      }
    }
    CHECK(wiring.sensory_sparsity_mask().leftCols(14).sum() == 0);
    // No neuron is forgotten, and each source has at least its fan-out.
    CHECK(mask.block(14, 10, 6, 4).rowwise().sum().minCoeff() >= 1);
    CHECK(mask.block(14, 10, 6, 4).colwise().sum().minCoeff() >= 1);
    CHECK(mask.block(10, 5, 4, 5).rowwise().sum().minCoeff() >= 2);
    CHECK(mask.block(10, 5, 4, 5).colwise().sum().minCoeff() >= 1);
    CHECK(mask.block(5, 2, 5, 3).sum() == 15);
  }
}

TEST_CASE("One fan-out counts for all inter layers, and more layers do not change the sensory synapses",
          "[wiring][ncp]") {
  NCPOptions options = few_neurons;
  NCP one(options);
  options.inter_neurons = {4, 3};
  NCP two(options);
  options.inter_fanout = std::vector{2, 2};
  NCP spelled_out(options);
  one.build(3);
  two.build(3);
  spelled_out.build(3);
  CHECK(two.adjacency_matrix() == spelled_out.adjacency_matrix());
  CHECK(two.sensory_adjacency_matrix().rightCols(4) == one.sensory_adjacency_matrix().rightCols(4));
}

TEST_CASE("The refusal of an inter layer names its number", "[wiring][ncp]") {
  const auto refusal = [](const elegans::PerLayer& neurons, const elegans::PerLayer& fanout) {
    return refusal_with([&](NCPOptions& o) { o.inter_neurons = neurons, o.inter_fanout = fanout; });
  };
  CHECK(refusal({4, 0}, 1) == "NCP: inter_neurons[1] must be at least 1, got 0");
  CHECK(refusal({4, 2}, 3) == "NCP: inter_fanout must be in [0, inter_neurons[1] = 2], got 3");
  CHECK(refusal({4, 2}, {2, 4}) == "NCP: inter_fanout[1] must be in [0, command_neurons = 3], got 4");
  CHECK(refusal({4, 2}, {-1, 2}) == "NCP: inter_fanout[0] must be in [0, inter_neurons[1] = 2], got -1");
  CHECK(refusal({4, 2}, {1, 1, 1}) ==
        "NCP: inter_fanout must be one number, or one for each of the 2 inter layers, got 3");
  CHECK(refusal({1, 8}, 1) == "NCP: sensory_fanout must be in [0, inter_neurons[0] = 1], got 2");
  CHECK(support::refusal_of([] { elegans::PerLayer layers(std::vector<int>(33, 1)); }) ==
        "PerLayer: there must be 1 to 32 numbers, got 33");
  CHECK(support::refusal_of([] { elegans::PerLayer layers(std::vector<int>{}); }) ==
        "PerLayer: there must be 1 to 32 numbers, got 0");
}
