// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include <elegans/core/error.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/plateau.hpp>
#include <elegans/train/schedule.hpp>
#include <elegans/train/training_state.hpp>

namespace elegans::detail {

// mutate all: checkpoint.schedule
/// Compares the schedule with the rates of the epochs so far, as a function cannot be stored. With another number of
/// epochs, a schedule may well give other rates, so it is asked for those of the number that these epochs had.
///
/// \param rate     the optimizer's learning rate before the first epoch
/// \param batches  batches per epoch
/// \throws InvalidArgument if a rate differs
template <typename Scalar>
void check_schedule(const TrainingState<Scalar>& found, const FitOptions<Scalar>& options, Scalar rate,
                    std::int64_t batches) {
  Schedule schedule = options.schedule;  // a copy, as a schedule may count its calls
  PlateauWatch plateau(options.reduce_lr_on_plateau);
  const std::int64_t epochs = found.epochs_planned;
  for (std::size_t i = 0; schedule && i < found.history.learning_rate.size(); ++i) {
    const auto epoch = static_cast<std::int64_t>(i);
    const double then = double{found.history.learning_rate[i]};
    const double factor =
        options.schedule_by_batch ? schedule((epoch + 1) * batches - 1, epochs * batches) : schedule(epoch, epochs);
    const double now = double{rate} * factor;
    rate = plateau.next(rate, monitored(found.history, i));
    if (epoch < found.planned_since || (std::abs)(now - then) <= 1e-6 * (std::abs)(then)) continue;
    refuse("fit: the checkpoint is of another run: the schedule's rate in epoch ", i + 1, " was ", then, ", is ", now);
  }
}

}  // namespace elegans::detail
