// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/metric.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/train/weighted_loss.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

namespace {

using Model = LTC<double>;
using Options = FitOptions<double>;

Model make_model(LTCOptions options = {}) { return Model(AutoNCP(6, 1), 2, options); }

/// Sines of different phase, one per sample.
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

/// A metric that has a loss' signature, too.
struct Both : MeanAbsoluteError {
  using MeanAbsoluteError::operator();
  double operator()(ConstArrayView<double> prediction, ConstArrayView<double> target, const auto& weight) const {
    return ((prediction - target).abs().rowwise().mean() * weight).sum();
  }
};

/// A user's model that says that it is not causal, and has no rows for a summary.
struct Smoother : Model {
  using Model::Model;
  static constexpr bool is_causal = false;
  void summary_rows() const = delete;
};

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
  // A callback after the one that stops does not start the training again.
  Model other = make_model();
  CHECK(fit(other, data, Adam<double>(), {.epochs = 10}, stop, count).loss.size() == 4);
}

TEST_CASE("With no epochs, nothing changes", "[train][fit]") {
  Model model = make_model();
  const Dataset<double> data = sines(5, 1);
  const Eigen::ArrayXd before = model.parameters();
  CHECK(fit(model, data, Adam<double>(), {.epochs = 0}).loss.empty());
  CHECK((model.parameters() == before).all());
}

TEST_CASE("fit refuses to cut sequences into pieces for a model that reads later steps", "[train][fit]") {
  const Dataset<double> data = sines(5, 2);
  const LTC<double> ltc = make_model();
  const auto refusal = [&](auto model, const Options& options) {
    return refusal_of([&] { fit(model, data, Adam<double>(), options); });
  };
  const std::string truncated = "fit: bptt_steps = 3 needs layers that read no later steps, got ";
  const std::string stateful = "fit: stateful = true needs layers that read no later steps, got ";
  const std::string layer = "bidirectional (Bidirectional)";
  const Sequential stack(Sequential(Dense<double>(2, 2), Bidirectional(ltc, ltc)), Dense<double>(1, 2));
  CHECK(refusal(stack, {.bptt_steps = 3}) == truncated + layer);
  CHECK(refusal(stack, {.stateful = true}) == stateful + layer);
  CHECK(refusal(stack, {.bptt_steps = 5}) == "(not refused)");  // a single piece
  CHECK(refusal(stack, {}) == "(not refused)");
  CHECK(refusal(Sequential(ltc, Dense<double>(1, 1)), {.bptt_steps = 3}) == "(not refused)");

  CHECK(refusal(Smoother(AutoNCP(6, 1), 2), {.bptt_steps = 3}) == truncated + "the model");
}

TEST_CASE("fit refuses a model that was moved from", "[train][fit]") {
  Model model = make_model();
  const Model taken = std::move(model);
  CHECK(refusal_of([&] { fit(model, sines(5, 3), Adam<double>(), {.epochs = 2}); }) ==
        "the model was moved from: it has no parameters");
}

TEST_CASE("fit refuses data and options that are out of range", "[train][fit]") {
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
  CHECK(refusal(data, {.clip = {.value = 0}}) == "clip: value must be above 0, got 0");
  CHECK(refusal(data, {.batch_size = 2, .stateful = true}) ==
        "fit: stateful training needs shuffle = false: a batch goes on where the one before it ended");
  CHECK(refusal(data, {.batch_size = 3, .shuffle = false, .stateful = true}) ==
        "fit: stateful training needs batches of one size, got 4 samples in batches of 3");
  CHECK(refusal({}, {}) == "fit: the data must have at least one step and one sample, got x (0, 0, 0)");
  CHECK(refusal({.x = data.x, .y = data.x}, {}) == "fit: y must be (time, batch, outputs) = (5, 4, 1), got (5, 4, 2)");
  CHECK(refusal({.x = data.x, .y = sines(3, 4).y}, {}) ==
        "fit: y must be (time, samples, targets) = (5 or 1, 4, at least 1), got (3, 4, 1)");
  CHECK(refusal({.x = data.x, .y = data.y, .weights = {1, 1, 1}}, {}) ==
        "fit: there must be one weight for each of 4 samples, got 3");
  CHECK(refusal({.x = data.x, .y = data.y, .weights = {1, 1, 1, -1}}, {}) ==
        "fit: a sample's weight must be finite and at least 0, got -1");
}

