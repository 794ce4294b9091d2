// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>
#include <string>

#include <elegans/inspect/time_constants.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/ramp.hpp"

using namespace elegans;
using support::ramp;

namespace {

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

/// The definition, neuron by neuron.
template <typename Model>
void check_definition(const Model& model) {
  const Sequence<double> x = ramp(4, 3, 2);
  const Sequence<double> states = hidden_states(model, x);
  const Sequence<double> tau = time_constants(model, x);
  REQUIRE(tau.features() == model.units());
  const bool implicit = model.options().implicit_param_constraints;
  const auto positive = [&](double value) { return implicit ? std::log(1 + std::exp(value)) : value; };
  const auto p = [&](const std::string& name, Index r, Index c = 0) { return model.parameter(name)(r, c); };
  for (Index t = 0; t < 4; ++t) {
    for (Index b = 0; b < 3; ++b) {
      for (Index i = 0; i < model.units(); ++i) {
        double conductance = positive(p("gleak", i));
        for (Index k = 0; k < 2; ++k) {
          if (model.wiring().sensory_adjacency_matrix()(k, i) == 0) continue;
          double u = x(t, b, k);
          if (model.options().input_mapping != Mapping::none) u *= p("input_w", k);
          if (model.options().input_mapping == Mapping::affine) u += p("input_b", k);
          conductance +=
              positive(p("sensory_w", k, i)) * sigmoid(p("sensory_sigma", k, i) * (u - p("sensory_mu", k, i)));
        }
        for (Index j = 0; j < model.units(); ++j) {
          if (model.wiring().adjacency_matrix()(j, i) == 0) continue;
          conductance += positive(p("w", j, i)) * sigmoid(p("sigma", j, i) * (states(t, b, j) - p("mu", j, i)));
        }
        CHECK(tau(t, b, i) == Approx(positive(p("cm", i)) / conductance).epsilon(1e-13));
      }
    }
  }
}

}  // namespace

TEST_CASE("A time constant is the capacitance divided by the sum of all conductances", "[layer][time_constants]") {
  for (const bool implicit : {false, true}) {
    for (const Mapping mapping : {Mapping::affine, Mapping::linear, Mapping::none}) {
      LTC<double> model(AutoNCP(8, 2), 2, {.input_mapping = mapping, .implicit_param_constraints = implicit});
      if (mapping != Mapping::none) model.set_parameter("input_w", Eigen::Array2d(0.7, -1.3));
      if (mapping == Mapping::affine) model.set_parameter("input_b", Eigen::Array2d(0.2, 0.1));
      check_definition(model);
    }
    check_definition(MixedLTC<double>(FullyConnected(4, 1), 2, {.implicit_param_constraints = implicit}));
  }
}

TEST_CASE(
    "With all gates closed the time constant is that of the leak, and with all gates open it is the shortest possible",
    "[layer][time_constants]") {
  LTC<double> model(FullyConnected(5, 1), 2);
  const auto tau_with = [&](double mu) {
    model.set_parameter("mu", Eigen::ArrayXXd::Constant(5, 5, mu));
    model.set_parameter("sensory_mu", Eigen::ArrayXXd::Constant(2, 5, mu));
    return time_constants(model, ramp(3, 2, 2));
  };
  const Sequence<double> closed = tau_with(1e3);
  const Sequence<double> open = tau_with(-1e3);
  for (Index i = 0; i < 5; ++i) {
    const double leak = model.parameter("gleak")(i, 0);
    const double all = leak + model.parameter("w").col(i).sum() + model.parameter("sensory_w").col(i).sum();
    for (Index t = 0; t < 3; ++t) {
      CHECK(closed(t, 1, i) == Approx(model.parameter("cm")(i, 0) / leak).epsilon(1e-14));
      CHECK(open(t, 1, i) == Approx(model.parameter("cm")(i, 0) / all).epsilon(1e-13));
    }
  }
}

TEST_CASE("A neuron that only inputs drive approaches its rest with its time constant", "[layer][time_constants]") {
  Wiring<> wiring(2, 1);
  wiring.build(1);
  wiring.add_sensory_synapse(0, 0, 1);
  wiring.add_sensory_synapse(0, 1, -1);
  LTC<double> model(wiring, 1, {.solver = ODESolver::runge_kutta, .ode_unfolds = 20});
  Sequence<double> x(4, 1, 1);
  x.values().setConstant(0.6);
  Context<double> context;
  context.timespans = 0.1;
  const Sequence<double> states = hidden_states(model, x, context);
  const Sequence<double> tau = time_constants(model, x, context);
  for (Index i = 0; i < 2; ++i) {
    // By dv/dt = (rest - v) / tau, differences between samples shrink by exp(-dt / tau).
    for (Index t = 1; t < 3; ++t) {
      const double ratio = (states(t + 1, 0, i) - states(t, 0, i)) / (states(t, 0, i) - states(t - 1, 0, i));
      CHECK(ratio == Approx(std::exp(-0.1 / tau(t, 0, i))).epsilon(1e-9));
    }
  }
}

TEST_CASE("Time constants follow elapsed times and initial state, and a masked step has none",
          "[layer][time_constants]") {
  const LTC<float> model(AutoNCP(6, 1), 2);
  Sequence<float> x(3, 2, 2);
  x.values().setLinSpaced(-1, 1);
  ContextOf<LTC<float>> context;
  Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(3, 2);
  exists(1, 0) = 0;
  context.mask = exists;
  context.initial_state.emplace(2, 6);
  context.initial_state->array().setConstant(0.4f);
  const Sequence<float> tau = time_constants(model, x, context);
  const Sequence<float> without = time_constants(model, x);
  for (Index i = 0; i < 6; ++i) {
    CHECK(std::isnan(tau(1, 0, i)));
    CHECK(std::isfinite(tau(1, 1, i)));
    CHECK(std::isfinite(tau(2, 0, i)));
  }
  CHECK((tau.step(0) - without.step(0)).abs().maxCoeff() > 1e-4f);
}

TEST_CASE("A neuron without leak and without synapses has an infinite time constant", "[layer][time_constants]") {
  Wiring<> wiring(2, 1);
  wiring.build(1);
  wiring.add_sensory_synapse(0, 0, 1);
  LTC<double> model(wiring, 1);
  model.set_parameter("gleak", Eigen::Array2d(0.5, 0.0));
  const Sequence<double> tau = time_constants(model, ramp(2, 1, 1));
  CHECK(std::isfinite(tau(0, 0, 0)));
  CHECK(tau(0, 0, 1) == std::numeric_limits<double>::infinity());
}
