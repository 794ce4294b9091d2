// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>

#include <elegans/inspect/hidden_states.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

constexpr Index steps = 5;
constexpr Index samples = 3;

template <typename Layer>
struct Case {
  Sequence<double> x;
  ContextOf<Layer> context;
};

/// Inputs, elapsed times that differ, an initial state, and a mask; what is masked is NaN.
template <typename Layer>
Case<Layer> make_case(const Layer& layer, bool masked) {
  Case<Layer> made{Sequence<double>(steps, samples, layer.input_dim()), {}};
  made.x.values().setLinSpaced(-1, 1);
  Eigen::ArrayXXd spans(steps, samples);
  spans.reshaped().setLinSpaced(0.2, 1.5);
  made.context.timespans = Timespans<double>(spans);
  made.context.initial_state.emplace(samples, layer.state_size());
  made.context.initial_state->array().reshaped().setLinSpaced(-0.5, 0.5);
  if (masked) {
    Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(steps, samples);
    exists(0, 1) = exists(2, 0) = exists(4, 2) = exists(3, 2) = 0;
    made.context.mask = exists;
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < samples; ++b) {
        if (exists(t, b) == 0) made.x.step(t).row(b).setConstant(std::numeric_limits<double>::quiet_NaN());
      }
    }
  }
  return made;
}

/// Against `step`, sample by sample, which a masked sample does not take.
template <typename Layer>
void check_against_steps(const Layer& layer) {
  for (const bool masked : {false, true}) {
    const auto [x, context] = make_case(layer, masked);
    const Sequence<double> states = hidden_states(layer, x, context);
    REQUIRE(states.features() == layer.state_size());
    Layer stepper = layer;
    for (Index b = 0; b < samples; ++b) {
      auto state = stepper.initial_state();
      if (layer.state_size() > 0) state.array() = context.initial_state->array().row(b);
      for (Index t = 0; t < steps; ++t) {
        if (context.mask(t, b)) stepper.step(x.step(t).row(b), state, context.timespans(t, b));
        if (layer.state_size() > 0) CHECK((states.step(t).row(b) - state.array()).abs().maxCoeff() < 1e-14);
      }
    }
    Layer runner = layer;
    (void)runner(x, context);
    CHECK((states.step(steps - 1) == runner.final_state().array()).all());
  }
}

}  // namespace

TEST_CASE("Hidden states are the states after each step, for every layer", "[layer][states]") {
  check_against_steps(LTC<double>(AutoNCP(8, 2), 3));
  check_against_steps(LTC<double, FullyConnected<4, 2, 3>>(FullyConnected<4, 2, 3>{}, {.return_sequences = false}));
  check_against_steps(CfC<double>(AutoNCP(8, 2), 3, {.mode = CfCMode::pure}));
  check_against_steps(MixedLTC<double>(FullyConnected(3, 1), 3));
  check_against_steps(MixedCfC<double>(4, 3, {.proj_size = 2}));
  check_against_steps(Dense<double>(2, 3));
  check_against_steps(Sequential(Dense<double>(3, 2), LTC<double>(AutoNCP(8, 2), 3),
                                 Sequential(CfC<double>(4, 2), Dense<double>(1, 4))));
}

TEST_CASE("Without a context, states start from zero and steps take one unit of time", "[layer][states]") {
  LTC<double> model(FullyConnected(3, 1), 2);
  Eigen::ArrayXXd x(steps, 2);
  x.reshaped().setLinSpaced(-1, 1);
  const Sequence<double> states = hidden_states(model, x);
  auto state = model.initial_state();
  for (Index t = 0; t < steps; ++t) {
    model.step(x.row(t), state);
    CHECK((states.step(t) - state.array()).abs().maxCoeff() < 1e-14);
  }
}

TEST_CASE("A layer behind one that returns its last output only takes a single step", "[layer][states]") {
  Sequential model(CfC<double>(3, 2, {.return_sequences = false}), LTC<double>(FullyConnected(4, 2), 3));
  const auto [x, context] = make_case(model, false);
  const Sequence<double> states = hidden_states(model, x, context);
  for (Index t = 0; t + 1 < steps; ++t) {
    CHECK((states.step(t).rightCols(4) == context.initial_state->array().rightCols(4)).all());
  }
  (void)model(x, context);
  CHECK((states.step(steps - 1) == model.final_state().array()).all());
  CHECK((hidden_states(model, x).step(0).rightCols(4) == 0.0).all());
}

TEST_CASE("The hidden states of a Bidirectional are those of each direction at that step",
          "[layer][states][bidirectional]") {
  const LTC<double> ahead(AutoNCP(6, 2), 3, {.seed = 1});
  const LTC<double> behind(FullyConnected(4, 2), 3, {.seed = 2});
  Bidirectional model(ahead, behind);
  for (const bool masked : {false, true}) {
    const auto [x, context] = make_case(model, masked);
    const Sequence<double> states = hidden_states(model, x, context);
    auto [forwards, of_ahead] = make_case(ahead, masked);
    auto [unused, of_behind] = make_case(behind, masked);
    of_ahead.initial_state->array() = context.initial_state->array().leftCols(6);
    of_behind.initial_state->array() = context.initial_state->array().rightCols(4);
    of_behind.timespans = of_behind.timespans.reversed();
    of_behind.mask = of_behind.mask.reversed();
    Sequence<double> backwards = x;
    for (Index t = 0; t < steps; ++t) backwards.step(t) = x.step(steps - 1 - t);
    const Sequence<double> first = hidden_states(ahead, x, of_ahead);
    const Sequence<double> second = hidden_states(behind, backwards, of_behind);
    for (Index t = 0; t < steps; ++t) {
      CHECK((states.step(t).leftCols(6) == first.step(t)).all());
      CHECK((states.step(t).rightCols(4) == second.step(steps - 1 - t)).all());
    }
    (void)model(x, context);
    CHECK((states.step(steps - 1).leftCols(6) == model.final_state().array().leftCols(6)).all());
    CHECK((states.step(0).rightCols(4) == model.final_state().array().rightCols(4)).all());
  }
}

TEST_CASE("Shapes that do not fit are refused", "[layer][states]") {
  const LTC<double> model(FullyConnected(3, 1), 2);
  CHECK_THROWS_WITH(hidden_states(model, Sequence<double>(3, 1, 4)),
                    "forward: x must be (time >= 1, batch >= 1, input_dim = 2), got (1, 1, 4)");
  ContextOf<LTC<double>> context;
  context.mask = Eigen::ArrayXXi::Ones(2, 1);
  CHECK_THROWS_WITH(hidden_states(model, Sequence<double>(3, 1, 2), context),
                    "mask must be (time, batch) = (3, 1), got (2, 1)");
  const Sequential stack(model, Dense<double>(1, 1));
  ContextOf<Sequential<LTC<double>, Dense<double>>> short_state;
  short_state.initial_state.emplace(1, 2);
  CHECK_THROWS_WITH(hidden_states(stack, Sequence<double>(3, 1, 2), short_state),
                    "hidden_states: the initial state must be (batch, state_size) = (1, 3), got (1, 2)");
  short_state.initial_state.emplace(1, 4);
  CHECK_THROWS_AS(hidden_states(stack, Sequence<double>(3, 1, 2), short_state), InvalidArgument);
}
