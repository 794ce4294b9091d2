// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss_choice.hpp>
#include <elegans/train/r2_score.hpp>
#include <elegans/train/rmsprop.hpp>
#include <elegans/train/sgd.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/tiny_model.hpp"

namespace support {

/// All numbers that a training ends with.
using Outcome = std::vector<double>;

template <typename Scalar>
Outcome outcome_of(elegans::ConstVectorView<Scalar> parameters, const elegans::History<Scalar>& history) {
  Outcome all(parameters.data(), parameters.data() + parameters.size());
  const auto append = [&](const std::vector<Scalar>& values) { all.insert(all.end(), values.begin(), values.end()); };
  append(history.loss);
  append(history.validation_loss);
  append(history.learning_rate);
  for (const auto& metric : history.metrics) {
    append(metric.training);
    append(metric.validation);
  }
  all.push_back(history.best_epoch);
  return all;
}

/// Data with everything that a data set can have.
inline elegans::Dataset<double> uneven_data() {
  elegans::Dataset<double> data = tiny_data(7, 23);
  std::vector<elegans::Index> lengths;
  for (elegans::Index sample = 0; sample < 23; ++sample) {
    lengths.push_back((5 * sample) % 8);
    data.weights.push_back(std::vector<double>{1, 0.3, 0, 2.7}[static_cast<std::size_t>(sample) % 4]);
  }
  data.mask = elegans::Mask::of_lengths(lengths, 7);
  Eigen::ArrayXd steps = Eigen::ArrayXd::LinSpaced(7, 0.1, 1.3);
  data.step_weights = elegans::StepWeights<double>(steps);
  return data;
}

/// A data source that counts what is read.
struct CountingSource {
  elegans::Dataset<double> data;
  elegans::Index reads = 0;

  [[nodiscard]] elegans::Index samples() const { return data.samples(); }
  void read(std::span<const elegans::Index> numbers, elegans::Dataset<double>& part) {
    reads += static_cast<elegans::Index>(numbers.size());
    data.read(numbers, part);
  }
  template <typename Add>
  void fingerprint(Add add) const {
    add("kind", "counting");
  }
};

/// Trains in many ways. Each must end with the same bits however many processes share it.
///
/// \param share  share(model): what to give to `fit` instead of the model
/// \param visit  visit(name, outcome)
template <typename Share, typename Visit>
void for_each_shared_training(Share share, Visit visit) {
  using namespace elegans;
  const auto train_tiny = [&](const char* name, const Dataset<double>& data, FitOptions<double> options) {
    TinyModel model;
    options.epochs = 4;
    auto&& shared = share(model);
    const auto history = fit(shared, data, Adam<double>({.learning_rate = 0.02}), options, MeanAbsoluteError{}, R2{},
                             loss(MeanSquaredError{}));
    visit(name, outcome_of(model.parameters(), history));
  };
  const Dataset<double> even = tiny_data(6, 24), uneven = uneven_data();
  train_tiny("batches", even, {.batch_size = 7, .grain = 2, .seed = 5});
  train_tiny("one batch", even, {.grain = 5});
  train_tiny("one grain", even, {.batch_size = 8, .grain = 100});
  train_tiny("fewer grains than processes", even, {.batch_size = 3, .grain = 2});
  train_tiny("masks and weights", uneven, {.batch_size = 9, .grain = 2});
  train_tiny("the last step", uneven, {.batch_size = 9, .grain = 2, .loss_over = LossOver::last_step});
  train_tiny("truncated", uneven, {.batch_size = 10, .grain = 3, .bptt_steps = 3});
  train_tiny("stateful", even, {.batch_size = 8, .grain = 3, .shuffle = false, .bptt_steps = 4, .stateful = true});
  train_tiny("clipped and frozen", even,
             {.batch_size = 10,
              .grain = 2,
              .clip = {.global_norm = 0.1},
              .freeze = {"0.a"},
              .groups = {{.parameters = {"1.*"}, .learning_rate_factor = 2}}});
  train_tiny("validated", uneven,
             {.batch_size = 6,
              .grain = 2,
              .validation_split = 0.3,
              .patience = 2,
              .restore_best_weights = true,
              .reduce_lr_on_plateau = {.patience = 1}});
  train_tiny("validated by other data", uneven, {.batch_size = 6, .grain = 2, .validation = tiny_data(5, 9)});

  {
    TinyModel model;
    auto&& shared = share(model);
    CountingSource source{uneven};
    const auto history = fit(shared, source, SGD<double>({.learning_rate = 0.05, .momentum = 0.9}),
                             {.epochs = 3, .batch_size = 8, .grain = 2, .validation_split = 0.2});
    visit("a data source", outcome_of(model.parameters(), history));
  }
  {
    Sequential model(Dense<double>(6, 1), Dropout<double>(6, {.share = 0.4}),
                     CfC<double>(4, 6, {.backbone_units = 8, .backbone_layers = 2, .backbone_dropout = 0.3}),
                     Dense<double>(1, 4));
    auto&& shared = share(model);
    const auto history = fit(shared, even, RMSprop<double>({.learning_rate = 0.01}),
                             {.epochs = 3, .batch_size = 9, .grain = 2, .bptt_steps = 4});
    visit("dropout", outcome_of(model.parameters(), history));
  }
  {
    LTC<float> model(AutoNCP(8, 1), 1, {.seed = 2});
    Sequence<float> x(6, 24, 1), y(6, 24, 1);
    x.values() = even.x.values().cast<float>();
    y.values() = even.y.values().cast<float>();
    auto&& shared = share(model);
    const auto history = fit(shared, x, y, Adam<float>({.learning_rate = 0.02f}),
                             {.epochs = 3, .batch_size = 11, .grain = 4, .validation_split = 0.2});
    visit("LTC", outcome_of(model.parameters(), history));
  }
}

/// The same bits in all places.
inline bool same_bits(const Outcome& a, const Outcome& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  }
  return true;
}

}  // namespace support
