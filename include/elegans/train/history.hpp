// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace elegans {

/// Why `fit` came back.
enum class StopReason {
  all_epochs,     ///< there were no more to do
  callback,       ///< a callback returned false
  early_stopping  ///< the loss did not get better for `patience` epochs
};

/// "all epochs", "callback" or "early stopping".
[[nodiscard]] constexpr const char* name_of(StopReason reason) noexcept {
  return reason == StopReason::callback         ? "callback"
         : reason == StopReason::early_stopping ? "early stopping"
                                                : "all epochs";
}

/// A metric, epoch by epoch.
template <typename Scalar>
struct MetricHistory {
  std::string name;
  std::vector<Scalar> training;    ///< while the weights changed
  std::vector<Scalar> validation;  ///< after it; empty without validation data
};

/// What `fit` saw, epoch by epoch.
template <typename Scalar>
struct History {
  std::vector<Scalar> loss;             ///< mean over the epoch's batches, each before its update
  std::vector<Scalar> validation_loss;  ///< after the epoch; empty without validation data
  std::vector<Scalar> learning_rate;    ///< that the epoch was trained with; empty if the optimizer has none
  std::vector<MetricHistory<Scalar>> metrics;
  int best_epoch = 0;  ///< with the smallest validation loss, or loss without validation data; from 1 on, 0 for none
  StopReason stopped_by = StopReason::all_epochs;
};

}  // namespace elegans
