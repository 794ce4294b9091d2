// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace elegans {

/// Why `fit` returned.
enum class StopReason {
  all_epochs,     ///< it finished the epochs that the options ask for
  callback,       ///< a callback returned false
  early_stopping  ///< the loss did not get better for `patience` epochs
};

/// "all epochs", "callback" or "early stopping".
[[nodiscard]] constexpr const char* name_of(StopReason reason) noexcept {
  return reason == StopReason::callback         ? "callback"
         : reason == StopReason::early_stopping ? "early stopping"
                                                : "all epochs";
}

/// A metric's values, one per epoch.
template <typename Scalar>
struct MetricHistory {
  std::string name;
  std::vector<Scalar> training;    ///< mean over the epoch's batches, each before its update
  std::vector<Scalar> validation;  ///< after the epoch; empty without validation data
};

/// The course of a training, one value per epoch.
template <typename Scalar>
struct History {
  std::vector<Scalar> loss;             ///< mean over the epoch's batches, each before its update
  std::vector<Scalar> validation_loss;  ///< after the epoch; empty without validation data
  std::vector<Scalar> learning_rate;    ///< of the epoch; empty if the optimizer has none
  std::vector<MetricHistory<Scalar>> metrics;
  /// From 1 on: the smallest validation loss, or loss if there is no validation data, or what `FitOptions::monitor`
  /// says; 0 for none.
  int best_epoch = 0;
  StopReason stopped_by = StopReason::all_epochs;
};

}  // namespace elegans
