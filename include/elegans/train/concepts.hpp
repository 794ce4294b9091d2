// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// What training needs of a model: a flat parameter vector with a gradient of the same layout, and a forward and
/// backward pass over sequences. `LTC` satisfies it.
template <typename M>
concept TrainableModel = requires(M& model, const Sequence<typename M::Scalar>& values) {
  { model.forward(values) } -> std::convertible_to<const Sequence<typename M::Scalar>&>;
  model.backward(values);
  { model.parameters() } -> std::convertible_to<ConstVectorView<typename M::Scalar>>;
  { model.gradient() } -> std::convertible_to<ConstVectorView<typename M::Scalar>>;
  model.update([](VectorView<typename M::Scalar>) {});
};

/// A loss: `loss(prediction, target, d_prediction)` returns the value and writes its derivative by the prediction, all
/// three of one shape, which it may rely on. `MeanSquaredError` satisfies it.
template <typename L, typename Scalar>
concept LossFunction = requires(const L& loss, const Sequence<Scalar>& values, Sequence<Scalar>& derivative) {
  { loss(values, values, derivative) } -> std::convertible_to<Scalar>;
};

/// An optimizer: `step(parameters, gradient)` changes the parameters in place, both flat vectors of one size that stays
/// the same over its life. `Adam` satisfies it.
template <typename O, typename Scalar>
concept Optimizer = requires(O& optimizer, VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) {
  optimizer.step(parameters, gradient);
};

}  // namespace elegans
