// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/history.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/not_finite.hpp>
#include <elegans/train/progress_bar.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/train/training_state.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

/// A loss without which `fit` would have none.
inline constexpr MeanSquaredError default_loss{};

/// Sorts what `fit` was given besides: the first loss is trained on, other scores are reported, the rest is called.
template <typename Scalar, typename... Extras>
struct FitExtras {
  template <typename E>
  static constexpr bool is_score = LossFunction<E, Scalar> || Metric<E, Scalar>;
  template <typename E>
  static constexpr bool is_known = is_score<E> || Callback<E, Scalar> || Checkpointer<E, Scalar>;

  static constexpr std::size_t loss_index = [] {
    constexpr std::array<bool, sizeof...(Extras) + 1> is_loss = {LossFunction<Extras, Scalar>..., true};
    return static_cast<std::size_t>(std::find(is_loss.begin(), is_loss.end(), true) - is_loss.begin());
  }();

  explicit FitExtras(Extras&... extras) : all(extras...) {}

  [[nodiscard]] const auto& loss() const noexcept {
    if constexpr (loss_index < sizeof...(Extras)) {
      return std::get<loss_index>(all);
    } else {
      return default_loss;
    }
  }

  /// The loss, then what is reported, as a tuple of references.
  [[nodiscard]] auto scores() const {
    return [this]<std::size_t... K>(std::index_sequence<K...>) {
      return std::tuple_cat(std::tie(loss()), metric<K>()...);
    }(std::index_sequence_for<Extras...>());
  }

  /// visit(extra) for each that is no score.
  template <typename Visit>
  void for_each_other(Visit visit) {
    const auto offer = [&](auto& extra) {
      if constexpr (!is_score<std::remove_cvref_t<decltype(extra)>>) visit(extra);
    };
    std::apply([&](auto&... extras) { (offer(extras), ...); }, all);
  }

  std::tuple<Extras&...> all;

 private:
  template <std::size_t K>
  [[nodiscard]] auto metric() const {
    using E = std::remove_cvref_t<std::tuple_element_t<K, std::tuple<Extras...>>>;
    if constexpr (is_score<E> && K != loss_index) {
      return std::tuple<const E&>(std::get<K>(all));
    } else {
      return std::tuple<>();
    }
  }
};

/// One call of `fit`.
template <typename Model, typename Optimize, typename... Extras>
class FitRun {
 public:
  using Scalar = typename Model::Scalar;
  static_assert((FitExtras<Scalar>::template is_known<std::remove_cv_t<Extras>> && ...),
                "elegans::fit: what follows the options must be losses, metrics, callbacks or checkpoints");

  FitRun(Model& model, const Dataset<Scalar>& data, Optimize& optimizer, const FitOptions<Scalar>& options,
         Extras&... extras)
      : model_(model), data_(data), optimizer_(optimizer), options_(options), extras_(extras...) {
    check(data, "fit");
    check(options);
    if (options.validation) check(*options.validation, "fit: validation");
    // As Keras splits: the last of the samples, before any shuffling.
    const Index samples = data.samples();
    const auto held_back =
        samples - static_cast<Index>(std::floor(static_cast<double>(samples) * (1 - options.validation_split)));
    if (held_back == samples) detail::refuse("fit: validation_split leaves none of ", samples, " samples to train on");
    order_ = numbers(0, samples - held_back);
    validation_ =
        options.validation ? numbers(0, options.validation->samples()) : numbers(samples - held_back, held_back);
    check_stateful(options, static_cast<Index>(order_.size()));
    if constexpr (!SchedulableOptimizer<Optimize, Scalar>) {
      if (options.schedule) detail::refuse("fit: a schedule needs an optimizer with a learning rate to set");
    } else {
      state_.learning_rate = optimizer.learning_rate();
    }
    name_metrics();
  }

