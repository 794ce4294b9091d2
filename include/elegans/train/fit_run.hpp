// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <elegans/core/config.hpp>
#include <elegans/core/error.hpp>
#include <elegans/train/batch_trainer.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/check_schedule.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/data_source.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fingerprint.hpp>
#include <elegans/train/fit_extras.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/history.hpp>
#include <elegans/train/monitor.hpp>
#include <elegans/train/plateau.hpp>
#include <elegans/train/progress_bar.hpp>
#include <elegans/train/rollback.hpp>
#include <elegans/train/sample_order.hpp>
#include <elegans/train/score_sums.hpp>
#include <elegans/train/training_group.hpp>
#include <elegans/train/training_state.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

// mutate all: train.fit
/// One call of `fit`.
///
/// An epoch is all or nothing. Everything that may fail comes before its checkpoint is written, which is its last act.
/// If anything throws before that, `Rollback` and the recorders go back to where the epoch began.
///
/// The processes of a group each make a run of the same arguments, and come to the same results. The first one alone
/// writes files and draws the progress bar.
template <typename Model, typename Group, typename Source, typename Optimize, typename... Extras>
class FitRun {
 public:
  using Scalar = typename Model::Scalar;

  FitRun(Model& model, Group& group, Source& data, Optimize& optimizer, const FitOptions<Scalar>& options,
         Extras&... extras)
      : model_(model),
        group_(group),
        data_(data),
        optimizer_(optimizer),
        options_(options),
        extras_(group.rank() == 0, extras...),
        order_((check_data(data), check_fit_options(options), data.samples()), options.validation_split),
        trainer_(model, group, data, optimizer, options, extras_),
        held_back_(data),
        plateau_(options.reduce_lr_on_plateau) {
    if constexpr (in_memory) {
      require_weight(data, order_.training(), "fit");
      check_causal(model, options, data.x.time());
    } else {
      check_causal(model, options, (std::numeric_limits<Index>::max)());
    }
    check_stateful(options, static_cast<Index>(order_.training().size()));
    if (options.validation) {
      check_dataset(*options.validation, "fit: validation");
      validation_samples_ = numbers(0, options.validation->samples());
      require_weight(*options.validation, validation_samples_, "fit: validation");
    } else {
      validation_samples_.assign(order_.held_back().begin(), order_.held_back().end());
      if constexpr (in_memory) {
        if (!validation_samples_.empty()) require_weight(data, validation_samples_, "fit: validation");
      }
    }
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      state_.learning_rate = optimizer.learning_rate();
    } else if (options.schedule || options.reduce_lr_on_plateau.patience > 0) {
      refuse("fit: a schedule needs an optimizer with a learning rate to set");
    }
    with_scores(
        [&](const auto&, const auto&... metrics) { monitor_.begin(options.monitor, state_.history, metrics...); });
    reserve_history();
  }

  History<Scalar> run() {
    [[maybe_unused]] const auto watch = group_.watch();
    const Ending ending{*this};
    Rollback<Model, Optimize> rollback(model_, optimizer_);
    resume();
    require_same_parameters();
    while (!stopped_ && state_.epochs < options_.epochs && !out_of_patience()) {
      rollback.save();
      train_epoch();
      if (std::exchange(first_epoch_, false)) rollback.reserve();
      const Epoch<Scalar> epoch = report();
      if (options_.show_progress && group_.rank() == 0 && is_terminal(stderr)) progress_(epoch);
      // Each callback sees each epoch, even after one that stops the training.
      stopped_ = !all_of(group_, extras_.end_epoch(model_, epoch)) || stopped_;
      const bool last = stopped_ || state_.epochs == options_.epochs || out_of_patience();
      if (last) finish_callbacks();
      reset_rate();
      lower_rate();
      require_same_parameters();
      save_checkpoint(last);
      extras_.for_each_recorder([](auto& recorder) { recorder.commit(); });
    }
    finish_callbacks();
    if (stopped_) state_.history.stopped_by = StopReason::callback;
    if (out_of_patience()) state_.history.stopped_by = StopReason::early_stopping;
    if (options_.restore_best_weights && !state_.best_parameters.empty()) set_parameters(state_.best_parameters);
    rollback.release();
    return std::move(state_.history);
  }

 private:
  using Trainer = BatchTrainer<Model, Group, Source, Optimize, Extras...>;
  static constexpr std::size_t score_count = Trainer::score_count;
  static constexpr bool in_memory = SourceReader<Source, Scalar>::in_memory;

  /// \throws InvalidArgument if there are no data
  static void check_data(Source& data) {
    if constexpr (in_memory) {
      check_dataset(data, "fit");
    } else if (data.samples() < 1) {
      refuse("fit: the data source must have at least one sample, got ", data.samples());
    }
  }

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

  void set_rate(std::int64_t step, std::int64_t steps) {
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      optimizer_.set_learning_rate(static_cast<Scalar>(double{state_.learning_rate} * options_.schedule(step, steps)));
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

  /// Lowers the rate where the loss no longer gets better.
  void lower_rate() {
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      const std::size_t last = state_.history.loss.size() - 1;
      const Scalar rate = plateau_.next(state_.learning_rate, monitored(state_.history, last));
      if (rate == state_.learning_rate) return;
      state_.learning_rate = rate;
      optimizer_.set_learning_rate(rate);
    }
  }

  [[nodiscard]] int batch_count() const {
    return detail::batch_count(static_cast<Index>(order_.training().size()), options_.batch_size, options_.drop_last);
  }

  void train_epoch() {
    const int batches = batch_count();
    const bool only = order_.is_one_batch(options_.batch_size);
    if (options_.schedule && !options_.schedule_by_batch) set_rate(state_.epochs, options_.epochs);
    trainer_.begin_epoch();
    if (options_.shuffle && !only) order_.shuffle(options_.seed, state_.epochs);
    BatchEnd<Scalar> batch{.epoch = state_.epochs + 1, .number = 0, .of = batches};
    for_each_batch(order_.training(), options_.batch_size, options_.drop_last, [&](std::span<const Index> samples) {
      if (options_.schedule_by_batch) {
        set_rate(std::int64_t{state_.epochs} * batches + batch.number, std::int64_t{options_.epochs} * batches);
      }
      ++batch.number;
      batch.loss = trainer_.train(samples, batch, only);
      if constexpr (SchedulableOptimizer<Optimize, Scalar>) batch.learning_rate = optimizer_.learning_rate();
      if constexpr (FitExtras<Model, Extras...>::has_batch_callbacks) {
        stopped_ = !all_of(group_, extras_.end_batch(model_, batch)) || stopped_;
      }
    });
    if (trainer_.sums().weight() == 0) {
      fail("fit: no step of epoch ", state_.epochs + 1, " counts: ",
           options_.drop_last ? "drop_last leaves out every sample that does" : "each is masked or has weight 0");
    }
    trainer_.end_epoch();
    ++state_.epochs;
  }

  /// Validates the model, and writes the epoch to the history.
  Epoch<Scalar> report() {
    History<Scalar>& history = state_.history;
    Epoch<Scalar> epoch{state_.epochs, options_.epochs};
    record(trainer_.sums(), history.loss, [](auto& metric) -> auto& { return metric.training; });
    epoch.loss = history.loss.back();
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      epoch.learning_rate = optimizer_.learning_rate();
      history.learning_rate.push_back(*epoch.learning_rate);
    }
    if (!validation_samples_.empty()) {
      validate();
      record(validation_sums_, history.validation_loss, [](auto& metric) -> auto& { return metric.validation; });
      epoch.validation_loss = history.validation_loss.back();
    }
    epoch.metrics = history.metrics;
    const Scalar loss = monitor_.last(history);
    ++state_.epochs_without_progress;
    if (loss < state_.best_loss - static_cast<Scalar>(options_.min_delta)) {
      epoch.is_best = true;
      state_.best_loss = loss;
      state_.epochs_without_progress = 0;
      history.best_epoch = state_.epochs;
      if (options_.restore_best_weights) copy(model_.parameters(), state_.best_parameters);
    }
    return epoch;
  }

  void validate() {
    validation_sums_.clear();
    const EvaluateOptions options{options_.grain > 0 ? options_.grain : options_.batch_size, options_.loss_over};
    const auto score = [&](auto&& reader) {
      with_scores([&](const auto&... scores) {
        score_samples(model_, group_, reader, validation_samples_, options, validation_, "fit: validation",
                      validation_sums_, scores...);
      });
    };
    if (options_.validation) {
      score(SourceReader<const Dataset<Scalar>, Scalar>(*options_.validation));
    } else {
      score(held_back_);
    }
    if (validation_sums_.weight() == 0) fail("fit: validation: no step of epoch ", state_.epochs, " counts");
  }

  /// Appends an epoch's scores to the history. \param values_of  a metric's history -> its values
  template <typename ValuesOf>
  void record(const ScoreSums<Scalar, score_count>& sums, std::vector<Scalar>& losses, ValuesOf values_of) {
    std::size_t row = 0;
    const auto add = [&](Scalar value) {
      (row == 0 ? losses : values_of(state_.history.metrics[row - 1])).push_back(value);
      ++row;
    };
    with_scores([&](const auto&... scores) { sums.for_each_value(add, scores...); });
  }

  // --- the end of a run ---------------------------------------------------------------------------------------------

  void finish_callbacks() {
    if (std::exchange(finished_, true)) return;
    progress_.finish();
    extras_.finish_callbacks();
  }

  /// Ends what the callbacks began, even if `run` throws.
  struct Ending {
    FitRun& run;
    ~Ending() {
      run.extras_.for_each_recorder([](auto& recorder) { recorder.roll_back(); });
#if ELEGANS_EXCEPTIONS
      try {
        run.reset_rate();  // of an optimizer that Rollback cannot copy
        run.finish_callbacks();
        run.extras_.for_each_recorder([](auto& recorder) { recorder.finish(); });
      } catch (...) {  // NOLINT(bugprone-empty-catch): the exception on its way matters more
      }
#endif
    }
  };

  // --- checkpoints --------------------------------------------------------------------------------------------------

  static constexpr bool has_checkpointer = FitExtras<Model, Extras...>::checkpointers > 0;
  static_assert(
      !has_checkpointer || requires(Optimize& o) { o.resume(o.steps(), o.memory()); },
      "elegans::fit: a checkpoint needs an optimizer with steps(), memory() and resume()");

  void resume() {
    if constexpr (has_checkpointer || is_shared<Group>) {
      state_.fingerprint = fingerprint_of(model_, optimizer_, extras_.scores(), extras_.transforms(), options_,
                                          trainer_.groups(), data_);
    }
    require_same_settings(group_, state_.fingerprint, options_.epochs);
    extras_.for_each_checkpointer([&](auto& checkpointer) {
      TrainingState<Scalar> found = state_;  // with as many metrics
      const bool is_there = group_.rank() == 0 && checkpointer.load(found);
      if (is_there) require_same_run(found);
      if (from_root(group_, is_there)) {
        broadcast_state(group_, found);
        resume_from(std::move(found));
      }
    });
  }

  /// \throws InvalidArgument if a checkpoint is of another run
  void require_same_run(const TrainingState<Scalar>& found) const {
    if (const std::string difference = difference_of(found.fingerprint, state_.fingerprint); !difference.empty()) {
      refuse("fit: the checkpoint is of another run: ", difference);
    }
    const auto parameters = static_cast<std::size_t>(model_.parameters().size());
    if (found.parameters.size() != parameters || found.history.metrics.size() != state_.history.metrics.size() ||
        (!found.best_parameters.empty() && found.best_parameters.size() != parameters)) {
      refuse("fit: the checkpoint has ", found.parameters.size(), " parameters, ", found.best_parameters.size(),
             " best parameters and ", found.history.metrics.size(), " metrics, the model has ", parameters, " and ",
             state_.history.metrics.size());
    }
    check_schedule(found, options_, state_.learning_rate, batch_count());
  }

  void resume_from(TrainingState<Scalar> found) {
    Scalar rate = state_.learning_rate;
    for (std::size_t i = 0; i < found.history.learning_rate.size(); ++i) {
      if (!options_.schedule) rate = found.history.learning_rate[i];
      rate = plateau_.next(rate, monitored(found.history, i));
    }
    if (found.epochs_planned != options_.epochs) found.planned_since = found.epochs;
    state_ = std::move(found);
    reserve_history();
    set_parameters(state_.parameters);
    optimizer_.resume(state_.optimizer_steps,
                      {state_.optimizer_memory.data(), static_cast<Index>(state_.optimizer_memory.size())});
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) optimizer_.set_learning_rate(state_.learning_rate);
    extras_.for_each_recorder([&](auto& recorder) { recorder.resume(state_.history); });
  }

  /// The same bits on every process, or they would no longer train one model.
  void require_same_parameters() { require_same(group_, model_.parameters(), state_.epochs); }

  void save_checkpoint([[maybe_unused]] bool last) {
    if constexpr (has_checkpointer) {
      extras_.for_each_checkpointer([&](auto& checkpointer) {
        if (group_.rank() != 0 || !checkpointer.is_due(state_.epochs, last)) return;
        copy(model_.parameters(), state_.parameters);
        copy(optimizer_.memory(), state_.optimizer_memory);
        state_.optimizer_steps = optimizer_.steps();
        state_.epochs_planned = options_.epochs;
        checkpointer.save(state_);
      });
    }
  }

  Model& model_;
  Group& group_;
  Source& data_;
  Optimize& optimizer_;
  const FitOptions<Scalar>& options_;
  FitExtras<Model, Extras...> extras_;
  SampleOrder order_;
  Trainer trainer_;
  std::vector<Index> validation_samples_;
  SourceReader<Source, Scalar> held_back_;
  PlateauWatch plateau_;
  TrainingState<Scalar> state_;
  Monitor<Scalar> monitor_;
  ProgressBar progress_;
  bool first_epoch_ = true;  // of this run
  bool stopped_ = false;     // by a callback
  bool finished_ = false;    // the callbacks know that no epoch follows

  // Allocated by the first epoch, and reused by the others.
  ScoreSums<Scalar, score_count> validation_sums_;
  ScoreWorkspace<Scalar, Model::state_size_at_compile_time> validation_;
};

}  // namespace elegans::detail
