// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/r2_score.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/tiny_model.hpp"

using namespace elegans;

TEST_CASE("A training step with transforms allocates nothing after the first", "[allocation][train]") {
  LTC<double> model(AutoNCP(9, 2), 3);
  Sequence<double> x(7, 5, 3), y(7, 5, 2);
  x.values().setLinSpaced(-1, 1);
  TrainStepWorkspace<double> workspace;
  Adam<double> adam;
  const auto halve = [](VectorView<double> gradient, double) { gradient *= 0.5; };
  const auto step = [&] {
    train_step(model, x, y, adam, workspace, MeanSquaredError{}, {}, halve, Clip{.value = 1, .global_norm = 0.01});
  };
  step();
  const long before = allocations;
  for (int i = 0; i < 3; ++i) step();
  const long after = allocations;
  CHECK(after == before);
}

TEST_CASE("An epoch of fit allocates nothing after the first", "[allocation][train]") {
  LTC<double> model(AutoNCP(9, 2), 3);
  Dataset<double> data{.x = Sequence<double>(7, 5, 3), .y = Sequence<double>(7, 5, 2)};
  data.x.values().setLinSpaced(-1, 1);
  const std::array<Index, 5> lengths{7, 7, 3, 7, 7};
  data.mask = Mask::of_lengths(lengths, 7);
  Adam<double> adam;
  long after[5] = {};
  const auto note = [&](const Epoch<double>& epoch) { after[epoch.number - 1] = allocations; };
  fit(model, data, std::ref(adam),
      {.epochs = 5,
       .batch_size = 2,
       .restore_best_weights = true,
       .schedule = CosineDecay{},
       .clip = {.global_norm = 0.01},
       .bptt_steps = 4,
       .show_progress = false},
      note, [](VectorView<double> gradient, double) { gradient *= 0.5; });
  CHECK(after[0] > 0);
  for (int i = 1; i < 5; ++i) CHECK(after[i] == after[0]);
}

namespace {

/// A data source that reads from memory of its own.
struct Streamed {
  Dataset<double> data;
  [[nodiscard]] Index samples() const { return data.samples(); }
  void read(std::span<const Index> numbers, Dataset<double>& part) const { data.read(numbers, part); }
};

const std::vector<std::string> frozen{"0.a"};
const std::vector<ParameterGroup> groups{
    {.parameters = {"1.*"}, .learning_rate_factor = 2, .clip = {.value = 1}, .tensor_norm = 2}};

}  // namespace

TEST_CASE("Grains, groups, data sources and metrics of sums allocate nothing after the first epoch",
          "[allocation][train]") {
  Streamed source{support::tiny_data(7, 11)};
  Eigen::ArrayXd warm_up = Eigen::ArrayXd::Ones(7);
  warm_up.head(2) = 0;
  source.data.step_weights = StepWeights<double>(warm_up);
  support::TinyModel model;
  long after[5] = {};
  const auto note = [&](const Epoch<double>& epoch) { after[epoch.number - 1] = allocations; };
  long in_batches = 0, in_first_epoch = 0;
  fit(model, source, Adam<double>({.weight_decay = 0.01}),
      {.epochs = 5,
       .batch_size = 6,
       .grain = 2,
       .schedule = CosineDecay{},
       .schedule_by_batch = true,
       .reduce_lr_on_plateau = {.patience = 1},
       .freeze = frozen,
       .groups = groups,
       .bptt_steps = 4,
       .show_progress = false},
      note, R2{}, loss(MeanSquaredError{}), on_batch_end([&](auto&, const BatchEnd<double>& batch) {
        (batch.epoch == 1 ? in_first_epoch : in_batches) = allocations;
      }));
  CHECK(in_first_epoch > 0);
  CHECK(in_batches == after[0]);
  for (int i = 1; i < 5; ++i) CHECK(after[i] == after[0]);
}

TEST_CASE("A training step with groups allocates nothing after the first", "[allocation][train]") {
  support::TinyModel model;
  const Dataset<double> data = support::tiny_data(5, 3);
  TrainStepWorkspace<double> workspace;
  workspace.groups = ParameterGroups(model, frozen, groups);
  Adam<double> adam({.weight_decay = 0.1});
  train_step(model, data.x, data.y, adam, workspace);
  const long before = allocations;
  for (int i = 0; i < 3; ++i) train_step(model, data.x, data.y, adam, workspace);
  const long after = allocations;
  CHECK(after == before);
}
