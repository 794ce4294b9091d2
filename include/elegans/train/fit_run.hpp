// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <elegans/core/config.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fingerprint.hpp>
#include <elegans/train/fit_extras.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/history.hpp>
#include <elegans/train/not_finite.hpp>
#include <elegans/train/progress_bar.hpp>
#include <elegans/train/rollback.hpp>
#include <elegans/train/sample_order.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/train/training_state.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

// mutate all: train.fit
/// One call of `fit`.
///
/// An epoch is all or nothing. Everything that may fail comes before its checkpoint is written, which is its last act.
/// If anything throws before that, `Rollback` and the recorders go back to where the epoch began.
template <typename Model, typename Optimize, typename... Extras>
class FitRun {
 public:
  using Scalar = typename Model::Scalar;

  FitRun(Model& model, const Dataset<Scalar>& data, Optimize& optimizer, const FitOptions<Scalar>& options,
         Extras&... extras)
      : model_(model),
        data_(data),
        optimizer_(optimizer),
        options_(options),
        extras_(extras...),
        order_((check_dataset(data, "fit"), check_fit_options(options), data.samples()), options.validation_split) {
    require_weight(data, order_.training(), "fit");
    check_stateful(options, static_cast<Index>(order_.training().size()));
    check_causal(model, options, data.x.time());
    if (options.validation) {
      check_dataset(*options.validation, "fit: validation");
      validation_samples_ = numbers(0, options.validation->samples());
    } else {
      validation_samples_.assign(order_.held_back().begin(), order_.held_back().end());
    }
    if (!validation_samples_.empty()) require_weight(validation_data(), validation_samples_, "fit: validation");
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      state_.learning_rate = optimizer.learning_rate();
    } else if (options.schedule) {
      refuse("fit: a schedule needs an optimizer with a learning rate to set");
    }
    with_scores([&](const auto&, const auto&... metrics) {
      (state_.history.metrics.push_back({name_of_score(metrics), {}, {}}), ...);
    });
    reserve_history();
  }

  History<Scalar> run() {
    const Ending ending{*this};
    Rollback<Model, Optimize> rollback(model_, optimizer_);
    resume();
    while (!stopped_ && state_.epochs < options_.epochs && !out_of_patience()) {
      rollback.save();
      train_epoch();
      if (std::exchange(first_epoch_, false)) rollback.reserve();
      const Epoch<Scalar> epoch = report();
      if (options_.show_progress && is_terminal(stderr)) progress_(epoch);
      // Each callback sees each epoch, even after one that stops the training.
      extras_.for_each_callback([&](auto& callback) { stopped_ = !wants_more(callback, epoch) || stopped_; });
      const bool last = stopped_ || state_.epochs == options_.epochs || out_of_patience();
      if (last) finish_callbacks();
      reset_rate();
      save_checkpoint(last);
      for_each_recorder([](auto& recorder) { recorder.commit(); });
    }
    finish_callbacks();
    if (stopped_) state_.history.stopped_by = StopReason::callback;
    if (out_of_patience()) state_.history.stopped_by = StopReason::early_stopping;
    if (options_.restore_best_weights && !state_.best_parameters.empty()) set_parameters(state_.best_parameters);
    rollback.release();
    return std::move(state_.history);
  }

 private:
  using Scores = decltype(std::declval<FitExtras<Scalar, Extras...>&>().scores());
  static constexpr std::size_t score_count = std::tuple_size_v<Scores>;

  /// Calls body(scores...), the loss first.
  template <typename Body>
  decltype(auto) with_scores(Body body) {
    return std::apply(body, extras_.scores());
  }

  static void copy(ConstVectorView<Scalar> from, std::vector<Scalar>& to) {
    to.assign(from.data(), from.data() + from.size());
  }
  void set_parameters(const std::vector<Scalar>& values) {
    model_.update([&](VectorView<Scalar> all) {
      all = ConstVectorView<Scalar>(values.data(), static_cast<Index>(values.size()));
    });
  }

  [[nodiscard]] const Dataset<Scalar>& validation_data() const {
    return options_.validation ? *options_.validation : data_;
  }

  /// Reserves memory, so that an epoch allocates none. A run that a callback stops may ask for any number of epochs.
  void reserve_history() {
    const auto epochs = static_cast<std::size_t>((std::min)(options_.epochs, 1 << 16));
    History<Scalar>& history = state_.history;
    for (auto* values : {&history.loss, &history.validation_loss, &history.learning_rate}) values->reserve(epochs);
    for (auto& metric : history.metrics) {
      for (auto* values : {&metric.training, &metric.validation}) values->reserve(epochs);
    }
  }

  [[nodiscard]] bool out_of_patience() const {
    return options_.patience > 0 && state_.epochs_without_progress >= options_.patience;
  }

  // --- one epoch ----------------------------------------------------------------------------------------------------

  void set_rate() {
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      if (!options_.schedule) return;
      const double factor = options_.schedule(state_.epochs, options_.epochs);
      optimizer_.set_learning_rate(static_cast<Scalar>(double{state_.learning_rate} * factor));
    }
  }
  /// Takes the schedule's factor back. Without a schedule, the rate belongs to the user, whose callbacks may change it.
  void reset_rate() {
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      if (options_.schedule) {
        optimizer_.set_learning_rate(state_.learning_rate);
      } else {
        state_.learning_rate = optimizer_.learning_rate();
      }
    }
  }

  [[nodiscard]] bool one_batch() const {
    return options_.batch_size == 0 || options_.batch_size >= static_cast<Index>(order_.training().size());
  }

  void train_epoch() {
    set_rate();
    sums_ = {};
    if (options_.shuffle && !one_batch()) order_.shuffle(options_.seed, state_.epochs);
    if constexpr (requires { model_.begin_epoch(state_.epochs); }) model_.begin_epoch(state_.epochs);
    const Index time = data_.x.time();
    const Index steps = options_.bptt_steps == 0 ? time : (std::min)(options_.bptt_steps, time);
    const bool always_the_same = one_batch() && steps == time;
    int number = 0;
    for_each_batch(order_.training(), options_.batch_size, options_.drop_last, [&](std::span<const Index> samples) {
      if (!options_.stateful || number == 0) start_from_zero(static_cast<Index>(samples.size()));
      ++number;
      for (Index first = 0; first < time; first += steps) {
        if (!always_the_same || !gathered_) {
          batch_.gather(data_, samples, first, (std::min)(steps, time - first), options_.loss_over);
        }
        update({"fit", first, samples}, number);
        gathered_ = true;
        if (first + steps < time || options_.stateful) batch_.context.initial_state = model_.final_state();
      }
    });
    if (sums_.weight() == 0) {
      fail("fit: no step of epoch ", state_.epochs + 1, " counts: drop_last leaves out every sample that does");
    }
    ++state_.epochs;
  }

  /// Zeros stand for no initial state, as its memory can then be reused.
  void start_from_zero(Index batch) {
    auto& state = batch_.context.initial_state;
    if (!state) return;
    state->resize(batch);
    state->set_zero();
  }

  /// One update from the gathered batch.
  void update(const BatchOrigin& origin, int number) {
    const auto where = [&] {
      return concatenate(" in epoch ", state_.epochs + 1, " of ", options_.epochs, ", batch ", number, ": ");
    };
    constexpr const char* state_now = "; the model and the optimizer are as they were before that epoch";
    const Sequence<Scalar>& prediction = model_.forward(batch_.x, batch_.context);
    // Later epochs have the same targets. This message, unlike that of `weighted_loss`, can name the sample in the
    // data.
    if (first_epoch_) {
      with_scores(
          [&](const auto&... scores) { (check_targets(scores, prediction, batch_.y, batch_.weights, origin), ...); });
    }
    const WeightedMean<Scalar> loss =
        weighted_loss(extras_.loss(), prediction, batch_.y, batch_.weights, workspace_.d_prediction);
    if (!is_finite(loss.mean)) {
      fail("fit: the loss became ", loss.mean, where(), why_not_finite(batch_, prediction, origin), state_now);
    }
    with_scores([&](const auto&, const auto&... metrics) {
      std::size_t k = 0;
      sums_.add(k++, loss.mean, loss.weight);
      (sums_.add(k++, weighted_score(metrics, prediction, batch_.y, batch_.weights, scratch_), loss.weight), ...);
    });
    sums_.add_weight(loss.weight);
    std::apply(
        [&](auto&... transforms) {
          descend(model_, optimizer_, loss.weight, workspace_, transforms..., options_.clip);
        },
        extras_.transforms());
    if (!all_finite(model_.parameters())) {
      fail("fit: the optimizer's step failed", where(), first_not_finite(model_), state_now);
    }
  }

  /// Validates the model, and writes the epoch to the history.
  Epoch<Scalar> report() {
    History<Scalar>& history = state_.history;
    Epoch<Scalar> epoch{state_.epochs, options_.epochs, sums_.mean(0)};
    history.loss.push_back(epoch.loss);
    for (std::size_t k = 1; k < score_count; ++k) history.metrics[k - 1].training.push_back(sums_.mean(k));
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      epoch.learning_rate = optimizer_.learning_rate();
      history.learning_rate.push_back(*epoch.learning_rate);
    }
    if (!validation_samples_.empty()) {
      const auto scores = with_scores([&](const auto&... all) {
        return score_samples(model_, validation_data(), validation_samples_, {options_.batch_size, options_.loss_over},
                             validation_batch_, scratch_, "fit: validation", all...);
      });
      epoch.validation_loss = scores[0];
      history.validation_loss.push_back(scores[0]);
      for (std::size_t k = 1; k < score_count; ++k) history.metrics[k - 1].validation.push_back(scores[k]);
    }
    epoch.metrics = history.metrics;

    const Scalar monitored = epoch.validation_loss.value_or(epoch.loss);
    ++state_.epochs_without_progress;
    if (monitored < state_.best_loss - static_cast<Scalar>(options_.min_delta)) {
      state_.best_loss = monitored;
      state_.epochs_without_progress = 0;
      history.best_epoch = state_.epochs;
      if (options_.restore_best_weights) copy(model_.parameters(), state_.best_parameters);
    }
    return epoch;
  }

  // --- the end of a run ---------------------------------------------------------------------------------------------

  template <typename Visit>
  void for_each_recorder(Visit visit) {
    extras_.for_each_callback([&](auto& callback) {
      if constexpr (Recorder<std::remove_reference_t<decltype(callback)>, Scalar>) visit(callback);
    });
  }

  void finish_callbacks() {
    if (std::exchange(finished_, true)) return;
    progress_.finish();
    extras_.for_each_callback([](auto& callback) {
      if constexpr (requires { callback.finish(); }) callback.finish();
    });
  }

  /// Ends what the callbacks began, even if `run` throws.
  struct Ending {
    FitRun& run;
    ~Ending() {
      run.for_each_recorder([](auto& recorder) { recorder.roll_back(); });
#if ELEGANS_EXCEPTIONS
      try {
        run.reset_rate();  // of an optimizer that Rollback cannot copy
        run.finish_callbacks();
        run.for_each_recorder([](auto& recorder) { recorder.finish(); });
      } catch (...) {  // NOLINT(bugprone-empty-catch): the exception on its way matters more
      }
#endif
    }
  };

  // --- checkpoints --------------------------------------------------------------------------------------------------

  static constexpr bool has_checkpointer = FitExtras<Scalar, Extras...>::checkpointers > 0;
  static_assert(
      !has_checkpointer || requires(Optimize& o) { o.resume(o.steps(), o.memory()); },
      "elegans::fit: a checkpoint needs an optimizer with steps(), memory() and resume()");

  void resume() {
    if constexpr (has_checkpointer) {
      state_.fingerprint = fingerprint_of(model_, optimizer_, extras_.scores(), extras_.transforms(), options_, data_);
      extras_.for_each_checkpointer([&](auto& checkpointer) {
        TrainingState<Scalar> found;
        if (checkpointer.load(found)) resume_from(std::move(found));
      });
    }
  }

  void resume_from(TrainingState<Scalar> found) {
    if (const std::string difference = difference_of(found.fingerprint, state_.fingerprint); !difference.empty()) {
      refuse("fit: the checkpoint is of another run: ", difference);
    }
    const auto parameters = static_cast<std::size_t>(model_.parameters().size());
    if (found.parameters.size() != parameters || found.history.metrics.size() + 1 != score_count ||
        (!found.best_parameters.empty() && found.best_parameters.size() != parameters)) {
      refuse("fit: the checkpoint has ", found.parameters.size(), " parameters, ", found.best_parameters.size(),
             " best parameters and ", found.history.metrics.size(), " metrics, the model has ", parameters, " and ",
             score_count - 1);
    }
    check_schedule(found, options_);
    if (found.epochs_planned != options_.epochs) found.planned_since = found.epochs;
    state_ = std::move(found);
    reserve_history();
    set_parameters(state_.parameters);
    optimizer_.resume(state_.optimizer_steps,
                      {state_.optimizer_memory.data(), static_cast<Index>(state_.optimizer_memory.size())});
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) optimizer_.set_learning_rate(state_.learning_rate);
    for_each_recorder([&](auto& recorder) { recorder.resume(state_.history); });
  }

  void save_checkpoint([[maybe_unused]] bool last) {
    if constexpr (has_checkpointer) {
      extras_.for_each_checkpointer([&](auto& checkpointer) {
        if (!checkpointer.is_due(state_.epochs, last)) return;
        copy(model_.parameters(), state_.parameters);
        copy(optimizer_.memory(), state_.optimizer_memory);
        state_.optimizer_steps = optimizer_.steps();
        state_.epochs_planned = options_.epochs;
        checkpointer.save(state_);
      });
    }
  }

  Model& model_;
  const Dataset<Scalar>& data_;
  Optimize& optimizer_;
  const FitOptions<Scalar>& options_;
  FitExtras<Scalar, Extras...> extras_;
  SampleOrder order_;
  std::vector<Index> validation_samples_;
  TrainingState<Scalar> state_;
  ProgressBar progress_;
  bool first_epoch_ = true;  // of this run
  bool stopped_ = false;     // by a callback
  bool finished_ = false;    // the callbacks know that no epoch follows

  // Allocated by the first epoch, and reused by the others.
  ScoreSums<Scalar, score_count> sums_;
  Batch<Scalar, Model::state_size_at_compile_time> batch_, validation_batch_;
  bool gathered_ = false;
  TrainStepWorkspace<Scalar> workspace_;
  Sequence<Scalar> scratch_;
};

}  // namespace elegans::detail
