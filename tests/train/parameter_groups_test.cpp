// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <elegans/train/adam.hpp>
#include <elegans/train/adamw.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/parameter_groups.hpp>
#include <elegans/train/rmsprop.hpp>
#include <elegans/train/sgd.hpp>
#include <elegans/train/train_step.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/tiny_model.hpp"

using namespace elegans;
using support::refusal_of;
using support::tiny_data;
using support::TinyModel;

namespace {

using Groups = std::vector<ParameterGroup>;

/// The parameters after a short training.
template <typename Optimize>
Eigen::ArrayXd after(const Optimize& optimizer, FitOptions<double> options) {
  TinyModel model;
  options.epochs = 5;
  options.batch_size = 2;
  fit(model, tiny_data(6, 5), optimizer, options);
  return model.parameters();
}

/// An optimizer that knows no ranges, and moves every parameter, whatever its derivative.
struct Drift {
  void step(VectorView<double> parameters, ConstVectorView<double> gradient) { parameters -= 0.1 * gradient + 0.01; }
};

}  // namespace

TEST_CASE("Patterns match names", "[train][groups]") {
  using detail::matches;
  CHECK(matches("0.rnn_cell.w", "0.rnn_cell.w"));
  CHECK(matches("0.rnn_cell.w", "0.*"));
  CHECK(matches("0.rnn_cell.w", "*.w"));
  CHECK(matches("0.rnn_cell.w", "*rnn*"));
  CHECK(matches("0.rnn_cell.w", "?.rnn_cell.?"));
  CHECK(matches("abcbcd", "a*bcd"));
  CHECK(matches("", "*"));
  CHECK_FALSE(matches("0.rnn_cell.w", "0"));
  CHECK_FALSE(matches("0.rnn_cell.w", "1.*"));
  CHECK_FALSE(matches("0.rnn_cell.w", "*.sensory_w"));
  CHECK_FALSE(matches("w", "??"));
  CHECK_FALSE(matches("", "?"));
}

TEST_CASE("Frozen parameters keep their bits, whatever the optimizer, and the others go on", "[train][groups]") {
  const Eigen::ArrayXd start = TinyModel().parameters();
  const auto check = [&](const auto& optimizer) {
    const Eigen::ArrayXd end = after(optimizer, {.freeze = {"0.*"}});
    CHECK(end[0] == start[0]);
    CHECK(end[1] == start[1]);
    CHECK(end[2] != start[2]);
    CHECK(end[3] != start[3]);
    CHECK(after(optimizer, {.freeze = {"1.bias"}})[3] == start[3]);
  };
  check(Adam<double>({.learning_rate = 0.01, .weight_decay = 0.1}));
  check(AdamW<double>({.learning_rate = 0.01, .weight_decay = 0.5}));
  check(RMSprop<double>({.learning_rate = 0.01, .weight_decay = 0.1, .momentum = 0.5}));
  check(SGD<double>({.learning_rate = 0.01, .weight_decay = 0.1, .momentum = 0.5, .nesterov = true}));
  check(Drift{});
}

TEST_CASE("The norm that clipping sees is that of the parameters that are trained", "[train][groups]") {
  // Plain SGD by hand: two parameters, clipped together.
  const Dataset<double> data = tiny_data(4, 3);
  TinyModel by_hand;
  Sequence<double> d;
  weighted_loss(MeanSquaredError{}, by_hand.forward(data.x), data.y, {}, d);
  by_hand.backward(d);
  const Eigen::ArrayXd g = by_hand.gradient();
  const double norm = std::hypot(g[2], g[3]);
  TinyModel model;
  fit(model, data, SGD<double>({.learning_rate = 0.5}), {.clip = {.global_norm = norm / 4}, .freeze = {"0.*"}});
  for (const int k : {2, 3}) CHECK(model.at(k) == Approx(by_hand.at(k) - 0.5 * g[k] / 4).epsilon(1e-13));
}

