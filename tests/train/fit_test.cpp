// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

namespace {

using Model = LTC<double>;
using Options = FitOptions<double>;

Model make_model(LTCOptions options = {}) { return Model(AutoNCP(6, 1), 2, options); }

/// Sines of different phase, a sample each.
Dataset<double> sines(Index time, Index samples) {
  Dataset<double> data{.x = Sequence<double>(time, samples, 2), .y = Sequence<double>(time, samples, 1)};
  for (Index t = 0; t < time; ++t) {
    for (Index b = 0; b < samples; ++b) {
      const double phase = 0.3 * static_cast<double>(t) + static_cast<double>(b);
      data.x(t, b, 0) = std::sin(phase);
      data.x(t, b, 1) = std::cos(phase);
      data.y(t, b, 0) = std::sin(2 * phase);
    }
  }
  return data;
}

/// Some samples, over some steps.
Dataset<double> part(const Dataset<double>& data, const std::vector<Index>& samples, Index first, Index steps) {
  const auto count = static_cast<Index>(samples.size());
  Dataset<double> result{.x = Sequence<double>(steps, count, 2), .y = Sequence<double>(steps, count, 1)};
  for (Index t = 0; t < steps; ++t) {
    for (Index b = 0; b < count; ++b) {
      for (Index f = 0; f < 2; ++f) result.x(t, b, f) = data.x(first + t, samples[static_cast<std::size_t>(b)], f);
      result.y(t, b, 0) = data.y(first + t, samples[static_cast<std::size_t>(b)], 0);
    }
  }
  return result;
}

Eigen::ArrayXd trained(Model model, const Dataset<double>& data, const Options& options) {
  fit(model, data, Adam<double>({.learning_rate = 0.01}), options);
  return model.parameters();
}

}  // namespace

TEST_CASE("fit calls back after each epoch and stops when told to", "[train][fit]") {
  Model model = make_model();
  const Dataset<double> data = sines(5, 1);
  int calls = 0;
  const auto count = [&](const Epoch<double>& epoch) { calls += epoch.of; };
  const auto stop = [](const Epoch<double>& epoch) { return epoch.number < 4; };
  const auto history = fit(model, data.x, data.y, Adam<double>(), {.epochs = 10}, count, stop);
  CHECK(history.loss.size() == 4);
  CHECK(calls == 40);
  CHECK(history.stopped_by == StopReason::callback);
  CHECK(history.loss.front() > history.loss.back());
}

TEST_CASE("No epochs are no training", "[train][fit]") {
  Model model = make_model();
  const Dataset<double> data = sines(5, 1);
  const Eigen::ArrayXd before = model.parameters();
  CHECK(fit(model, data, Adam<double>(), {.epochs = 0}).loss.empty());
  CHECK((model.parameters() == before).all());
}

TEST_CASE("fit refuses data and options that make no sense", "[train][fit]") {
  Model model = make_model();
  const Dataset<double> data = sines(5, 4);
  const auto refusal = [&](const Dataset<double>& given, const Options& options) {
    return refusal_of([&] { fit(model, given, Adam<double>(), options); });
  };
  CHECK(refusal(data, {.epochs = -1}) == "fit: epochs must be at least 0, got -1");
  CHECK(refusal(data, {.batch_size = -1}) == "fit: batch_size must be at least 1, or 0 for all, got -1");
  CHECK(refusal(data, {.validation_split = 1}) == "fit: validation_split must be in [0, 1), got 1");
  CHECK(refusal(data, {.validation_split = 0.5, .validation = data}) ==
        "fit: give either validation or validation_split, not both");
  CHECK(refusal(data, {.clip = {.value = 0}}) == "fit: clip.value must be above 0, got 0");
  CHECK(refusal(data, {.batch_size = 2, .stateful = true}) ==
        "fit: stateful training needs shuffle = false: a batch goes on where the one before it ended");
  CHECK(refusal(data, {.batch_size = 3, .shuffle = false, .stateful = true}) ==
        "fit: stateful training needs batches of one size, got 4 samples in batches of 3");
  CHECK(refusal({}, {}) == "fit: the data must have at least one step and one sample, got x (0, 0, 0)");
  CHECK(refusal({.x = data.x, .y = data.x}, {}) ==
        "train: y must be (time, batch, outputs) = (5, 4, 1), got (5, 4, 2)");
  CHECK(refusal({.x = data.x, .y = sines(3, 4).y}, {}) ==
        "fit: y must be (time, samples, targets) = (5 or 1, 4, at least 1), got (3, 4, 1)");
  CHECK(refusal({.x = data.x, .y = data.y, .weights = {1, 1, 1}}, {}) ==
        "fit: there must be a weight for each of 4 samples, got 3");
  CHECK(refusal({.x = data.x, .y = data.y, .weights = {1, 1, 1, -1}}, {}) ==
        "fit: a sample's weight must be finite and at least 0, got -1");
}

