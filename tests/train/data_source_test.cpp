// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <elegans/train/adam.hpp>
#include <elegans/train/class_weights.hpp>
#include <elegans/train/confusion_matrix.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/data_source.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/metric.hpp>
#include <elegans/train/sgd.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/tiny_model.hpp"

using namespace elegans;
using support::refusal_of;
using support::tiny_data;
using support::TinyModel;

namespace {

/// Makes its samples when it is asked for them, and counts how many it made.
struct Generated {
  Index count = 6;
  Index made = 0;

  [[nodiscard]] Index samples() const { return count; }
  void read(std::span<const Index> numbers, Dataset<double>& part) {
    const Dataset<double> all = tiny_data(5, count);
    made += static_cast<Index>(numbers.size());
    all.read(numbers, part);
  }
};

/// Sequences of as many steps as the sample's number says.
struct Ragged {
  [[nodiscard]] static Index samples() { return 4; }
  static void read(std::span<const Index> numbers, Dataset<double>& part) {
    part = tiny_data(2 + numbers.front(), static_cast<Index>(numbers.size()));
  }
};

struct Wrong {
  Dataset<double> given;
  [[nodiscard]] static Index samples() { return 4; }
  void read(std::span<const Index>, Dataset<double>& part) const { part = given; }
};

}  // namespace

static_assert(DataSource<Dataset<double>, double> && DataSource<const Dataset<double>, double>);
static_assert(DataSource<Generated, double> && !DataSource<Dataset<float>, double>);

TEST_CASE("A data source trains as the same data in memory does, to the bit", "[train][data_source]") {
  const auto check = [](const FitOptions<double>& options) {
    TinyModel in_memory, streamed;
    const auto expected = fit(in_memory, tiny_data(5, 6), Adam<double>(), options);
    Generated source;
    const auto history = fit(streamed, source, Adam<double>(), options);
    CHECK((streamed.parameters() == in_memory.parameters()).all());
    CHECK(history.loss == expected.loss);
    CHECK(history.validation_loss == expected.validation_loss);
  };
  check({.epochs = 3});
  check({.epochs = 3, .batch_size = 4});
  check({.epochs = 3, .batch_size = 4, .grain = 3, .validation_split = 0.2});
  check({.epochs = 3, .batch_size = 2, .bptt_steps = 2});
  check({.epochs = 2, .validation = tiny_data(5, 2)});
}

TEST_CASE("A data source is read batch by batch, and never as a whole", "[train][data_source]") {
  Generated source;
  TinyModel model;
  fit(model, source, Adam<double>(), {.epochs = 2, .batch_size = 2, .validation_split = 1. / 3});
  CHECK(source.made == 2 * 6);
  const Dataset<double> data = tiny_data(5, 6);
  CHECK(evaluate(model, source, {.batch_size = 4}, MeanSquaredError{}, MeanAbsoluteError{}) ==
        evaluate(model, data, {.batch_size = 4}, MeanSquaredError{}, MeanAbsoluteError{}));
}

TEST_CASE("The batches of a data source may differ in their length", "[train][data_source]") {
  TinyModel model, by_hand;
  fit(model, Ragged{}, SGD<double>({.learning_rate = 0.1}), {.batch_size = 1, .shuffle = false});
  SGD<double> sgd({.learning_rate = 0.1});
  TrainStepWorkspace<double> workspace;
  for (Index sample = 0; sample < 4; ++sample) {
    const Dataset<double> batch = tiny_data(2 + sample, 1);
    train_step(by_hand, batch.x, batch.y, sgd, workspace);
  }
  CHECK((model.parameters() == by_hand.parameters()).all());
}

TEST_CASE("A data source that reads nonsense is refused", "[train][data_source]") {
  TinyModel model;
  const auto refusal = [&](auto source) { return refusal_of([&] { fit(model, source, Adam<double>()); }); };
  CHECK(refusal(Wrong{tiny_data(3, 2)}) == "fit: data source: the data source must read 4 samples, got 2");
  CHECK(refusal(Wrong{{.x = Sequence<double>(3, 4, 1), .y = Sequence<double>(2, 4, 1)}})
            .starts_with("fit: data source: y must be (time, samples, targets)"));
  CHECK(refusal(Generated{0}) == "fit: the data source must have at least one sample, got 0");
}

