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

/// Options that the tensors of a model file do not tell. An option that is given here wins over the file's metadata,
/// which elegans writes; without either it has the default of the Python layer. An option that does not apply to
/// the model is ignored; one that the tensors contradict is refused. In a stack, each option is for all layers, except
/// that `output_dim` is for the last layer; the others have as many outputs as the next layer has inputs.
struct ModelFileOptions {
  std::optional<int> ode_unfolds{};                  ///< LTC; else 6
  std::optional<double> epsilon{};                   ///< LTC; else 1e-8
  std::optional<bool> implicit_param_constraints{};  ///< LTC; else true
  std::optional<ODESolver> solver{};                 ///< LTC; else semi-implicit
  std::optional<int> output_dim{};                   ///< LTC without output mapping; else all units
  std::optional<CfCMode> mode{};                     ///< CfC with two heads: standard, the default, or no_gate
  std::optional<Activation> activation{};            ///< CfC with a backbone; else lecun_tanh
  std::optional<double> layer_norm_epsilon{};        ///< LayerNorm; else 1e-5
  std::optional<bool> return_sequences{};            ///< of a model that is no stack; else true
  /// The beginning of the names of the model's tensors, up to `rnn_cell`, or up to the cell's own names if there is no
  /// `rnn_cell`. It chooses between several models in a file. Without it, all tensors of the file must belong to one
  /// model. Only golden files, whose prefix begins with `param.`, may have others.
  std::optional<std::string> prefix{};
};

namespace detail {

template <typename Value>
using NamedValue = std::pair<const char*, Value>;

// The words are those of ncps.
inline constexpr std::array<NamedValue<CfCMode>, 3> mode_names{
    {{"default", CfCMode::standard}, {"pure", CfCMode::pure}, {"no_gate", CfCMode::no_gate}}};
inline constexpr std::array<NamedValue<Activation>, 5> activation_names{{{"lecun_tanh", Activation::lecun_tanh},
                                                                         {"relu", Activation::relu},
                                                                         {"tanh", Activation::tanh},
                                                                         {"gelu", Activation::gelu},
                                                                         {"silu", Activation::silu}}};
inline constexpr std::array<NamedValue<Activation>, 2> head_activation_names{
    {{"tanh", Activation::tanh}, {"lecun_tanh", Activation::lecun_tanh}}};
inline constexpr std::array<NamedValue<Activation>, 7> dense_activation_names{{{"linear", Activation::linear},
                                                                               {"lecun_tanh", Activation::lecun_tanh},
                                                                               {"relu", Activation::relu},
                                                                               {"tanh", Activation::tanh},
                                                                               {"gelu", Activation::gelu},
                                                                               {"silu", Activation::silu},
                                                                               {"sigmoid", Activation::sigmoid}}};
inline constexpr std::array<NamedValue<ODESolver>, 4> solver_names{{{"semi_implicit", ODESolver::semi_implicit},
                                                                    {"explicit_euler", ODESolver::explicit_euler},
                                                                    {"heun", ODESolver::heun},
                                                                    {"runge_kutta", ODESolver::runge_kutta}}};
inline constexpr std::array<NamedValue<bool>, 2> constraint_names{{{"implicit", true}, {"explicit", false}}};

/// The name of a value.
template <typename Names, typename Value>
const char* name_in(const Names& names, Value value) {
  for (const auto& [name, named] : names) {
    if (named == value) return name;
  }
  refuse("model file: there is no name for option value ", static_cast<int>(value));
}

/// The value of a name. \throws InvalidArgument if there is no such name; the message lists the names
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
