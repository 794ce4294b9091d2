// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/train/optimizer_base.hpp>

namespace elegans {

/// The options of RMSprop, with Keras' names and defaults.
template <typename Scalar>
struct RMSpropOptions {
  Scalar learning_rate = Scalar(0.001);
  Scalar rho = Scalar(0.9);       ///< decay of the mean squared gradient, in [0, 1)
  Scalar momentum = Scalar(0);    ///< share of the last step that the next one repeats, in [0, 1)
  Scalar epsilon = Scalar(1e-7);  ///< added to the root of the mean squared gradient, above 0
};

// mutate all: optimizer.rmsprop
/// RMSprop: a step along the gradient over the root of its mean square.
///
///     s <- rho s + (1 - rho) g^2,   v <- momentum v + g / (sqrt(s) + epsilon),   p <- p - learning_rate v
///
/// Hinton, Neural Networks for Machine Learning, lecture 6e, 2012; mirrors `torch.optim.RMSprop`.
template <typename Scalar>
class RMSprop : public OptimizerBase<Scalar, 2> {
 public:
  /// An optimizer that has taken no step yet. \throws InvalidArgument if an option is out of range
  explicit RMSprop(const RMSpropOptions<Scalar>& options = {})
      : OptimizerBase<Scalar, 2>("RMSprop", options.learning_rate), options_(options) {
    this->require_decay("rho", options.rho);
    this->require_decay("momentum", options.momentum);
    this->require_epsilon(options.epsilon);
  }

  /// See `Adam::options`.
  [[nodiscard]] const RMSpropOptions<Scalar>& options() const& noexcept { return options_; }
  [[nodiscard]] RMSpropOptions<Scalar> options() const&& { return options(); }

  /// Moves the parameters by one step. Only the first one allocates.
  /// \throws InvalidArgument if the sizes differ, or differ from the first step's
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) {
    this->begin_step(parameters.size(), gradient.size());
    auto s = this->remembered(0);
    auto v = this->remembered(1);
    s = options_.rho * s + (Scalar(1) - options_.rho) * gradient.square();
    v = options_.momentum * v + gradient / (s.sqrt() + options_.epsilon);
    parameters -= this->learning_rate() * v;
  }

 private:
  RMSpropOptions<Scalar> options_;
};

}  // namespace elegans
