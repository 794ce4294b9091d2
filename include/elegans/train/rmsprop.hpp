// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <elegans/core/types.hpp>
#include <elegans/train/optimizer_base.hpp>

namespace elegans {

/// The options of RMSprop, with Keras' names and defaults.
struct RMSpropOptions {
  double learning_rate = 0.001;
  double weight_decay = 0;  ///< factor of an L2 penalty, see `SGDOptions`, at least 0
  double rho = 0.9;         ///< decay of the mean squared gradient, in [0, 1)
  double momentum = 0;      ///< share of the last step that the next one repeats, in [0, 1)
  double epsilon = 1e-7;    ///< added to the root of the mean squared gradient, above 0
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
  explicit RMSprop(const RMSpropOptions& options = {})
      : OptimizerBase<Scalar, 2>("RMSprop", options.learning_rate, options.weight_decay), options_(options) {
    this->require_decay("rho", options.rho);
    this->require_decay("momentum", options.momentum);
    this->require_epsilon(options.epsilon);
  }

  /// See `Adam::options`.
  [[nodiscard]] const RMSpropOptions& options() const& noexcept { return options_; }
  [[nodiscard]] RMSpropOptions options() const&& { return options(); }

  /// See `Adam::step`.
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient,
            std::span<const ParameterRange> ranges = {}) {
    this->begin_step(parameters.size(), gradient.size());
    const auto rho = static_cast<Scalar>(options_.rho), momentum = static_cast<Scalar>(options_.momentum);
    const auto epsilon = static_cast<Scalar>(options_.epsilon);
    this->for_each_move(parameters, gradient, ranges, [&](auto move) {
      const ConstVectorView<Scalar> g = this->penalized(move);
      auto s = this->remembered(0, move);
      auto v = this->remembered(1, move);
      s = rho * s + (Scalar(1) - rho) * g.square();
      v = momentum * v + g / (s.sqrt() + epsilon);
      move.parameters -= move.learning_rate * v;
    });
  }

 private:
  RMSpropOptions options_;
};

}  // namespace elegans
