// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <elegans/train/adam.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/plateau.hpp>
#include <elegans/train/schedule.hpp>
#include <elegans/train/sgd.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/tiny_model.hpp"

using namespace elegans;
using support::refusal_of;
using support::tiny_data;
using support::TinyModel;

namespace {

/// Holds every state of a training. `fit` resumes from the one with number `at`.
struct States {
  std::map<int, TrainingState<double>> all;
  int at = 0;
  bool load(TrainingState<double>& state) {
    if (!all.contains(at)) return false;
    state = all.at(at);
    return true;
  }
  [[nodiscard]] static bool is_due(int, bool) { return true; }
  void save(const TrainingState<double>& state) { all[state.epochs] = state; }
};

/// A run that stops after any epoch and is resumed ends as one that never stopped.
template <typename... Extras>
void check_resumes(const FitOptions<double>& options, Extras... extras) {
  TinyModel whole;
  States states;
  const auto run = [&](TinyModel& model) {
    return fit(model, tiny_data(5, 7), Adam<double>({.learning_rate = 0.05}), options, states, extras...);
  };
  const auto expected = run(whole);
  REQUIRE(expected.loss.size() == static_cast<std::size_t>(options.epochs));
  for (int epoch = 1; epoch < options.epochs; ++epoch) {
    TinyModel model;
    states.at = epoch;
    const auto history = run(model);
    CHECK((model.parameters() == whole.parameters()).all());
    CHECK(history.loss == expected.loss);
    CHECK(history.learning_rate == expected.learning_rate);
  }
}

}  // namespace

TEST_CASE("A callback after a batch has the model, and sees each batch once", "[train][callback]") {
  TinyModel model;
  std::vector<std::string> calls;
  std::vector<double> losses;
  const auto note = [&](TinyModel& m, const BatchEnd<double>& batch) {
    CHECK(&m == &model);
    CHECK(batch.of == 3);
    CHECK(batch.learning_rate == 0.02);
    calls.push_back(std::to_string(batch.epoch) + "." + std::to_string(batch.number));
    losses.push_back(batch.loss);
  };
  const auto history =
      fit(model, tiny_data(6, 5), Adam<double>({.learning_rate = 0.02}),
          {.epochs = 2, .batch_size = 2, .bptt_steps = 4}, on_batch_end(note),
          on_epoch_end([&](TinyModel&, const Epoch<double>& e) { calls.push_back(std::to_string(e.number)); }));
  CHECK(calls == std::vector<std::string>{"1.1", "1.2", "1.3", "1", "2.1", "2.2", "2.3", "2"});
  CHECK(history.loss[1] == Approx((2 * losses[3] + 2 * losses[4] + losses[5]) / 5).epsilon(1e-14));
}

TEST_CASE("A callback may use and change the model between batches", "[train][callback]") {
  // Weights that are set back after each batch: nothing is learned. A prediction in between disturbs nothing.
  const Eigen::ArrayXd start = TinyModel().parameters();
  const Dataset<double> data = tiny_data(6, 4);
  TinyModel model, plain;
  fit(model, data, SGD<double>(), {.epochs = 2, .batch_size = 2},
      on_batch_end([&](auto& m, const auto&) { m.update([&](auto p) { p = start; }); }));
  CHECK((model.parameters() == start).all());
  TinyModel looked_at;
  const FitOptions<double> options{.epochs = 2, .batch_size = 2, .shuffle = false, .bptt_steps = 4, .stateful = true};
  fit(plain, data, SGD<double>(), options);
  fit(looked_at, data, SGD<double>(), options, on_batch_end([&](auto& m, const auto&) { m(tiny_data(2, 1).x); }));
  CHECK((looked_at.parameters() == plain.parameters()).all());
}

TEST_CASE("A callback after a batch stops the training after its epoch", "[train][callback]") {
  TinyModel model;
  int batches = 0, finished = 0;
  struct Stop {
    int& batches;
    int& finished;
    bool on_batch_end(TinyModel&, const BatchEnd<double>& batch) {
      ++batches;
      return batch.epoch < 2 || batch.number != 1;
    }
    void finish() { ++finished; }
  };
  const auto history =
      fit(model, tiny_data(4, 4), SGD<double>(), {.epochs = 9, .batch_size = 2}, Stop{batches, finished});
  CHECK(history.loss.size() == 2);
  CHECK(history.stopped_by == StopReason::callback);
  CHECK(batches == 4);
  CHECK(finished == 1);
}

