// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/wiring/numpy_random.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

struct FullyConnectedOptions {
  std::uint64_t seed = 1111;     ///< of the polarities; ncps' `erev_init_seed`
  bool self_connections = true;  ///< whether a neuron feeds itself
};

/// Every neuron feeds every neuron, every input feeds every neuron; two of three synapses are excitatory.
///
/// The same matrices as `ncps.wirings.FullyConnected`, bit for bit.
///
/// \tparam Units, Outputs, Inputs  sizes, or Dynamic; with all three fixed a wiring uses no heap
template <int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class FullyConnected : public Wiring<Units, Outputs, Inputs> {
  using Base = Wiring<Units, Outputs, Inputs>;

 public:
  /// A wiring whose polarities between neurons are drawn here, those from the inputs in `build`.
  /// \throws InvalidArgument unless 1 <= output_dim <= units, or if a size differs from a fixed one
  FullyConnected(int units, int output_dim, FullyConnectedOptions options = {})
      : Base(units, output_dim), options_(options), generator_(options.seed) {
    for (int source = 0; source < units; ++source) {
      for (int destination = 0; destination < units; ++destination) {
        // mutate: fully_connected.self
        if (source == destination && !options.self_connections) continue;
        this->add_synapse(source, destination, draw_polarity());
      }
    }
  }
  /// All neurons are motor neurons.
  explicit FullyConnected(int units, FullyConnectedOptions options = {}) : FullyConnected(units, units, options) {}

  FullyConnected()
    requires(Units != Dynamic && Outputs != Dynamic)
      : FullyConnected(Units, Outputs) {}
  explicit FullyConnected(FullyConnectedOptions options)
    requires(Units != Dynamic && Outputs != Dynamic)
      : FullyConnected(Units, Outputs, options) {}

  [[nodiscard]] const FullyConnectedOptions& options() const noexcept { return options_; }

  /// Tells the number of inputs and draws their synapses, once; a second call with the same number changes nothing
  /// (ncps would draw again).
  /// \throws InvalidArgument if below 1, or if another number was given before
  void build(int input_dim) {
    if (!this->set_input_dim(input_dim)) return;
    for (int source = 0; source < input_dim; ++source) {
      for (int destination = 0; destination < this->units(); ++destination) {
        this->add_sensory_synapse(source, destination, draw_polarity());
      }
    }
  }

 private:
  // mutate: fully_connected.polarities
  int draw_polarity() { return generator_.choice({-1, 1, 1}); }

  FullyConnectedOptions options_;
  numpy::Generator generator_;  // kept, since `build` goes on where construction stopped
};

FullyConnected(int, int, FullyConnectedOptions = {}) -> FullyConnected<>;
FullyConnected(int, FullyConnectedOptions = {}) -> FullyConnected<>;

}  // namespace elegans
