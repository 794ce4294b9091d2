// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/parameter_groups.hpp>
#include <elegans/train/plateau.hpp>
#include <elegans/train/schedule.hpp>

namespace elegans {

/// How `fit` trains. The names are Keras' where Keras has one.
template <typename Scalar>
struct FitOptions {
  int epochs = 1;          ///< passes over the data, at least 0
  Index batch_size = 0;    ///< samples per update; 0 for all at once
  Index grain = 0;         ///< gradient accumulation: computes a batch's gradient from so many samples at a time, and
                           ///< adds these up; 0 for the whole batch at once
  bool shuffle = true;     ///< visits the samples in another order each epoch, unless they make a single batch
  bool drop_last = false;  ///< leaves out an epoch's last batch if it is smaller than the others
  std::uint64_t seed = 1;  ///< of the order of the samples

  double validation_split = 0;  ///< share of the samples, from the end, held back to validate, [0, 1)
  std::optional<Dataset<Scalar>> validation = {};  ///< validation data of its own; not with validation_split

  int patience = 0;                   ///< stops after so many epochs without a better value; 0 for never
  double min_delta = 0;               ///< the least improvement that counts as better, at least 0
  bool restore_best_weights = false;  ///< ends with the weights of the best epoch
  /// Says which epoch is best, for patience and best weights: the name of a metric, whose largest value is best, or of
  /// a further loss, whose smallest is. "" for the loss. The value is that on the validation data, if there are any.
  std::string monitor = {};

  Schedule schedule = {};                       ///< factor of the learning rate in each epoch; none by default
  bool schedule_by_batch = false;               ///< asks the schedule before each batch, in batches instead of epochs
  ReduceLROnPlateau reduce_lr_on_plateau = {};  ///< lowers the learning rate; off by default
  Clip clip = {};                               ///< applied to the gradient after all other transforms; off by default

  std::vector<std::string> freeze = {};     ///< tensors that keep their values: names, or patterns as "0.*"
  std::vector<ParameterGroup> groups = {};  ///< tensors with a learning rate, weight decay or clipping of their own

  LossOver loss_over = LossOver::every_step;

  Index bptt_steps = 0;   ///< truncated BPTT: updates every so many steps and carries the state over; 0 for all steps
  bool stateful = false;  ///< starts sample b of a batch where sample b of the epoch's batch before it ended

  bool show_progress = true;  ///< draws a progress bar on standard error if that is a terminal
};

namespace detail {

template <typename Scalar>
void check_fit_options(const FitOptions<Scalar>& options) {
  if (options.epochs < 0) refuse("fit: epochs must be at least 0, got ", options.epochs);
  if (options.batch_size < 0) refuse("fit: batch_size must be at least 1, or 0 for all, got ", options.batch_size);
  if (options.grain < 0) refuse("fit: grain must be at least 1, or 0 for the whole batch, got ", options.grain);
  if (options.schedule_by_batch && !options.schedule) refuse("fit: schedule_by_batch needs a schedule");
  if (is_nan(options.validation_split) || options.validation_split < 0 || options.validation_split >= 1) {
    refuse("fit: validation_split must be in [0, 1), got ", options.validation_split);
  }
  if (options.validation && options.validation_split > 0) {
    refuse("fit: give either validation or validation_split, not both");
  }
  if (options.patience < 0) refuse("fit: patience must be at least 0, got ", options.patience);
  if (is_nan(options.min_delta) || options.min_delta < 0) {
    refuse("fit: min_delta must be at least 0, got ", options.min_delta);
  }
  if (options.bptt_steps < 0) refuse("fit: bptt_steps must be at least 1, or 0 for all, got ", options.bptt_steps);
  options.clip.require_positive();
  options.reduce_lr_on_plateau.require_valid();
}

/// \param samples  number of samples to train on
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

/// Names the layer that reads later steps: "bidirectional (Bidirectional)"; "" if there is none.
template <typename Model>
[[nodiscard]] std::string name_of_acausal([[maybe_unused]] const Model& model) {
  if constexpr (requires { model.acausal_layer(); }) {
    return model.acausal_layer();
  } else if constexpr (requires { requires !Model::is_causal; }) {
    if constexpr (requires { model.summary_rows(); }) {
      if (const auto rows = model.summary_rows(); !rows.empty()) return rows.front().layer;
    }
    return "the model";
  } else {
    return "";
  }
}

/// \throws InvalidArgument if the options cut sequences into pieces and the model is not causal: the state that a
///         piece begins with would then depend on later steps
template <typename Model, typename Scalar>
void check_causal(const Model& model, const FitOptions<Scalar>& options, Index time) {
  const bool truncates = options.bptt_steps > 0 && options.bptt_steps < time;
  if (!truncates && !options.stateful) return;
  const std::string name = name_of_acausal(model);
  if (name.empty()) return;
  const std::string option = truncates ? concatenate("bptt_steps = ", options.bptt_steps) : "stateful = true";
  refuse("fit: ", option, " needs layers that read no later steps, got ", name);
}

}  // namespace detail
}  // namespace elegans