TEST_CASE("An optimizer by reference goes on where it was", "[train][fit]") {
  const Dataset<double> data = sines(5, 2);
  Model model = make_model();
  Adam<double> adam({.learning_rate = 0.01});
  fit(model, data, std::ref(adam), {.epochs = 5});
  fit(model, data, std::ref(adam), {.epochs = 5});
  CHECK(adam.steps() == 10);
  CHECK((model.parameters() == trained(make_model(), data, {.epochs = 10})).all());
}

TEST_CASE("Mini-batches are updates on some samples after the other", "[train][fit]") {
  const Dataset<double> data = sines(5, 7);
  for (const bool drop_last : {false, true}) {
    Model model = make_model();
    Adam<double> adam({.learning_rate = 0.01});
    Sequence<double> d;
    double loss = 0;
    for (int epoch = 0; epoch < 2; ++epoch) {
      loss = 0;
      for (const std::vector<Index>& samples : {std::vector<Index>{0, 1, 2}, {3, 4, 5}, {6}}) {
        if (drop_last && samples.size() < 3) continue;
        const Dataset<double> batch = part(data, samples, 0, 5);
        loss += train_step(model, batch.x, batch.y, adam, d) * static_cast<double>(samples.size());
      }
    }
    Model fitted = make_model();
    const auto history = fit(fitted, data, Adam<double>({.learning_rate = 0.01}),
                             {.epochs = 2, .batch_size = 3, .shuffle = false, .drop_last = drop_last});
    CHECK((fitted.parameters() == model.parameters()).all());
    CHECK(history.loss.back() == Approx(loss / (drop_last ? 6 : 7)).epsilon(1e-14));
  }
}

TEST_CASE("The same seed is the same order of samples, another seed another", "[train][fit]") {
  const Dataset<double> data = sines(4, 9);
  const Eigen::ArrayXd first = trained(make_model(), data, {.epochs = 2, .batch_size = 2, .seed = 5});
  CHECK((trained(make_model(), data, {.epochs = 2, .batch_size = 2, .seed = 5}) == first).all());
  CHECK((trained(make_model(), data, {.epochs = 2, .batch_size = 2, .seed = 6}) != first).any());
  CHECK((trained(make_model(), data, {.epochs = 2, .batch_size = 2, .shuffle = false}) != first).any());
}

TEST_CASE("Validation data are the last samples, or others, and are not trained on", "[train][fit]") {
  const Dataset<double> data = sines(5, 8);
  const Dataset<double> first = part(data, {0, 1, 2, 3, 4, 5}, 0, 5);
  const Dataset<double> last = part(data, {6, 7}, 0, 5);
  Model split = make_model();
  Model apart = make_model();
  const auto history = fit(split, data, Adam<double>(), {.epochs = 3, .batch_size = 2, .validation_split = 0.25});
  const auto expected = fit(apart, first, Adam<double>(), {.epochs = 3, .batch_size = 2, .validation = last});
  CHECK((split.parameters() == apart.parameters()).all());
  CHECK(history.validation_loss == expected.validation_loss);
  CHECK(history.validation_loss.size() == 3);
  CHECK(history.validation_loss.back() == evaluate(split, last, {.batch_size = 2}, MeanSquaredError{})[0]);
}

TEST_CASE("Training stops when the loss gets no better, and the best weights come back", "[train][fit]") {
  struct Wander {  // best after the second step
    int steps = 0;
    Eigen::ArrayXd best;
    void step(VectorView<double> parameters, ConstVectorView<double> gradient) {
      parameters -= (++steps <= 2 ? 0.05 : -0.5) * gradient;
      if (steps == 2) best = parameters;
    }
  };
  const Dataset<double> data = sines(5, 2);
  Wander wander;
  Model model = make_model();
  const auto history =
      fit(model, data, std::ref(wander),
          {.epochs = 50, .validation = data, .patience = 4, .restore_best_weights = true, .show_progress = false});
  CHECK(history.stopped_by == StopReason::early_stopping);
  CHECK(history.best_epoch == 2);
  CHECK(history.loss.size() == 6);
  CHECK(*std::min_element(history.validation_loss.begin(), history.validation_loss.end()) ==
        history.validation_loss[1]);
  CHECK((model.parameters() == wander.best).all());
}

