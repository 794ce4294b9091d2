// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <elegans/core/types.hpp>
#include <elegans/train/optimizer_base.hpp>

namespace elegans {

/// Adam's default epsilon in Keras, and here.
inline constexpr double keras_epsilon = 1e-7;
/// Adam's default epsilon in PyTorch.
inline constexpr double torch_epsilon = 1e-8;

/// The options of Adam.
template <typename Scalar>
struct AdamOptions {
  Scalar learning_rate = Scalar(0.001);                 ///< at least 0
  Scalar beta1 = Scalar(0.9);                           ///< decay of the mean gradient, in [0, 1)
  Scalar beta2 = Scalar(0.999);                         ///< decay of the mean squared gradient, in [0, 1)
  Scalar epsilon = static_cast<Scalar>(keras_epsilon);  ///< added to the root of the latter, above 0
};

// mutate all: optimizer.adam
/// Adam: a step along the mean gradient over the root of the mean squared gradient.
///
///     m <- beta1 m + (1 - beta1) g,   s <- beta2 s + (1 - beta2) g^2
///     p <- p - learning_rate / (1 - beta1^k) m / (sqrt(s / (1 - beta2^k)) + epsilon)      in the k-th step
///
/// Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; epsilon is where PyTorch has it.
template <typename Scalar>
class Adam : public OptimizerBase<Scalar, 2> {
 public:
  /// An optimizer that has taken no step yet. \throws InvalidArgument if an option is out of range
  explicit Adam(const AdamOptions<Scalar>& options = {}) : Adam("Adam", options) {}

  /// The options of the constructor; `learning_rate()` is the rate now in force.
  [[nodiscard]] const AdamOptions<Scalar>& options() const& noexcept { return options_; }
  [[nodiscard]] AdamOptions<Scalar> options() const&& { return options(); }

  /// Moves the parameters by one step. Only the first one allocates.
  /// \throws InvalidArgument if the sizes differ, or differ from the first step's
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) {
    this->begin_step(parameters.size(), gradient.size());
    const auto k = static_cast<double>(this->steps());
    const auto rate = static_cast<Scalar>(double{this->learning_rate()} / (1.0 - std::pow(double{options_.beta1}, k)));
    const auto scale = static_cast<Scalar>(1.0 / std::sqrt(1.0 - std::pow(double{options_.beta2}, k)));
    auto m = this->remembered(0);
    auto s = this->remembered(1);
    m = options_.beta1 * m + (Scalar(1) - options_.beta1) * gradient;
    s = options_.beta2 * s + (Scalar(1) - options_.beta2) * gradient.square();
    parameters -= rate * m / (s.sqrt() * scale + options_.epsilon);
  }

 protected:
  Adam(const char* name, const AdamOptions<Scalar>& options)
      : OptimizerBase<Scalar, 2>(name, options.learning_rate), options_(options) {
    this->require_decay("beta1", options.beta1);
    this->require_decay("beta2", options.beta2);
    this->require_epsilon(options.epsilon);
  }

 private:
  AdamOptions<Scalar> options_;
};

}  // namespace elegans
