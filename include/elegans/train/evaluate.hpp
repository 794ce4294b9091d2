// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/batch.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/data_source.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/not_finite.hpp>
#include <elegans/train/sample_order.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans {

/// How `evaluate` takes the samples.
struct EvaluateOptions {
  Index batch_size = 0;  ///< samples at a time; 0 for all
  LossOver loss_over = LossOver::every_step;
};

// mutate all: train.score_sums
namespace detail {

/// Several scores over batches: the weighted mean of each loss and mean metric, and the sums of each `SumMetric`.
template <typename Scalar, std::size_t Count>
class ScoreSums {
 public:
  /// Forgets all batches.
  void clear() noexcept {
    means_ = {};
    weight_ = 0;
    for (Buffer<double>& sums : sums_) view(sums).setZero();
  }
  /// Adds a batch to a loss or mean metric.
  void add(std::size_t score, Scalar value, Scalar weight) { means_[score] += double{value} * double{weight}; }
  /// Adds a batch to a `SumMetric`.
  template <typename Score>
  void add(std::size_t k, const Score& score, const Sequence<Scalar>& prediction, const Sequence<Scalar>& target,
           const StepWeights<Scalar>& weights) {
    const Index count = score.sum_count(prediction.features(), target.features());
    if (sums_[k].size() != count) {
      sums_[k].resize(count);
      view(sums_[k]).setZero();
    }
    // The weights of all pieces add up to 1 for a total of theirs, and are themselves for a total of 1.
    for_each_piece(weights, Scalar(1), prediction, target, [&](Index step, Index rows, const auto& weight) {
      score.add(piece(prediction, step, rows), piece(target, step, rows), weight, view(sums_[k]));
    });
  }
  void add_weight(Scalar weight) { weight_ += double{weight}; }

  [[nodiscard]] double weight() const noexcept { return weight_; }
  [[nodiscard]] ConstVectorView<double> sums(std::size_t k) const& noexcept {
    return {sums_[k].data(), sums_[k].size()};
  }
  /// The value of score k.
  template <typename Score>
  [[nodiscard]] Scalar value(std::size_t k, const Score& score) const {
    if constexpr (SumMetric<Score, Scalar>) {
      return static_cast<Scalar>(score.value(sums(k)));
    } else {
      return static_cast<Scalar>(means_[k] / weight_);
    }
  }

 private:
  static VectorView<double> view(Buffer<double>& sums) noexcept { return {sums.data(), sums.size()}; }

