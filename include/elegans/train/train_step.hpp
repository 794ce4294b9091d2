// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/step_weights.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans {

/// The memory that `train_step` reuses from call to call.
template <typename Scalar>
struct TrainStepWorkspace {
  Sequence<Scalar> d_prediction;  ///< derivative of the loss by the predictions
  Buffer<Scalar> gradient;        ///< what the transforms change; empty without transforms
};

// mutate all: train.descend
namespace detail {

/// Runs the model's last forward pass backward, applies the transforms to the gradient, and takes one optimizer step.
///
/// A weight of 0 means that no step of the batch counts, so its gradient is 0. The transforms still see it, because
/// another machine may add to it; the optimizer sees it only if one did.
template <typename Model, typename Optimize, typename Scalar, typename... Transforms>
void descend(Model& model, Optimize& optimizer, Scalar weight, TrainStepWorkspace<Scalar>& workspace,
             Transforms&... transforms) {
  if (weight != Scalar(0)) model.backward(workspace.d_prediction);
  if constexpr (sizeof...(Transforms) == 0) {
    if (weight == Scalar(0)) return;
    model.update([&](VectorView<Scalar> parameters) { optimizer.step(parameters, model.gradient()); });
  } else {
    workspace.gradient.resize(model.parameters().size());
    VectorView<Scalar> gradient(workspace.gradient.data(), workspace.gradient.size());
    if (weight != Scalar(0)) {
      gradient = model.gradient();
    } else {
      gradient.setZero();
    }
    (transforms(gradient, weight), ...);
    if (weight == Scalar(0) && (gradient == Scalar(0)).all()) return;
    model.update([&](VectorView<Scalar> parameters) {
      optimizer.step(parameters, ConstVectorView<Scalar>(gradient.data(), gradient.size()));
    });
  }
}

}  // namespace detail

/// Updates a model once from a whole batch: forward, loss, backward, transforms, optimizer, constraints.
///
/// \param workspace   keep it for the next call: then only the first call allocates
/// \param transforms  each a `GradientTransform`; applied to the gradient in this order, before the optimizer
/// \return the loss before the update; if it is not finite, there was no update
/// \throws InvalidArgument if y does not have the shape of the prediction, or a value that the loss does not accept
template <TrainableModel Model, typename Optimize, typename Loss = MeanSquaredError, typename... Transforms>
  requires Optimizer<Optimize, typename Model::Scalar> && LossFunction<Loss, typename Model::Scalar> &&
           (GradientTransform<Transforms, typename Model::Scalar> && ...)
typename Model::Scalar train_step(
    Model& model, const Sequence<typename Model::Scalar>& x, const Sequence<typename Model::Scalar>& y,
    Optimize& optimizer, TrainStepWorkspace<typename Model::Scalar>& workspace, const Loss& loss_function = {},
    const Context<typename Model::Scalar, Model::state_size_at_compile_time>& context = {},
    Transforms&&... transforms) {
  using Scalar = typename Model::Scalar;
  const auto loss =
      weighted_loss(loss_function, model.forward(x, context), y, StepWeights<Scalar>(), workspace.d_prediction);
  if (detail::is_finite(loss.mean)) detail::descend(model, optimizer, loss.weight, workspace, transforms...);
  return loss.mean;
}

}  // namespace elegans
