// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>
#include <string>
#include <vector>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

Sequence<double> some_input(Index time, Index batch, Index features) {
  Sequence<double> x(time, batch, features);
  for (Index i = 0; i < x.values().size(); ++i) x.values()[i] = std::sin(1.7 * static_cast<double>(i) + 0.3);
  return x;
}

/// The message of the error that a call throws, which must be both ours and the standard library's.
template <typename Call>
std::string refusal(Call call) {
  std::string message;
  try {
    call();
  } catch (const std::invalid_argument& error) {
    message = error.what();
  }
  CHECK_THROWS_AS(call(), Error);
  return message;
}

void check_says(const std::string& message, const std::string& wanted) {
  INFO(message);
  CHECK(message.find(wanted) != std::string::npos);
}

}  // namespace

TEST_CASE("The tutorial's model has 350 parameters", "[layer][ltc]") {
  const LTC<float> model(FullyConnected(8, 1), 2);
  CHECK(model.parameters().size() == 350);
  CHECK(model.summary().find("Total params: 350") != std::string::npos);
  CHECK(model.summary().find("Synapses: 64 of 64") != std::string::npos);
}

TEST_CASE("The state stays between the bounds that the paper proves", "[layer][ltc]") {
  // Hasani et al. 2021, Theorem 2: between the smallest and the largest of the leak potentials, the reversal potentials
  // and the initial state.
  for (const double scale : {1.0, 1e6}) {
    LTC<double> model(Random(9, 2, {.sparsity = 0.4}), 3, {.seed = 5});
    Sequence<double> x = some_input(200, 4, 3);
    x.values() *= scale;
    const Timespans<double> spans(7.5);
    model.forward(x, {.timespans = spans});
    const double low = std::min(-1.0, model.parameter("vleak").minCoeff());
    const double high = std::max(1.0, model.parameter("vleak").maxCoeff());
    CHECK(model.final_state().array().minCoeff() >= low);
    CHECK(model.final_state().array().maxCoeff() <= high);
  }
}

TEST_CASE("Ranges of initial values that make no sense are refused", "[layer][ltc]") {
  const auto refusal_of = [](const LTCOptions& options) {
    return refusal([&] { LTC<float>(AutoNCP(6, 1), 2, options); });
  };
  CHECK(refusal_of({.initialization = {.vleak = {0.5, -0.5}}}) ==
        "LTC: initialization.vleak must have low <= high, got [0.5, -0.5]");
  CHECK(refusal_of({.initialization = {.gleak = {-0.5, 0.5}}}) ==
        "LTC: initialization.gleak must be at least 0, got -0.5");
  const LTCOptions stored{.implicit_param_constraints = true, .initialization = {.gleak = {-0.5, 0.5}}};
  CHECK_NOTHROW(LTC<float>(AutoNCP(6, 1), 2, stored));
}

TEST_CASE("If no time elapses, an adjoint passes through unchanged, even through neurons without capacitance",
          "[layer][ltc][gradient]") {
  for (const Index batch : {1, 3}) {
    LTC<double> model(AutoNCP(6, 1), 2, {.output_mapping = Mapping::none});
    model.set_parameter("cm", Eigen::ArrayXd::Zero(6));
    const Sequence<double> x = some_input(2, batch, 2);
    Context<double> context;
    context.timespans = Eigen::ArrayXXd::Zero(2, batch);
    context.initial_state = model.initial_state(batch);
    context.initial_state->array().setConstant(0.25);
    const Sequence<double> y = model.forward(x, context);
    CHECK((y.values() == 0.25).all());
    Sequence<double> d = y;
    d.values().setOnes();
    model.backward(d);
    CHECK(model.gradient().isFinite().all());
    // Two outputs per sample, both of the motor neuron.
    CHECK((model.initial_state_gradient().array().col(0) == 2).all());
    CHECK((model.initial_state_gradient().array().rightCols(5) == 0).all());
  }
}

TEST_CASE("Explicit constraints clip at 0 what must not be negative, and nothing else", "[layer][ltc]") {
  LTC<double> model(AutoNCP(6, 1), 2);
  model.update([](auto p) { p -= 10; });
  for (const char* name : {"w", "sensory_w", "cm", "gleak"}) CHECK((model.parameter(name) == 0).all());
  for (const char* name : {"vleak", "mu", "sigma", "erev", "sensory_mu"}) CHECK((model.parameter(name) < 0).all());
  LTC<double> implicit(AutoNCP(6, 1), 2, {.implicit_param_constraints = true});
  implicit.update([](auto p) { p -= 10; });
  CHECK((implicit.parameter("w") < 0).all());
}

