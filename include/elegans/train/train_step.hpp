// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/parameter_groups.hpp>
#include <elegans/train/step_weights.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans {

/// The memory that `train_step` reuses from call to call, and how it treats groups of parameters.
template <typename Scalar>
struct TrainStepWorkspace {
  Sequence<Scalar> d_prediction;  ///< derivative of the loss by the predictions
  Buffer<Scalar> gradient;        ///< what the transforms change; empty without transforms and groups
  Buffer<Scalar> frozen;          ///< the values of frozen parameters
  ParameterGroups groups{};       ///< the frozen parameters, and those with a learning rate of their own
};

// mutate all: train.descend
namespace detail {

/// Calls visit(parameter, saved value) for each frozen parameter.
template <typename Scalar, typename Visit>
void for_each_frozen(TrainStepWorkspace<Scalar>& workspace, Visit visit) {
  Index k = 0;
  for (const ParameterRange& range : workspace.groups.frozen()) {
    for (Index i = range.first; i < range.first + range.size; ++i) visit(i, workspace.frozen[k++]);
  }
}

/// Updates the parameters by `workspace.gradient`, except for those that are frozen.
template <typename Model, typename Optimize, typename Scalar>
void update_by_gradient(Model& model, Optimize& optimizer, TrainStepWorkspace<Scalar>& workspace) {
  const ConstVectorView<Scalar> gradient(workspace.gradient.data(), workspace.gradient.size());
  Index frozen = 0;
  for (const ParameterRange& range : workspace.groups.frozen()) frozen += range.size;
  workspace.frozen.resize(frozen);
  model.update([&](VectorView<Scalar> parameters) {
    for_each_frozen(workspace, [&](Index i, Scalar& saved) { saved = parameters[i]; });
    workspace.groups.step(optimizer, parameters, gradient);
    // An optimizer that knows no ranges may have changed them.
    for_each_frozen(workspace, [&](Index i, const Scalar& saved) { parameters[i] = saved; });
  });
  const auto parameters = model.parameters();
  for_each_frozen(workspace, [&](Index i, const Scalar& saved) {
    if (parameters[i] == saved) return;
    refuse("the frozen parameter ", name_of_parameter(model, i), " is ", saved,
           ", which its constraint does not allow: an update would make it ", parameters[i]);
  });
}

/// Applies the transforms to `workspace.gradient`, and takes one optimizer step.
///
/// A weight of 0 means that no step of the batch counts, so its gradient is 0. The transforms still see it, because
/// another machine may add to it; the optimizer sees it only if one did.
template <typename Model, typename Optimize, typename Scalar, typename... Transforms>
void transform_and_update(Model& model, Optimize& optimizer, Scalar weight, TrainStepWorkspace<Scalar>& workspace,
                          Transforms&... transforms) {
  VectorView<Scalar> gradient(workspace.gradient.data(), workspace.gradient.size());
  workspace.groups.hide_frozen(gradient);
  (transforms(gradient, weight), ...);
  workspace.groups.clip(gradient);
  if (weight == Scalar(0) && (gradient == Scalar(0)).all()) return;
  update_by_gradient(model, optimizer, workspace);
}

/// Runs the model's last forward pass backward, applies the transforms to the gradient, and takes one optimizer step.
template <typename Model, typename Optimize, typename Scalar, typename... Transforms>
void descend(Model& model, Optimize& optimizer, Scalar weight, TrainStepWorkspace<Scalar>& workspace,
             Transforms&... transforms) {
  if (weight != Scalar(0)) model.backward(workspace.d_prediction);
  if (sizeof...(Transforms) == 0 && workspace.groups.empty()) {
    if (weight == Scalar(0)) return;
    model.update([&](VectorView<Scalar> parameters) { optimizer.step(parameters, model.gradient()); });
    return;
  }
  workspace.gradient.resize(model.parameters().size());
  VectorView<Scalar> gradient(workspace.gradient.data(), workspace.gradient.size());
  if (weight != Scalar(0)) {
    gradient = model.gradient();
  } else {
    gradient.setZero();
  }
  transform_and_update(model, optimizer, weight, workspace, transforms...);
}

}  // namespace detail

/// Updates a model once from a whole batch: forward, loss, backward, transforms, optimizer, constraints.
///
/// \param workspace   keep it for the next call: then only the first call allocates. Its `groups` say which parameters
///                    are frozen
/// \param transforms  each a `GradientTransform`; applied to the gradient in this order, before the optimizer
/// \return the loss before the update; if it is not finite, there was no update
/// \throws InvalidArgument if y does not have the shape of the prediction, or a value that the loss does not accept; or
///                         if a frozen parameter breaks its constraint
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
