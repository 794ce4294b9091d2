// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <string>
#include <vector>

#include <elegans/layer/dense.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/any_metric.hpp>
#include <elegans/train/fit.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;

namespace {

/// Three classes, some steps of different weights.
template <typename Scalar>
Dataset<Scalar> any_metric_data(Index outputs) {
  Dataset<Scalar> data{.x = Sequence<Scalar>(4, 12, 2), .y = Sequence<Scalar>(4, 12, outputs)};
  data.x.values().setLinSpaced(-1, 1);
  for (Index i = 0; i < data.y.values().size(); ++i) data.y.values()[i] = static_cast<Scalar>((i * i + i / 7) % 3 == 0);
  for (int b = 0; b < 12; ++b) data.weights.push_back(static_cast<Scalar>(0.5 + b % 3));
  return data;
}

template <typename Scalar, typename... Extras>
History<Scalar> train_any_metric(const FitOptions<Scalar>& options, Index outputs, const Extras&... extras) {
  Dense<Scalar> model(static_cast<int>(outputs), 2);
  return fit(model, any_metric_data<Scalar>(outputs), Adam<Scalar>({.learning_rate = 0.05}), options,
             loss(MeanSquaredError{}), extras...);
}

template <typename Scalar>
void require_same_metrics(const History<Scalar>& got, const History<Scalar>& wanted) {
  REQUIRE(got.metrics.size() == wanted.metrics.size());
  CHECK(got.loss == wanted.loss);
  CHECK(got.best_epoch == wanted.best_epoch);
  for (std::size_t k = 0; k < wanted.metrics.size(); ++k) {
    const auto &a = got.metrics[k], &b = wanted.metrics[k];
    CHECK(a.name == b.name);
    REQUIRE((a.training.size() == b.training.size() && a.validation.size() == b.validation.size()));
    for (std::size_t e = 0; e < b.training.size(); ++e) {
      INFO(b.name << " of epoch " << e);
      CHECK(a.training[e] == Approx(b.training[e]).epsilon(1e-6).margin(1e-6));
      CHECK(a.validation[e] == Approx(b.validation[e]).epsilon(1e-6).margin(1e-6));
    }
  }
}

template <typename Scalar>
void check_any_metrics(const FitOptions<Scalar>& options, Index outputs) {
  // Losses and metrics, means and others, in the types that `fit` knows at compile time.
  const auto wanted = train_any_metric(options, outputs, MeanAbsoluteError{}, Accuracy{}, F1(),
                                       Precision({.of_class = 1}), R2{}, Recall(), Huber(0.2));
  const AnyMetrics<Scalar> metrics(
      {MeanAbsoluteError{}, Accuracy{}, F1(), Precision({.of_class = 1}), R2{}, Recall(), Huber(0.2)});
  require_same_metrics(train_any_metric(options, outputs, metrics), wanted);
  CHECK(wanted.metrics[2].training.front() != wanted.metrics[2].training.back());
}

}  // namespace

TEST_CASE("Metrics that are chosen at run time are those chosen at compile time", "[train][any_metric]") {
  check_any_metrics<double>({.epochs = 6, .batch_size = 5, .validation_split = 0.25, .show_progress = false}, 3);
  check_any_metrics<float>({.epochs = 4, .validation_split = 0.5, .show_progress = false}, 1);
  FitOptions<double> grains{.epochs = 4, .batch_size = 9, .validation_split = 0.25, .show_progress = false};
  grains.grain = 2;
  check_any_metrics<double>(grains, 3);
}

TEST_CASE("fit monitors a metric that is chosen at run time", "[train][any_metric]") {
  FitOptions<double> options{.epochs = 12, .validation_split = 0.25, .monitor = "r2", .show_progress = false};
  const auto by_r2 = train_any_metric(options, 3, AnyMetrics<double>({MeanAbsoluteError{}, R2{}}));
  require_same_metrics(by_r2, train_any_metric(options, 3, MeanAbsoluteError{}, R2{}));
  options.monitor = "mean_absolute_error";
  require_same_metrics(train_any_metric(options, 3, R2{}, AnyMetrics<double>({Accuracy{}, MeanAbsoluteError{}})),
                       train_any_metric(options, 3, R2{}, Accuracy{}, MeanAbsoluteError{}));
  options.monitor = "f1";
  CHECK(support::refusal_of([&] { train_any_metric(options, 3, AnyMetrics<double>({R2{}, Accuracy{}})); }) ==
        "fit: monitor must be the name of a metric, r2, accuracy, got f1");
}

TEST_CASE("Any metric accepts the targets of the one that it holds", "[train][any_metric]") {
  CHECK(AnyMetric(Accuracy{}).accepts(3, 1));
  CHECK_FALSE(AnyMetric(Accuracy{}).accepts(3, 2));
  CHECK_FALSE(AnyMetric(R2{}).accepts(3, 1));
  CHECK(AnyMetric(SoftmaxCrossEntropy{}).accepts(3, 1));
  CHECK(AnyMetric(F1()).wanted_target(7.0, 3, 1) != nullptr);
  CHECK(AnyMetric(F1()).wanted_target(2.0, 3, 1) == nullptr);
  CHECK(AnyMetric(R2{}).wanted_target(7.0, 1, 1) == nullptr);
  CHECK(AnyMetric(BinaryCrossEntropy{}).wanted_target(7.0, 1, 1) == std::string("in [0, 1]"));
  CHECK(AnyMetric(F1()).larger_is_better());
  CHECK_FALSE(AnyMetric(Huber(0.5)).larger_is_better());
  CHECK(AnyMetric(Huber(0.5)).name == std::string("huber"));
}

TEST_CASE("A list of metrics may be empty", "[train][any_metric]") {
  const FitOptions<double> options{.epochs = 3, .validation_split = 0.25, .show_progress = false};
  require_same_metrics(train_any_metric(options, 3, AnyMetrics<double>()), train_any_metric(options, 3));
  require_same_metrics(train_any_metric(options, 3, AnyMetrics<double>(), R2{}), train_any_metric(options, 3, R2{}));
}

TEST_CASE("A list of metrics refuses what its metrics refuse", "[train][any_metric]") {
  CHECK(support::refusal_of([] { AnyMetrics<float>({F1(), Accuracy{}, F1({.of_class = 1})}); }) ==
        "AnyMetrics: each metric must be there once, got f1 twice");
  Dense<double> model(3, 2);
  auto data = any_metric_data<double>(1);
  data.y(2, 1, 0) = 7;
  CHECK(support::refusal_of([&] {
          fit(model, data, Adam<double>(), {.show_progress = false}, loss(SoftmaxCrossEntropy{}),
              AnyMetrics<double>({Accuracy{}, BinaryCrossEntropy{}}));
        }) ==
        "fit: softmax_cross_entropy: a target must be the number of a class, from 0 to the outputs less 1, got 7 "
        "at step 2, sample 1, feature 0");
  Dense<double> yes(1, 2);
  CHECK(support::refusal_of([&] {
          fit(yes, data, Adam<double>(), {.show_progress = false}, AnyMetrics<double>({R2{}, BinaryCrossEntropy{}}));
        }) == "fit: binary_cross_entropy: a target must be in [0, 1], got 7 at step 2, sample 1, feature 0");
  data.y(2, 1, 0) = 2;
  CHECK(support::refusal_of([&] {
          fit(model, data, Adam<double>(), {.show_progress = false}, loss(SoftmaxCrossEntropy{}),
              AnyMetrics<double>({Accuracy{}, R2{}}));
        }).find("fit: y must be (time, batch, outputs) = (4, 12, 3), got (4, 12, 1)") != std::string::npos);
}
