// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/types.hpp>
#include <elegans/wiring/concepts.hpp>

namespace elegans {

/// Says which neuron feeds which, and with what polarity. It is the base of all wirings, and an empty wiring to fill by
/// hand. Mirrors `ncps.wirings.Wiring`.
///
/// Neurons 0 … output_dim - 1 are the motor neurons. The others are inter neurons unless `assign_neuron` says
/// otherwise. A wiring is a value: it can be copied, and a model has a copy of its own. A dynamic wiring that was moved
/// from has no neurons; assign it another before you use it.
///
/// The matrices of a wiring are views, which must not outlive it. For a temporary wiring they are copies.
///
/// \tparam Units, Outputs, Inputs  sizes, or Dynamic; with all three fixed a wiring uses no heap
template <int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class Wiring {
  // Eigen wants a row vector to be row-major, as the matrix of one fixed input is. It may not align the matrix, because
  // its alignment depends on the processor that a translation unit is compiled for.
  template <int Sources>
  using PolarityMatrix =
      Eigen::Matrix<int, Sources, Units,
                    (Sources == 1 && Units != 1 ? Eigen::RowMajor : Eigen::ColMajor) | Eigen::DontAlign>;

 public:
  static_assert(Units == Dynamic || Units >= 1, "elegans::Wiring: Units must be at least 1");
  static_assert(Outputs == Dynamic || Outputs >= 1, "elegans::Wiring: Outputs must be at least 1");
  static_assert(Inputs == Dynamic || Inputs >= 1, "elegans::Wiring: Inputs must be at least 1");
  static_assert(Units == Dynamic || Outputs == Dynamic || Outputs <= Units,
                "elegans::Wiring: there cannot be more motor neurons (Outputs) than neurons (Units)");

  static constexpr int units_at_compile_time = Units;
  static constexpr int outputs_at_compile_time = Outputs;
  static constexpr int inputs_at_compile_time = Inputs;

  /// A wiring without synapses. \throws InvalidArgument unless 1 <= output_dim <= units, or if a size differs from a
  /// fixed one
  Wiring(int units, int output_dim);
  Wiring()
    requires(Units != Dynamic && Outputs != Dynamic)
      : Wiring(Units, Outputs) {}

  /// A copy of any wiring: its sizes, synapses, neuron types and layers.
  template <AnyWiring Other>
  explicit Wiring(const Other& other);

  [[nodiscard]] int units() const noexcept { return units_; }
  [[nodiscard]] int output_dim() const noexcept { return output_dim_; }
  /// Number of inputs. \throws InvalidArgument before `build`
  [[nodiscard]] int input_dim() const {
    require_built("input_dim");
    return input_dim_;
  }
  /// Whether the number of inputs is known.
  [[nodiscard]] bool is_built() const noexcept { return input_dim_ > 0; }

  /// Sets the number of inputs. A second call with the same number changes nothing.
  /// \throws InvalidArgument if input_dim is below 1, or differs from that of an earlier call
  void build(int input_dim) { set_input_dim(input_dim); }

  /// Adds a synapse between two neurons, or changes its polarity. \throws InvalidArgument if a neuron is out of range
  /// or the polarity is neither -1 nor 1
  void add_synapse(int source, int destination, int polarity);
  /// Adds a synapse from an input to a neuron, or changes its polarity. \throws InvalidArgument likewise, and before
  /// `build`
  void add_sensory_synapse(int source, int destination, int polarity);
  /// Removes a synapse if there is one. \throws InvalidArgument if a neuron is out of range
  void remove_synapse(int source, int destination);
  /// Removes a synapse from an input if there is one. \throws InvalidArgument likewise, and before `build`
  void remove_sensory_synapse(int source, int destination);
  /// Sets the role of a neuron and its layer, counted from the inputs. Motor neurons come first, so `type` must be
  /// motor for the neurons below output_dim and for no others. \throws InvalidArgument if that does not hold
  void assign_neuron(int neuron, NeuronType type, int layer);

  /// (units, units) polarities: [source, destination], entries -1, 0, 1.
  [[nodiscard]] auto adjacency_matrix() const& noexcept {
    return Eigen::Map<const PolarityMatrix<Units>>(polarity_.data(), units_, units_);
  }
  /// A copy of the matrix, from a temporary wiring.
  [[nodiscard]] PolarityMatrix<Units> adjacency_matrix() const&& { return adjacency_matrix(); }
  /// (input_dim, units) polarities: [source, destination], entries -1, 0, 1. \throws InvalidArgument before `build`
  [[nodiscard]] auto sensory_adjacency_matrix() const& {
    require_built("sensory_adjacency_matrix");
    return Eigen::Map<const PolarityMatrix<Inputs>>(sensory_polarity_.data(), input_dim_, units_);
  }
  /// A copy of the matrix, from a temporary wiring.
  [[nodiscard]] PolarityMatrix<Inputs> sensory_adjacency_matrix() const&& { return sensory_adjacency_matrix(); }
  /// (units, units): 1 where there is a synapse, 0 elsewhere.
  [[nodiscard]] auto sparsity_mask() const& noexcept { return adjacency_matrix().cwiseAbs(); }
  /// A copy of the matrix, from a temporary wiring.
  [[nodiscard]] PolarityMatrix<Units> sparsity_mask() const&& { return sparsity_mask(); }
  /// (input_dim, units): 1 where there is a synapse, 0 elsewhere. \throws InvalidArgument before `build`
  [[nodiscard]] auto sensory_sparsity_mask() const& { return sensory_adjacency_matrix().cwiseAbs(); }
  /// A copy of the matrix, from a temporary wiring.
  [[nodiscard]] PolarityMatrix<Inputs> sensory_sparsity_mask() const&& { return sensory_sparsity_mask(); }

  /// Number of synapses between neurons.
  [[nodiscard]] int synapse_count() const noexcept { return sparsity_mask().sum(); }
  /// Number of synapses from inputs. \throws InvalidArgument before `build`
  [[nodiscard]] int sensory_synapse_count() const { return sensory_sparsity_mask().sum(); }

  /// The role of a neuron. \throws InvalidArgument if there is no such neuron
  [[nodiscard]] NeuronType neuron_type(int neuron) const {
    check_neuron("neuron_type: neuron", neuron, units_);
    return types_[neuron];
  }
  /// The layer of a neuron; the layer next to the inputs is 0. \throws InvalidArgument if there is no such neuron
  [[nodiscard]] int layer_of(int neuron) const {
    check_neuron("layer_of: neuron", neuron, units_);
    return layers_[neuron];
  }
  [[nodiscard]] int num_layers() const noexcept {
    int last = 0;
    for (int layer : layers_) last = layer > last ? layer : last;
    // mutate: wiring.num_layers
    return last + 1;
  }
  /// The neurons of a layer, in rising order. \throws InvalidArgument if there is no such layer
  [[nodiscard]] std::vector<int> neurons_of_layer(int layer) const {
    check_neuron("neurons_of_layer: layer", layer, num_layers());
    std::vector<int> neurons;
    for (int i = 0; i < units_; ++i) {
      // mutate: wiring.neurons_of_layer
      if (layers_[i] == layer) neurons.push_back(i);
    }
    return neurons;
  }

 protected:
  /// Sets the number of inputs. Returns true if it was not known before, so that the `build` of a derived wiring draws
  /// only once.
  bool set_input_dim(int input_dim);

 private:
  void require_built(const char* what) const {
    if (!is_built()) detail::refuse("Wiring: ", what, " needs the number of inputs: call build(input_dim) first");
  }
  static void check_neuron(const char* what, int value, int count) {
    // mutate: wiring.check_neuron
    if (value < 0 || value >= count) {
      detail::refuse("Wiring: ", what, " must be in [0, ", count - 1, "], got ", value);
    }
  }
  static void check_polarity(int polarity) {
    if (polarity != -1 && polarity != 1) detail::refuse("Wiring: polarity must be -1 or 1, got ", polarity);
  }
  static void check_fixed(const char* what, int value, int fixed) {
    if (fixed != Dynamic && value != fixed) {
      detail::refuse("Wiring: ", what, " is fixed at ", fixed, " by the type, got ", value);
    }
  }

  detail::Extent<int, Units> units_;
  detail::Extent<int, Units> output_dim_;
  detail::Extent<int, detail::multiply_sizes(Inputs, Units)> input_dim_ = 0;
  Buffer<int, detail::multiply_sizes(Units, Units)> polarity_;
  Buffer<int, detail::multiply_sizes(Inputs, Units)> sensory_polarity_;
  Buffer<NeuronType, Units> types_;
  Buffer<int, Units> layers_;
};

Wiring(int, int) -> Wiring<>;

template <int Units, int Outputs, int Inputs>
Wiring<Units, Outputs, Inputs>::Wiring(int units, int output_dim) : units_(units), output_dim_(output_dim) {
  // No matrix may have more than 2^31 - 1 entries, so that every count fits an int.
  if (units < 1 || units > 46340) detail::refuse("Wiring: units must be in [1, 46340], got ", units);
  if (output_dim < 1 || output_dim > units) {
    detail::refuse("Wiring: output_dim must be in [1, units = ", units, "], got ", output_dim);
  }
  check_fixed("units", units, Units);
  check_fixed("output_dim", output_dim, Outputs);
  polarity_.resize(Index{units} * units);
  types_.resize(units);
  layers_.resize(units);
  // mutate: wiring.types
  for (int i = 0; i < units; ++i) types_[i] = i < output_dim ? NeuronType::motor : NeuronType::inter;
}

template <int Units, int Outputs, int Inputs>
template <AnyWiring Other>
Wiring<Units, Outputs, Inputs>::Wiring(const Other& other) : Wiring(other.units(), other.output_dim()) {
  const auto copy = [](const auto& matrix, int rows, int columns, auto&& add) {
    for (int source = 0; source < rows; ++source) {
      for (int destination = 0; destination < columns; ++destination) {
        if (const int polarity = matrix(source, destination)) add(source, destination, polarity);
      }
    }
  };
  copy(other.adjacency_matrix(), units_, units_, [&](int s, int d, int p) { add_synapse(s, d, p); });
  if (other.is_built()) {
    set_input_dim(other.input_dim());
    copy(other.sensory_adjacency_matrix(), input_dim_, units_,
         [&](int s, int d, int p) { add_sensory_synapse(s, d, p); });
  }
  if constexpr (requires { other.neuron_type(0), other.layer_of(0); }) {
    for (int i = 0; i < units_; ++i) assign_neuron(i, other.neuron_type(i), other.layer_of(i));
  }
}

template <int Units, int Outputs, int Inputs>
void Wiring<Units, Outputs, Inputs>::add_synapse(int source, int destination, int polarity) {
  check_neuron("add_synapse: source", source, units_);
  check_neuron("add_synapse: destination", destination, units_);
  check_polarity(polarity);
  // mutate: wiring.add
  polarity_[source + Index{units_} * destination] = polarity;
}

template <int Units, int Outputs, int Inputs>
void Wiring<Units, Outputs, Inputs>::add_sensory_synapse(int source, int destination, int polarity) {
  require_built("add_sensory_synapse");
  check_neuron("add_sensory_synapse: source", source, input_dim_);
  check_neuron("add_sensory_synapse: destination", destination, units_);
  check_polarity(polarity);
  // mutate: wiring.add_sensory
  sensory_polarity_[source + Index{input_dim_} * destination] = polarity;
}

template <int Units, int Outputs, int Inputs>
void Wiring<Units, Outputs, Inputs>::remove_synapse(int source, int destination) {
  check_neuron("remove_synapse: source", source, units_);
  check_neuron("remove_synapse: destination", destination, units_);
  // mutate: wiring.remove
  polarity_[source + Index{units_} * destination] = 0;
}

template <int Units, int Outputs, int Inputs>
void Wiring<Units, Outputs, Inputs>::remove_sensory_synapse(int source, int destination) {
  require_built("remove_sensory_synapse");
  check_neuron("remove_sensory_synapse: source", source, input_dim_);
  check_neuron("remove_sensory_synapse: destination", destination, units_);
  // mutate: wiring.remove_sensory
  sensory_polarity_[source + Index{input_dim_} * destination] = 0;
}

template <int Units, int Outputs, int Inputs>
void Wiring<Units, Outputs, Inputs>::assign_neuron(int neuron, NeuronType type, int layer) {
  check_neuron("assign_neuron: neuron", neuron, units_);
  check_neuron("assign_neuron: layer", layer, units_);
  if ((type == NeuronType::motor) != (neuron < output_dim_)) {
    detail::refuse("Wiring: assign_neuron: the motor neurons are those below output_dim = ", output_dim_,
                   ", so neuron ", neuron, " cannot be of type ", name_of(type));
  }
  types_[neuron] = type;
  // mutate: wiring.assign_layer
  layers_[neuron] = layer;
}

template <int Units, int Outputs, int Inputs>
bool Wiring<Units, Outputs, Inputs>::set_input_dim(int input_dim) {
  if (input_dim < 1) detail::refuse("Wiring: input_dim must be at least 1, got ", input_dim);
  check_fixed("input_dim", input_dim, Inputs);
  if (units_ == 0) detail::refuse("Wiring: build needs a wiring with neurons, but this one was moved from");
  if (is_built()) {
    // mutate: wiring.built_twice
    if (input_dim != input_dim_) {
      detail::refuse("Wiring: already built for input_dim ", input_dim_, ", cannot build for ", input_dim);
    }
    return false;
  }
  // mutate: wiring.largest
  if (std::int64_t{input_dim} * units_ > 2147483647) {
    detail::refuse("Wiring: input_dim must be at most ", 2147483647 / units_, " with ", units_, " units, got ",
                   input_dim);
  }
  sensory_polarity_.resize(Index{input_dim} * units_);
  input_dim_ = input_dim;
  return true;
}

}  // namespace elegans
