// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/batch.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/data_source.hpp>
#include <elegans/train/fit_extras.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/gradient_sum.hpp>
#include <elegans/train/not_finite.hpp>
#include <elegans/train/score_sums.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/train/training_group.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

// mutate all: train.batch_trainer
/// Trains a model on one batch after the other, and adds up the scores of an epoch.
///
/// A batch is cut along its time into pieces for truncated BPTT, one update each, and a piece into grains of samples,
/// whose gradients are added up. The processes of a group share the grains: each reads and computes its own, and makes
/// the same update as the others.
template <typename Model, typename Group, typename Source, typename Optimize, typename... Extras>
class BatchTrainer {
 public:
  using Scalar = typename Model::Scalar;
  using Scores = decltype(std::declval<const FitExtras<Model, Extras...>&>().scores());
  static constexpr std::size_t score_count = std::tuple_size_v<Scores>;

  BatchTrainer(Model& model, Group& group, Source& data, Optimize& optimizer, const FitOptions<Scalar>& options,
               FitExtras<Model, Extras...>& extras)
      : model_(model), group_(group), optimizer_(optimizer), options_(options), extras_(extras), reader_(data) {
    if (is_shared<Group> && options.grain == 0) {
      refuse("fit: processes share the grains of a batch, so grain must be at least 1, got 0");
    }
    workspace_.groups = ParameterGroups(model, options.freeze, options.groups);
  }

  [[nodiscard]] const ParameterGroups& groups() const& noexcept { return workspace_.groups; }
  [[nodiscard]] const ScoreSums<Scalar, score_count>& sums() const& noexcept { return sums_; }

  void begin_epoch() noexcept {
    sums_.clear();
    pieces_ = 0;
  }
  void end_epoch() noexcept { first_epoch_ = false; }

  /// One update for each piece of the samples' steps.
  ///
  /// \param batch  its epoch and number
  /// \param only   there is no other batch in any epoch
  /// \return the mean loss over the batch, each piece before its update
  Scalar train(std::span<const Index> samples, const BatchEnd<Scalar>& batch, bool only) {
    const auto count = static_cast<Index>(samples.size());
    const Index grain = options_.grain == 0 ? count : (std::min)(options_.grain, count);
    const Index grains = (count + grain - 1) / grain;
    const Share mine = share_of(grains, group_.rank(), group_.size());
    const Index first_sample = mine.first * grain;
    const auto own = [&](Index first, Index size) {
      return samples.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
    };
    const bool is_there = only && gathered_;
    if (!is_there && mine.size() > 0) {
      reader_.read(own(first_sample, (std::min)(mine.last * grain, count) - first_sample), "fit: data source");
    }
    const Index time = time_of_batch(mine.size() > 0);
    const Index steps = options_.bptt_steps == 0 ? time : (std::min)(options_.bptt_steps, time);
    const bool carries = steps < time || options_.stateful;
    loss_ = weight_ = 0;
    for (Index first = 0; first < time; first += steps, ++pieces_) {
      const bool from_zero = first == 0 && (!options_.stateful || batch.number == 1);
      gradients_.begin(mine.first, model_.parameters().size());
      records_.clear();
      for (Index k = mine.first; k < mine.last; ++k) {
        const Index b = k * grain, grain_size = (std::min)(grain, count - b);
        start(b, grain_size, from_zero);
        if (!is_there || mine.size() > 1 || steps < time) {
          const auto part = reader_.numbers().subspan(static_cast<std::size_t>(b - first_sample),
                                                      static_cast<std::size_t>(grain_size));
          batch_.gather(reader_.data(), part, first, (std::min)(steps, time - first), options_.loss_over);
        }
        if constexpr (requires { model_.begin_pass(0, 0, b); }) model_.begin_pass(batch.epoch - 1, pieces_, b);
        compute({"fit", first, own(b, grain_size)}, batch, grains == 1);
        if (carries) carry(b, count);
      }
      update(batch, grains);
    }
    gathered_ = reader_in_memory;
    return weight_ == 0 ? Scalar(0) : static_cast<Scalar>(loss_ / weight_);
  }

 private:
  /// Calls body(scores...), the loss first.
  template <typename Body>
  decltype(auto) with_scores(Body body) {
    return std::apply(body, extras_.scores());
  }

  /// Sets the state that a grain starts from. Zeros stand for no initial state, as its memory can then be reused.
  void start(Index first_sample, Index count, bool from_zero) {
    auto& state = batch_.context.initial_state;
    if (from_zero) {
      if (!state) return;
      state->resize(count);
      state->set_zero();
    } else {
      if (!state) state = carried_;
      state->resize(count);
      state->array() = carried_->array().middleRows(first_sample, count);
    }
  }
  /// Stores the state that a grain ended in, as that of some samples of the batch.
  void carry(Index first_sample, Index count) {
    const auto& last = model_.final_state();
    if (!carried_) carried_.emplace(count, last.units());
    if (carried_->batch() != count) carried_->resize(count);
    carried_->array().middleRows(first_sample, last.batch()) = last.array();
  }