TEST_CASE("A group that changes nothing leaves the bits alone", "[train][groups]") {
  const Groups nothing{{.parameters = {"0.?"}}, {.parameters = {"1.bias"}, .learning_rate_factor = 1}};
  const auto check = [&](const auto& optimizer) {
    CHECK((after(optimizer, {.groups = nothing}) == after(optimizer, {})).all());
  };
  check(Adam<double>({.learning_rate = 0.01}));
  check(AdamW<double>({.learning_rate = 0.01, .weight_decay = 0.5}));
  check(RMSprop<double>({.learning_rate = 0.01}));
  check(SGD<double>({.learning_rate = 0.01}));
  check(Drift{});
}

TEST_CASE("A group has its own learning rate and weight decay", "[train][groups]") {
  // Each parameter by itself, in plain loops. PyTorch: g += decay p, then the step; AdamW: p *= 1 - rate decay first.
  const Dataset<double> data = tiny_data(4, 3);
  const double rate[] = {0.03, 0.03, 0.01, 0.005}, decay[] = {0.2, 0.2, 0.1, 0};
  const Groups groups{{.parameters = {"0.*"}, .learning_rate_factor = 3, .weight_decay = 0.2},
                      {.parameters = {"1.bias"}, .learning_rate_factor = 0.5, .weight_decay = 0}};
  const auto check = [&](const auto& optimizer, auto step) {
    TinyModel by_hand;
    Sequence<double> d;
    double m[4] = {}, s[4] = {};
    for (int epoch = 1; epoch <= 3; ++epoch) {
      weighted_loss(MeanSquaredError{}, by_hand.forward(data.x), data.y, {}, d);
      by_hand.backward(d);
      by_hand.update([&](auto p) {
        for (int k = 0; k < 4; ++k) step(epoch, p[k], by_hand.gradient()[k], m[k], s[k], rate[k], decay[k]);
      });
    }
    TinyModel model;
    fit(model, data, optimizer, {.epochs = 3, .groups = groups});
    CHECK((model.parameters() - by_hand.parameters()).abs().maxCoeff() < 1e-14);
  };
  const auto adam = [](int k, double& p, double g, double& m, double& s, double r) {
    m = 0.9 * m + 0.1 * g;
    s = 0.999 * s + 0.001 * g * g;
    p -= r * (m / (1 - std::pow(0.9, k))) / (std::sqrt(s / (1 - std::pow(0.999, k))) + 1e-7);
  };
  check(Adam<double>({.learning_rate = 0.01, .weight_decay = 0.1}),
        [&](int k, double& p, double g, double& m, double& s, double r, double c) { adam(k, p, g + c * p, m, s, r); });
  check(AdamW<double>({.learning_rate = 0.01, .weight_decay = 0.1}),
        [&](int k, double& p, double g, double& m, double& s, double r, double c) {
          p *= 1 - r * c;
          adam(k, p, g, m, s, r);
        });
  check(SGD<double>({.learning_rate = 0.01, .weight_decay = 0.1, .momentum = 0.5}),
        [](int, double& p, double g, double& m, double&, double r, double c) {
          m = 0.5 * m + g + c * p;
          p -= r * m;
        });
  check(RMSprop<double>({.learning_rate = 0.01, .weight_decay = 0.1}),
        [](int, double& p, double g, double&, double& s, double r, double c) {
          g += c * p;
          s = 0.9 * s + 0.1 * g * g;
          p -= r * g / (std::sqrt(s) + 1e-7);
        });
}