TEST_CASE("An optimizer passed by reference continues in the next call", "[train][fit]") {
  const Dataset<double> data = sines(5, 2);
  Model model = make_model();
  Adam<double> adam({.learning_rate = 0.01});
  fit(model, data, std::ref(adam), {.epochs = 5});
  fit(model, data, std::ref(adam), {.epochs = 5});
  CHECK(adam.steps() == 10);
  CHECK((model.parameters() == trained(make_model(), data, {.epochs = 10})).all());
}

TEST_CASE("fit updates once per mini-batch", "[train][fit]") {
  const Dataset<double> data = sines(5, 7);
  for (const bool drop_last : {false, true}) {
    Model model = make_model();
    Adam<double> adam({.learning_rate = 0.01});
    TrainStepWorkspace<double> workspace;
    double loss = 0;
    for (int epoch = 0; epoch < 2; ++epoch) {
      loss = 0;
      for (const std::vector<Index>& samples : {std::vector<Index>{0, 1, 2}, {3, 4, 5}, {6}}) {
        if (drop_last && samples.size() < 3) continue;
        const Dataset<double> batch = part(data, samples, 0, 5);
        loss += train_step(model, batch.x, batch.y, adam, workspace) * static_cast<double>(samples.size());
      }
    }
    Model fitted = make_model();
    const auto history = fit(fitted, data, Adam<double>({.learning_rate = 0.01}),
                             {.epochs = 2, .batch_size = 3, .shuffle = false, .drop_last = drop_last});
    CHECK((fitted.parameters() == model.parameters()).all());
    CHECK(history.loss.back() == Approx(loss / (drop_last ? 6 : 7)).epsilon(1e-14));
  }
}

TEST_CASE("A batch that is larger than the data is the data, even if the last batch may be dropped", "[train][fit]") {
  const Dataset<double> data = sines(5, 3);
  const Eigen::ArrayXd expected = trained(make_model(), data, {.epochs = 2});
  CHECK((trained(make_model(), data, {.epochs = 2, .batch_size = 8, .drop_last = true}) == expected).all());
}

TEST_CASE("fit trains on elapsed times, and weighs samples without a mask", "[train][fit]") {
  const Dataset<double> data = sines(5, 3);
  Dataset<double> slow = data, twice = data;
  slow.timespans = Timespans<double>(Eigen::ArrayXXd(Eigen::ArrayXXd::Constant(5, 3, 0.3)));
  Model model = make_model();
  Context<double> context;
  context.timespans = slow.timespans;
  Sequence<double> d;
  const double loss = weighted_loss(MeanSquaredError{}, model(data.x, context), data.y, {}, d).mean;
  CHECK(fit(model, slow, Adam<double>(), {}).loss[0] == Approx(loss).epsilon(1e-14));
  // A mask hides steps, whatever the weights.
  Dataset<double> masked = data;
  masked.mask = Mask::of_lengths(std::vector<Index>{5, 2, 0}, 5);
  StepWeights<double> weights;
  weights.set(5, 3, [&](Index t, Index b) { return masked.mask(t, b) ? 1.0 : 0.0; });
  model = make_model();
  const double of_masked = weighted_loss(MeanSquaredError{}, model(data.x), data.y, weights, d).mean;
  CHECK(fit(model, masked, Adam<double>(), {}).loss[0] == Approx(of_masked).epsilon(1e-14));
  // A sample of weight 2 is that sample twice.
  twice = part(data, {0, 1, 2, 2}, 0, 5);
  Dataset<double> weighted = data;
  weighted.weights = {1, 1, 2};
  const Eigen::ArrayXd expected = trained(make_model(), twice, {.epochs = 3});
  CHECK((trained(make_model(), weighted, {.epochs = 3}) - expected).abs().maxCoeff() < 1e-10);
}

