// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/gradient_sum.hpp>
#include <elegans/train/r2_score.hpp>
#include <elegans/train/sgd.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/tiny_model.hpp"

using namespace elegans;
using support::tiny_data;
using support::TinyModel;

namespace {

/// A model and its history after a short training.
struct Trained {
  Eigen::ArrayXd parameters;
  History<double> history;
};

Trained train_in_grains(const Dataset<double>& data, FitOptions<double> options, Index grain) {
  TinyModel model;
  options.epochs = 4;
  options.grain = grain;
  auto history = fit(model, data, Adam<double>({.learning_rate = 0.02}), options, MeanAbsoluteError{}, R2{},
                     loss(MeanSquaredError{}));
  return {model.parameters(), std::move(history)};
}

/// Data with all that weighs steps: a mask, weights of samples and of steps.
Dataset<double> uneven_data() {
  Dataset<double> data = tiny_data(7, 9);
  data.mask = Mask::of_lengths(std::vector<Index>{7, 3, 7, 5, 0, 7, 2, 7, 6}, 7);
  data.weights = {1, 2, 0.5, 1, 1, 0, 3, 1, 1};
  Eigen::ArrayXd steps = Eigen::ArrayXd::Ones(7);
  steps.head(2) = 0;
  data.step_weights = StepWeights<double>(steps);
  return data;
}

}  // namespace

TEST_CASE("The gradient of grains is that of the whole batch", "[train][grain]") {
  const Dataset<double> data = uneven_data();
  const auto check = [&](const FitOptions<double>& options) {
    const Trained whole = train_in_grains(data, options, 0);
    for (const Index grain : {1, 2, 3, 5}) {
      CAPTURE(grain);
      const Trained in_grains = train_in_grains(data, options, grain);
      CHECK((in_grains.parameters - whole.parameters).abs().maxCoeff() < 1e-12);
      CHECK(in_grains.history.loss.back() == Approx(whole.history.loss.back()).epsilon(1e-11));
      for (const std::size_t k : {0U, 1U}) {
        CHECK(in_grains.history.metrics[k].training.back() ==
              Approx(whole.history.metrics[k].training.back()).epsilon(1e-9));
      }
    }
    // A grain as large as the batch is the batch, to the bit.
    CHECK((train_in_grains(data, options, 9).parameters == whole.parameters).all());
    CHECK((train_in_grains(data, options, 1000).parameters == whole.parameters).all());
  };
  check({});
  check({.batch_size = 6});
  check({.batch_size = 5, .validation_split = 0.3});
  check({.loss_over = LossOver::last_step});
  check({.clip = {.global_norm = 0.01}, .freeze = {"0.a"}});
  check({.batch_size = 6, .bptt_steps = 3});
  check({.batch_size = 3, .shuffle = false, .bptt_steps = 2, .stateful = true});
}

TEST_CASE("Grains carry the state of their samples to the next piece of a sequence", "[train][grain]") {
  // Without updates, the losses show the states alone.
  const Dataset<double> data = tiny_data(9, 5);
  const auto losses = [&](Index grain, bool stateful) {
    TinyModel model;
    return fit(model, data, SGD<double>({.learning_rate = 0}),
               {.epochs = 2, .grain = grain, .shuffle = false, .bptt_steps = 4, .stateful = stateful})
        .loss;
  };
  for (const bool stateful : {false, true}) {
    const auto whole = losses(0, stateful), in_grains = losses(2, stateful);
    for (const std::size_t k : {0U, 1U}) CHECK(in_grains[k] == Approx(whole[k]).epsilon(1e-14));
  }
  TinyModel model;
  CHECK(losses(2, false)[0] == Approx(evaluate(model, data, {}, MeanSquaredError{})[0]).epsilon(1e-14));
}