  History<Scalar> run() {
    resume();
    reserve_history();
    ProgressBar progress;
    const bool show = options_.show_progress && is_terminal(stderr);
    bool on = true;
    while (on && state_.epochs < options_.epochs && !out_of_patience()) {
      set_rate();
      try_epoch(progress);
      const Epoch<Scalar> epoch = report();
      if (show) progress(epoch);
      // Every callback sees every epoch, also after one that stops.
      extras_.for_each_other([&](auto& extra) {
        if constexpr (Callback<std::remove_reference_t<decltype(extra)>, Scalar>) on = goes_on(extra, epoch) && on;
      });
      if (!on) state_.history.stopped_by = StopReason::callback;
      keep(!on || state_.epochs == options_.epochs || out_of_patience());
    }
    if (out_of_patience()) state_.history.stopped_by = StopReason::early_stopping;
    finish(progress);
    if (options_.restore_best_weights && !state_.best_parameters.empty()) {
      model_.update([&](auto all) { copy(state_.best_parameters, all); });
    }
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

  static void copy(const std::vector<Scalar>& from, VectorView<Scalar> to) {
    to = ConstVectorView<Scalar>(from.data(), static_cast<Index>(from.size()));
  }
  static void copy(ConstVectorView<Scalar> from, std::vector<Scalar>& to) {
    to.assign(from.data(), from.data() + from.size());
  }

  void name_metrics() {
    with_scores([&](const auto&, const auto&... metrics) {
      [[maybe_unused]] const auto name_of_metric = [](const auto& metric) -> std::string {
        if constexpr (requires { metric.name; }) return metric.name;
        return "loss";
      };
      (state_.history.metrics.push_back({name_of_metric(metrics), {}, {}}), ...);
    });
  }

  /// So that an epoch allocates nothing; but who stops by callback may ask for any number of epochs.
  void reserve_history() {
    const auto epochs = static_cast<std::size_t>(std::min(options_.epochs, 1 << 16));
    History<Scalar>& history = state_.history;
    for (auto* values : {&history.loss, &history.validation_loss, &history.learning_rate}) values->reserve(epochs);
    for (auto& metric : history.metrics) {
      for (auto* values : {&metric.training, &metric.validation}) values->reserve(epochs);
    }
  }

  void set_rate() {
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      if (!options_.schedule) return;
      const double factor = options_.schedule(state_.epochs, options_.epochs);
      optimizer_.set_learning_rate(static_cast<Scalar>(double{state_.learning_rate} * factor));
    }
  }

  [[nodiscard]] bool out_of_patience() const {
    return options_.patience > 0 && state_.epochs_without_progress >= options_.patience;
  }

  // --- one epoch ----------------------------------------------------------------------------------------------------

  /// The same for every platform, unlike std::shuffle.
  void shuffle() {
    const std::uint64_t seed = options_.seed * 0x9e3779b97f4a7c15ULL + static_cast<std::uint64_t>(state_.epochs);
    std::mt19937_64 random(seed);
    std::iota(order_.begin(), order_.end(), Index{0});
    for (std::size_t i = order_.size(); i-- > 1;) {
      std::swap(order_[i], order_[static_cast<std::size_t>(random() % (i + 1))]);
    }
  }

  [[nodiscard]] bool one_batch() const {
    return options_.batch_size == 0 || options_.batch_size >= static_cast<Index>(order_.size());
  }

  void try_epoch(ProgressBar& progress) {
    sums_ = {};
    if (options_.shuffle && !one_batch()) shuffle();
    if constexpr (requires { model_.begin_epoch(state_.epochs); }) model_.begin_epoch(state_.epochs);
    const Index time = data_.x.time();
    const Index steps = options_.bptt_steps == 0 ? time : std::min(options_.bptt_steps, time);
    const bool always_the_same = one_batch() && steps == time;
    int number = 0;
    for_each_batch(order_, options_.batch_size, options_.drop_last, [&](std::span<const Index> samples) {
      if (!options_.stateful || number == 0) batch_.context.initial_state.reset();
      ++number;
      for (Index first = 0; first < time; first += steps) {
        if (!always_the_same || !gathered_) {
          batch_.gather(data_, samples, first, std::min(steps, time - first), options_.loss_over);
        }
        gathered_ = true;
        if (const Scalar loss = update(); !std::isfinite(loss)) {
          finish(progress);
          give_up(loss, number, samples, first);
        }
        if (first + steps < time || options_.stateful) batch_.context.initial_state = model_.final_state();
      }
    });
    ++state_.epochs;
  }

  /// \return the loss; 0 if no step counts
  Scalar update() {
    const Sequence<Scalar>& prediction = model_.forward(batch_.x, batch_.context);
    if (batch_.total == Scalar(0)) return Scalar(0);
    const Scalar loss = weighted_loss(extras_.loss(), prediction, batch_.y, batch_.weights, d_prediction_);
    if (!std::isfinite(loss)) return loss;
    with_scores([&](const auto&, const auto&... metrics) {
      std::size_t k = 0;
      sums_.add(k++, loss, batch_.total);
      (sums_.add(k++, weighted_score(metrics, prediction, batch_.y, batch_.weights, room_), batch_.total), ...);
    });
    sums_.add_weight(batch_.total);
    last_good_.resize(model_.parameters().size());
    VectorView<Scalar>(last_good_.data(), last_good_.size()) = model_.parameters();
    descend(model_, optimizer_, d_prediction_, options_.clip, clipped_);
    return loss;
  }

