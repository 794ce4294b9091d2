// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <elegans/train/history.hpp>

namespace elegans {

/// A property of a training run that its result depends on, in words: "optimizer beta1" and "0.9".
struct Setting {
  std::string name;
  std::string value;
};

/// Everything that a training run has to know between two epochs, to go on as if it had never stopped.
///
/// The order of the samples and the values that dropout drops are not in it: both follow from the seed and the epoch's
/// number.
template <typename Scalar>
struct TrainingState {
  int epochs = 0;          ///< finished ones
  int epochs_planned = 0;  ///< `FitOptions::epochs`, which schedules depend on
  int planned_since = 0;   ///< finished epochs when that number was given: those had another one
  std::vector<Scalar> parameters;
  std::vector<Scalar> optimizer_memory;
  std::int64_t optimizer_steps = 0;
  Scalar learning_rate = Scalar(0);  ///< before the schedule's factor
  std::vector<Scalar> best_parameters;
  Scalar best_loss = std::numeric_limits<Scalar>::infinity();
  int epochs_without_progress = 0;
  History<Scalar> history;
  std::vector<Setting> fingerprint;  ///< of model, optimizer, data and options; a run only goes on with the same
};

/// Stores a training run's state for a later run. `fit` asks it for a state before the first epoch, and offers it the
/// state after each epoch.
///
/// - `load(state)`: true if there was a state, which it then wrote to `state`
/// - `is_due(epoch, last)`: whether to save after this epoch
/// - `save(state)`: stores the state; if it throws, it must still hold the state before
///
/// `Checkpoint` satisfies it.
template <typename C, typename Scalar>
concept Checkpointer = requires(C& checkpointer, TrainingState<Scalar>& state) {
  { checkpointer.load(state) } -> std::convertible_to<bool>;
  { checkpointer.is_due(1, true) } -> std::convertible_to<bool>;
  checkpointer.save(state);
};

}  // namespace elegans