TEST_CASE("Gradients are added in a binary tree, whatever their number", "[train][grain]") {
  // 1e16 swallows a 1, so that the sums show the order: ((a + b) + (c + d)) + e.
  const std::vector<double> values{1, 1e16, -1e16, 1, 5};
  detail::GradientSum<double> sum;
  for (int round = 0; round < 2; ++round) {  // the memory is reused
    sum.begin(0, 1);
    for (const double value : values) sum.add({&value, 1}, 1);
    double mean = 0;
    sum.mean({&mean, 1}, 5);
    const double tree = ((1 + 1e16) + (-1e16 + 1)) + 5;
    CHECK(mean == tree / 5);
  }
  // The mean weighs; a gradient of weight 0 is not read.
  sum.begin(0, 2);
  const double first[] = {2, 4}, second[] = {5, 1};
  sum.add({first, 2}, 3);
  sum.add({nullptr, 0}, 0);
  sum.add({second, 2}, 1);
  double mean[2];
  sum.mean({mean, 2}, 4);
  CHECK(mean[0] == 11. / 4);
  CHECK(mean[1] == 13. / 4);
  sum.begin(0, 2);
  sum.add({nullptr, 0}, 0);
  sum.mean({mean, 2}, 0);
  CHECK(mean[0] == 0);
}

TEST_CASE("Sums of neighbouring grains put together are the sum of all, to the bit", "[train][grain]") {
  const auto value_of = [](Index grain) { return std::sin(1.7 * static_cast<double>(grain)) * std::exp2(grain % 5); };
  const auto add_all = [&](detail::GradientSum<double>& sum, Index first, Index last) {
    sum.begin(first, 1);
    for (Index grain = first; grain < last; ++grain) {
      const double value = value_of(grain);
      sum.add({&value, 1}, 1);
    }
  };
  for (Index grains = 1; grains <= 40; ++grains) {
    detail::GradientSum<double> whole;
    add_all(whole, 0, grains);
    for (Index middle = 0; middle <= grains; ++middle) {
      for (Index first = 0; first <= middle; first += 3) {
        // Three parts: the second and the third are put together first.
        detail::GradientSum<double> left, right, rest;
        add_all(left, 0, first);
        add_all(right, first, middle);
        add_all(rest, middle, grains);
        right.append(grains, [&](VectorView<double> blocks) { blocks = rest.blocks(); });
        left.append(grains, [&](VectorView<double> blocks) { blocks = right.blocks(); });
        REQUIRE(left.blocks().size() == whole.blocks().size());
        REQUIRE((left.blocks() == whole.blocks()).all());
        double together = 0, alone = 0;
        left.mean({&together, 1}, 3);
        whole.mean({&alone, 1}, 3);
        REQUIRE(together == alone);
      }
    }
  }
}

TEST_CASE("What is dropped does not depend on how a batch is cut into grains", "[train][grain][dropout]") {
  const auto losses = [](Index grain) {
    Sequential model(Dense<double>(6, 1), Dropout<double>(6, {.share = 0.4}),
                     CfC<double>(4, 6, {.backbone_units = 8, .backbone_layers = 2, .backbone_dropout = 0.3}),
                     Dense<double>(1, 4));
    return fit(model, tiny_data(6, 9), Adam<double>({.learning_rate = 0.01}),
               {.epochs = 3, .batch_size = 5, .grain = grain, .bptt_steps = 4})
        .loss;
  };
  const auto whole = losses(0);
  for (const Index grain : {1, 2, 3}) {
    const auto in_grains = losses(grain);
    for (const std::size_t epoch : {0U, 1U, 2U}) CHECK(in_grains[epoch] == Approx(whole[epoch]).epsilon(1e-12));
  }
}

TEST_CASE("A batch in grains is transformed and updated once", "[train][grain]") {
  TinyModel model;
  Adam<double> adam;
  std::vector<double> weights;
  fit(model, tiny_data(3, 7), std::ref(adam), {.batch_size = 4, .grain = 2},
      [&](VectorView<double>, double weight) { weights.push_back(weight); });
  CHECK(adam.steps() == 2);
  CHECK(weights == std::vector<double>{12, 9});
  CHECK(support::refusal_of([&] { fit(model, tiny_data(3, 7), adam, {.grain = -1}); }) ==
        "fit: grain must be at least 1, or 0 for the whole batch, got -1");
}
