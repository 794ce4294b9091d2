// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>

namespace elegans {

/// How an LTC scales the values that go into its sensory neurons, or come out of its motor neurons.
enum class Mapping {
  affine,  ///< w x + b
  linear,  ///< w x
  none     ///< x
};

/// Initial values are drawn uniformly from [low, high].
struct Range {
  double low;
  double high;
};

/// The ranges of an LTC cell's initial values: ncps'. Input and output mappings start as the identity, reversal
/// potentials as the polarities.
struct LTCInitialization {
  Range gleak{0.001, 1.0};  ///< leak conductance of a neuron
  Range vleak{-0.2, 0.2};   ///< leak potential
  Range cm{0.4, 0.6};       ///< membrane capacitance
  Range w{0.001, 1.0};      ///< strength of a synapse
  Range sigma{3.0, 8.0};    ///< steepness of a synapse's gate
  Range mu{0.3, 0.8};       ///< midpoint of a synapse's gate
  Range sensory_w{0.001, 1.0};
  Range sensory_sigma{3.0, 8.0};
  Range sensory_mu{0.3, 0.8};
};

/// How an LTC cell solves its differential equation over a sub-step of length h. cell/ltc/solver.hpp lists the solvers.
enum class ODESolver {
  semi_implicit,   ///< the fused step of the LTC paper: first order, stable for every h
  explicit_euler,  ///< v + h f(v): first order at the same cost; diverges if h is too large
  heun,            ///< second order, at twice the cost; diverges if h is too large
  runge_kutta      ///< the classical method: fourth order, at four times the cost; diverges if h is too large
};

/// The options of an LTC cell besides its wiring: ncps' names and defaults, except where noted.
struct LTCOptions {
  Mapping input_mapping = Mapping::affine;
  Mapping output_mapping = Mapping::affine;
  ODESolver solver = ODESolver::semi_implicit;
  int ode_unfolds = 6;    ///< solver sub-steps per step, at least 1
  double epsilon = 1e-8;  ///< added to the denominator of a fused sub-step, at least 0
  /// Keeps w, sensory_w, cm and gleak positive by softplus at use (true, the default of ncps' PyTorch layer), or by
  /// clipping at 0 after each optimizer step (false, the default of ncps' Keras layer and cells, and here).
  bool implicit_param_constraints = false;
  bool return_sequences = true;  ///< true: the outputs of all steps; false: of the last step only
  std::uint64_t seed = 1;        ///< of the initial values, as `torch.manual_seed`
  LTCInitialization initialization{};
};

namespace detail {

/// \throws InvalidArgument if an option is out of its range
inline void check_options(const LTCOptions& options) {
  if (options.ode_unfolds < 1) refuse("LTC: ode_unfolds must be at least 1, got ", options.ode_unfolds);
  if (!is_finite(options.epsilon) || options.epsilon < 0) {
    refuse("LTC: epsilon must be finite and at least 0, got ", options.epsilon);
  }
  const auto check_range = [&](const char* name, const Range& range, bool positive) {
    if (!is_finite(range.low) || !is_finite(range.high) || range.low > range.high) {
      refuse("LTC: initialization.", name, " must have low <= high, got [", range.low, ", ", range.high, "]");
    }
    if (positive && !options.implicit_param_constraints && range.low < 0) {
      refuse("LTC: initialization.", name, " must be at least 0, got ", range.low);
    }
  };
  const LTCInitialization& initial = options.initialization;
  check_range("gleak", initial.gleak, true);
  check_range("vleak", initial.vleak, false);
  check_range("cm", initial.cm, true);
  check_range("w", initial.w, true);
  check_range("sigma", initial.sigma, false);
  check_range("mu", initial.mu, false);
  check_range("sensory_w", initial.sensory_w, true);
  check_range("sensory_sigma", initial.sensory_sigma, false);
  check_range("sensory_mu", initial.sensory_mu, false);
}

}  // namespace detail
}  // namespace elegans
