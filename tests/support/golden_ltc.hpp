// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include <elegans/layer/ltc.hpp>

#include "support/safetensors.hpp"

namespace elegans_test {

/// The wiring that a golden file's masks tell; its polarities are in erev, a parameter.
inline elegans::Wiring<> wiring_of(const GoldenFile& file, const std::string& prefix) {
  const Tensor& mask = file[prefix + "sparsity_mask"];
  const Tensor& sensory = file[prefix + "sensory_sparsity_mask"];
  int outputs = static_cast<int>(mask.shape[0]);
  if (file.has(prefix + "output_w")) outputs = static_cast<int>(file[prefix + "output_w"].shape[0]);
  if (file.has("output")) outputs = static_cast<int>(file["output"].shape.back());
  elegans::Wiring<> wiring(static_cast<int>(mask.shape[0]), outputs);
  wiring.build(static_cast<int>(sensory.shape[0]));
  for (int s = 0; s < wiring.units(); ++s) {
    for (int d = 0; d < wiring.units(); ++d) {
      if (mask.at(s, d) != 0) wiring.add_synapse(s, d, 1);
    }
  }
  for (int s = 0; s < wiring.input_dim(); ++s) {
    for (int d = 0; d < wiring.units(); ++d) {
      if (sensory.at(s, d) != 0) wiring.add_sensory_synapse(s, d, 1);
    }
  }
  return wiring;
}

/// The options that a golden case passed to ncps' PyTorch layer.
inline elegans::LTCOptions options_of(const nlohmann::json& golden_case) {
  const nlohmann::json given = golden_case.value("options", nlohmann::json::object());
  elegans::LTCOptions options;
  options.implicit_param_constraints = given.value("implicit_param_constraints", true);
  options.ode_unfolds = given.value("ode_unfolds", 6);
  options.epsilon = given.value("epsilon", 1e-8);
  options.return_sequences = given.value("return_sequences", true);
  const auto mapping = [&](const char* key) {
    if (!given.contains(key)) return elegans::Mapping::affine;
    if (given[key].is_null()) return elegans::Mapping::none;
    return given[key] == "linear" ? elegans::Mapping::linear : elegans::Mapping::affine;
  };
  options.input_mapping = mapping("input_mapping");
  options.output_mapping = mapping("output_mapping");
  return options;
}

/// Copies every tensor of the model from the file.
template <typename Model>
void load_parameters(Model& model, const GoldenFile& file, const std::string& prefix) {
  for (const elegans::Parameter& entry : model.parameter_list()) {
    model.set_parameter(entry.name, file[prefix + std::string(entry.name)].array());
  }
}

/// (batch, time, features), or (batch, features) for a single step, as Python has it.
template <typename Scalar>
elegans::Sequence<Scalar> sequence_of(const Tensor& tensor) {
  const bool single = tensor.shape.size() == 2;
  elegans::Sequence<Scalar> sequence(single ? 1 : tensor.shape[1], tensor.shape[0], tensor.shape.back());
  for (Eigen::Index t = 0; t < sequence.time(); ++t) {
    for (Eigen::Index b = 0; b < sequence.batch(); ++b) {
      for (Eigen::Index f = 0; f < sequence.features(); ++f) {
        sequence(t, b, f) = static_cast<Scalar>(single ? tensor.at(b, f) : tensor.at(b, t, f));
      }
    }
  }
  return sequence;
}

/// The timespans and initial state that a file holds, if any.
template <typename Scalar>
elegans::Context<Scalar> context_of(const GoldenFile& file) {
  elegans::Context<Scalar> context;
  if (file.has("timespans")) context.timespans = elegans::Timespans<Scalar>(file["timespans"].array().transpose());
  if (file.has("h0")) {
    const Eigen::ArrayXXd h0 = file["h0"].array();
    context.initial_state = elegans::State<Scalar>(h0.rows(), h0.cols());
    context.initial_state->array() = h0.cast<Scalar>();
  }
  return context;
}

/// The largest difference of two arrays, relative to the largest value there is.
template <typename A, typename B>
double relative_difference(const A& got, const B& expected) {
  const double scale = std::max(static_cast<double>(expected.abs().maxCoeff()), 1e-30);
  return static_cast<double>((got.template cast<double>() - expected.template cast<double>()).abs().maxCoeff()) / scale;
}

}  // namespace elegans_test
