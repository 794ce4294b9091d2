// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>
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

/// Several scores' weighted means over batches.
template <typename Scalar, std::size_t Count>
class ScoreSums {
 public:
  void add(std::size_t score, Scalar value, Scalar weight) { sums_[score] += double{value} * double{weight}; }
  void add_weight(Scalar weight) { weight_ += double{weight}; }
  [[nodiscard]] double weight() const noexcept { return weight_; }
  [[nodiscard]] Scalar mean(std::size_t score) const { return static_cast<Scalar>(sums_[score] / weight_); }

 private:
  std::array<double, Count> sums_{};
  double weight_ = 0;
};

/// The weighted mean of each score over some samples.
///
/// \param who  begins the messages
/// \throws RuntimeError if a prediction or a loss is not finite
template <typename Model, typename Scalar = typename Model::Scalar, typename... Scores>
std::array<Scalar, sizeof...(Scores)> score_samples(Model& model, const Dataset<Scalar>& data,
                                                    std::span<const Index> samples, const EvaluateOptions& options,
                                                    Batch<Scalar, Model::state_size_at_compile_time>& batch,
                                                    Sequence<Scalar>& workspace, const std::string& who,
                                                    const Scores&... scores) {
  ScoreSums<Scalar, sizeof...(Scores)> sums;
  for_each_batch(samples, options.batch_size, false, [&](std::span<const Index> part) {
    batch.gather(data, part, 0, data.x.time(), options.loss_over);
    if (batch.total == Scalar(0)) return;
    const Sequence<Scalar> prediction = model(batch.x, batch.context);
    const BatchOrigin origin{who.c_str(), 0, part};
    std::size_t k = 0;
    const auto add = [&](const auto& score) {
      check_targets(score, prediction, batch.y, batch.weights, origin);
      const Scalar value = weighted_score(score, prediction, batch.y, batch.weights, workspace);
      constexpr bool is_loss = LossFunction<std::remove_cvref_t<decltype(score)>, Scalar>;
      if (!all_finite(prediction.values()) || (is_loss && !is_finite(value))) {
        fail(who, ": ", name_of_score(score), " is ", value, ": ", why_not_finite(batch, prediction, origin));
      }
      sums.add(k++, value, batch.total);
    };
    (add(scores), ...);
    sums.add_weight(batch.total);
  });
  std::array<Scalar, sizeof...(Scores)> result;
  for (std::size_t k = 0; k < result.size(); ++k) result[k] = sums.mean(k);
  return result;
}

}  // namespace detail

/// Scores a model on a data set: the weighted mean of each loss or metric.
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
  using Scalar = typename Model::Scalar;
  static_assert(sizeof...(Scores) > 0, "elegans::evaluate: say which losses or metrics, as the last arguments");
  static_assert(((LossFunction<Scores, Scalar> || Metric<Scores, Scalar>) && ...),
                "elegans::evaluate: the last arguments must be losses or metrics");
  detail::check_dataset(data, "evaluate");
  if (options.batch_size < 0) {
    detail::refuse("evaluate: batch_size must be at least 1, or 0 for all, got ", options.batch_size);
  }
  const std::vector<Index> samples = detail::numbers(0, data.samples());
  detail::require_weight(data, samples, "evaluate");
  detail::Batch<Scalar, Model::state_size_at_compile_time> batch;
  Sequence<Scalar> workspace;
  return detail::score_samples(model, data, samples, options, batch, workspace, "evaluate", scores...);
}

}  // namespace elegans
