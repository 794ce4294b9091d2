// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <elegans/wiring/numpy_random.hpp>
#include <elegans/wiring/per_layer.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

/// Options of an NCP. Every option but the seed must be given: the default of the others is refused.
struct NCPOptions {
  PerLayer inter_neurons = 0;  ///< at least 1; `{12, 8}` makes two layers, the first next to the inputs
  int command_neurons = 0;     ///< at least 1
  int motor_neurons = 0;       ///< at least 1: the outputs
  int sensory_fanout = -1;     ///< synapses from each input, in [0, neurons of the first inter layer]
  PerLayer inter_fanout = -1;  ///< synapses from each inter neuron to the next layer, in [0, neurons there]: one
                               ///< number for all inter layers, or one per layer; command neurons follow the last
  int recurrent_command_synapses = -1;  ///< synapses to draw within the command layer, at least 0; some may coincide
  int motor_fanin = -1;                 ///< synapses to each motor neuron, in [0, command_neurons]
  std::uint64_t seed = 22222;           ///< in [0, 2^32 - 1]
};

/// A neural circuit policy. Inputs feed inter neurons, inter neurons feed command neurons, and command neurons feed
/// each other and the motor neurons. Each layer chooses few neurons of the next at random. Neurons that none chose are
/// connected afterwards. Each synapse is excitatory with probability 1/2.
///
///     elegans::NCP wiring({.inter_neurons = {12, 8}, .command_neurons = 6, .motor_neurons = 2, .sensory_fanout = 4,
///                          .inter_fanout = {3, 4}, .recurrent_command_synapses = 4, .motor_fanin = 4});
///
/// There may be several layers of inter neurons, and each feeds the next. Here each of 12 inter neurons feeds 3 of 8
/// others, and each of these feeds 4 of the 6 command neurons. Layers count from the inputs on: the inter layers from
/// 0, then the command layer, then the motor layer. Neurons count from the outputs on: motor, command, then the inter
/// layers, of which the one next to the inputs comes last.
///
/// With one inter layer the matrices are those of `ncps.wirings.NCP`, bit for bit. ncps has no second inter layer.
/// Lechner et al., Neural circuit policies enabling auditable autonomy, Nature Machine Intelligence 2020.
///
/// \tparam Units, Outputs, Inputs  sizes, or Dynamic; with all three fixed a wiring uses no heap
template <int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class NCP : public Wiring<Units, Outputs, Inputs> {
  using Base = Wiring<Units, Outputs, Inputs>;

 public:
  static_assert(Units == Dynamic || Units >= 3,
                "elegans::NCP: Units must be at least 3: an inter, a command and a motor neuron");
  static_assert(Units == Dynamic || Outputs == Dynamic || Outputs <= Units - 2,
                "elegans::NCP: Outputs must leave room for an inter and a command neuron: at most Units - 2");

  /// A wiring without synapses: `build` draws all of them.
  /// \throws InvalidArgument if an option is out of its range, or a size differs from a fixed one
  explicit NCP(const NCPOptions& options);

  [[nodiscard]] const NCPOptions& options() const& noexcept { return options_; }
  [[nodiscard]] NCPOptions options() const&& noexcept { return options_; }

  /// Sets the number of inputs and draws all synapses. A second call with the same number changes nothing, while ncps
  /// draws again.
  /// \throws InvalidArgument if input_dim is below 1, or differs from that of an earlier call
  void build(int input_dim);

 private:
  /// `count` neurons, or inputs, from number `first` on.
  struct Layer {
    int first;
    int count;
  };
  static constexpr int capacity_ = Units == Dynamic || Inputs == Dynamic ? Dynamic : (std::max)(Units, Inputs);

  /// Lets each of `choosers` choose `count` of `candidates`. Then each candidate that none chose, a forgotten one,
  /// chooses at most `forgotten_limit` of the choosers. Calls connect(chooser, candidate) for every choice.
  template <typename Connect>
  void connect_layers(numpy::RandomState& stream, Layer choosers, Layer candidates, int count, int forgotten_limit,
                      Connect connect);

  /// The k-th layer of inter neurons, counted from the inputs.
  [[nodiscard]] Layer inter_layer(int k) const noexcept;

  NCPOptions options_;
};

NCP(NCPOptions) -> NCP<>;

namespace detail {

inline void check_ncp_seed(const char* wiring, std::uint64_t seed) {
  if (seed > 0xffffffffULL) refuse(wiring, ": seed must be in [0, 4294967295], got ", seed);
}

/// The name of an option for one layer, for messages: with the number of the layer if there are several.
inline std::string name_of_layer(const char* name, int layer, const PerLayer& of) {
  return of.size() == 1 ? name : concatenate(name, "[", layer, "]");
}

/// Checks the options and returns the number of neurons. \throws InvalidArgument if an option is out of its range
inline int check_ncp_options(const NCPOptions& options) {
  const PerLayer& inter = options.inter_neurons;
  const bool one_layer = inter.size() == 1;
  const auto check_count = [](const auto& name, int value, int least) {
    if (value < least) refuse("NCP: ", name, " must be at least ", least, ", got ", value);
  };
  const auto check_fan = [](const auto& name, int value, const auto& layer, int count) {
    if (value < 0 || value > count) {
      refuse("NCP: ", name, " must be in [0, ", layer, " = ", count, "], got ", value);
    }
  };
  std::int64_t units = std::int64_t{options.command_neurons} + options.motor_neurons;
  for (int k = 0; k < inter.size(); ++k) {
    if (inter[k] < 1) check_count(name_of_layer("inter_neurons", k, inter), inter[k], 1);
    units += inter[k];
  }
  check_count("command_neurons", options.command_neurons, 1);
  check_count("motor_neurons", options.motor_neurons, 1);
  check_fan("sensory_fanout", options.sensory_fanout, one_layer ? "inter_neurons" : "inter_neurons[0]", inter[0]);
  const PerLayer& fanout = options.inter_fanout;
  if (fanout.size() != 1 && fanout.size() != inter.size()) {
    refuse("NCP: inter_fanout must be one number, or one for each of the ", inter.size(), " inter layers, got ",
           fanout.size());
  }
  for (int k = 0; k < inter.size(); ++k) {
    const int value = fanout[fanout.size() == 1 ? 0 : k];
    const bool last = k + 1 == inter.size();
    const int next = last ? options.command_neurons : inter[k + 1];
    if (value >= 0 && value <= next) continue;
    check_fan(name_of_layer("inter_fanout", k, fanout), value,
              last ? "command_neurons" : name_of_layer("inter_neurons", k + 1, inter), next);
  }
  check_count("recurrent_command_synapses", options.recurrent_command_synapses, 0);
  check_fan("motor_fanin", options.motor_fanin, "command_neurons", options.command_neurons);
  check_ncp_seed("NCP", options.seed);
  if (units > 46340) {
    refuse("NCP: inter_neurons + command_neurons + motor_neurons must be at most 46340, got ", units);
  }
  return static_cast<int>(units);
}

}  // namespace detail

