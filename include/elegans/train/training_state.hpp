// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <vector>

#include <elegans/train/history.hpp>

namespace elegans {

/// All that a training run remembers between two epochs: with it, a run goes on as if it had never stopped. The order
/// of samples and what dropout drops need not be in it, as both follow from the seed and the epoch's number.
template <typename Scalar>
struct TrainingState {
  int epochs = 0;  ///< done
  std::vector<Scalar> parameters;
  std::vector<Scalar> optimizer_memory;
  std::int64_t optimizer_steps = 0;
  Scalar learning_rate = Scalar(0);  ///< before the schedule
  std::vector<Scalar> best_parameters;
  Scalar best_loss = std::numeric_limits<Scalar>::infinity();
  int epochs_without_progress = 0;
  History<Scalar> history;
};

/// What keeps a training run's state for a later one: `fit` asks it for a state before the first epoch, and offers it
/// the state after each.
///
/// - `load(state)`: true if there was one, which is then in `state`
/// - `is_due(epoch, last)`: whether to save after that epoch
/// - `save(state)`
template <typename C, typename Scalar>
concept Checkpointer = requires(C& keeper, TrainingState<Scalar>& state) {
  { keeper.load(state) } -> std::convertible_to<bool>;
  { keeper.is_due(1, true) } -> std::convertible_to<bool>;
  keeper.save(state);
};

}  // namespace elegans
