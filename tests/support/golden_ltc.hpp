// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <elegans/model/ltc.hpp>

#include "support/golden_model.hpp"

namespace elegans_test {

/// The wiring that a golden file's masks tell; its polarities are in erev, a parameter.
inline elegans::Wiring<> wiring_of(const GoldenFile& file, const std::string& prefix = "param.rnn_cell.") {
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

}  // namespace elegans_test