template <int Units, int Outputs, int Inputs>
NCP<Units, Outputs, Inputs>::NCP(const NCPOptions& options)
    : Base(detail::check_ncp_options(options), options.motor_neurons), options_(options) {
  const int inter_layers = options.inter_neurons.size();
  const int first_inter = options.motor_neurons + options.command_neurons;
  // mutate: ncp.motor_types
  for (int i = 0; i < options.motor_neurons; ++i) this->assign_neuron(i, NeuronType::motor, inter_layers + 1);
  for (int i = options.motor_neurons; i < first_inter; ++i) this->assign_neuron(i, NeuronType::command, inter_layers);
  for (int k = 0; k < inter_layers; ++k) {
    const Layer layer = inter_layer(k);
    // mutate: ncp.inter_types
    for (int i = 0; i < layer.count; ++i) this->assign_neuron(layer.first + i, NeuronType::inter, k);
  }
}

template <int Units, int Outputs, int Inputs>
auto NCP<Units, Outputs, Inputs>::inter_layer(int k) const noexcept -> Layer {
  int first = this->units();
  // mutate: ncp.inter_layer
  for (int l = 0; l <= k; ++l) first -= options_.inter_neurons[l];
  return {first, options_.inter_neurons[k]};
}

template <int Units, int Outputs, int Inputs>
void NCP<Units, Outputs, Inputs>::build(int input_dim) {
  if (!this->set_input_dim(input_dim)) return;
  numpy::RandomState stream(static_cast<std::uint32_t>(options_.seed));
  const Layer sensory{0, input_dim};
  const Layer motor{0, options_.motor_neurons};
  const Layer command{motor.count, options_.command_neurons};
  const int inter_layers = options_.inter_neurons.size();
  const PerLayer& fanout = options_.inter_fanout;
  const auto draw_polarity = [&stream] { return stream.choice({-1, 1}); };

  connect_layers(stream, sensory, inter_layer(0), options_.sensory_fanout, sensory.count,
                 [&](int source, int destination) { this->add_sensory_synapse(source, destination, draw_polarity()); });
  for (int k = 0; k < inter_layers; ++k) {
    const Layer inter = inter_layer(k);
    const bool last = k + 1 == inter_layers;
    // For the last inter layer, ncps limits by the number of command neurons. It should be that of inter neurons, but
    // we want the same matrices.
    // mutate: ncp.inter_synapses
    connect_layers(stream, inter, last ? command : inter_layer(k + 1), fanout[fanout.size() == 1 ? 0 : k],
                   last ? command.count : inter.count,
                   [&](int source, int destination) { this->add_synapse(source, destination, draw_polarity()); });
  }
  for (int i = 0; i < options_.recurrent_command_synapses; ++i) {
    const auto draw_neuron = [&] {
      // mutate: ncp.recurrent
      return command.first + static_cast<int>(stream.below_or_equal(static_cast<std::uint32_t>(command.count - 1)));
    };
    const int source = draw_neuron();
    const int destination = draw_neuron();
    this->add_synapse(source, destination, draw_polarity());
  }
  // mutate: ncp.motor_synapses
  connect_layers(stream, motor, command, options_.motor_fanin, motor.count,
                 [&](int destination, int source) { this->add_synapse(source, destination, draw_polarity()); });
}

template <int Units, int Outputs, int Inputs>
template <typename Connect>
void NCP<Units, Outputs, Inputs>::connect_layers(numpy::RandomState& stream, Layer choosers, Layer candidates,
                                                 int count, int forgotten_limit, Connect connect) {
  Buffer<int, capacity_> choice;
  Buffer<unsigned char, Units> was_chosen(candidates.count);
  for (int i = 0; i < choosers.count; ++i) {
    stream.choice(candidates.count, count, choice);
    for (const int c : choice) {
      // mutate: ncp.was_chosen
      was_chosen[c] = 1;
      connect(choosers.first + i, candidates.first + c);
    }
  }
  // mutate: ncp.mean
  const std::int64_t mean = std::int64_t{choosers.count} * count / candidates.count;
  // mutate: ncp.forgotten
  const int forgotten_count = static_cast<int>(std::clamp<std::int64_t>(mean, 1, forgotten_limit));
  for (int c = 0; c < candidates.count; ++c) {
    if (was_chosen[c]) continue;
    stream.choice(choosers.count, forgotten_count, choice);
    for (const int i : choice) connect(choosers.first + i, candidates.first + c);
  }
}

}  // namespace elegans
