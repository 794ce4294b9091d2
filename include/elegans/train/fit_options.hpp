// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/clipping.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/schedule.hpp>

namespace elegans {

/// How `fit` goes about it. Keras' names where it has them.
template <typename Scalar>
struct FitOptions {
  int epochs = 1;          ///< passes over the data, at least 0
  Index batch_size = 0;    ///< samples an update; 0 for all at once
  bool shuffle = true;     ///< samples come in another order each epoch; not if they all come at once
  bool drop_last = false;  ///< leaves out an epoch's last batch if it is smaller than the others
  std::uint64_t seed = 1;  ///< of the order of the samples

  double validation_split = 0;                     ///< share of the samples, from the end, not trained on, in [0, 1)
  std::optional<Dataset<Scalar>> validation = {};  ///< or validation data apart; not both

  int patience = 0;                   ///< stops after so many epochs without a better loss; 0 for never
  double min_delta = 0;               ///< the least improvement that counts as one, at least 0
  bool restore_best_weights = false;  ///< ends with the weights after the epoch with the best loss: validation loss, if
                                      ///< there is one

  Schedule schedule = {};  ///< what the learning rate is multiplied by in each epoch; none by default
  Clipping clip = {};      ///< of the gradient, before the optimizer sees it; none by default
  LossOver loss_over = LossOver::every_step;

  Index bptt_steps = 0;   ///< truncated BPTT: an update every so many steps, the state carried over; 0 for all steps
  bool stateful = false;  ///< sample b of a batch goes on where sample b of the batch before it ended, in each epoch

  bool show_progress = true;  ///< a progress bar on standard error, where that is a terminal; else nothing
};

namespace detail {

template <typename Scalar>
void check(const FitOptions<Scalar>& options) {
  if (options.epochs < 0) refuse("fit: epochs must be at least 0, got ", options.epochs);
  if (options.batch_size < 0) refuse("fit: batch_size must be at least 1, or 0 for all, got ", options.batch_size);
  if (!(options.validation_split >= 0 && options.validation_split < 1)) {
    refuse("fit: validation_split must be in [0, 1), got ", options.validation_split);
  }
  if (options.validation && options.validation_split > 0) {
    refuse("fit: give either validation or validation_split, not both");
  }
  if (options.patience < 0) refuse("fit: patience must be at least 0, got ", options.patience);
  if (!(options.min_delta >= 0)) refuse("fit: min_delta must be at least 0, got ", options.min_delta);
  if (options.bptt_steps < 0) refuse("fit: bptt_steps must be at least 1, or 0 for all, got ", options.bptt_steps);
  check(options.clip);
}

/// \param samples  to train on
template <typename Scalar>
void check_stateful(const FitOptions<Scalar>& options, Index samples) {
  if (!options.stateful) return;
  const Index batch = options.batch_size == 0 ? samples : options.batch_size;
  if (options.shuffle && batch < samples) {
    refuse("fit: stateful training needs shuffle = false: a batch goes on where the one before it ended");
  }
  if (samples % batch != 0) {
    refuse("fit: stateful training needs batches of one size, got ", samples, " samples in batches of ", batch);
  }
}

}  // namespace detail
}  // namespace elegans
