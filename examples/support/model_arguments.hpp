// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <elegans/io/model_options.hpp>

namespace examples {

/// The command-line options for what the tensors of a model file do not tell.
class ModelArguments {
 public:
  explicit ModelArguments(CLI::App& app) {
    const auto one_of = [](const auto& names) {
      std::vector<std::string> words;
      for (const auto& [name, value] : names) words.emplace_back(name);
      return CLI::IsMember(words);
    };
    app.add_option("--ode-unfolds", options_.ode_unfolds, "LTC: ODE unfolds per step (6)")
        ->check(CLI::Range(1, 1000000));
    app.add_option("--epsilon", options_.epsilon, "LTC: added to denominators (1e-8)")->check(CLI::Range(0.0, 1e30));
    app.add_option("--constraints", constraints_, "LTC: how weights stay positive (implicit)")
        ->check(one_of(elegans::detail::constraint_names));
    app.add_option("--outputs", options_.output_dim, "LTC without output mapping: motor neurons (all units)")
        ->check(CLI::Range(1, 1000000));
    app.add_option("--mode", mode_, "CfC: how its heads make the next state (default)")
        ->check(one_of(elegans::detail::mode_names));
    app.add_option("--activation", activation_, "CfC: activation of the backbone (lecun_tanh)")
        ->check(one_of(elegans::detail::activation_names));
    app.add_option("--layer-norm-epsilon", options_.layer_norm_epsilon, "LayerNorm: added to the variance (1e-5)")
        ->check(CLI::Range(0.0, 1e30));
    app.add_option("--prefix", options_.prefix,
                   "Beginning of the names of the model's tensors, if the file has others");
  }

  [[nodiscard]] elegans::ModelFileOptions options() const {
    using namespace elegans::detail;
    elegans::ModelFileOptions options = options_;
    if (!constraints_.empty()) {
      options.implicit_param_constraints = value_in(constraint_names, "--constraints", constraints_);
    }
    if (!mode_.empty()) options.mode = value_in(mode_names, "--mode", mode_);
    if (!activation_.empty()) options.activation = value_in(activation_names, "--activation", activation_);
    return options;
  }

 private:
  elegans::ModelFileOptions options_;
  std::string constraints_, mode_, activation_;
};

}  // namespace examples
