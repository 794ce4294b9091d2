// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <vector>

#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/random.hpp>
#include <elegans/wiring/wiring.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::AnyWiring;
using elegans::AutoNCP;
using elegans::FullyConnected;
using elegans::NCP;
using elegans::NeuronType;
using elegans::Random;
using elegans::Wiring;
using support::refusal_of;

namespace {

constexpr elegans::NCPOptions ncp_options{.inter_neurons = 4,
                                          .command_neurons = 3,
                                          .motor_neurons = 2,
                                          .sensory_fanout = 2,
                                          .inter_fanout = 2,
                                          .recurrent_command_synapses = 3,
                                          .motor_fanin = 2};

// Each of the nine-neuron wirings, two outputs and three inputs, in dynamic and in fixed sizes.
struct MakeFullyConnected {
  static auto dynamic() { return FullyConnected(9, 2); }
  static auto fixed() { return FullyConnected<9, 2, 3>(); }
};
struct MakeRandom {
  static auto dynamic() { return Random(9, 2, {.sparsity = 0.4}); }
  static auto fixed() { return Random<9, 2, 3>({.sparsity = 0.4}); }
};
struct MakeNCP {
  static auto dynamic() { return NCP(ncp_options); }
  static auto fixed() { return NCP<9, 2, 3>(ncp_options); }
};
struct MakeAutoNCP {
  static auto dynamic() { return AutoNCP(9, 2, {.sparsity = 0.4}); }
  static auto fixed() { return AutoNCP<9, 2, 3>({.sparsity = 0.4}); }
};

template <typename A, typename B>
void check_equal(const A& a, const B& b) {
  REQUIRE(a.units() == b.units());
  CHECK(a.output_dim() == b.output_dim());
  CHECK(a.input_dim() == b.input_dim());
  CHECK(a.adjacency_matrix() == b.adjacency_matrix());
  CHECK(a.sensory_adjacency_matrix() == b.sensory_adjacency_matrix());
  CHECK(a.num_layers() == b.num_layers());
  for (int i = 0; i < a.units(); ++i) {
    CHECK(a.neuron_type(i) == b.neuron_type(i));
    CHECK(a.layer_of(i) == b.layer_of(i));
  }
}

}  // namespace

#define ELEGANS_ALL_WIRINGS MakeFullyConnected, MakeRandom, MakeNCP, MakeAutoNCP

TEMPLATE_TEST_CASE("Counts of a wiring match its masks, masks its polarities", "[wiring]", ELEGANS_ALL_WIRINGS) {
  auto wiring = TestType::dynamic();
  wiring.build(3);
  static_assert(AnyWiring<decltype(wiring)>);
  int synapses = 0;
  int sensory_synapses = 0;
  for (int destination = 0; destination < 9; ++destination) {
    for (int source = 0; source < 9; ++source) {
      const int polarity = wiring.adjacency_matrix()(source, destination);
      CHECK((polarity == -1 || polarity == 0 || polarity == 1));
      CHECK(wiring.sparsity_mask()(source, destination) == polarity * polarity);
      synapses += polarity != 0;
    }
    for (int source = 0; source < 3; ++source) {
      const int polarity = wiring.sensory_adjacency_matrix()(source, destination);
      CHECK((polarity == -1 || polarity == 0 || polarity == 1));
      CHECK(wiring.sensory_sparsity_mask()(source, destination) == polarity * polarity);
      sensory_synapses += polarity != 0;
    }
  }
  CHECK(wiring.synapse_count() == synapses);
  CHECK(wiring.sensory_synapse_count() == sensory_synapses);
}

TEMPLATE_TEST_CASE("Motor neurons come first, and each neuron is in one layer", "[wiring]", ELEGANS_ALL_WIRINGS) {
  const auto wiring = TestType::dynamic();
  std::vector<int> seen(9);
  for (int i = 0; i < 9; ++i) CHECK((wiring.neuron_type(i) == NeuronType::motor) == (i < wiring.output_dim()));
  for (int layer = 0; layer < wiring.num_layers(); ++layer) {
    for (const int neuron : wiring.neurons_of_layer(layer)) {
      CHECK(wiring.layer_of(neuron) == layer);
      ++seen[static_cast<std::size_t>(neuron)];
    }
  }
  CHECK(seen == std::vector<int>(9, 1));
}

TEMPLATE_TEST_CASE("The same seed gives the same wiring, fixed or dynamic", "[wiring]", ELEGANS_ALL_WIRINGS) {
  auto first = TestType::dynamic();
  auto second = TestType::dynamic();
  auto fixed = TestType::fixed();
  first.build(3);
  second.build(3);
  fixed.build(3);
  check_equal(first, second);
  check_equal(first, fixed);
}

