// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <elegans/cell/cfc/options.hpp>
#include <elegans/cell/ltc/options.hpp>
#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>

namespace elegans {

/// What the tensors of a model file cannot tell. What is given here wins; what is not is taken from the metadata, if
/// elegans wrote the file, and else is what ncps' PyTorch layers have by default. What does not apply to a model is
/// ignored; what the tensors contradict is refused.
struct ModelFileOptions {
  std::optional<int> ode_unfolds{};                  ///< LTC; else 6
  std::optional<double> epsilon{};                   ///< LTC; else 1e-8
  std::optional<bool> implicit_param_constraints{};  ///< LTC; else true
  std::optional<ODESolver> solver{};                 ///< LTC; else semi-implicit
  std::optional<int> output_dim{};                   ///< LTC without output mapping; else all units
  std::optional<CfCMode> mode{};                     ///< CfC with two heads: standard, which is the default, or no_gate
  std::optional<Activation> activation{};            ///< CfC with a backbone; else lecun_tanh
  std::optional<bool> return_sequences{};            ///< else true
  /// What the names of the tensors begin with, up to `rnn_cell`, or up to the name in the cell without; chooses between
  /// several models in a file. Without it, all tensors of a file must belong to one model; only beside a prefix that
  /// begins with `param.`, which is that of golden files, there may be others.
  std::optional<std::string> prefix{};
};

namespace detail {

template <typename Value>
using NamedValue = std::pair<const char*, Value>;

// ncps' words.
inline constexpr std::array<NamedValue<CfCMode>, 3> mode_names{
    {{"default", CfCMode::standard}, {"pure", CfCMode::pure}, {"no_gate", CfCMode::no_gate}}};
inline constexpr std::array<NamedValue<Activation>, 5> activation_names{{{"lecun_tanh", Activation::lecun_tanh},
                                                                         {"relu", Activation::relu},
                                                                         {"tanh", Activation::tanh},
                                                                         {"gelu", Activation::gelu},
                                                                         {"silu", Activation::silu}}};
inline constexpr std::array<NamedValue<ODESolver>, 3> solver_names{{{"semi_implicit", ODESolver::semi_implicit},
                                                                    {"explicit_euler", ODESolver::explicit_euler},
                                                                    {"runge_kutta", ODESolver::runge_kutta}}};
inline constexpr std::array<NamedValue<bool>, 2> constraint_names{{{"implicit", true}, {"explicit", false}}};

template <typename Names, typename Value>
const char* name_in(const Names& names, Value value) {
  for (const auto& [name, named] : names) {
    if (named == value) return name;
  }
  refuse("model file: there is no name for option value ", static_cast<int>(value));
}

/// \throws InvalidArgument if there is no such name; the message lists those there are
template <typename Names>
auto value_in(const Names& names, const char* what, std::string_view wanted) {
  std::string all;
  for (const auto& [name, value] : names) {
    if (name == wanted) return value;
    all.append(all.empty() ? "" : ", ").append(name);
  }
  refuse(what, " must be one of ", all, ", got ", std::string(wanted.substr(0, 100)));
}

}  // namespace detail
}  // namespace elegans
