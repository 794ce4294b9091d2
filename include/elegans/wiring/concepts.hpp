// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

namespace elegans {

/// The role of a neuron. In a neural circuit the signal runs sensory -> inter -> command -> motor.
enum class NeuronType { motor, command, inter };

/// The name that ncps gives a neuron type: "motor", "command" or "inter".
[[nodiscard]] constexpr const char* name_of(NeuronType type) noexcept {
  return type == NeuronType::motor ? "motor" : type == NeuronType::command ? "command" : "inter";
}

/// A wiring, as far as a cell must know it. Polarities are +1 (excitatory), -1 (inhibitory) and 0 (no synapse). The
/// motor neurons are neurons 0 … output_dim - 1. `Wiring` and the classes that derive from it satisfy this concept, and
/// so does any type with these members:
///
///     int units(), int input_dim(), int output_dim()
///     bool is_built()                                   whether the number of inputs is known
///     adjacency_matrix()(source, destination)           (units, units) polarities
///     sensory_adjacency_matrix()(source, destination)   (input_dim, units) polarities, once built
///
/// A wiring may also have `build(int input_dim)`, which a model calls with its number of inputs. It may have
/// `neuron_type(int)`, `num_layers()` and `layer_of(int)`; without them it has one layer of motor and inter neurons.
template <typename W>
concept AnyWiring = requires(const W& wiring) {
  { wiring.units() } -> std::convertible_to<int>;
  { wiring.input_dim() } -> std::convertible_to<int>;
  { wiring.output_dim() } -> std::convertible_to<int>;
  { wiring.is_built() } -> std::convertible_to<bool>;
  { wiring.adjacency_matrix()(0, 0) } -> std::convertible_to<int>;
  { wiring.sensory_adjacency_matrix()(0, 0) } -> std::convertible_to<int>;
};

}  // namespace elegans