  [[noreturn]] void give_up(Scalar loss, int number, std::span<const Index> samples, Index first) {
    const std::string cause = why_not_finite(batch_, model_.forward(batch_.x, batch_.context), samples, first);
    if (last_good_.size() > 0) {
      model_.update([&](auto all) { all = ConstVectorView<Scalar>(last_good_.data(), last_good_.size()); });
    }
    detail::fail("fit: the loss became ", loss, " in epoch ", state_.epochs + 1, " of ", options_.epochs, ", batch ",
                 number, ": ", cause, "; the model holds the last parameters with a finite loss");
  }

  /// Writes the epoch into the history.
  Epoch<Scalar> report() {
    History<Scalar>& history = state_.history;
    Epoch<Scalar> epoch{state_.epochs, options_.epochs, sums_.mean(0)};
    history.loss.push_back(epoch.loss);
    for (std::size_t k = 1; k < score_count; ++k) history.metrics[k - 1].training.push_back(sums_.mean(k));
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      epoch.learning_rate = optimizer_.learning_rate();
      history.learning_rate.push_back(*epoch.learning_rate);
    }
    if (!validation_.empty()) {
      const Dataset<Scalar>& data = options_.validation ? *options_.validation : data_;
      const auto scores = with_scores([&](const auto&... all) {
        return score_samples(model_, data, validation_, {options_.batch_size, options_.loss_over}, validation_batch_,
                             room_, all...);
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

  /// Ends what has an end, before `run` returns or throws.
  void finish(ProgressBar& progress) {
    progress.finish();
    extras_.for_each_other([](auto& extra) {
      if constexpr (requires { extra.finish(); }) extra.finish();
    });
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) {
      if (options_.schedule) optimizer_.set_learning_rate(state_.learning_rate);
    }
  }

  // --- checkpoints --------------------------------------------------------------------------------------------------

  static constexpr bool has_checkpointer = (Checkpointer<std::remove_cv_t<Extras>, Scalar> || ...);
  static_assert(
      !has_checkpointer || requires(Optimize& o) { o.restore(o.steps(), o.memory()); },
      "elegans::fit: a checkpoint needs an optimizer with steps(), memory() and restore()");

  template <typename Visit>
  void for_each_checkpointer(Visit visit) {
    extras_.for_each_other([&](auto& extra) {
      if constexpr (Checkpointer<std::remove_reference_t<decltype(extra)>, Scalar>) visit(extra);
    });
  }

  void resume() {
    if constexpr (has_checkpointer) {
      for_each_checkpointer([&](auto& keeper) {
        TrainingState<Scalar> found;
        if (keeper.load(found)) go_on_from(std::move(found));
      });
    }
  }

  void go_on_from(TrainingState<Scalar> found) {
    const auto parameters = static_cast<Index>(found.parameters.size());
    if (parameters != model_.parameters().size() || found.history.metrics.size() + 1 != score_count) {
      detail::refuse("fit: the checkpoint has ", parameters, " parameters and ", found.history.metrics.size(),
                     " metrics, the model has ", model_.parameters().size(), " and ", score_count - 1);
    }
    state_ = std::move(found);
    model_.update([&](auto all) { copy(state_.parameters, all); });
    optimizer_.restore(state_.optimizer_steps,
                       {state_.optimizer_memory.data(), static_cast<Index>(state_.optimizer_memory.size())});
    if constexpr (SchedulableOptimizer<Optimize, Scalar>) optimizer_.set_learning_rate(state_.learning_rate);
  }

  void keep([[maybe_unused]] bool last) {
    if constexpr (has_checkpointer) {
      for_each_checkpointer([&](auto& keeper) {
        if (!keeper.is_due(state_.epochs, last)) return;
        copy(model_.parameters(), state_.parameters);
        copy(optimizer_.memory(), state_.optimizer_memory);
        state_.optimizer_steps = optimizer_.steps();
        keeper.save(state_);
      });
    }
  }

  Model& model_;
  const Dataset<Scalar>& data_;
  Optimize& optimizer_;
  const FitOptions<Scalar>& options_;
  FitExtras<Scalar, Extras...> extras_;
  TrainingState<Scalar> state_;
  std::vector<Index> order_, validation_;  // numbers of the samples
  ScoreSums<Scalar, score_count> sums_;

  // Room, allocated by the first epoch.
  Batch<Scalar, Model::state_size_at_compile_time> batch_, validation_batch_;
  bool gathered_ = false;
  Sequence<Scalar> d_prediction_, room_;
  Buffer<Scalar> last_good_, clipped_;
};

}  // namespace elegans::detail
