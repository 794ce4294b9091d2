// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <elegans/cell/ltc/options.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/softplus.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// The largest number of tensors of an LTC cell.
inline constexpr int ltc_tensor_capacity = 15;

/// The largest number of scalars in the tensors of an LTC cell of these sizes, or Dynamic.
constexpr int ltc_parameter_capacity(int units, int outputs, int inputs) {
  if (units == Dynamic || outputs == Dynamic || inputs == Dynamic) return Dynamic;
  return 4 * units * units + 4 * inputs * units + 3 * units + 2 * inputs + 2 * outputs;
}

/// ncps' tensors in the order of its `state_dict`. The masks belong to the wiring and are no parameters.
inline ParameterList<ltc_tensor_capacity> ltc_parameters(int units, int outputs, int inputs,
                                                         const LTCOptions& options) {
  ParameterList<ltc_tensor_capacity> list;
  list.add("gleak", units, 1);
  list.add("vleak", units, 1);
  list.add("cm", units, 1);
  list.add("sigma", units, units);
  list.add("mu", units, units);
  list.add("w", units, units);
  list.add("erev", units, units);
  list.add("sensory_sigma", inputs, units);
  list.add("sensory_mu", inputs, units);
  list.add("sensory_w", inputs, units);
  list.add("sensory_erev", inputs, units);
  if (options.input_mapping != Mapping::none) list.add("input_w", inputs, 1);
  if (options.input_mapping == Mapping::affine) list.add("input_b", inputs, 1);
  if (options.output_mapping != Mapping::none) list.add("output_w", outputs, 1);
  if (options.output_mapping == Mapping::affine) list.add("output_b", outputs, 1);
  return list;
}

/// True for the tensors that must not become negative: w, sensory_w, cm, gleak.
inline bool is_positive_ltc_parameter(std::string_view name) {
  return name == "w" || name == "sensory_w" || name == "cm" || name == "gleak";
}

/// Pointers to the four tensors of a set of synapses, in a parameter vector or a gradient. Each tensor is (sources,
/// destinations), column-major.
template <typename Pointer>
struct SynapseTensors {
  Pointer sigma;  ///< steepness of the gate
  Pointer mu;     ///< midpoint of the gate
  Pointer w;      ///< strength, as stored
  Pointer erev;   ///< reversal potential
};

// mutate all: ltc.parameters
/// One synapse's parameters, as the kernels read them. \param implicit  whether w is the softplus of the stored value
template <typename Scalar>
[[nodiscard]] SynapseWeight<Scalar> read_synapse(const SynapseTensors<const Scalar*>& tensors, Index i, bool implicit) {
  const Scalar w = implicit ? softplus(tensors.w[i]) : tensors.w[i];
  const Scalar sigma = tensors.sigma[i];
  return {sigmoid_scale<Scalar> * sigma, sigma, tensors.mu[i], w, w * tensors.erev[i]};
}

/// Adds the gradient of one synapse's parameters, from its sums: see `SynapseEquation`.
template <typename Scalar>
void add_synapse_gradient(const SynapseTensors<const Scalar*>& tensors, const SynapseTensors<Scalar*>& gradient,
                          Index i, bool implicit, const SynapseSums<Scalar>& sums) {
  const Scalar stored = tensors.w[i];
  const Scalar d_w = tensors.erev[i] * sums.gate_a + sums.gate_b;
  gradient.w[i] += implicit ? d_w * softplus_derivative(stored) : d_w;
  gradient.erev[i] += (implicit ? softplus(stored) : stored) * sums.gate_a;
  gradient.mu[i] -= tensors.sigma[i] * sums.slope;
  gradient.sigma[i] += sums.slope_v - tensors.mu[i] * sums.slope;
}

/// Pointers to the tensors of an LTC cell, in a parameter vector (`const Scalar*`) or a gradient (`Scalar*`). The
/// pointers of a mapping that the cell does not have are null.
template <typename Pointer>
struct LTCTensors {
  Pointer gleak, vleak, cm;
  SynapseTensors<Pointer> synapse;
  SynapseTensors<Pointer> sensory;
  Pointer input_w, input_b, output_w, output_b;

  /// \param list   from `ltc_parameters`, in its order
  /// \param start  of the vector that the list describes
  LTCTensors(const ParameterList<ltc_tensor_capacity>& list, Pointer start) {
    // One pass, in the order of the list: a training step does this three times.
    const Parameter* entry = list.begin();
    const auto next = [&](std::string_view name) -> Pointer {
      return entry != list.end() && entry->name == name ? start + (entry++)->offset : nullptr;
    };
    gleak = next("gleak");
    vleak = next("vleak");
    cm = next("cm");
    synapse = {next("sigma"), next("mu"), next("w"), next("erev")};
    sensory = {next("sensory_sigma"), next("sensory_mu"), next("sensory_w"), next("sensory_erev")};
    input_w = next("input_w");
    input_b = next("input_b");
    output_w = next("output_w");
    output_b = next("output_b");
    eigen_assert(entry == list.end());
  }
};

/// Sets initial values. The random ones are those of `torch.manual_seed(seed)` followed by ncps' `LTC(...)`, which
/// draws tensor by tensor in the order of its constructor, each row by row.
template <typename Scalar, typename Wiring>
void initialize_ltc(const ParameterList<ltc_tensor_capacity>& list, const LTCOptions& options, const Wiring& wiring,
                    Scalar* parameters) {
  TorchRandom random(options.seed);
  const auto fill = [&](std::string_view name, auto&& value) {
    const Parameter* entry = list.find(name);
    if (!entry) return;
    for (int row = 0; row < entry->rows; ++row) {
      for (int column = 0; column < entry->columns; ++column) {
        parameters[entry->offset + row + Index{entry->rows} * column] = static_cast<Scalar>(value(row, column));
      }
    }
  };
  const auto draw = [&](std::string_view name, const Range& range) {
    fill(name, [&](int, int) {
      return range.low == range.high ? static_cast<Scalar>(range.low) : random.uniform<Scalar>(range.low, range.high);
    });
  };
  const LTCInitialization& initial = options.initialization;
  draw("gleak", initial.gleak);
  draw("vleak", initial.vleak);
  draw("cm", initial.cm);
  draw("sigma", initial.sigma);
  draw("mu", initial.mu);
  draw("w", initial.w);
  draw("sensory_sigma", initial.sensory_sigma);
  draw("sensory_mu", initial.sensory_mu);
  draw("sensory_w", initial.sensory_w);
  fill("erev", [polarity = wiring.adjacency_matrix()](int s, int d) { return polarity(s, d); });
  fill("sensory_erev", [polarity = wiring.sensory_adjacency_matrix()](int s, int d) { return polarity(s, d); });
  fill("input_w", [](int, int) { return 1; });
  fill("input_b", [](int, int) { return 0; });
  fill("output_w", [](int, int) { return 1; });
  fill("output_b", [](int, int) { return 0; });
}

}  // namespace elegans::detail
