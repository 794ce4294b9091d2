// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <elegans/core/context.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// What training needs of a model: a flat parameter vector with a gradient of the same layout, and a forward and
/// backward pass over sequences. Every layer of the library satisfies it.
template <typename M>
concept TrainableModel = requires(M& model, const Sequence<typename M::Scalar>& values,
                                  const Context<typename M::Scalar, M::state_size_at_compile_time>& context) {
  { model.forward(values, context) } -> std::convertible_to<const Sequence<typename M::Scalar>&>;
  { model(values, context) } -> std::convertible_to<Sequence<typename M::Scalar>>;
  model.backward(values);
  { model.parameters() } -> std::convertible_to<ConstVectorView<typename M::Scalar>>;
  { model.gradient() } -> std::convertible_to<ConstVectorView<typename M::Scalar>>;
  model.update([](VectorView<typename M::Scalar>) {});
};

/// A loss: `loss(prediction, target, weight, d_prediction)`, with predictions (rows, outputs) of some steps and
/// samples, their targets, and how much each row counts. It returns sum_row weight[row] loss(row), and writes the
/// derivative of that by the predictions. `weight` is an Eigen array or expression of (rows). `MeanSquaredError`
/// satisfies it.
///
/// Optional: `name`, for tables; `static bool accepts(outputs, targets)`, if targets need not be as many as outputs.
template <typename L, typename Scalar>
concept LossFunction =
    requires(const L& loss, ConstArrayView<Scalar> values, ConstVectorView<Scalar> weight, ArrayView<Scalar> d) {
      { loss(values, values, weight, d) } -> std::convertible_to<Scalar>;
    };

/// A score that is reported, not trained on: `metric(prediction, target, weight)`, likewise, and a `name`. `Accuracy`
/// satisfies it. A loss with a name can also serve as one.
template <typename M, typename Scalar>
concept Metric = requires(const M& metric, ConstArrayView<Scalar> values, ConstVectorView<Scalar> weight) {
  { metric(values, values, weight) } -> std::convertible_to<Scalar>;
  { metric.name } -> std::convertible_to<const char*>;
};

/// An optimizer: `step(parameters, gradient)` changes the parameters in place, both flat vectors of one size that stays
/// the same over its life. `Adam` satisfies it.
///
/// Optional: what `OptimizerBase` has, which schedules and checkpoints need.
template <typename O, typename Scalar>
concept Optimizer = requires(O& optimizer, VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) {
  optimizer.step(parameters, gradient);
};

/// An optimizer whose learning rate can change.
template <typename O, typename Scalar>
concept SchedulableOptimizer = Optimizer<O, Scalar> && requires(O& optimizer, Scalar rate) {
  { optimizer.learning_rate() } -> std::convertible_to<Scalar>;
  optimizer.set_learning_rate(rate);
};

}  // namespace elegans
