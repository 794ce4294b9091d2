// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>

#include <elegans/core/context.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// A model that can be trained: a flat parameter vector with a gradient of the same layout, and a forward and a
/// backward pass over sequences. Every layer of the library satisfies it.
///
/// Optional: `begin_pass(epoch, passes, first_sample)`, called before each `forward` with the number of epochs so far,
/// that of passes in the epoch so far, and the number of the first sample in its batch. See `Rnn`.
template <typename M>
concept TrainableModel = requires(M& model, const M& constant, const Sequence<typename M::Scalar>& values,
                                  const Context<typename M::Scalar, M::state_size_at_compile_time>& context) {
  { model.forward(values, context) } -> std::convertible_to<const Sequence<typename M::Scalar>&>;
  { model(values, context) } -> std::convertible_to<Sequence<typename M::Scalar>>;
  model.backward(values);
  { constant.final_state() } -> std::convertible_to<const State<typename M::Scalar, M::state_size_at_compile_time>&>;
  { constant.parameters() } -> std::convertible_to<ConstVectorView<typename M::Scalar>>;
  { constant.gradient() } -> std::convertible_to<ConstVectorView<typename M::Scalar>>;
  model.update([](VectorView<typename M::Scalar>) {});
};

/// A model that predicts: it computes outputs of sequences, and says in which state the last one ended. So do every
/// layer of the library, and a `Session`.
template <typename M>
concept PredictingModel = requires(M& model, const M& constant, const Sequence<typename M::Scalar>& values,
                                   const Context<typename M::Scalar, M::state_size_at_compile_time>& context) {
  { model(values, context) } -> std::convertible_to<Sequence<typename M::Scalar>>;
  { constant.final_state() } -> std::convertible_to<const State<typename M::Scalar, M::state_size_at_compile_time>&>;
};

/// A loss: `loss(prediction, target, weight, d_prediction)`. Predictions and targets are (rows, features) arrays, where
/// a row is one step of one sample. `weight` is an Eigen array or expression of (rows). The loss returns
/// sum_row weight[row] loss(row), and writes the derivative of that sum by the predictions. `MeanSquaredError`
/// satisfies it.
///
/// Optional:
/// - `name`, for tables and messages
/// - `bool accepts(outputs, targets)`, if there may be more or fewer targets than outputs
/// - `const char* wanted_target(target, outputs, targets)`: null if the loss accepts a target of this value,
/// else
///   what it must be, as "in [0, 1]"
template <typename L, typename Scalar>
concept LossFunction =
    requires(const L& loss, ConstArrayView<Scalar> values, ConstVectorView<Scalar> weight, ArrayView<Scalar> d) {
      { loss(values, values, weight, d) } -> std::convertible_to<Scalar>;
    };

/// A score that is a weighted mean over rows: `metric(prediction, target, weight)`, with the arguments of a
/// `LossFunction`. `Accuracy` satisfies it.
template <typename M, typename Scalar>
concept MeanMetric = requires(const M& metric, ConstArrayView<Scalar> values, ConstVectorView<Scalar> weight) {
  { metric(values, values, weight) } -> std::convertible_to<Scalar>;
  { metric.name } -> std::convertible_to<const char*>;
};

/// A score that is no mean, but follows from sums over all rows of all batches. `F1` satisfies it.
///
/// - `sum_count(outputs, targets)`: how many sums it needs
/// - `add(prediction, target, weight, sums)`: adds rows to the sums, a `VectorView<double>` that begins at 0
/// - `value(sums)`: the score
///
/// Optional: `merge(sums, others)`, which makes the sums of two parts of the rows those of both. Without it they are
/// added.
template <typename M, typename Scalar>
concept SumMetric = requires(const M& metric, ConstArrayView<Scalar> values, ConstVectorView<Scalar> weight,
                             VectorView<double> sums, ConstVectorView<double> all) {
  { metric.sum_count(Index{1}, Index{1}) } -> std::convertible_to<Index>;
  metric.add(values, values, weight, sums);
  { metric.value(all) } -> std::convertible_to<double>;
  { metric.name } -> std::convertible_to<const char*>;
};

/// A score that is reported but not trained on, with a `name`. A loss can also serve as a metric.
template <typename M, typename Scalar>
concept Metric = MeanMetric<M, Scalar> || SumMetric<M, Scalar>;

/// Metrics whose number the run time tells, with common sums: `AnyMetrics` satisfies it.
///
/// - `metrics()`: a span of them, each with a `name`, `larger_is_better()`, and the optional members of a
///   `LossFunction`
/// - `sum_count`, `add` and `merge`: those of a `SumMetric`, for the sums of all of them
/// - `for_each_value(sums, visit)`: calls visit(value) for each metric, in their order
template <typename L, typename Scalar>
concept MetricList = requires(const L& list, ConstArrayView<Scalar> values, ConstVectorView<Scalar> weight,
                              VectorView<double> sums, ConstVectorView<double> all) {
  { list.metrics()[0].name } -> std::convertible_to<const char*>;
  { list.metrics()[0].larger_is_better() } -> std::convertible_to<bool>;
  { list.sum_count(Index{1}, Index{1}) } -> std::convertible_to<Index>;
  list.add(values, values, weight, sums);
  list.merge(sums, all);
  list.for_each_value(all, [](Scalar) {});
};

/// Changes a gradient in place between the backward pass and the optimizer: `transform(gradient, weight)`.
///
/// `gradient` is a `VectorView<Scalar>` in the order of the model's `parameters()`. `weight` is the sum of the weights
/// that the loss was divided by: the number of steps and samples, if each counts 1. So to add up the gradients of
/// several machines, multiply each by its weight, and divide the sum by the sum of the weights. `Clip` satisfies it.
template <typename T, typename Scalar>
concept GradientTransform = requires(T& transform, VectorView<Scalar> gradient, Scalar weight) {
  { transform(gradient, weight) } -> std::same_as<void>;
};

/// An optimizer: `step(parameters, gradient)` changes the parameters in place. Both are flat vectors, of one size over
/// the optimizer's life. `Adam` satisfies it.
///
/// Optional: the members of `OptimizerBase`, which schedules and checkpoints need.
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