TEST_CASE("A callback that throws after a batch leaves the model as before the epoch", "[train][callback]") {
  TinyModel model, one_epoch;
  Adam<double> adam;
  fit(one_epoch, tiny_data(4, 4), Adam<double>(), {.batch_size = 2});
  CHECK_THROWS_AS(fit(model, tiny_data(4, 4), std::ref(adam), {.epochs = 3, .batch_size = 2},
                      on_batch_end([](auto&, const auto& batch) {
                        if (batch.epoch == 2 && batch.number == 2) throw std::runtime_error("stop");
                      })),
                  std::runtime_error);
  CHECK((model.parameters() == one_epoch.parameters()).all());
  CHECK(adam.steps() == 2);
}

TEST_CASE("An epoch says whether it was the best so far", "[train][callback]") {
  TinyModel model;
  std::vector<bool> best;
  const auto history = fit(model, tiny_data(4, 4), SGD<double>({.learning_rate = 1.4}), {.epochs = 8},
                           [&](const Epoch<double>& epoch) { best.push_back(epoch.is_best); });
  double least = INFINITY;
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(best[i] == (history.loss[i] < least));
    least = std::min(least, history.loss[i]);
  }
}

TEST_CASE("A schedule by batch is asked before each batch", "[train][schedule]") {
  TinyModel model;
  std::vector<std::int64_t> steps;
  std::vector<double> rates;
  const auto history = fit(model, tiny_data(4, 5), SGD<double>({.learning_rate = 0.5}),
                           {.epochs = 3,
                            .batch_size = 2,
                            .drop_last = true,
                            .schedule =
                                [&](std::int64_t step, std::int64_t of) {
                                  CHECK(of == 6);
                                  steps.push_back(step);
                                  return 1. / static_cast<double>(1 + step);
                                },
                            .schedule_by_batch = true},
                           on_batch_end([&](auto&, const auto& batch) { rates.push_back(*batch.learning_rate); }));
  CHECK(steps == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
  CHECK(rates == std::vector<double>{0.5, 0.25, 0.5 / 3, 0.125, 0.1, 0.5 / 6});
  CHECK(history.learning_rate == std::vector<double>{0.25, 0.125, 0.5 / 6});
  CHECK(refusal_of([&] { fit(model, tiny_data(4, 5), SGD<double>(), {.schedule_by_batch = true}); }) ==
        "fit: schedule_by_batch needs a schedule");
}

TEST_CASE("A warm-up rises in a line, and hands over", "[train][schedule]") {
  // LinearLR(start_factor=1/3, total_iters=4): 1/3, 1/2, 2/3, 5/6, 1, ...
  const Schedule alone = WarmUp{.steps = 4};
  const double factors[] = {1. / 3, 1. / 2, 2. / 3, 5. / 6, 1, 1};
  for (int k = 0; k < 6; ++k) CHECK(alone(k, 10) == Approx(factors[k]).epsilon(1e-15));
  const Schedule then = WarmUp{.steps = 2, .start = 0, .then = CosineDecay{.least = 0.1}};
  CHECK(then(0, 6) == 0);
  CHECK(then(1, 6) == 0.5);
  for (int k = 0; k < 4; ++k) CHECK(then(2 + k, 6) == CosineDecay{.least = 0.1}(k, 4));
  CHECK(WarmUp{.steps = 0}(0, 3) == 1);
  CHECK(refusal_of([] { WarmUp{.steps = -1}(0, 3); }) == "WarmUp: steps must be at least 0, got -1");
}

TEST_CASE("The learning rate falls where the loss stays, as in Keras", "[train][plateau]") {
  // Worked out by hand from the rules of Keras' callback.
  struct Case {
    ReduceLROnPlateau options;
    std::vector<double> losses, rates;
  };
  const std::vector<Case> cases{
      {{.patience = 2, .factor = 0.5}, {5, 5, 5, 5, 5, 4, 4, 4}, {8, 8, 4, 4, 2, 2, 2, 1}},
      {{.patience = 2, .factor = 0.5, .min_delta = 1}, {5, 4.5, 4, 3.9, 2}, {8, 8, 4, 4, 4}},
      {{.patience = 1, .factor = 0.5, .cooldown = 2}, {5, 5, 5, 5, 5, 5, 5}, {8, 4, 4, 2, 2, 1, 1}},
      {{.patience = 1, .factor = 0.5, .min_lr = 3}, {5, 5, 5, 5}, {8, 4, 3, 3}},
      {{}, {5, 5, 5}, {8, 8, 8}}};
  for (const Case& c : cases) {
    detail::PlateauWatch watch(c.options);
    double rate = 8;
    std::vector<double> rates;
    for (const double loss : c.losses) rates.push_back(rate = watch.next(rate, loss));
    CHECK(rates == c.rates);
  }
}

TEST_CASE("fit lowers the rate on a plateau of the validation loss, below a schedule too", "[train][plateau]") {
  const Dataset<double> data = tiny_data(4, 4);
  TinyModel model;
  Adam<double> adam({.learning_rate = 1e-12});  // nothing gets better by 1e-4
  auto history = fit(model, data, std::ref(adam),
                     {.epochs = 5, .validation_split = 0.25, .reduce_lr_on_plateau = {.patience = 2, .factor = 0.5}});
  CHECK(history.learning_rate == std::vector<double>{1e-12, 1e-12, 1e-12, 5e-13, 5e-13});
  CHECK(adam.learning_rate() == 2.5e-13);
  history = fit(model, data, Adam<double>({.learning_rate = 1e-12}),
                {.epochs = 4,
                 .schedule = ExponentialDecay{.factor = 0.5},
                 .reduce_lr_on_plateau = {.patience = 1, .factor = 0.25}});
  CHECK(history.learning_rate == std::vector<double>{1e-12, 0.5e-12, 0.25e-12 / 4, 0.125e-12 / 16});
  const auto refusal = [&](const ReduceLROnPlateau& plateau) {
    return refusal_of([&] { fit(model, data, Adam<double>(), {.reduce_lr_on_plateau = plateau}); });
  };
  CHECK(refusal({.patience = -1}) == "reduce_lr_on_plateau: patience must be at least 0, got -1");
  CHECK(refusal({.factor = 1}) == "reduce_lr_on_plateau: factor must be in (0, 1), got 1");
  CHECK(refusal({.min_delta = -1}) == "reduce_lr_on_plateau: min_delta must be finite and at least 0, got -1");
  CHECK(refusal({.cooldown = -1}) == "reduce_lr_on_plateau: cooldown must be at least 0, got -1");
  CHECK(refusal({.min_lr = -1}) == "reduce_lr_on_plateau: min_lr must be finite and at least 0, got -1");
}

TEST_CASE("A resumed run is the same with groups, grains, schedules and plateaus", "[train][checkpoint]") {
  check_resumes({.epochs = 4, .batch_size = 4, .grain = 3, .bptt_steps = 2});
  check_resumes({.epochs = 4,
                 .batch_size = 3,
                 .freeze = {"0.a"},
                 .groups = {{.parameters = {"1.*"}, .learning_rate_factor = 2}}});
  check_resumes(
      {.epochs = 5, .batch_size = 3, .schedule = WarmUp{.steps = 4, .then = CosineDecay{}}, .schedule_by_batch = true});
  const ReduceLROnPlateau plateau{.patience = 1, .factor = 0.5, .min_delta = 0.05, .cooldown = 1};
  check_resumes({.epochs = 8, .batch_size = 3, .reduce_lr_on_plateau = plateau});
  check_resumes({.epochs = 8,
                 .batch_size = 3,
                 .validation_split = 0.2,
                 .schedule = CosineDecay{.least = 0.1},
                 .reduce_lr_on_plateau = plateau});
  check_resumes({.epochs = 3, .batch_size = 3}, on_batch_end([](auto& m, const auto& batch) {
                  m.update([&](auto p) { p[0] *= 1 - 0.01 * batch.number; });
                }));
}

TEST_CASE("A checkpoint of other groups, grains or plateaus is refused", "[train][checkpoint]") {
  const auto refusal = [](const FitOptions<double>& other) {
    TinyModel model;
    States states;
    fit(model, tiny_data(3, 4), Adam<double>(), {}, states);
    states.at = 1;
    return refusal_of([&] { fit(model, tiny_data(3, 4), Adam<double>(), other, states); });
  };
  const std::string differs = "fit: the checkpoint is of another run: ";
  CHECK(refusal({}) == "(not refused)");
  CHECK(refusal({.grain = 2}) == differs + "grain was 0, is 2");
  CHECK(refusal({.freeze = {"1.bias"}}).starts_with(differs + "parameter groups frozen 3 to 4 was none, is true"));
  CHECK(refusal({.groups = {{.parameters = {"0.a"}, .learning_rate_factor = 2}}})
            .starts_with(differs + "parameter groups learning_rate_factor 0 to 1 was none, is 2"));
  CHECK(refusal({.reduce_lr_on_plateau = {.patience = 3}})
            .starts_with(differs + "reduce_lr_on_plateau patience was 0, is 3"));
}