  std::array<double, Count> means_{};
  double weight_ = 0;
  std::array<Buffer<double>, Count> sums_;
};

/// Adds a model's scores over some samples to `sums`.
///
/// \param who  begins the messages
/// \throws RuntimeError if a prediction or a loss is not finite
template <typename Model, typename Source, typename Scalar = typename Model::Scalar, typename... Scores>
void score_samples(Model& model, SourceReader<Source, Scalar>& reader, std::span<const Index> samples,
                   const EvaluateOptions& options, Batch<Scalar, Model::state_size_at_compile_time>& batch,
                   Sequence<Scalar>& workspace, const char* who, ScoreSums<Scalar, sizeof...(Scores)>& sums,
                   const Scores&... scores) {
  for_each_batch(samples, options.batch_size, false, [&](std::span<const Index> part) {
    reader.read(part, who);
    batch.gather(reader.data(), reader.numbers(), 0, reader.data().x.time(), options.loss_over);
    if (batch.total == Scalar(0)) return;
    const Sequence<Scalar> prediction = model(batch.x, batch.context);
    const BatchOrigin origin{who, 0, part};
    std::size_t k = 0;
    const auto add = [&]<typename Score>(const Score& score) {
      check_targets(score, prediction, batch.y, batch.weights, origin);
      const auto check_finite = [&](bool is_loss, Scalar value) {
        if (!all_finite(prediction.values()) || (is_loss && !is_finite(value))) {
          fail(who, ": ", name_of_score(score), " is ", value, ": ", why_not_finite(batch, prediction, origin));
        }
      };
      if constexpr (SumMetric<Score, Scalar>) {
        check_finite(false, std::numeric_limits<Scalar>::quiet_NaN());
        sums.add(k++, score, prediction, batch.y, batch.weights);
      } else {
        const Scalar value = weighted_score(score, prediction, batch.y, batch.weights, workspace);
        check_finite(LossFunction<Score, Scalar>, value);
        sums.add(k++, value, batch.total);
      }
    };
    (add(scores), ...);
    sums.add_weight(batch.total);
  });
}

/// Adds up scores over all samples of a data source.
template <typename Model, typename Source, typename... Scores>
ScoreSums<typename Model::Scalar, sizeof...(Scores)> evaluate_sums(Model& model, Source& data,
                                                                   const EvaluateOptions& options, const char* who,
                                                                   const Scores&... scores) {
  using Scalar = typename Model::Scalar;
  static_assert(DataSource<Source, Scalar>,
                "elegans::evaluate: the data must be a Dataset or DataSource of the "
                "model's Scalar");
  if (options.batch_size < 0) {
    refuse(who, ": batch_size must be at least 1, or 0 for all, got ", options.batch_size);
  }
  const std::vector<Index> samples = numbers(0, data.samples());
  if constexpr (SourceReader<Source, Scalar>::in_memory) {
    check_dataset(data, who);
    require_weight(data, samples, who);
  }
  SourceReader<Source, Scalar> reader(data);
  Batch<Scalar, Model::state_size_at_compile_time> batch;
  Sequence<Scalar> workspace;
  ScoreSums<Scalar, sizeof...(Scores)> sums;
  score_samples(model, reader, samples, options, batch, workspace, who, sums, scores...);
  if (sums.weight() == 0) refuse(who, ": no step of ", samples.size(), " samples counts, so there is no loss");
  return sums;
}

template <typename Model, typename Source, typename Scalar = typename Model::Scalar, typename... Scores>
std::array<Scalar, sizeof...(Scores)> evaluate_source(Model& model, Source& data, const EvaluateOptions& options,
                                                      const Scores&... scores) {
  static_assert(sizeof...(Scores) > 0, "elegans::evaluate: say which losses or metrics, as the last arguments");
  static_assert(((LossFunction<Scores, Scalar> || Metric<Scores, Scalar>) && ...),
                "elegans::evaluate: the last arguments must be losses or metrics");
  const auto sums = evaluate_sums(model, data, options, "evaluate", scores...);
  std::size_t k = 0;
  return {[&] {
    const Scalar value = sums.value(k, scores);
    ++k;
    return value;
  }()...};
}

}  // namespace detail

/// Scores a model on a data set: each loss or metric.
///
///     const auto scores = elegans::evaluate(model, test, {}, elegans::BinaryCrossEntropy{}, elegans::Accuracy{});
///
/// \param model   a model, or a `Session` of one
/// \param scores  losses or metrics
/// \return  one value per score, in their order
/// \throws InvalidArgument if a shape differs, if no step counts, or if a loss does not accept a target
/// \throws RuntimeError    if a prediction or a loss is not finite; the message says where
template <PredictingModel Model, typename... Scores>
std::array<typename Model::Scalar, sizeof...(Scores)> evaluate(Model& model,
                                                               const Dataset<typename Model::Scalar>& data,
                                                               const EvaluateOptions& options,
                                                               const Scores&... scores) {
  return detail::evaluate_source(model, data, options, scores...);
}

/// The same for data that need not be in memory. \param data  a `DataSource`
template <TrainableModel Model, typename Source, typename... Scores>
  requires(DataSource<std::remove_reference_t<Source>, typename Model::Scalar> &&
           !std::same_as<std::remove_cvref_t<Source>, Dataset<typename Model::Scalar>>)
std::array<typename Model::Scalar, sizeof...(Scores)> evaluate(Model& model, Source&& data,
                                                               const EvaluateOptions& options,
                                                               const Scores&... scores) {
  return detail::evaluate_source(model, data, options, scores...);
}

}  // namespace elegans
