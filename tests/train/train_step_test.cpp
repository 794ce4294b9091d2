// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <functional>
#include <utility>
#include <vector>

#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/sgd.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

using Model = LTC<double>;

/// Leaves the parameters alone, so that every batch meets the same model.
struct Still {
  void step(VectorView<double>, ConstVectorView<double>) {}
};

/// A GradientTransform that notes what it sees.
struct Recorded {
  std::vector<std::pair<Eigen::ArrayXd, double>> seen;
  void operator()(VectorView<double> gradient, double weight) { seen.emplace_back(gradient, weight); }
};

Dataset<double> masked_and_weighted() {
  Dataset<double> data{.x = Sequence<double>(6, 5, 2), .y = Sequence<double>(6, 5, 1)};
  data.x.values().setLinSpaced(-1, 1);
  data.y.values() = Eigen::ArrayXd::LinSpaced(30, 0, 6).sin();
  data.mask = Mask::of_lengths(std::vector<Index>{6, 3, 5, 6, 1}, 6);
  data.weights = {0.5, 2, 0, 0, 3};
  return data;
}

}  // namespace

TEST_CASE("The weighted gradients of the parts of a batch add up to the whole's", "[train][gradient_transform]") {
  const Dataset<double> data = masked_and_weighted();
  for (const LossOver over : {LossOver::every_step, LossOver::last_step}) {
    Model model(AutoNCP(6, 1), 2);
    Recorded whole, parts;
    fit(model, data, Still{}, {.loss_over = over}, whole);
    fit(model, data, Still{}, {.batch_size = 2, .shuffle = false, .loss_over = over}, parts);
    REQUIRE(whole.seen.size() == 1);
    REQUIRE(parts.seen.size() == 3);
    Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(model.parameters().size());
    double total = 0;
    for (const auto& [gradient, weight] : parts.seen) {
      sum += weight * gradient;
      total += weight;
    }
    const auto& [gradient, weight] = whole.seen[0];
    CHECK(weight == (over == LossOver::every_step ? 0.5 * 6 + 2 * 3 + 3 * 1 : 0.5 + 2 + 3));
    CHECK(total == weight);
    CHECK(parts.seen[1].second == 0);
    CHECK((parts.seen[1].first == 0).all());
    CHECK(gradient.abs().maxCoeff() > 1e-3);
    CHECK((sum / total - gradient).abs().maxCoeff() < 1e-15);
  }
}

TEST_CASE("Transforms change the gradient in turn, and the clip option comes last", "[train][gradient_transform]") {
  const Dataset<double> data = masked_and_weighted();
  Model model(AutoNCP(6, 1), 2, {.implicit_param_constraints = true});
  Recorded before, between;
  const Eigen::ArrayXd start = model.parameters();
  fit(
      model, data, SGD<double>({.learning_rate = 1}), {.clip = {.global_norm = 1e-3}}, before,
      [](VectorView<double> gradient, double weight) { gradient *= weight; }, between);
  CHECK((between.seen[0].first == before.seen[0].first * before.seen[0].second).all());
  const Eigen::ArrayXd clipped = between.seen[0].first * (1e-3 / between.seen[0].first.matrix().norm());
  CHECK((start - model.parameters() - clipped).abs().maxCoeff() < 1e-15);
}

TEST_CASE("A gradient from elsewhere is taken even if no step of the batch counts", "[train][gradient_transform]") {
  const Dataset<double> data = masked_and_weighted();
  Model model(AutoNCP(6, 1), 2, {.implicit_param_constraints = true});
  const Eigen::ArrayXd start = model.parameters();
  // Stands for another machine, whose part of the batch has a gradient of 1.
  const auto add_others = [](VectorView<double> gradient, double weight) {
    if (weight == 0) gradient += 1;
  };
  SGD<double> sgd({.learning_rate = 0.01});
  const auto skip = [](VectorView<double> gradient, double weight) {
    if (weight > 0) gradient.setZero();
  };
  fit(model, data, std::ref(sgd), {.batch_size = 2, .shuffle = false}, skip, add_others);
  CHECK((start - model.parameters() - 0.01).abs().maxCoeff() < 1e-15);
  CHECK(sgd.steps() == 3);
  Model alone(AutoNCP(6, 1), 2);
  SGD<double> twice;
  fit(alone, data, std::ref(twice), {.batch_size = 2, .shuffle = false}, Clip{});
  CHECK(twice.steps() == 2);
}

TEST_CASE("train_step applies its transforms as fit does", "[train][gradient_transform]") {
  Dataset<double> data = masked_and_weighted();
  data.mask = {};
  data.weights = {};
  Model fitted(AutoNCP(6, 1), 2), stepped = fitted;
  const Clip clip{.value = 1e-3};
  fit(fitted, data, Adam<double>(), {.epochs = 3}, clip);
  Adam<double> adam;
  TrainStepWorkspace<double> workspace;
  for (int i = 0; i < 3; ++i) {
    train_step(stepped, data.x, data.y, adam, workspace, MeanSquaredError{}, {}, clip);
  }
  CHECK((fitted.parameters() == stepped.parameters()).all());
  CHECK(workspace.gradient.size() == stepped.parameters().size());
}
