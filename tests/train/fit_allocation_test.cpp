// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <functional>
#include <vector>

#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

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
  data.mask = Mask::of_lengths(std::vector<Index>{7, 7, 3, 7, 7}, 7);
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
