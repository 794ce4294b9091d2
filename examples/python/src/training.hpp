// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <elegans/core/types.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/adamw.hpp>
#include <elegans/train/any_loss.hpp>
#include <elegans/train/any_metric.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/history.hpp>
#include <elegans/train/rmsprop.hpp>
#include <elegans/train/schedule.hpp>
#include <elegans/train/sgd.hpp>

namespace elegans::python {

/// Values of float or double that Python owns, (time, batch, features). The strides count values, not bytes.
struct Strided {
  void* values = nullptr;
  Index time = 0, batch = 0, feature = 0;  ///< distance to the next step, sample, feature
};

/// Sequences and their targets, in the network's scalar. What is null is left out.
struct TrainingData {
  Index time = 0, samples = 0;
  Strided x;  ///< (time, samples, input_dim)
  Strided y;  ///< (y_time, samples, targets)
  Index y_time = 0, targets = 0;
  Strided timespans;                    ///< (time, samples)
  const unsigned char* mask = nullptr;  ///< (time, samples) row-major
  std::vector<double> weights;          ///< of the samples
};

/// A call of `fit`, without the types that its options depend on. The names are those of `FitOptions`.
struct Training {
  TrainingData data;
  std::optional<TrainingData> validation;
  AnyLoss loss = MeanSquaredError{};
  std::vector<AnyMetric> metrics;
  std::variant<AdamOptions, AdamWOptions, RMSpropOptions, SGDOptions> optimizer;
  int epochs = 1;
  Index batch_size = 0;
  bool shuffle = true;
  std::uint64_t seed = 1;
  double validation_split = 0;
  int patience = 0;
  double min_delta = 0;
  bool restore_best_weights = false;
  std::string monitor;
  Schedule schedule;
  double clip_norm = 0, clip_value = 0;  ///< 0 for none
  std::vector<std::string> freeze;
  bool last_step = false;
  Index bptt_steps = 0;
  bool stateful = false;
  bool show_progress = true;
  int workers = 1;  ///< threads that a batch is spread over
  /// May be empty; false stops the training. The epoch's metrics have their last values only.
  std::function<bool(const Epoch<double>&)> on_epoch;
  std::function<void()> on_batch;  ///< throws to stop it at once
};

}  // namespace elegans::python
