// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <elegans/train/history.hpp>
#include <elegans/train/training_group.hpp>

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

namespace detail {

/// Calls visit(name, vector) for every vector of a training's state. A metric goes by its number, as two metrics may
/// have one name.
template <typename State, typename Visit>
void for_each_vector(State& state, Visit visit) {
  visit("parameters", state.parameters);
  visit("best_parameters", state.best_parameters);
  visit("optimizer_memory", state.optimizer_memory);
  visit("history.loss", state.history.loss);
  visit("history.validation_loss", state.history.validation_loss);
  visit("history.learning_rate", state.history.learning_rate);
  for (std::size_t k = 0; k < state.history.metrics.size(); ++k) {
    visit("history.metrics." + std::to_string(k) + ".training", state.history.metrics[k].training);
    visit("history.metrics." + std::to_string(k) + ".validation", state.history.metrics[k].validation);
  }
}

/// Writes the state of process 0 in all processes, which have as many metrics. It leaves out the fingerprint, which
/// they have already.
template <typename Group, typename Scalar>
void broadcast_state(Group& group, TrainingState<Scalar>& state) {
  for_each_vector(state, [&](const std::string&, std::vector<Scalar>& values) { broadcast_vector(group, values); });
  for (int* const number : {&state.epochs, &state.epochs_planned, &state.planned_since, &state.history.best_epoch,
                            &state.epochs_without_progress}) {
    group.broadcast(number, 1);
  }
  group.broadcast(&state.optimizer_steps, 1);
  for (Scalar* const number : {&state.learning_rate, &state.best_loss}) group.broadcast(number, 1);
}

}  // namespace detail

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
