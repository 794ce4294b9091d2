// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/step_weights.hpp>

namespace elegans {

/// A weighted mean, and the sum of the weights that it was divided by.
///
/// To combine the means of two parts, multiply each by its weight, add them, and divide by the sum of the weights. The
/// gradient of a mean combines in the same way.
template <typename Scalar>
struct WeightedMean {
  Scalar mean{};    ///< the weighted mean
  Scalar weight{};  ///< 0 if nothing counts; the mean is then 0, too
};

// mutate all: loss.weighted
namespace detail {

/// Where a batch lies in its data set, for messages.
struct BatchOrigin {
  const char* who = "train";
  Index first_step = 0;
  std::span<const Index> samples{};  ///< number of each sample in the data set; empty for the batch's own numbers

  [[nodiscard]] Index sample(Index b) const { return samples.empty() ? b : samples[static_cast<std::size_t>(b)]; }
};

/// The name of a loss or metric, or "loss" for one without a name.
template <typename Score>
[[nodiscard]] const char* name_of_score(const Score& score) {
  if constexpr (requires { score.name; }) return score.name;
  return "loss";
}

/// Calls visit(score) with a score, or with each metric of a `MetricList`.
template <typename Scalar, typename Score, typename Visit>
void for_each_score(const Score& score, Visit visit) {
  if constexpr (MetricList<Score, Scalar>) {
    for (const auto& metric : score.metrics()) visit(metric);
  } else {
    visit(score);
  }
}

/// \throws InvalidArgument if a loss or metric cannot compare these shapes, or does not accept a target that counts
template <typename Score, typename Scalar>
void check_targets(const Score& score, const Sequence<Scalar>& prediction, const Sequence<Scalar>& target,
                   const StepWeights<Scalar>& weights, const BatchOrigin& origin = {}) {
  if constexpr (MetricList<Score, Scalar>) {
    for (const auto& metric : score.metrics()) check_targets(metric, prediction, target, weights, origin);
    return;
  }
  const Index outputs = prediction.features();
  bool fits = outputs == target.features();
  if constexpr (requires { score.accepts(Index{}, Index{}); }) fits = score.accepts(outputs, target.features());
  if (!fits || target.time() != prediction.time() || target.batch() != prediction.batch()) {
    refuse(origin.who, ": y must be (time, batch, outputs) = (", prediction.time(), ", ", prediction.batch(), ", ",
           outputs, "), got (", target.time(), ", ", target.batch(), ", ", target.features(), ")");
  }
  if constexpr (requires { score.wanted_target(Scalar{}, Index{}, Index{}); }) {
    for (Index t = 0; t < target.time(); ++t) {
      for (Index f = 0; f < target.features(); ++f) {
        for (Index b = 0; b < target.batch(); ++b) {
          if (!weights.is_uniform() && weights.step(t)[b] == Scalar(0)) continue;
          const Scalar value = target(t, b, f);
          if (const char* wanted = score.wanted_target(value, outputs, target.features())) {
            refuse(origin.who, ": ", name_of_score(score), ": a target must be ", wanted, ", got ", value, " at step ",
                   origin.first_step + t, ", sample ", origin.sample(b), ", feature ", f);
          }
        }
      }
    }
  }
}

/// Calls visit(first step, rows, weights) for pieces of a sequence whose values lie as (rows, features) arrays: step by
/// step, or all at once if there is one feature. The weights of all pieces add up to 1.
template <typename Scalar, typename Visit>
void for_each_piece(const StepWeights<Scalar>& weights, Scalar total, const Sequence<Scalar>& prediction,
                    const Sequence<Scalar>& target, Visit visit) {
  const bool whole = prediction.features() == 1 && target.features() == 1;
  const Index time = prediction.time();
  const Index steps = whole ? time : 1;
  const Index rows = steps * prediction.batch();
  const Scalar scale = Scalar(1) / total;
  for (Index t = 0; t < time; t += steps) {
    if (weights.is_uniform()) {
      visit(t, rows, Eigen::Array<Scalar, Dynamic, 1>::Constant(rows, scale));
    } else {
      visit(t, rows, (whole ? weights.values() : weights.step(t)) * scale);
    }
  }
}

template <typename Scalar>
ConstArrayView<Scalar> piece(const Sequence<Scalar>& values, Index step, Index rows) {
  return {values.step(step).data(), rows, values.features()};
}

}  // namespace detail

/// The weighted mean of a loss over a batch of sequences, and its derivative by the predictions.
///
/// \param d_prediction  resized and written; 0 if every weight is 0
/// \throws InvalidArgument if the target's shape does not fit, or the loss does not accept a target
template <typename Scalar, LossFunction<Scalar> Loss>
WeightedMean<Scalar> weighted_loss(const Loss& loss_function, const Sequence<Scalar>& prediction,
                                   const Sequence<Scalar>& target, const StepWeights<Scalar>& weights,
                                   Sequence<Scalar>& d_prediction) {
  detail::check_targets(loss_function, prediction, target, weights);
  d_prediction.resize(prediction.time(), prediction.batch(), prediction.features());
  const Scalar total = weights.total(prediction.time(), prediction.batch());
  if (total == Scalar(0)) {
    d_prediction.values().setZero();
    return {};
  }
  Scalar loss(0);
  detail::for_each_piece(weights, total, prediction, target, [&](Index step, Index rows, const auto& weight) {
    ArrayView<Scalar> d(d_prediction.step(step).data(), rows, d_prediction.features());
    loss += loss_function(detail::piece(prediction, step, rows), detail::piece(target, step, rows), weight, d);
  });
  return {loss, total};
}

/// The weighted mean of a `MeanMetric`, or of a loss that serves as one; 0 if every weight is 0.
///
/// \param workspace  resized and overwritten; keep it for the next call
/// \throws InvalidArgument as `weighted_loss`
template <typename Scalar, typename Score>
Scalar weighted_score(const Score& score, const Sequence<Scalar>& prediction, const Sequence<Scalar>& target,
                      const StepWeights<Scalar>& weights, Sequence<Scalar>& workspace) {
  if constexpr (MeanMetric<Score, Scalar>) {
    detail::check_targets(score, prediction, target, weights);
    const Scalar total = weights.total(prediction.time(), prediction.batch());
    Scalar sum(0);
    if (total == Scalar(0)) return sum;
    detail::for_each_piece(weights, total, prediction, target, [&](Index step, Index rows, const auto& weight) {
      sum += score(detail::piece(prediction, step, rows), detail::piece(target, step, rows), weight);
    });
    return sum;
  } else {
    return weighted_loss(score, prediction, target, weights, workspace).mean;
  }
}

}  // namespace elegans