namespace {

/// Two neurons that excite each other, one of them motor, as a type that knows nothing of the library.
struct Pair {
  int units() const { return 2; }
  int output_dim() const { return 1; }
  int input_dim() const { return 1; }
  bool is_built() const { return true; }
  Eigen::Matrix2i adjacency_matrix() const { return Eigen::Matrix2i{{0, 1}, {1, 0}}; }
  Eigen::RowVector2i sensory_adjacency_matrix() const { return {0, -1}; }
};

}  // namespace

TEST_CASE("A wiring made by hand and one of a user's own type give the same results, those of the equations",
          "[layer][ltc]") {
  Wiring by_hand(2, 1);
  by_hand.build(1);
  by_hand.add_synapse(0, 1, 1);
  by_hand.add_synapse(1, 0, 1);
  by_hand.add_sensory_synapse(0, 1, -1);
  const LTCOptions options{.ode_unfolds = 1, .seed = 3};
  LTC<double> model(by_hand, 1, options);
  LTC<double> other(Pair{}, 1, options);
  CHECK(other.wiring().synapse_count() == 2);
  Sequence<double> x(5, 1, 1);
  x.values().setLinSpaced(-1, 1);
  CHECK((model(x).values() == other(x).values()).all());

  // Hasani et al. 2021, with one semi-implicit sub-step per step, term by term.
  const auto p = [&](const char* name, Index s, Index d) { return model.parameter(name)(s, d); };
  const auto gate = [](double sigma, double mu, double v) { return 1 / (1 + std::exp(-sigma * (v - mu))); };
  Eigen::Array2d v(0, 0);
  for (Index t = 0; t < x.time(); ++t) {
    const double u = x(t, 0, 0);
    const double from_0 = p("w", 0, 1) * gate(p("sigma", 0, 1), p("mu", 0, 1), v[0]);
    const double from_1 = p("w", 1, 0) * gate(p("sigma", 1, 0), p("mu", 1, 0), v[1]);
    const double sensed = p("sensory_w", 0, 1) * gate(p("sensory_sigma", 0, 1), p("sensory_mu", 0, 1), u);
    const auto next = [&](Index i, double numerator, double denominator) {
      return (p("cm", i, 0) * v[i] + p("gleak", i, 0) * p("vleak", i, 0) + numerator) /
             (p("cm", i, 0) + p("gleak", i, 0) + denominator + 1e-8);
    };
    v = Eigen::Array2d(next(0, from_1, from_1), next(1, from_0 - sensed, from_0 + sensed));
    CHECK(model(x)(t, 0, 0) == Approx(v[0]).epsilon(1e-12));
  }
}

TEST_CASE("A model is a value", "[layer][ltc]") {
  struct Robot {
    char odd;
    LTC<float, AutoNCP<8, 1>, 2> policy{AutoNCP<8, 1>{}};
    std::vector<LTC<float>> spare{};
  };
  std::vector<Robot> robots(3);
  robots[0].spare.emplace_back(AutoNCP(8, 1), 2);
  robots.resize(20);
  auto copy = robots[0];
  copy.policy.update([](auto p) { p *= 0.5f; });
  auto state = copy.policy.initial_state();
  auto other = state;
  const Eigen::Array2f x(0.3f, 0.1f);
  CHECK(copy.policy.step(x, state)(0, 0) != robots[0].policy.step(x, other)(0, 0));
  auto third = robots[0].spare[0].initial_state();
  CHECK(robots[0].spare[0].step(x.transpose(), third)(0, 0) == Approx(other(0, 0)).epsilon(1e-6));
}

TEST_CASE("A call with wrong shapes is refused, and the message has the shape that it got and the one it wanted",
          "[layer][ltc]") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  LTC<double> model(AutoNCP(8, 1), 2);
  auto state = model.initial_state();
  const Eigen::Array2d x(0, 0);
  check_says(refusal([&] { model.step(Eigen::Array3d::Zero(), state); }), "got x (3, 1)");
  check_says(refusal([&] { model.step(x, state, -1.0); }), "at least 0, got -1");
  check_says(refusal([&] { model.step(x, state, nan); }), "elapsed time must be finite");
  check_says(refusal([&] { static_cast<void>(model.parameter("tau")); }),
             "no parameter named 'tau'; there are gleak, vleak");
  check_says(refusal([&] { model.set_parameter("w", Eigen::ArrayXXd::Ones(2, 8)); }), "(8, 8), got (2, 8)");
  check_says(refusal([&] { LTC<double>(AutoNCP(8, 1), 2, {.ode_unfolds = 0}); }),
             "ode_unfolds must be at least 1, got 0");
  check_says(refusal([&] { LTC<double>(AutoNCP(8, 1), 2, {.epsilon = -1}); }), "epsilon must be finite and at least 0");
  check_says(refusal([&] { LTC<double>(AutoNCP(8, 1)); }), "call build(input_dim) first");
  AutoNCP built(8, 1);
  built.build(3);
  check_says(refusal([&] { LTC<double>(built, 2); }), "already built for input_dim 3, cannot build for 2");
}
