// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The laws that every wiring obeys. A new kind of wiring joins by a struct like those below.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/random.hpp>
#include <elegans/wiring/wiring.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::AnyWiring;
using elegans::Dynamic;
using elegans::Index;
using elegans::NeuronType;
using elegans::Wiring;
using support::refusal_of;

namespace {

constexpr int units = 9, outputs = 2, inputs = 3;

// Each struct makes one kind of wiring of these sizes, not built yet, with fixed or with dynamic sizes.
struct FullyConnectedKind {
  template <int... Sizes>
  static auto make(std::uint64_t seed) {
    return elegans::FullyConnected<Sizes...>(units, outputs, {.seed = seed});
  }
};
struct RandomKind {
  template <int... Sizes>
  static auto make(std::uint64_t seed) {
    return elegans::Random<Sizes...>(units, outputs, {.sparsity = 0.4, .seed = seed});
  }
};
struct NCPKind {
  template <int... Sizes>
  static auto make(std::uint64_t seed) {
    return elegans::NCP<Sizes...>({.inter_neurons = 4,
                                   .command_neurons = 3,
                                   .motor_neurons = outputs,
                                   .sensory_fanout = 2,
                                   .inter_fanout = 2,
                                   .recurrent_command_synapses = 3,
                                   .motor_fanin = 2,
                                   .seed = seed});
  }
};
struct DeepNCPKind {
  template <int... Sizes>
  static auto make(std::uint64_t seed) {
    return elegans::NCP<Sizes...>({.inter_neurons = {3, 2},
                                   .command_neurons = 2,
                                   .motor_neurons = outputs,
                                   .sensory_fanout = 1,
                                   .inter_fanout = {1, 1},
                                   .recurrent_command_synapses = 2,
                                   .motor_fanin = 1,
                                   .seed = seed});
  }
};
struct AutoNCPKind {
  template <int... Sizes>
  static auto make(std::uint64_t seed) {
    return elegans::AutoNCP<Sizes...>(units, outputs, {.sparsity = 0.4, .seed = seed});
  }
};

template <typename Kind>
struct WithFixedSizes {
  static constexpr bool is_fixed = true;
  static auto make(std::uint64_t seed = 5) { return Kind::template make<units, outputs, inputs>(seed); }
  static auto make_other_sizes(std::uint64_t seed = 5) { return Kind::template make<Dynamic, Dynamic, Dynamic>(seed); }
};
template <typename Kind>
struct WithDynamicSizes {
  static constexpr bool is_fixed = false;
  static auto make(std::uint64_t seed = 5) { return Kind::template make<Dynamic, Dynamic, Dynamic>(seed); }
  static auto make_other_sizes(std::uint64_t seed = 5) { return Kind::template make<units, Dynamic, Dynamic>(seed); }
};

template <typename Made>
auto make_built() {
  auto wiring = Made::make();
  wiring.build(inputs);
  return wiring;
}

template <typename A, typename B>
bool are_equal(const A& a, const B& b) {
  bool equal = a.units() == b.units() && a.output_dim() == b.output_dim() && a.input_dim() == b.input_dim() &&
               a.num_layers() == b.num_layers() && a.adjacency_matrix() == b.adjacency_matrix() &&
               a.sensory_adjacency_matrix() == b.sensory_adjacency_matrix();
  for (int i = 0; equal && i < a.units(); ++i) {
    equal = a.neuron_type(i) == b.neuron_type(i) && a.layer_of(i) == b.layer_of(i);
  }
  return equal;
}

/// Checks that a mask has 1 where a polarity is -1 or 1, and 0 where it is 0; returns the number of synapses.
template <typename Polarities, typename Sparsity>
int count_synapses(const Polarities& polarity, const Sparsity& mask) {
  int count = 0;
  REQUIRE(mask.rows() == polarity.rows());
  REQUIRE(mask.cols() == polarity.cols());
  for (Index source = 0; source < polarity.rows(); ++source) {
    for (Index destination = 0; destination < polarity.cols(); ++destination) {
      const int value = polarity(source, destination);
      CHECK((value == -1 || value == 0 || value == 1));
      CHECK(mask(source, destination) == value * value);
      count += value != 0;
    }
  }
  return count;
}

}  // namespace