TEST_CASE("The seed decides the order of the samples", "[train][fit]") {
  const Dataset<double> data = sines(4, 9);
  const Eigen::ArrayXd first = trained(make_model(), data, {.epochs = 2, .batch_size = 2, .seed = 5});
  CHECK((trained(make_model(), data, {.epochs = 2, .batch_size = 2, .seed = 5}) == first).all());
  CHECK((trained(make_model(), data, {.epochs = 2, .batch_size = 2, .seed = 6}) != first).any());
  CHECK((trained(make_model(), data, {.epochs = 2, .batch_size = 2, .shuffle = false}) != first).any());
  // Each epoch has an order of its own.
  struct Still {
    void step(VectorView<double>, ConstVectorView<double>) {}
  };
  std::vector<double> norms;
  Model model = make_model();
  fit(model, data, Still{}, {.epochs = 2, .batch_size = 2},
      [&](VectorView<double> gradient, double) { norms.push_back(gradient.matrix().norm()); });
  REQUIRE(norms.size() == 10);
  CHECK_FALSE(std::equal(norms.begin(), norms.begin() + 5, norms.begin() + 5));
}

TEST_CASE("fit does not train on validation data, the last samples or others", "[train][fit]") {
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
  // Each metric has its own values.
  Model scored = make_model();
  const auto scores = fit(scored, first, Adam<double>(), {.validation = last}, loss(MeanSquaredError{}), Both{});
  CHECK(scores.metrics.at(0).validation.at(0) ==
        Approx(evaluate(scored, last, {}, MeanAbsoluteError{})[0]).epsilon(1e-14));
}

TEST_CASE("evaluate refuses predictions that are not finite, and batches of negative size", "[train][fit]") {
  Model model = make_model();
  Dataset<double> data = sines(5, 2);
  CHECK(refusal_of([&] { evaluate(model, data, {.batch_size = -1}, Accuracy{}); }) ==
        "evaluate: batch_size must be at least 1, or 0 for all, got -1");
  data.x(1, 1, 0) = std::nan("");
  CHECK(refusal_of<RuntimeError>([&] {
          evaluate(model, data, {}, Accuracy{});
        }).ends_with("x is nan at step 1, sample 1, feature 0"));
}

TEST_CASE("An improvement of less than min_delta is none", "[train][fit]") {
  const Dataset<double> data = sines(5, 2);
  Model model = make_model();
  // The loss falls in each epoch, but never by 1.
  const auto history = fit(model, data, Adam<double>(), {.epochs = 50, .patience = 3, .min_delta = 1.0});
  CHECK(history.loss.size() == 4);
  CHECK(history.loss.back() < history.loss.front());
  CHECK(history.best_epoch == 1);
}

TEST_CASE("train_step takes no step from a loss that is not finite", "[train][fit]") {
  Dataset<double> data = sines(5, 2);
  data.y(0, 0, 0) = std::nan("");
  Model model = make_model();
  const Eigen::ArrayXd before = model.parameters();
  Adam<double> adam;
  TrainStepWorkspace<double> workspace;
  CHECK(std::isnan(train_step(model, data.x, data.y, adam, workspace)));
  CHECK(adam.steps() == 0);
  CHECK((model.parameters() == before).all());
}