  /// The number of steps of the batch, on which all processes must agree: they make an update for each piece.
  /// \param has_any  whether this process has a part of the batch
  Index time_of_batch(bool has_any) {
    if constexpr (reader_in_memory || !is_shared<Group>) return reader_.data().x.time();
    constexpr double none = std::numeric_limits<double>::infinity();
    const auto time = static_cast<double>(has_any ? reader_.data().x.time() : 0);
    const double least = group_.smallest(has_any ? time : none), most = -group_.smallest(has_any ? -time : none);
    if (least != most) {
      refuse("fit: data source: every part of a batch must have the same number of steps, got from ", least, " to ",
             most);
    }
    return static_cast<Index>(most);
  }

  [[nodiscard]] std::string where(const BatchEnd<Scalar>& batch) const {
    return concatenate(" in epoch ", batch.epoch, " of ", options_.epochs, ", batch ", batch.number, ": ");
  }
  static constexpr const char* state_now = "; the model and the optimizer are as they were before that epoch";

  /// Runs the gathered grain forward and backward, and adds up its scores and its gradient.
  /// \param is_whole  whether it is the whole batch, whose gradient is then taken as it is
  void compute(const BatchOrigin& origin, const BatchEnd<Scalar>& batch, bool is_whole) {
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
      fail("fit: the loss became ", loss.mean, where(batch), why_not_finite(batch_, prediction, origin), state_now);
    }
    records_.begin(loss.weight);
    records_.add(loss.mean);
    with_scores([&](const auto&, const auto&... metrics) { (record(metrics, prediction), ...); });
    if (loss.weight != Scalar(0)) model_.backward(workspace_.d_prediction);
    if (is_whole && !is_shared<Group>) return;
    gradients_.add(model_.gradient(), is_whole && loss.weight != Scalar(0) ? Scalar(1) : loss.weight);
  }

  template <typename Metric>
  void record(const Metric& metric, const Sequence<Scalar>& prediction) {
    if constexpr (SummedScore<Metric, Scalar>) {
      records_.add(metric, prediction, batch_.y, batch_.weights);
    } else {
      records_.add(weighted_score(metric, prediction, batch_.y, batch_.weights, scratch_));
    }
  }

  /// Adds up the scores and the gradients of all grains, and updates the model.
  void update(const BatchEnd<Scalar>& batch, Index grains) {
    records_.exchange(group_);
    Scalar weight(0);
    const auto note = [&](Scalar of_grain, double loss) {
      loss_ += loss * double{of_grain};
      weight_ += double{of_grain};
      weight += of_grain;
    };
    with_scores([&](const auto&... scores) { sums_.add(records_, note, scores...); });
    const Index size = model_.parameters().size();
    workspace_.gradient.resize(size);
    VectorView<Scalar> gradient(workspace_.gradient.data(), size);
    if (grains > 1 || is_shared<Group>) {
      add_up_on_root(group_, gradients_, grains);
      if (group_.rank() == 0) gradients_.mean(gradient, grains > 1 ? weight : Scalar(1));
      group_.broadcast(gradient.data(), size);
    } else if (weight != Scalar(0)) {
      gradient = model_.gradient();
    } else {
      gradient.setZero();
    }
    std::apply(
        [&](auto&... transforms) {
          transform_and_update(model_, optimizer_, weight, workspace_, transforms..., options_.clip);
        },
        extras_.transforms());
    if (!all_finite(model_.parameters())) {
      fail("fit: the optimizer's step failed", where(batch), first_not_finite(model_), state_now);
    }
  }

  static constexpr bool reader_in_memory = SourceReader<Source, Scalar>::in_memory;

  Model& model_;
  Group& group_;
  Optimize& optimizer_;
  const FitOptions<Scalar>& options_;
  FitExtras<Model, Extras...>& extras_;
  bool first_epoch_ = true;  // of this run
  int pieces_ = 0;           // of all batches of the epoch so far

  // Allocated by the first epoch, and reused by the others.
  SourceReader<Source, Scalar> reader_;
  Batch<Scalar, Model::state_size_at_compile_time> batch_;
  bool gathered_ = false;
  std::optional<State<Scalar, Model::state_size_at_compile_time>> carried_;  // of all samples of a batch
  GradientSum<Scalar> gradients_;
  TrainStepWorkspace<Scalar> workspace_;
  Sequence<Scalar> scratch_;
  ScoreRecords<Scalar> records_;
  ScoreSums<Scalar, score_count> sums_;
  double loss_ = 0, weight_ = 0;  // of the batch: a weighted sum, and the sum of the weights
};

}  // namespace elegans::detail