TEST_CASE("Masked steps and samples without weight do not count, whatever stands there", "[train][fit][mask]") {
  Dataset<double> padded = sines(5, 3);
  const Dataset<double> whole = part(padded, {0, 1}, 0, 3);
  padded.mask = Mask::of_lengths(std::vector<Index>{3, 3, 3}, 5);
  padded.weights = {1, 1, 0};
  for (Index b = 0; b < 3; ++b) {
    for (Index t = 3; t < 5; ++t) {
      padded.x(t, b, 0) = padded.y(t, b, 0) = std::nan("");
    }
  }
  padded.y(0, 2, 0) = std::nan("");
  Model expected = make_model();
  Model model = make_model();
  const auto history = fit(model, padded, Adam<double>(), {.epochs = 3});
  const auto of_whole = fit(expected, whole, Adam<double>(), {.epochs = 3});
  CHECK(history.loss.back() == Approx(of_whole.loss.back()).epsilon(1e-13));
  CHECK((model.parameters() - expected.parameters()).abs().maxCoeff() < 1e-12);
}

TEST_CASE("A loss over the last step is that of a model that gives its last output only", "[train][fit]") {
  Dataset<double> data = sines(5, 2);
  data.mask = Mask::of_lengths(std::vector<Index>{5, 3}, 5);
  Dataset<double> last{.x = data.x, .y = Sequence<double>(1, 2, 1), .mask = data.mask};
  last.y(0, 0, 0) = data.y(4, 0, 0);
  last.y(0, 1, 0) = data.y(2, 1, 0);
  const Eigen::ArrayXd expected = trained(make_model({.return_sequences = false}), last, {.epochs = 3});
  const Eigen::ArrayXd got = trained(make_model(), data, {.epochs = 3, .loss_over = LossOver::last_step});
  CHECK((got - expected).abs().maxCoeff() < 1e-13);
}

TEST_CASE("Truncated BPTT updates every few steps and carries the state over", "[train][fit]") {
  const Dataset<double> data = sines(7, 2);
  Model model = make_model();
  Adam<double> adam({.learning_rate = 0.01});
  Sequence<double> d;
  for (int epoch = 0; epoch < 2; ++epoch) {
    Context<double> context;
    for (const Index first : {0, 3, 6}) {
      const Dataset<double> chunk = part(data, {0, 1}, first, std::min<Index>(3, 7 - first));
      train_step(model, chunk.x, chunk.y, adam, d, MeanSquaredError{}, context);
      context.initial_state = model.final_state();
    }
  }
  CHECK((trained(make_model(), data, {.epochs = 2, .bptt_steps = 3}) == model.parameters()).all());
  const Eigen::ArrayXd whole = trained(make_model(), data, {.epochs = 2});
  CHECK((trained(make_model(), data, {.epochs = 2, .bptt_steps = 100}) == whole).all());
  // The state at the end of a batch is where the next begins.
  Model stateful = make_model();
  const Dataset<double> two = sines(3, 2);
  Adam<double> other({.learning_rate = 0.01});
  Context<double> context;
  for (const Index sample : {0, 1}) {
    const Dataset<double> one = part(two, {sample}, 0, 3);
    train_step(stateful, one.x, one.y, other, d, MeanSquaredError{}, context);
    context.initial_state = stateful.final_state();
  }
  const Eigen::ArrayXd got = trained(make_model(), two, {.batch_size = 1, .shuffle = false, .stateful = true});
  CHECK((got == stateful.parameters()).all());
}

TEST_CASE("A loss that is no longer finite is an error that says where", "[train][fit]") {
  struct Explode {
    int steps = 0;
    void step(VectorView<double> parameters, ConstVectorView<double>) {
      if (++steps == 3) {
        parameters.setConstant(std::nan(""));
      } else {
        parameters += 0.01;
      }
    }
  };
  Model model = make_model({.implicit_param_constraints = true});
  const Eigen::ArrayXd start = model.parameters();
  const Dataset<double> data = sines(5, 1);
  CHECK(refusal_of<RuntimeError>([&] { fit(model, data, Explode{}, {.epochs = 10}); }) ==
        "fit: the loss became nan in epoch 4 of 10, batch 1: the prediction is nan at step 0, sample 0, feature 0; the "
        "model holds the last parameters with a finite loss");
  CHECK((model.parameters() - start - 0.02).abs().maxCoeff() < 1e-12);

  Dataset<double> spoilt = sines(5, 6);
  spoilt.y(3, 4, 0) = std::nan("");
  CHECK(refusal_of<RuntimeError>([&] {
          fit(model, spoilt, Adam<double>(), {.epochs = 10, .batch_size = 2, .shuffle = false});
        }).starts_with("fit: the loss became nan in epoch 1 of 10, batch 3: y is nan at step 3, sample 4, feature 0"));
}
