// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include <elegans/wiring/wiring.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::AnyWiring;
using elegans::NeuronType;
using elegans::Wiring;
using support::refusal_of;

TEST_CASE("A wiring can be made by hand, synapse by synapse", "[wiring]") {
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

TEST_CASE("A wiring refuses numbers that are out of range", "[wiring]") {
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

/// A ring: each neuron inhibits the next, and the one input excites neuron 0. It derives from no class of the library.
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

TEST_CASE("A type of a user is a wiring if it has the members of one", "[wiring]") {
  static_assert(AnyWiring<Ring>);
  static_assert(!AnyWiring<int>);
  const Wiring<> wiring{Ring{}};
  CHECK(wiring.synapse_count() == 4);
  CHECK(wiring.adjacency_matrix()(3, 0) == -1);
  CHECK(wiring.sensory_synapse_count() == 1);
  CHECK(wiring.neuron_type(1) == NeuronType::motor);
  CHECK(wiring.neuron_type(2) == NeuronType::inter);
}

TEST_CASE("A wiring without a removed synapse has all others", "[wiring]") {
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

TEST_CASE("A wiring of fixed units that was moved from has its synapses, but has lost its inputs", "[wiring]") {
  Wiring<3, 1> wiring;
  wiring.add_synapse(2, 0, -1);
  wiring.build(2);
  wiring.add_sensory_synapse(1, 2, 1);
  const Wiring<3, 1> other = std::move(wiring);
  CHECK(other.sensory_adjacency_matrix()(1, 2) == 1);
  CHECK(wiring.units() == 3);
  CHECK(wiring.adjacency_matrix()(2, 0) == -1);
  CHECK_FALSE(wiring.is_built());
  wiring.build(4);
  CHECK(wiring.sensory_synapse_count() == 0);
}