#define ELEGANS_ALL_WIRINGS                                                                                          \
  WithDynamicSizes<FullyConnectedKind>, WithFixedSizes<FullyConnectedKind>, WithDynamicSizes<RandomKind>,            \
      WithFixedSizes<RandomKind>, WithDynamicSizes<NCPKind>, WithFixedSizes<NCPKind>, WithDynamicSizes<DeepNCPKind>, \
      WithFixedSizes<DeepNCPKind>, WithDynamicSizes<AutoNCPKind>, WithFixedSizes<AutoNCPKind>

TEMPLATE_TEST_CASE("A wiring has the sizes that it was made with", "[wiring][laws]", ELEGANS_ALL_WIRINGS) {
  auto wiring = TestType::make();
  static_assert(AnyWiring<decltype(wiring)>);
  static_assert(decltype(wiring)::units_at_compile_time == (TestType::is_fixed ? units : Dynamic));
  CHECK_FALSE(wiring.is_built());
  wiring.build(inputs);
  CHECK(wiring.is_built());
  CHECK(wiring.units() == units);
  CHECK(wiring.output_dim() == outputs);
  CHECK(wiring.input_dim() == inputs);
  // Every synapse is an entry of these matrices, so its ends are in range.
  CHECK(wiring.adjacency_matrix().rows() == units);
  CHECK(wiring.adjacency_matrix().cols() == units);
  CHECK(wiring.sensory_adjacency_matrix().rows() == inputs);
  CHECK(wiring.sensory_adjacency_matrix().cols() == units);
}

TEMPLATE_TEST_CASE("The counts of a wiring match its masks, and the masks its polarities", "[wiring][laws]",
                   ELEGANS_ALL_WIRINGS) {
  const auto wiring = make_built<TestType>();
  const int synapses = count_synapses(wiring.adjacency_matrix(), wiring.sparsity_mask());
  const int sensory_synapses = count_synapses(wiring.sensory_adjacency_matrix(), wiring.sensory_sparsity_mask());
  CHECK(synapses > 0);
  CHECK(sensory_synapses > 0);
  CHECK(wiring.synapse_count() == synapses);
  CHECK(wiring.sensory_synapse_count() == sensory_synapses);
}

TEMPLATE_TEST_CASE("Both polarities occur in a wiring", "[wiring][laws]", ELEGANS_ALL_WIRINGS) {
  const auto wiring = make_built<TestType>();
  CHECK(wiring.adjacency_matrix().minCoeff() == -1);
  CHECK(wiring.adjacency_matrix().maxCoeff() == 1);
}

TEMPLATE_TEST_CASE("The motor neurons of a wiring come first, and each neuron is in one layer", "[wiring][laws]",
                   ELEGANS_ALL_WIRINGS) {
  const auto wiring = make_built<TestType>();
  std::vector<int> seen(units);
  for (int i = 0; i < units; ++i) CHECK((wiring.neuron_type(i) == NeuronType::motor) == (i < outputs));
  for (int layer = 0; layer < wiring.num_layers(); ++layer) {
    const std::vector<int> neurons = wiring.neurons_of_layer(layer);
    CHECK_FALSE(neurons.empty());
    for (const int neuron : neurons) {
      CHECK(wiring.layer_of(neuron) == layer);
      ++seen[static_cast<std::size_t>(neuron)];
    }
  }
  CHECK(seen == std::vector<int>(units, 1));
}

TEMPLATE_TEST_CASE("The same seed gives the same wiring with fixed and with dynamic sizes, another seed another one",
                   "[wiring][laws]", ELEGANS_ALL_WIRINGS) {
  const auto first = make_built<TestType>();
  const auto second = make_built<TestType>();
  auto other_sizes = TestType::make_other_sizes();
  auto other_seed = TestType::make(6);
  other_sizes.build(inputs);
  other_seed.build(inputs);
  CHECK(are_equal(first, second));
  CHECK(are_equal(first, other_sizes));
  CHECK_FALSE(first.adjacency_matrix() == other_seed.adjacency_matrix());
  CHECK_FALSE(first.sensory_adjacency_matrix() == other_seed.sensory_adjacency_matrix());
}