TEST_CASE("Early stopping ends with the weights of the best epoch", "[train][fit]") {
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

TEST_CASE("Masked steps and samples of weight 0 do not count, whatever they hold", "[train][fit][mask]") {
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

TEST_CASE("A loss over the last step equals that of a model that gives its last output only", "[train][fit]") {
  Dataset<double> data = sines(5, 2);
  data.mask = Mask::of_lengths(std::vector<Index>{5, 3}, 5);
  Dataset<double> last{.x = data.x, .y = Sequence<double>(1, 2, 1), .mask = data.mask};
  last.y(0, 0, 0) = data.y(4, 0, 0);
  last.y(0, 1, 0) = data.y(2, 1, 0);
  const Eigen::ArrayXd expected = trained(make_model({.return_sequences = false}), last, {.epochs = 3});
  const Eigen::ArrayXd got = trained(make_model(), data, {.epochs = 3, .loss_over = LossOver::last_step});
  CHECK((got - expected).abs().maxCoeff() < 1e-13);
  // Without a mask that is the last step of all.
  data.mask = last.mask = {};
  last.y(0, 1, 0) = data.y(4, 1, 0);
  const Options over_last{.epochs = 3, .loss_over = LossOver::last_step};
  const Eigen::ArrayXd unmasked = trained(make_model({.return_sequences = false}), last, {.epochs = 3});
  CHECK((trained(make_model(), data, over_last) - unmasked).abs().maxCoeff() < 1e-11);
  // A sample of weight 0, or one that the mask hides, does not count.
  const Dataset<double> first{.x = part(data, {0}, 0, 5).x, .y = part(last, {0}, 0, 1).y};
  const Eigen::ArrayXd alone = trained(make_model({.return_sequences = false}), first, {.epochs = 3});
  last.weights = {2, 0};
  CHECK((trained(make_model({.return_sequences = false}), last, {.epochs = 3}) - alone).abs().maxCoeff() < 1e-11);
  last.weights = {};
  last.mask = Mask::of_lengths(std::vector<Index>{5, 0}, 5);
  CHECK((trained(make_model({.return_sequences = false}), last, {.epochs = 3}) - alone).abs().maxCoeff() < 1e-11);
}

TEST_CASE("Truncated BPTT of a last output learns from the last steps alone", "[train][fit]") {
  const Dataset<double> data = sines(6, 2);
  Dataset<double> last{.x = data.x, .y = part(data, {0, 1}, 5, 1).y};
  Model model = make_model({.return_sequences = false});
  const Dataset<double> begin = part(data, {0, 1}, 0, 4), end = part(data, {0, 1}, 4, 2);
  Adam<double> adam({.learning_rate = 0.01});
  TrainStepWorkspace<double> workspace;
  for (int epoch = 0; epoch < 2; ++epoch) {
    Context<double> context;
    model.forward(begin.x);
    context.initial_state = model.final_state();
    train_step(model, end.x, last.y, adam, workspace, MeanSquaredError{}, context);
  }
  const Options options{.epochs = 2, .bptt_steps = 4};
  const Options over_last{.epochs = 2, .loss_over = LossOver::last_step, .bptt_steps = 4};
  CHECK((trained(make_model({.return_sequences = false}), last, options) - model.parameters()).abs().maxCoeff() <
        1e-11);
  CHECK((trained(make_model(), data, over_last) - model.parameters()).abs().maxCoeff() < 1e-11);
}

TEST_CASE("Truncated BPTT updates every few steps and carries the state over", "[train][fit]") {
  const Dataset<double> data = sines(7, 2);
  Model model = make_model();
  Adam<double> adam({.learning_rate = 0.01});
  TrainStepWorkspace<double> workspace;
  for (int epoch = 0; epoch < 2; ++epoch) {
    Context<double> context;
    for (const Index first : {0, 3, 6}) {
      const Dataset<double> chunk = part(data, {0, 1}, first, std::min<Index>(3, 7 - first));
      train_step(model, chunk.x, chunk.y, adam, workspace, MeanSquaredError{}, context);
      context.initial_state = model.final_state();
    }
  }
  CHECK((trained(make_model(), data, {.epochs = 2, .bptt_steps = 3}) == model.parameters()).all());
  const Eigen::ArrayXd whole = trained(make_model(), data, {.epochs = 2});
  CHECK((trained(make_model(), data, {.epochs = 2, .bptt_steps = 100}) == whole).all());
  // Each batch starts from zero again.
  Model batched = make_model();
  Adam<double> third({.learning_rate = 0.01});
  for (const Index sample : {0, 1}) {
    Context<double> of_sample;
    for (const Index first : {0, 4}) {
      const Dataset<double> chunk = part(data, {sample}, first, std::min<Index>(4, 7 - first));
      train_step(batched, chunk.x, chunk.y, third, workspace, MeanSquaredError{}, of_sample);
      of_sample.initial_state = batched.final_state();
    }
  }
  CHECK((trained(make_model(), data, {.batch_size = 1, .shuffle = false, .bptt_steps = 4}) == batched.parameters())
            .all());
  // The state at the end of a batch is where the next begins, until the epoch ends.
  Model stateful = make_model();
  const Dataset<double> two = sines(3, 2);
  Adam<double> other({.learning_rate = 0.01});
  for (int epoch = 0; epoch < 2; ++epoch) {
    Context<double> context;
    for (const Index sample : {0, 1}) {
      const Dataset<double> one = part(two, {sample}, 0, 3);
      train_step(stateful, one.x, one.y, other, workspace, MeanSquaredError{}, context);
      context.initial_state = stateful.final_state();
    }
  }
  const Eigen::ArrayXd got =
      trained(make_model(), two, {.epochs = 2, .batch_size = 1, .shuffle = false, .stateful = true});
  CHECK((got == stateful.parameters()).all());
}

TEST_CASE("A step that makes a parameter NaN is an error that says which", "[train][fit]") {
  struct Explode {
    int steps = 0;
    void step(VectorView<double> parameters, ConstVectorView<double>) {
      if (++steps == 3) {
        parameters[1] = std::nan("");
      } else {
        parameters += 0.01;
      }
    }
  };
  Model model = make_model({.implicit_param_constraints = true});
  const Eigen::ArrayXd start = model.parameters();
  Explode explode;
  const std::string message =
      refusal_of<RuntimeError>([&] { fit(model, sines(5, 1), std::ref(explode), {.epochs = 10}); });
  CHECK(
      message.starts_with("fit: the optimizer's step failed in epoch 3 of 10, batch 1: parameter gleak(1, 0) became "
                          "nan, its derivative was "));
  CHECK(message.ends_with("; the model and the optimizer are as they were before that epoch"));
  CHECK((model.parameters() - start - 0.02).abs().maxCoeff() < 1e-12);
  CHECK(explode.steps == 2);
}

TEST_CASE("An exception gives the learning rate back, even to an optimizer that cannot be copied", "[train][fit]") {
  struct Unique : Adam<double> {
    Unique() : Adam<double>({.learning_rate = 0.02}) {}
    Unique(const Unique&) = delete;
    Unique& operator=(const Unique&) = delete;
  };
  const auto stop = [](const Epoch<double>& epoch) {
    if (epoch.number == 3) throw std::runtime_error("stop");
  };
  const Dataset<double> data = sines(5, 2);
  const Options options{.epochs = 5, .schedule = ExponentialDecay{.factor = 0.5}};
  Unique unique;
  Adam<double> adam({.learning_rate = 0.02});
  Model model = make_model(), other = make_model();
  CHECK_THROWS_AS(fit(model, data, std::ref(unique), options, stop), std::runtime_error);
  CHECK_THROWS_AS(fit(other, data, std::ref(adam), options, stop), std::runtime_error);
  CHECK(unique.learning_rate() == 0.02);
  CHECK(adam.learning_rate() == 0.02);
  CHECK(adam.steps() == 2);
  Adam<double> two({.learning_rate = 0.02});
  Model expected = make_model();
  fit(expected, data, std::ref(two), {.epochs = 2, .schedule = ExponentialDecay{.factor = 0.5}});
  CHECK((model.parameters() == expected.parameters()).all());
  CHECK((other.parameters() == expected.parameters()).all());
  CHECK((adam.memory() == two.memory()).all());
}

TEST_CASE("A loss that is not finite is an error that says where", "[train][fit]") {
  Dataset<double> spoilt = sines(5, 6);
  spoilt.y(3, 4, 0) = std::nan("");
  Model model = make_model();
  const Eigen::ArrayXd start = model.parameters();
  CHECK(refusal_of<RuntimeError>(
            [&] { fit(model, spoilt, Adam<double>(), {.epochs = 10, .batch_size = 2, .shuffle = false}); }) ==
        "fit: the loss became nan in epoch 1 of 10, batch 3: y is nan at step 3, sample 4, feature 0; the model "
        "and the optimizer are as they were before that epoch");
  CHECK((model.parameters() == start).all());
  const std::string message = refusal_of<RuntimeError>(
      [&] { fit(model, sines(5, 6), Adam<double>(), {.epochs = 10, .validation = spoilt, .patience = 5}); });
  CHECK(message.starts_with("fit: validation: mean_squared_error is nan: y is nan at step 3, sample 4, feature 0"));
  CHECK((model.parameters() == start).all());
  spoilt.y = sines(5, 6).y;
  spoilt.x(1, 2, 0) = std::nan("");
  CHECK(refusal_of<RuntimeError>([&] { evaluate(model, spoilt, {.batch_size = 2}, MeanSquaredError{}); }) ==
        "evaluate: mean_squared_error is nan: x is nan at step 1, sample 2, feature 0");
}

TEST_CASE("Data of which no step counts is refused", "[train][fit][mask]") {
  Model model = make_model();
  Dataset<double> masked = sines(5, 3), weightless = masked, mixed = masked;
  masked.mask = Mask(Eigen::ArrayXXd::Zero(5, 3));
  weightless.weights.assign(3, 0.0);
  mixed.mask = Mask::of_lengths(std::vector<Index>{0, 5, 5}, 5);
  mixed.weights = {1, 0, 0};
  const auto refusal = [&](const Dataset<double>& data, const Options& options) {
    return refusal_of([&] { fit(model, data, Adam<double>(), options); });
  };
  const std::string none = ": no step of 3 samples counts, so there is no loss: ";
  CHECK(refusal(masked, {}) == "fit" + none + "the mask hides every step");
  CHECK(refusal(weightless, {}) == "fit" + none + "every sample has weight 0");
  CHECK(refusal(mixed, {}) == "fit" + none + "each sample has weight 0, or a mask that hides every step");
  CHECK(refusal(sines(5, 3), {.validation = masked}) == "fit: validation" + none + "the mask hides every step");
  CHECK(refusal_of([&] { evaluate(model, weightless, {}, MeanSquaredError{}); }) ==
        "evaluate" + none + "every sample has weight 0");
  // The only sample that counts is in the batch that drop_last leaves out.
  mixed.mask = Mask();
  mixed.weights = {0, 0, 1};
  CHECK(refusal_of<RuntimeError>([&] {
          fit(model, mixed, Adam<double>(), {.batch_size = 2, .shuffle = false, .drop_last = true});
        }) == "fit: no step of epoch 1 counts: drop_last leaves out every sample that does");
}

TEST_CASE("A target that the loss does not accept is an error that says where", "[train][fit]") {
  Dataset<double> data = sines(5, 6);
  data.y.values().setZero();
  data.y(2, 3, 0) = 255;
  Model model = make_model();
  const std::string wrong = "binary_cross_entropy: a target must be in [0, 1], got 255 at step 2, sample 3, feature 0";
  CHECK(refusal_of([&] { fit(model, data, Adam<double>(), {.batch_size = 2}, loss(BinaryCrossEntropy{})); }) ==
        "fit: " + wrong);
  const Options with_validation{.batch_size = 2, .validation = data};
  CHECK(refusal_of([&] {
          fit(model, part(data, {0, 1}, 0, 5), Adam<double>(), with_validation, loss(BinaryCrossEntropy{}));
        }) == "fit: validation: " + wrong);
}

TEST_CASE("The loss is the one that is named, in any place", "[train][fit]") {
  Dataset<double> data = sines(5, 2);
  data.y.values() = data.y.values().abs();
  const auto losses = [&](auto... extras) {
    Model model = make_model();
    return fit(model, data, Adam<double>(), {.epochs = 2}, extras...);
  };
  const auto expected = losses(loss(BinaryCrossEntropy{}));
  const auto last = losses(MeanAbsoluteError{}, loss(BinaryCrossEntropy{}));
  const auto first = losses(loss(BinaryCrossEntropy{}), MeanAbsoluteError{});
  CHECK(last.loss == expected.loss);
  CHECK(first.loss == expected.loss);
  CHECK(last.metrics.at(0).name == "mean_absolute_error");
  CHECK(last.metrics.at(0).training == first.metrics.at(0).training);
  // A metric that could serve as a loss stays a metric.
  const auto with_both = losses(Both{});
  CHECK(with_both.loss == losses().loss);
  CHECK(with_both.metrics.at(0).training[0] == Approx(last.metrics.at(0).training[0]).epsilon(1e-14));
}
