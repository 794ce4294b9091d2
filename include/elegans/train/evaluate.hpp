// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include <elegans/train/concepts.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans {

/// How `evaluate` goes about it.
struct EvaluateOptions {
  Index batch_size = 0;  ///< samples at a time; 0 for all
  LossOver loss_over = LossOver::every_step;
};

namespace detail {

/// Several scores' weighted means over batches.
template <typename Scalar, std::size_t Count>
class ScoreSums {
 public:
  void add(std::size_t score, Scalar value, Scalar weight) { sums_[score] += double{value} * double{weight}; }
  void add_weight(Scalar weight) { weight_ += double{weight}; }
  [[nodiscard]] Scalar mean(std::size_t score) const { return static_cast<Scalar>(sums_[score] / weight_); }

 private:
  std::array<double, Count> sums_{};
  double weight_ = 0;
};

/// Calls body(numbers of the samples) for each batch of an order.
template <typename Body>
void for_each_batch(std::span<const Index> order, Index batch_size, bool drop_last, Body body) {
  const auto size = batch_size == 0 ? order.size() : static_cast<std::size_t>(batch_size);
  for (std::size_t first = 0; first < order.size(); first += size) {
    const std::size_t count = std::min(size, order.size() - first);
    if (drop_last && count < size && first > 0) break;
    body(order.subspan(first, count));
  }
}

[[nodiscard]] inline std::vector<Index> numbers(Index first, Index count) {
  std::vector<Index> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), first);
  return result;
}

/// The weighted mean of each score over some samples.
template <typename Model, typename Scalar = typename Model::Scalar, typename... Scores>
std::array<Scalar, sizeof...(Scores)> score_samples(Model& model, const Dataset<Scalar>& data,
                                                    std::span<const Index> samples, const EvaluateOptions& options,
                                                    Batch<Scalar, Model::state_size_at_compile_time>& batch,
                                                    Sequence<Scalar>& room, const Scores&... scores) {
  ScoreSums<Scalar, sizeof...(Scores)> sums;
  for_each_batch(samples, options.batch_size, false, [&](std::span<const Index> part) {
    batch.gather(data, part, 0, data.x.time(), options.loss_over);
    if (batch.total == Scalar(0)) return;
    const Sequence<Scalar> prediction = model(batch.x, batch.context);
    std::size_t k = 0;
    (sums.add(k++, weighted_score(scores, prediction, batch.y, batch.weights, room), batch.total), ...);
    sums.add_weight(batch.total);
  });
  std::array<Scalar, sizeof...(Scores)> result;
  for (std::size_t k = 0; k < result.size(); ++k) result[k] = sums.mean(k);
  return result;
}

}  // namespace detail

/// What a model scores on a data set: the weighted mean of each loss or metric.
///
///     const auto scores = elegans::evaluate(model, test, {}, elegans::BinaryCrossEntropy{}, elegans::Accuracy{});
///
/// \param scores  losses or metrics
/// \return  in their order; NaN if no step counts at all
/// \throws InvalidArgument if a shape differs
template <TrainableModel Model, typename... Scores>
std::array<typename Model::Scalar, sizeof...(Scores)> evaluate(Model& model,
                                                               const Dataset<typename Model::Scalar>& data,
                                                               const EvaluateOptions& options,
                                                               const Scores&... scores) {
  using Scalar = typename Model::Scalar;
  static_assert(sizeof...(Scores) > 0, "elegans::evaluate: say which losses or metrics, as the last arguments");
  static_assert(((LossFunction<Scores, Scalar> || Metric<Scores, Scalar>) && ...),
                "elegans::evaluate: the last arguments must be losses or metrics");
  detail::check(data, "evaluate");
  if (options.batch_size < 0) {
    detail::refuse("evaluate: batch_size must be at least 1, or 0 for all, got ", options.batch_size);
  }
  detail::Batch<Scalar, Model::state_size_at_compile_time> batch;
  Sequence<Scalar> room;
  return detail::score_samples(model, data, detail::numbers(0, data.samples()), options, batch, room, scores...);
}

}  // namespace elegans
