// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/train/clipping.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/step_weights.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans {

namespace detail {

/// Goes back through the model's last forward pass and takes one step of the optimizer.
template <typename Model, typename Optimize, typename Scalar>
void descend(Model& model, Optimize& optimizer, const Sequence<Scalar>& d_prediction, const Clipping& clipping,
             Buffer<Scalar>& clipped) {
  model.backward(d_prediction);
  if (!clipping.is_on()) {
    model.update([&](VectorView<Scalar> parameters) { optimizer.step(parameters, model.gradient()); });
    return;
  }
  clipped.resize(model.gradient().size());
  VectorView<Scalar> gradient(clipped.data(), clipped.size());
  gradient = model.gradient();
  clip<Scalar>(clipping, gradient);
  model.update([&](VectorView<Scalar> parameters) {
    optimizer.step(parameters, ConstVectorView<Scalar>(clipped.data(), clipped.size()));
  });
}

}  // namespace detail

/// Does one update from a whole batch: forward, loss, backward, optimizer, constraints.
///
/// \param d_prediction  room for the loss' derivative: kept by the caller so that nothing is allocated a second time
/// \return the loss before the update; if it is not finite, there was no update
/// \throws InvalidArgument if y is not of the shape of the prediction
template <TrainableModel Model, typename Optimize, typename Loss = MeanSquaredError>
  requires Optimizer<Optimize, typename Model::Scalar> && LossFunction<Loss, typename Model::Scalar>
typename Model::Scalar train_step(
    Model& model, const Sequence<typename Model::Scalar>& x, const Sequence<typename Model::Scalar>& y,
    Optimize& optimizer, Sequence<typename Model::Scalar>& d_prediction, const Loss& loss_function = {},
    const Context<typename Model::Scalar, Model::state_size_at_compile_time>& context = {}) {
  using Scalar = typename Model::Scalar;
  const Scalar loss = weighted_loss(loss_function, model.forward(x, context), y, StepWeights<Scalar>(), d_prediction);
  if (!std::isfinite(loss)) return loss;
  Buffer<Scalar> unused;
  detail::descend(model, optimizer, d_prediction, Clipping(), unused);
  return loss;
}

}  // namespace elegans