TEST_CASE("A data set reads out some of its samples, with all that belongs to them", "[train][dataset]") {
  Dataset<double> data = tiny_data(4, 3);
  Eigen::ArrayXXd steps = Eigen::ArrayXXd::Random(4, 3).abs(), spans = Eigen::ArrayXXd::Random(4, 3).abs();
  data.step_weights = StepWeights<double>(steps);
  data.timespans = Timespans<double>(spans);
  data.mask = Mask::of_lengths(std::vector<Index>{4, 2, 3}, 4);
  data.weights = {1, 2, 3};
  data.class_weights = {5, 6};
  Dataset<double> part;
  const std::vector<Index> numbers{2, 1};
  for (int round = 0; round < 2; ++round) {
    data.read(numbers, part);
    CHECK(part.weights == std::vector<double>{3, 2});
    CHECK(part.class_weights == data.class_weights);
    REQUIRE(part.samples() == 2);
    for (Index t = 0; t < 4; ++t) {
      for (Index b = 0; b < 2; ++b) {
        const Index from = numbers[static_cast<std::size_t>(b)];
        CHECK(part.x(t, b, 0) == data.x(t, from, 0));
        CHECK(part.y(t, b, 0) == data.y(t, from, 0));
        CHECK(part.timespans(t, b) == spans(t, from));
        CHECK(part.mask(t, b) == data.mask(t, from));
        CHECK(part.step_weights(t, b) == steps(t, from));
      }
    }
  }
}

TEST_CASE("Steps that weigh nothing count nothing, and need no target", "[train][step_weights]") {
  // A warm-up of two steps: the state runs through it, the loss starts behind it.
  Dataset<double> data = tiny_data(6, 2);
  Eigen::ArrayXd warm_up = Eigen::ArrayXd::Ones(6);
  warm_up.head(2) = 0;
  data.step_weights = StepWeights<double>(warm_up);
  TinyModel model;
  const Sequence<double> y = model(data.x);
  double sum = 0;
  for (Index t = 2; t < 6; ++t) {
    for (Index b = 0; b < 2; ++b) sum += std::pow(y(t, b, 0) - data.y(t, b, 0), 2);
  }
  CHECK(evaluate(model, data, {}, MeanSquaredError{})[0] == Approx(sum / 8).epsilon(1e-14));
  TinyModel without;
  const double loss = fit(model, data, Adam<double>(), {.epochs = 3}).loss[2];
  for (const Index t : {0, 1}) data.y(t, 0, 0) = data.y(t, 1, 0) = std::nan("");
  CHECK(fit(without, data, Adam<double>(), {.epochs = 3}).loss[2] == loss);
  CHECK((model.parameters() == without.parameters()).all());
}

TEST_CASE("Weights of steps, samples and masks multiply", "[train][step_weights]") {
  Dataset<double> data = tiny_data(3, 2);
  Eigen::ArrayXXd steps(3, 2);
  steps << 1, 2, 0.5, 3, 4, 1;
  data.step_weights = StepWeights<double>(steps);
  data.weights = {2, 0.25};
  data.mask = Mask::of_lengths(std::vector<Index>{3, 2}, 3);
  TinyModel model;
  Context<double> context;
  context.mask = data.mask;
  const Sequence<double> y = model(data.x, context);
  double every = 0, every_weight = 0, last = 0, last_weight = 0;
  for (Index b = 0; b < 2; ++b) {
    for (Index t = 0; t < (b == 0 ? 3 : 2); ++t) {
      const double w = steps(t, b) * (b == 0 ? 2 : 0.25), e = std::pow(y(t, b, 0) - data.y(t, b, 0), 2);
      every += w * e;
      every_weight += w;
      if (t == (b == 0 ? 2 : 1)) {
        last += w * e;
        last_weight += w;
      }
    }
  }
  CHECK(evaluate(model, data, {}, MeanSquaredError{})[0] == Approx(every / every_weight).epsilon(1e-14));
  CHECK(evaluate(model, data, {.loss_over = LossOver::last_step}, MeanSquaredError{})[0] ==
        Approx(last / last_weight).epsilon(1e-14));
}

