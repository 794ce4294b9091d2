// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
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
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fit_extras.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/gradient_sum.hpp>
#include <elegans/train/not_finite.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

// mutate all: train.batch_trainer
/// Trains a model on one batch after the other, and adds up the scores of an epoch.
///
/// A batch is cut along its time into pieces for truncated BPTT, one update each, and a piece into grains of samples,
/// whose gradients are added up.
template <typename Model, typename Source, typename Optimize, typename... Extras>
class BatchTrainer {
 public:
  using Scalar = typename Model::Scalar;
  using Scores = decltype(std::declval<const FitExtras<Model, Extras...>&>().scores());
  static constexpr std::size_t score_count = std::tuple_size_v<Scores>;

  BatchTrainer(Model& model, Source& data, Optimize& optimizer, const FitOptions<Scalar>& options,
               FitExtras<Model, Extras...>& extras)
      : model_(model), optimizer_(optimizer), options_(options), extras_(extras), reader_(data) {
    workspace_.groups = ParameterGroups(model, options.freeze, options.groups);
  }

  [[nodiscard]] const ParameterGroups& groups() const& noexcept { return workspace_.groups; }
  [[nodiscard]] const ScoreSums<Scalar, score_count>& sums() const& noexcept { return sums_; }

  void begin_epoch() noexcept { sums_.clear(); }
  void end_epoch() noexcept { first_epoch_ = false; }

  /// One update for each piece of the samples' steps.
  ///
  /// \param batch  its epoch and number
  /// \param only   there is no other batch in any epoch
  /// \return the mean loss over the batch, each piece before its update
  Scalar train(std::span<const Index> samples, const BatchEnd<Scalar>& batch, bool only) {
    const bool is_there = only && gathered_;
    if (!is_there) reader_.read(samples, "fit: data source");
    const Index time = reader_.data().x.time(), count = static_cast<Index>(samples.size());
    const Index steps = options_.bptt_steps == 0 ? time : (std::min)(options_.bptt_steps, time);
    const Index grain = options_.grain == 0 ? count : (std::min)(options_.grain, count);
    const bool carries = steps < time || options_.stateful;
    loss_ = weight_ = 0;
    for (Index first = 0; first < time; first += steps) {
      const bool from_zero = first == 0 && (!options_.stateful || batch.number == 1);
      gradients_.clear();
      for (Index b = 0; b < count; b += grain) {
        const Index grain_size = (std::min)(grain, count - b);
        start(b, grain_size, from_zero);
        if (!is_there || grain < count || steps < time) {
          const auto part =
              reader_.numbers().subspan(static_cast<std::size_t>(b), static_cast<std::size_t>(grain_size));
          batch_.gather(reader_.data(), part, first, (std::min)(steps, time - first), options_.loss_over);
        }
        const auto names = samples.subspan(static_cast<std::size_t>(b), static_cast<std::size_t>(grain_size));
        update({"fit", first, names}, batch, grain < count, b + grain_size == count);
        if (carries) carry(b, count);
      }
    }
    gathered_ = reader_.in_memory;
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

  /// Runs the gathered grain forward and backward, and updates the model if it is the last one.
  void update(const BatchOrigin& origin, const BatchEnd<Scalar>& batch, bool has_others, bool is_last) {
    const auto where = [&] {
      return concatenate(" in epoch ", batch.epoch, " of ", options_.epochs, ", batch ", batch.number, ": ");
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
    add_scores(prediction, loss);
    std::apply(
        [&](auto&... transforms) {
          if (!has_others) {
            descend(model_, optimizer_, loss.weight, workspace_, transforms..., options_.clip);
            return;
          }
          if (loss.weight != Scalar(0)) model_.backward(workspace_.d_prediction);
          const Index size = model_.parameters().size();
          gradients_.add(model_.gradient(), loss.weight, size);
          if (!is_last) return;
          workspace_.gradient.resize(size);
          gradients_.mean(VectorView<Scalar>(workspace_.gradient.data(), size));
          transform_and_update(model_, optimizer_, gradients_.weight(), workspace_, transforms..., options_.clip);
        },
        extras_.transforms());
    if (!all_finite(model_.parameters())) {
      fail("fit: the optimizer's step failed", where(), first_not_finite(model_), state_now);
    }
  }

  void add_scores(const Sequence<Scalar>& prediction, const WeightedMean<Scalar>& loss) {
    loss_ += double{loss.mean} * double{loss.weight};
    weight_ += double{loss.weight};
    std::size_t k = 0;
    const auto add = [&]<typename Score>(const Score& score) {
      if constexpr (SumMetric<Score, Scalar>) {
        sums_.add(k++, score, prediction, batch_.y, batch_.weights);
      } else {
        sums_.add(k++, weighted_score(score, prediction, batch_.y, batch_.weights, scratch_), loss.weight);
      }
    };
    with_scores([&](const auto&, const auto&... metrics) {
      sums_.add(k++, loss.mean, loss.weight);
      (add(metrics), ...);
    });
    sums_.add_weight(loss.weight);
  }

  Model& model_;
  Optimize& optimizer_;
  const FitOptions<Scalar>& options_;
  FitExtras<Model, Extras...>& extras_;
  bool first_epoch_ = true;  // of this run

  // Allocated by the first epoch, and reused by the others.
  SourceReader<Source, Scalar> reader_;
  Batch<Scalar, Model::state_size_at_compile_time> batch_;
  bool gathered_ = false;
  std::optional<State<Scalar, Model::state_size_at_compile_time>> carried_;  // of all samples of a batch
  GradientSum<Scalar> gradients_;
  TrainStepWorkspace<Scalar> workspace_;
  Sequence<Scalar> scratch_;
  ScoreSums<Scalar, score_count> sums_;
  double loss_ = 0, weight_ = 0;  // of the batch: a weighted sum, and the sum of the weights
};

}  // namespace elegans::detail
