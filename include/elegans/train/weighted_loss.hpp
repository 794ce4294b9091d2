// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/step_weights.hpp>

namespace elegans {

namespace detail {

/// \throws InvalidArgument unless a loss or metric can compare these
template <typename Loss, typename Scalar>
void check_targets(const Sequence<Scalar>& prediction, const Sequence<Scalar>& target) {
  bool fits = prediction.features() == target.features();
  if constexpr (requires { Loss::accepts(Index{}, Index{}); }) {
    fits = Loss::accepts(prediction.features(), target.features());
  }
  if (fits && target.time() == prediction.time() && target.batch() == prediction.batch()) return;
  refuse("train: y must be (time, batch, outputs) = (", prediction.time(), ", ", prediction.batch(), ", ",
         prediction.features(), "), got (", target.time(), ", ", target.batch(), ", ", target.features(), ")");
}

/// Calls visit(first step, number of steps, rows, weights) for pieces of a sequence whose values lie as (rows,
/// features) arrays: step by step, or all at once if there is one feature. The weights add up to 1 over all pieces.
template <typename Scalar, typename Visit>
void for_each_piece(const StepWeights<Scalar>& weights, const Sequence<Scalar>& prediction,
                    const Sequence<Scalar>& target, Visit visit) {
  const bool whole = prediction.features() == 1 && target.features() == 1;
  const Index time = prediction.time();
  const Index steps = whole ? time : 1;
  const Index rows = steps * prediction.batch();
  const Scalar scale = Scalar(1) / weights.total(time, prediction.batch());
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
/// \param d_prediction  resized and written
/// \return NaN if every weight is 0
/// \throws InvalidArgument if the target's shape does not fit
template <typename Scalar, LossFunction<Scalar> Loss>
Scalar weighted_loss(const Loss& loss_function, const Sequence<Scalar>& prediction, const Sequence<Scalar>& target,
                     const StepWeights<Scalar>& weights, Sequence<Scalar>& d_prediction) {
  detail::check_targets<Loss>(prediction, target);
  d_prediction.resize(prediction.time(), prediction.batch(), prediction.features());
  Scalar loss(0);
  detail::for_each_piece(weights, prediction, target, [&](Index step, Index rows, const auto& weight) {
    ArrayView<Scalar> d(d_prediction.step(step).data(), rows, d_prediction.features());
    loss += loss_function(detail::piece(prediction, step, rows), detail::piece(target, step, rows), weight, d);
  });
  return loss;
}

/// The weighted mean of a metric, or of a loss that serves as one. \throws InvalidArgument likewise
template <typename Scalar, typename Score>
Scalar weighted_score(const Score& score, const Sequence<Scalar>& prediction, const Sequence<Scalar>& target,
                      const StepWeights<Scalar>& weights, Sequence<Scalar>& room) {
  if constexpr (LossFunction<Score, Scalar>) {
    return weighted_loss(score, prediction, target, weights, room);
  } else {
    detail::check_targets<Score>(prediction, target);
    Scalar sum(0);
    detail::for_each_piece(weights, prediction, target, [&](Index step, Index rows, const auto& weight) {
      sum += score(detail::piece(prediction, step, rows), detail::piece(target, step, rows), weight);
    });
    return sum;
  }
}

}  // namespace elegans
