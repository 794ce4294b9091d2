// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/wiring/numpy_random.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

/// Options of a FullyConnected wiring.
struct FullyConnectedOptions {
  std::uint64_t seed = 1111;     ///< seed of the polarities; ncps calls it `erev_init_seed`
  bool self_connections = true;  ///< whether a neuron feeds itself
};

/// A wiring in which every neuron and every input feeds every neuron. Each synapse is excitatory with probability 2/3.
///
/// The matrices are those of `ncps.wirings.FullyConnected`, bit for bit.
///
/// \tparam Units, Outputs, Inputs  sizes, or Dynamic; with all three fixed a wiring uses no heap
template <int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class FullyConnected : public Wiring<Units, Outputs, Inputs> {
  using Base = Wiring<Units, Outputs, Inputs>;

 public:
  /// Draws the polarities between neurons. `build` draws those from the inputs.
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
  /// A wiring of motor neurons only.
  explicit FullyConnected(int units, FullyConnectedOptions options = {}) : FullyConnected(units, units, options) {}

  FullyConnected()
    requires(Units != Dynamic && Outputs != Dynamic)
      : FullyConnected(Units, Outputs) {}
  explicit FullyConnected(FullyConnectedOptions options)
    requires(Units != Dynamic && Outputs != Dynamic)
      : FullyConnected(Units, Outputs, options) {}

  [[nodiscard]] const FullyConnectedOptions& options() const& noexcept { return options_; }
  [[nodiscard]] FullyConnectedOptions options() const&& noexcept { return options_; }

  /// Sets the number of inputs and draws their synapses. A second call with the same number changes nothing, while ncps
  /// draws again.
  /// \throws InvalidArgument if input_dim is below 1, or differs from that of an earlier call
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
  numpy::Generator generator_;  // a member, because `build` goes on where the constructor stopped
};

FullyConnected(int, int, FullyConnectedOptions = {}) -> FullyConnected<>;
FullyConnected(int, FullyConnectedOptions = {}) -> FullyConnected<>;

}  // namespace elegans