TEST_CASE("A group is clipped by itself, and each tensor by itself", "[train][groups]") {
  const Dataset<double> data = tiny_data(4, 3);
  TinyModel by_hand;
  Sequence<double> d;
  weighted_loss(MeanSquaredError{}, by_hand.forward(data.x), data.y, {}, d);
  by_hand.backward(d);
  const Eigen::ArrayXd g = by_hand.gradient();
  const double least = (g.abs)().minCoeff();
  const auto steps = [&](const Groups& groups) {
    TinyModel model;
    fit(model, data, SGD<double>({.learning_rate = 0.125}), {.groups = groups});
    return Eigen::ArrayXd((by_hand.parameters() - model.parameters()) / 0.125);
  };
  const double norm = std::hypot(g[0], g[3]);
  Eigen::ArrayXd wanted = g;
  wanted[0] /= 2;
  wanted[3] /= 2;
  CHECK((steps({{.parameters = {"0.a", "1.bias"}, .clip = {.global_norm = norm / 2}}}) - wanted).abs().maxCoeff() <
        1e-14);
  CHECK(((steps({{.parameters = {"*"}, .tensor_norm = least / 2}}).abs)() - least / 2).abs().maxCoeff() < 1e-14);
  wanted = g;
  wanted[1] = g[1] > 0 ? 1e-3 : -1e-3;
  CHECK((steps({{.parameters = {"0.w"}, .clip = {.value = 1e-3}}}) - wanted).abs().maxCoeff() < 1e-14);
}

TEST_CASE("Groups that make no sense are refused", "[train][groups]") {
  TinyModel model;
  const auto refusal = [&](const std::vector<std::string>& freeze, const Groups& groups) {
    return refusal_of([&] { ParameterGroups(model, freeze, groups); });
  };
  const std::string who = "parameter groups: ";
  CHECK(refusal({"2.*"}, {}) == who + "no parameter matches '2.*'; there are 0.a, 0.w, 1.weight, 1.bias");
  CHECK(refusal({"*"}, {}) == who + "every parameter is frozen, so there is nothing to train");
  CHECK(refusal({}, {{.parameters = {"0.*"}}, {.parameters = {"*.a"}}}) == who + "'0.a' is in two groups");
  CHECK(refusal({}, {{.learning_rate_factor = 2}}) == who + "a group names no parameters");
  CHECK(refusal({}, {{.parameters = {"*"}, .learning_rate_factor = -1}}) ==
        who + "learning_rate_factor must be finite and at least 0, got -1");
  CHECK(refusal({}, {{.parameters = {"*"}, .weight_decay = -1}}) ==
        who + "weight_decay must be finite and at least 0, got -1");
  CHECK(refusal({}, {{.parameters = {"*"}, .tensor_norm = 0}}) == who + "tensor_norm must be above 0, got 0");
  CHECK(refusal({}, {{.parameters = {"*"}, .clip = {.value = 0}}}) == "clip: value must be above 0, got 0");
  CHECK(refusal_of([&] {
          fit(model, tiny_data(3, 2), Drift{}, {.groups = {{.parameters = {"0.*"}, .learning_rate_factor = 2}}});
        }).starts_with(who + "this optimizer gives all parameters one learning rate"));
  // v is -1, which only a file can have made it; an update would clip it.
  model.update_unconstrained([](auto p) { p[TinyModel::v] = -1; });
  CHECK(refusal_of([&] { fit(model, tiny_data(3, 2), SGD<double>(), {.freeze = {"1.weight"}}); }) ==
        "the frozen parameter 1.weight(0, 0) is -1, which its constraint does not allow: an update would make it 0");
  CHECK(model.at(TinyModel::v) == -1);
}

TEST_CASE("A training loop of one's own has groups, too", "[train][groups]") {
  const Dataset<double> data = tiny_data(4, 3);
  TinyModel fitted, model;
  const std::vector<std::string> freeze{"0.w"};
  const Groups groups{{.parameters = {"1.*"}, .learning_rate_factor = 2}};
  fit(fitted, data, Adam<double>(), {.epochs = 3, .freeze = freeze, .groups = groups});
  TrainStepWorkspace<double> workspace;
  workspace.groups = ParameterGroups(model, freeze, groups);
  Adam<double> adam;
  for (int k = 0; k < 3; ++k) train_step(model, data.x, data.y, adam, workspace);
  CHECK((model.parameters() == fitted.parameters()).all());
}
