// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include "wirings.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/random.hpp>

namespace nb = nanobind;
using namespace nb::literals;

namespace elegans::python {
namespace {

/// A matrix of polarities as a numpy array that owns its values.
Polarities to_numpy(const auto& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.rows()), columns = static_cast<std::size_t>(matrix.cols());
  auto* const values = new int[rows * columns];
  const nb::capsule owner(values, [](void* own) noexcept { delete[] static_cast<int*>(own); });
  Eigen::Map<Eigen::Array<int, Dynamic, Dynamic, Eigen::RowMajor>>(values, matrix.rows(), matrix.cols()) =
      matrix.array();
  return Polarities(values, {rows, columns}, owner);
}

/// Builds a wiring, unless there are no inputs yet, and takes it apart.
template <typename W>
WiringTables drawn(W wiring, int input_dim) {
  if (input_dim > 0) wiring.build(input_dim);
  return tables_of(Wiring<>(wiring));
}

NeuronType type_of(const std::string& name) {
  for (const NeuronType type : {NeuronType::motor, NeuronType::command, NeuronType::inter}) {
    if (name == name_of(type)) return type;
  }
  detail::refuse("wiring: a neuron's type must be motor, command or inter, got '", name, "'");
}

/// Calls add(source, destination, polarity) for each synapse.
template <typename Add>
void for_each_synapse(const Polarities& polarities, Add add) {
  for (std::size_t s = 0; s < polarities.shape(0); ++s) {
    for (std::size_t d = 0; d < polarities.shape(1); ++d) {
      const int polarity = polarities.data()[s * polarities.shape(1) + d];
      if (polarity != 0) add(static_cast<int>(s), static_cast<int>(d), polarity);
    }
  }
}

}  // namespace

Wiring<> wiring_of(const WiringTables& tables) {
  const auto& [inner, sensory, output_dim, types, layers] = tables;
  const std::size_t units = inner.shape(0);
  if (inner.shape(1) != units || sensory.shape(1) != units || types.size() != units || layers.size() != units) {
    detail::refuse("wiring: with ", units, " neurons, adjacency_matrix must be (", units, ", ", units,
                   ") and sensory_adjacency_matrix (input_dim, ", units, "), got (", inner.shape(0), ", ",
                   inner.shape(1), ") and (", sensory.shape(0), ", ", sensory.shape(1), "); types and layers of ",
                   types.size(), " and ", layers.size(), " neurons");
  }
  Wiring<> wiring(static_cast<int>(units), output_dim);
  wiring.build(static_cast<int>(sensory.shape(0)));
  for_each_synapse(inner, [&](int s, int d, int polarity) { wiring.add_synapse(s, d, polarity); });
  for_each_synapse(sensory, [&](int s, int d, int polarity) { wiring.add_sensory_synapse(s, d, polarity); });
  for (std::size_t i = 0; i < units; ++i) wiring.assign_neuron(static_cast<int>(i), type_of(types[i]), layers[i]);
  return wiring;
}

WiringTables tables_of(const Wiring<>& wiring) {
  std::vector<std::string> types;
  std::vector<int> layers;
  for (int i = 0; i < wiring.units(); ++i) {
    types.emplace_back(name_of(wiring.neuron_type(i)));
    layers.push_back(wiring.layer_of(i));
  }
  const Eigen::MatrixXi none(0, wiring.units());
  return {to_numpy(wiring.adjacency_matrix()),
          wiring.is_built() ? to_numpy(wiring.sensory_adjacency_matrix()) : to_numpy(none), wiring.output_dim(),
          std::move(types), std::move(layers)};
}

void bind_wirings(nb::module_& module) {
  module.def("fully_connected", [](int input_dim, int units, int output_dim, std::uint64_t seed,
                                   bool self_connections) {
    return drawn(FullyConnected<>(units, output_dim, {.seed = seed, .self_connections = self_connections}), input_dim);
  });
  module.def("random", [](int input_dim, int units, int output_dim, double sparsity, std::uint64_t seed) {
    return drawn(Random<>(units, output_dim, {.sparsity = sparsity, .seed = seed}), input_dim);
  });
  module.def("ncp", [](int input_dim, std::vector<int> inter_neurons, int command_neurons, int motor_neurons,
                       int sensory_fanout, std::vector<int> inter_fanout, int recurrent_command_synapses,
                       int motor_fanin, std::uint64_t seed) {
    return drawn(NCP<>({.inter_neurons = PerLayer(std::move(inter_neurons)),
                        .command_neurons = command_neurons,
                        .motor_neurons = motor_neurons,
                        .sensory_fanout = sensory_fanout,
                        .inter_fanout = PerLayer(std::move(inter_fanout)),
                        .recurrent_command_synapses = recurrent_command_synapses,
                        .motor_fanin = motor_fanin,
                        .seed = seed}),
                 input_dim);
  });
  module.def("auto_ncp", [](int input_dim, int units, int output_dim, double sparsity, std::uint64_t seed) {
    return drawn(AutoNCP<>(units, output_dim, {.sparsity = sparsity, .seed = seed}), input_dim);
  });
}

}  // namespace elegans::python