TEMPLATE_TEST_CASE("A copy of a wiring is equal, made before or after the build", "[wiring][laws]",
                   ELEGANS_ALL_WIRINGS) {
  auto wiring = TestType::make();
  auto early = wiring;
  wiring.build(inputs);
  early.build(inputs);
  auto late = wiring;
  CHECK(are_equal(wiring, early));
  CHECK(are_equal(wiring, late));
  CHECK(are_equal(wiring, Wiring<>(wiring)));
  CHECK(are_equal(wiring, Wiring<units, outputs, inputs>(wiring)));
  CHECK(are_equal(wiring, Wiring<units>(wiring)));
  late.add_sensory_synapse(0, 0, wiring.sensory_adjacency_matrix()(0, 0) == 1 ? -1 : 1);
  CHECK_FALSE(are_equal(wiring, late));
  CHECK(are_equal(wiring, early));
}

TEMPLATE_TEST_CASE("A second build of a wiring changes nothing, and another number of inputs is refused",
                   "[wiring][laws]", ELEGANS_ALL_WIRINGS) {
  auto wiring = TestType::make();
  CHECK(refusal_of([&] { wiring.build(0); }) == "Wiring: input_dim must be at least 1, got 0");
  CHECK_FALSE(wiring.is_built());
  wiring.build(inputs);
  const auto before = wiring;
  wiring.build(inputs);
  CHECK(are_equal(wiring, before));
  CHECK(refusal_of([&] { wiring.build(inputs + 1); }) ==
        (TestType::is_fixed ? "Wiring: input_dim is fixed at 3 by the type, got 4"
                            : "Wiring: already built for input_dim 3, cannot build for 4"));
  CHECK(are_equal(wiring, before));
}

TEMPLATE_TEST_CASE("A wiring that was moved from has no neurons, or is as it was", "[wiring][laws]",
                   ELEGANS_ALL_WIRINGS) {
  const auto wiring = make_built<TestType>();
  auto from = wiring;
  auto to = std::move(from);
  CHECK(are_equal(to, wiring));
  if (TestType::is_fixed) {
    CHECK(are_equal(from, wiring));
  } else {
    CHECK(from.units() == 0);
    CHECK(from.output_dim() == 0);
    CHECK_FALSE(from.is_built());
    CHECK(from.adjacency_matrix().size() == 0);
    CHECK(from.synapse_count() == 0);
    CHECK(refusal_of([&] { (void)from.neuron_type(0); }) != "(not refused)");
    CHECK(refusal_of([&] { from.build(inputs); }) ==
          "Wiring: build needs a wiring with neurons, but this one was moved from");
    CHECK(refusal_of([&] { Wiring<> copy(from); }) == "Wiring: units must be in [1, 46340], got 0");
  }
  from = std::move(to);
  CHECK(are_equal(from, wiring));
  auto& itself = from;
  from = std::move(itself);
  CHECK(are_equal(from, wiring));
}

TEMPLATE_TEST_CASE("A temporary wiring gives matrices that outlive it", "[wiring][laws]", ELEGANS_ALL_WIRINGS) {
  const auto wiring = make_built<TestType>();
  const auto polarity = make_built<TestType>().adjacency_matrix();
  const auto sensory_polarity = make_built<TestType>().sensory_adjacency_matrix();
  const auto mask = make_built<TestType>().sparsity_mask();
  const auto sensory_mask = make_built<TestType>().sensory_sparsity_mask();
  CHECK(polarity == wiring.adjacency_matrix());
  CHECK(sensory_polarity == wiring.sensory_adjacency_matrix());
  CHECK(mask == wiring.sparsity_mask());
  CHECK(sensory_mask == wiring.sensory_sparsity_mask());
  const auto& options = make_built<TestType>().options();
  CHECK(options.seed == 5);
}
