// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <vector>

#include <elegans/layer/dense.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/metric.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;

namespace {

/// Yes-no questions that no line answers.
Dataset<double> muddle(double salt) {
  Dataset<double> data{.x = Sequence<double>(1, 60, 2), .y = Sequence<double>(1, 60, 1)};
  for (Index b = 0; b < 60; ++b) {
    for (Index f = 0; f < 2; ++f) data.x(0, b, f) = std::sin(salt + 3.7 * static_cast<double>(2 * b + f));
    data.y(0, b, 0) = data.x(0, b, 0) + std::sin(salt + 11 * static_cast<double>(b)) > 0;
  }
  return data;
}

template <typename... Metrics>
History<double> train_muddle(Dense<double>& model, const FitOptions<double>& options, const Metrics&... metrics) {
  return fit(model, muddle(0), Adam<double>({.learning_rate = 0.2}), options, elegans::loss(BinaryCrossEntropy{}),
             metrics...);
}

/// The first place of the smallest value, from 1 on.
int best_of(const std::vector<double>& values, double sign) {
  const auto best =
      std::min_element(values.begin(), values.end(), [&](double a, double b) { return sign * a < sign * b; });
  return 1 + static_cast<int>(std::distance(values.begin(), best));
}

}  // namespace

TEST_CASE("fit judges epochs by the metric that it is to monitor", "[train][fit]") {
  FitOptions<double> options{
      .epochs = 40, .batch_size = 10, .validation = muddle(1), .restore_best_weights = true, .show_progress = false};
  Dense<double> by_loss(1, 2), by_accuracy(1, 2), by_error(1, 2);
  const auto of_loss = train_muddle(by_loss, options, Accuracy{}, MeanAbsoluteError{});
  options.monitor = "accuracy";
  const auto of_accuracy = train_muddle(by_accuracy, options, Accuracy{}, MeanAbsoluteError{});
  options.monitor = "mean_absolute_error";
  const auto of_error = train_muddle(by_error, options, Accuracy{}, MeanAbsoluteError{});

  CHECK(of_loss.best_epoch == best_of(of_loss.validation_loss, 1));
  CHECK(of_accuracy.best_epoch == best_of(of_accuracy.metrics[0].validation, -1));
  CHECK(of_error.best_epoch == best_of(of_error.metrics[1].validation, 1));
  CHECK(of_accuracy.loss == of_loss.loss);
  CHECK(of_accuracy.best_epoch != of_loss.best_epoch);
  CHECK(of_error.best_epoch != of_loss.best_epoch);
  const auto best = evaluate(by_accuracy, muddle(1), {}, Accuracy{})[0];
  const auto& seen = of_accuracy.metrics[0].validation;
  CHECK(best == Approx(*std::max_element(seen.begin(), seen.end())));

  // Patience, too, waits for the metric. Without validation data it is the one on the training data.
  options = {.epochs = 200, .batch_size = 10, .patience = 5, .monitor = "accuracy", .show_progress = false};
  Dense<double> patient(1, 2);
  const auto short_run = train_muddle(patient, options, Accuracy{});
  CHECK(short_run.stopped_by == StopReason::early_stopping);
  CHECK(short_run.best_epoch == best_of(short_run.metrics[0].training, -1));
  CHECK(short_run.best_epoch + 5 == static_cast<int>(short_run.loss.size()));
}

TEST_CASE("fit refuses to monitor a metric that is not there", "[train][fit]") {
  Dense<double> model(1, 2);
  FitOptions<double> options{.monitor = "f1", .show_progress = false};
  CHECK(support::refusal_of([&] { train_muddle(model, options, Accuracy{}, MeanAbsoluteError{}); }) ==
        "fit: monitor must be the name of a metric, accuracy, mean_absolute_error, got f1");
  CHECK(support::refusal_of([&] { train_muddle(model, options); }) ==
        "fit: monitor must be the name of a metric, of which there is none, got f1");
}