TEMPLATE_TEST_CASE("A copy made before or after building is equal", "[wiring]", ELEGANS_ALL_WIRINGS) {
  auto wiring = TestType::dynamic();
  auto early = wiring;
  wiring.build(3);
  early.build(3);
  const auto late = wiring;
  check_equal(wiring, early);
  check_equal(wiring, late);
  check_equal(wiring, Wiring<>(wiring));
  check_equal(wiring, Wiring<9, 2, 3>(wiring));
}

TEMPLATE_TEST_CASE("Building twice draws once, and never for another number", "[wiring]", ELEGANS_ALL_WIRINGS) {
  auto wiring = TestType::dynamic();
  CHECK_FALSE(wiring.is_built());
  CHECK(refusal_of([&] { wiring.build(0); }) == "Wiring: input_dim must be at least 1, got 0");
  CHECK_FALSE(wiring.is_built());
  wiring.build(3);
  const auto before = wiring;
  wiring.build(3);
  check_equal(wiring, before);
  CHECK(refusal_of([&] { wiring.build(4); }) == "Wiring: already built for input_dim 3, cannot build for 4");
  auto fixed = TestType::fixed();
  CHECK(refusal_of([&] { fixed.build(4); }) == "Wiring: input_dim is fixed at 3 by the type, got 4");
}

TEST_CASE("A wiring is made by hand, synapse by synapse", "[wiring]") {
  Wiring wiring(3, 1);
  CHECK(wiring.synapse_count() == 0);
  CHECK(wiring.num_layers() == 1);
  wiring.add_synapse(2, 0, -1);
  wiring.add_synapse(2, 1, -1);
  wiring.add_synapse(2, 1, 1);
  wiring.build(2);
  wiring.add_sensory_synapse(1, 2, 1);
  wiring.assign_neuron(2, NeuronType::command, 0);
  wiring.assign_neuron(0, NeuronType::motor, 1);
  CHECK(wiring.adjacency_matrix()(2, 0) == -1);
  CHECK(wiring.adjacency_matrix()(2, 1) == 1);
  CHECK(wiring.synapse_count() == 2);
  CHECK(wiring.sensory_adjacency_matrix()(1, 2) == 1);
  CHECK(wiring.sensory_synapse_count() == 1);
  CHECK(wiring.neuron_type(1) == NeuronType::inter);
  CHECK(wiring.num_layers() == 2);
  CHECK(wiring.neurons_of_layer(0) == std::vector{1, 2});
}