TEST_CASE("Step weights of another shape, or below 0, are refused", "[train][step_weights]") {
  TinyModel model;
  Dataset<double> data = tiny_data(3, 2);
  const auto refusal = [&](const Eigen::ArrayXXd& weights) {
    return refusal_of([&] {
      data.step_weights = StepWeights<double>(weights);
      fit(model, data, Adam<double>());
    });
  };
  CHECK(refusal(Eigen::ArrayXXd::Ones(2, 2)) == "step_weights must be (time, samples) = (3, 2) or (3, 1), got (2, 2)");
  CHECK(refusal(Eigen::ArrayXXd::Constant(3, 2, -1)) == "a step's weight must be finite and at least 0, got -1");
  CHECK(refusal(Eigen::ArrayXXd::Zero(3, 1)) ==
        "fit: no step of 2 samples counts, so there is no loss: every step is masked or has weight 0");
}

TEST_CASE("Class weights weigh each step by its target's class", "[train][class_weights]") {
  Dataset<double> data = tiny_data(4, 3);
  for (Index t = 0; t < 4; ++t) {
    for (Index b = 0; b < 3; ++b) data.y(t, b, 0) = data.y(t, b, 0) > 0.3;
  }
  data.class_weights = {0.5, 4};
  // PyTorch's CrossEntropyLoss(weight=...): the sum of weight[y] loss over the sum of weight[y].
  TinyModel model;
  const Sequence<double> z = model(data.x);
  double sum = 0, weight = 0;
  for (Index t = 0; t < 4; ++t) {
    for (Index b = 0; b < 3; ++b) {
      const double w = data.y(t, b, 0) > 0 ? 4 : 0.5;
      sum += w * std::log1p(std::exp(data.y(t, b, 0) > 0 ? -z(t, b, 0) : z(t, b, 0)));
      weight += w;
    }
  }
  CHECK(evaluate(model, data, {}, BinaryCrossEntropy{})[0] == Approx(sum / weight).epsilon(1e-13));
  CHECK(fit(model, data, Adam<double>(), {}, BinaryCrossEntropy{}).loss[0] == Approx(sum / weight).epsilon(1e-13));
  data.y(1, 2, 0) = 2;
  CHECK(refusal_of([&] { fit(model, data, Adam<double>()); }) ==
        "a target that names a class must be a whole number in [0, 1], got 2");
  data.class_weights = {1, -1};
  CHECK(refusal_of([&] { fit(model, data, Adam<double>()); }) ==
        "fit: a class's weight must be finite and at least 0, got -1");
}

TEST_CASE("The class of a target with one value per class is the one that is 1", "[train][class_weights]") {
  Sequence<double> y(1, 2, 3);
  y(0, 0, 1) = 1;
  y(0, 1, 2) = 1;
  const std::vector<double> weights{1, 2, 3};
  CHECK(detail::class_weight(weights, y, 0, 0) == 2);
  CHECK(detail::class_weight(weights, y, 0, 1) == 3);
  const std::string rule = "class_weights: a target must be 1 for its class and 0 for the others, got ";
  const auto refusal = [&](const std::vector<double>& given) {
    return refusal_of([&] { static_cast<void>(detail::class_weight(given, y, 0, 1)); });
  };
  y(0, 1, 1) = 1;
  CHECK(refusal(weights) == rule + "1 for class 2 beside 1 for class 1");
  y(0, 1, 1) = 0.5;
  CHECK(refusal(weights) == rule + "0.5 for class 1");
  y(0, 1, 1) = y(0, 1, 2) = 0;
  CHECK(refusal(weights) == rule + "0 for all");
  CHECK(refusal({1, 2}) == "class_weights: there must be one weight for each of 3 targets, got 2");
}

TEST_CASE("Balanced class weights are scikit-learn's", "[train][class_weights]") {
  // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2]) = 6 / (3 [3, 2, 1])
  Dataset<double> data{.x = Sequence<double>(4, 2, 1), .y = Sequence<double>(4, 2, 1)};
  data.y.values() << 0, 0, 0, 1, 1, 2, 7, 7;
  data.mask = Mask::of_lengths(std::vector<Index>{3, 3}, 4);
  const auto weights = balanced_class_weights(data, 3);
  CHECK(weights == std::vector<double>{6. / 9, 6. / 6, 6. / 3});
  CHECK(refusal_of([&] { static_cast<void>(balanced_class_weights(data, 4)); }) ==
        "balanced_class_weights: no target is of class 3");
}
