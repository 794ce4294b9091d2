// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The definitions of units.hpp, for the unit that ELEGANS_UNIT names.
#include <utility>
#include <vector>

#include "march/units.hpp"

namespace ELEGANS_UNIT {

template <typename W>
W ring(W wiring) {
  wiring.build(2);
  for (int i = 0; i < wiring.units(); ++i) wiring.add_synapse(i, (i + 1) % wiring.units(), i % 2 == 0 ? 1 : -1);
  wiring.add_sensory_synapse(0, 3, 1);
  wiring.add_sensory_synapse(1, 2, -1);
  return wiring;
}

template <typename W>
int weigh(const W& wiring) {
  int sum = 0;
  const auto synapses = wiring.adjacency_matrix();
  const auto sensory = wiring.sensory_adjacency_matrix();
  for (int i = 0; i < wiring.units(); ++i) {
    for (int j = 0; j < wiring.units(); ++j) sum += (1 + 7 * i + 3 * j) * synapses(i, j);
    for (int k = 0; k < wiring.input_dim(); ++k) sum += (100 + 11 * i + 5 * k) * sensory(k, i);
  }
  return sum + 1000 * wiring.synapse_count() + 10000 * wiring.sensory_synapse_count();
}

template <typename W>
std::vector<W> grown(std::vector<W> wirings) {
  const W first = wirings.at(0);
  for (int i = 0; i < 100; ++i) wirings.push_back(first);
  wirings.shrink_to_fit();
  return wirings;
}

template <typename Model>
double trained(Model model) {
  elegans::Sequence<float> x(6, 21, 2);
  elegans::Sequence<float> y(6, 21, 1);
  elegans::TrainStepWorkspace<float> workspace;
  x.values().setLinSpaced(-1.0f, 1.0f);
  elegans::Adam<float> adam({.learning_rate = 0.01f});
  auto state = model.initial_state();
  const Eigen::Array2f input(0.3f, -0.2f);
  float sum = 0.0f;
  for (int i = 0; i < 10; ++i) {
    sum += model.step(input, state)(0, 0);
    sum += elegans::train_step(model, x, y, adam, workspace);
  }
  return static_cast<double>(sum);
}

int packet_bytes() { return EIGEN_MAX_STATIC_ALIGN_BYTES; }
Layout layout_of_dynamic() { return {sizeof(DynamicWiring), alignof(DynamicWiring)}; }
Layout layout_of_fixed() { return {sizeof(FixedWiring), alignof(FixedWiring)}; }
DynamicWiring make_dynamic() { return ring(DynamicWiring(4, 1)); }
FixedWiring make_fixed() { return ring(FixedWiring()); }
int checksum(DynamicWiring wiring) { return weigh(wiring); }
int checksum(FixedWiring wiring) { return weigh(wiring); }
std::vector<DynamicWiring> make_dynamics(int count) {
  return std::vector<DynamicWiring>(static_cast<std::size_t>(count), make_dynamic());
}
std::vector<FixedWiring> make_fixeds(int count) {
  return std::vector<FixedWiring>(static_cast<std::size_t>(count), make_fixed());
}
std::vector<DynamicWiring> grow(std::vector<DynamicWiring> wirings) { return grown(std::move(wirings)); }
std::vector<FixedWiring> grow(std::vector<FixedWiring> wirings) { return grown(std::move(wirings)); }
Layout layout_of_dynamic_model() { return {sizeof(DynamicModel), alignof(DynamicModel)}; }
Layout layout_of_fixed_model() { return {sizeof(FixedModel), alignof(FixedModel)}; }
DynamicModel make_dynamic_model() { return DynamicModel(elegans::AutoNCP(8, 1), 2); }
FixedModel make_fixed_model() { return FixedModel(elegans::AutoNCP<8, 1>{}); }
double train(DynamicModel model) { return trained(std::move(model)); }
double train(FixedModel model) { return trained(std::move(model)); }

}  // namespace ELEGANS_UNIT