TEST_CASE("A wiring by hand refuses what is out of range", "[wiring]") {
  CHECK(refusal_of([] { Wiring(0, 1); }) == "Wiring: units must be in [1, 46340], got 0");
  CHECK(refusal_of([] { Wiring(46341, 1); }) == "Wiring: units must be in [1, 46340], got 46341");
  CHECK(refusal_of([] { Wiring(3, 0); }) == "Wiring: output_dim must be in [1, units = 3], got 0");
  CHECK(refusal_of([] { Wiring(3, 4); }) == "Wiring: output_dim must be in [1, units = 3], got 4");
  CHECK(refusal_of([] { Wiring<3, 1>(4, 1); }) == "Wiring: units is fixed at 3 by the type, got 4");
  CHECK(refusal_of([] { Wiring<3, 1>(3, 2); }) == "Wiring: output_dim is fixed at 1 by the type, got 2");
  Wiring wiring(3, 1);
  CHECK(refusal_of([&] { (void)wiring.input_dim(); }) ==
        "Wiring: input_dim needs the number of inputs: call build(input_dim) first");
  CHECK(refusal_of([&] { (void)wiring.sensory_adjacency_matrix(); }) ==
        "Wiring: sensory_adjacency_matrix needs the number of inputs: call build(input_dim) first");
  CHECK(refusal_of([&] { wiring.add_sensory_synapse(0, 0, 1); }) ==
        "Wiring: add_sensory_synapse needs the number of inputs: call build(input_dim) first");
  CHECK(refusal_of([&] { wiring.add_synapse(3, 0, 1); }) == "Wiring: add_synapse: source must be in [0, 2], got 3");
  CHECK(refusal_of([&] { wiring.add_synapse(0, -1, 1); }) ==
        "Wiring: add_synapse: destination must be in [0, 2], got -1");
  CHECK(refusal_of([&] { wiring.add_synapse(0, 0, 0); }) == "Wiring: polarity must be -1 or 1, got 0");
  CHECK(refusal_of([&] { wiring.build(2147483647); }) ==
        "Wiring: input_dim must be at most 715827882 with 3 units, got 2147483647");
  wiring.build(2);
  CHECK(refusal_of([&] { wiring.add_sensory_synapse(2, 0, 1); }) ==
        "Wiring: add_sensory_synapse: source must be in [0, 1], got 2");
  CHECK(refusal_of([&] { wiring.add_sensory_synapse(0, 3, 1); }) ==
        "Wiring: add_sensory_synapse: destination must be in [0, 2], got 3");
  CHECK(refusal_of([&] { wiring.add_sensory_synapse(0, 0, 2); }) == "Wiring: polarity must be -1 or 1, got 2");
  CHECK(refusal_of([&] { wiring.assign_neuron(3, NeuronType::inter, 0); }) ==
        "Wiring: assign_neuron: neuron must be in [0, 2], got 3");
  CHECK(refusal_of([&] { wiring.assign_neuron(1, NeuronType::inter, 3); }) ==
        "Wiring: assign_neuron: layer must be in [0, 2], got 3");
  CHECK(refusal_of([&] { wiring.assign_neuron(1, NeuronType::motor, 0); }) ==
        "Wiring: assign_neuron: the motor neurons are those below output_dim = 1, so neuron 1 cannot be of type motor");
  CHECK(refusal_of([&] { (void)wiring.neuron_type(3); }) == "Wiring: neuron_type: neuron must be in [0, 2], got 3");
  CHECK(refusal_of([&] { (void)wiring.layer_of(-1); }) == "Wiring: layer_of: neuron must be in [0, 2], got -1");
  CHECK(refusal_of([&] { (void)wiring.neurons_of_layer(1); }) ==
        "Wiring: neurons_of_layer: layer must be in [0, 0], got 1");
}

namespace {

/// A ring: each neuron inhibits the next, the one input excites neuron 0. None of the library's own types.
struct Ring {
  [[nodiscard]] int units() const { return 4; }
  [[nodiscard]] int input_dim() const { return 1; }
  [[nodiscard]] int output_dim() const { return 2; }
  [[nodiscard]] bool is_built() const { return true; }
  [[nodiscard]] auto adjacency_matrix() const {
    return [](int source, int destination) { return destination == (source + 1) % 4 ? -1 : 0; };
  }
  [[nodiscard]] auto sensory_adjacency_matrix() const {
    return [](int, int destination) { return destination == 0 ? 1 : 0; };
  }
};

}  // namespace

TEST_CASE("A user's own type is a wiring if it answers the questions", "[wiring]") {
  static_assert(AnyWiring<Ring>);
  static_assert(!AnyWiring<int>);
  const Wiring<> wiring{Ring{}};
  CHECK(wiring.synapse_count() == 4);
  CHECK(wiring.adjacency_matrix()(3, 0) == -1);
  CHECK(wiring.sensory_synapse_count() == 1);
  CHECK(wiring.neuron_type(1) == NeuronType::motor);
  CHECK(wiring.neuron_type(2) == NeuronType::inter);
}

TEST_CASE("A synapse that is removed is gone, and nothing else is", "[wiring]") {
  Wiring<> wiring(3, 1);
  wiring.add_synapse(1, 2, -1);
  wiring.add_synapse(2, 0, 1);
  CHECK_THROWS_WITH(wiring.remove_sensory_synapse(0, 1),
                    "Wiring: remove_sensory_synapse needs the number of inputs: call build(input_dim) first");
  wiring.build(2);
  wiring.add_sensory_synapse(0, 1, 1);
  wiring.add_sensory_synapse(1, 2, 1);
  wiring.remove_synapse(1, 2);
  wiring.remove_synapse(1, 2);
  wiring.remove_sensory_synapse(0, 1);
  CHECK(wiring.synapse_count() == 1);
  CHECK(wiring.adjacency_matrix()(2, 0) == 1);
  CHECK(wiring.sensory_synapse_count() == 1);
  CHECK(wiring.sensory_adjacency_matrix()(1, 2) == 1);
  CHECK_THROWS_WITH(wiring.remove_synapse(3, 0), "Wiring: remove_synapse: source must be in [0, 2], got 3");
  CHECK_THROWS_WITH(wiring.remove_sensory_synapse(0, -1),
                    "Wiring: remove_sensory_synapse: destination must be in [0, 2], got -1");
}
