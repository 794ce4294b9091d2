// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>

#include <elegans/core/types.hpp>
#include <elegans/train/optimizer_base.hpp>

namespace elegans {

/// Adam's default epsilon in Keras, and here.
inline constexpr double keras_epsilon = 1e-7;
/// Adam's default epsilon in PyTorch.
inline constexpr double torch_epsilon = 1e-8;

/// The options of Adam.
struct AdamOptions {
  double learning_rate = 0.001;    ///< at least 0
  double weight_decay = 0;         ///< factor of an L2 penalty, see `SGDOptions`, at least 0
  double beta1 = 0.9;              ///< decay of the mean gradient, in [0, 1)
  double beta2 = 0.999;            ///< decay of the mean squared gradient, in [0, 1)
  double epsilon = keras_epsilon;  ///< added to the root of the latter, above 0
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
  explicit Adam(const AdamOptions& options = {}) : Adam("Adam", options, false) {}

  /// The options of the constructor; `learning_rate()` is the rate now in force.
  [[nodiscard]] const AdamOptions& options() const& noexcept { return options_; }
  [[nodiscard]] AdamOptions options() const&& { return options(); }

  /// Moves the parameters by one step. Only the first one allocates.
  ///
  /// \param ranges  the parameters to move, and how; empty for all of them alike
  /// \throws InvalidArgument if the sizes differ, or differ from the first step's
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient,
            std::span<const ParameterRange> ranges = {}) {
    this->begin_step(parameters.size(), gradient.size());
    const auto k = static_cast<double>(this->steps());
    const auto beta1 = static_cast<Scalar>(options_.beta1), beta2 = static_cast<Scalar>(options_.beta2);
    const auto epsilon = static_cast<Scalar>(options_.epsilon);
    const double correction = 1.0 - std::pow(double{beta1}, k);
    const auto scale = static_cast<Scalar>(1.0 / std::sqrt(1.0 - std::pow(double{beta2}, k)));
    this->for_each_move(parameters, gradient, ranges, [&](auto move) {
      const auto rate = static_cast<Scalar>(double{move.learning_rate} / correction);
      if (decouples_decay_) move.parameters *= Scalar(1) - move.learning_rate * move.weight_decay;
      const ConstVectorView<Scalar> g = decouples_decay_ ? move.gradient : this->penalized(move);
      auto m = this->remembered(0, move);
      auto s = this->remembered(1, move);
      m = beta1 * m + (Scalar(1) - beta1) * g;
      s = beta2 * s + (Scalar(1) - beta2) * g.square();
      move.parameters -= rate * m / (s.sqrt() * scale + epsilon);
    });
  }

 protected:
  /// \param decouples_decay  decays the weights as AdamW does
  Adam(const char* name, const AdamOptions& options, bool decouples_decay)
      : OptimizerBase<Scalar, 2>(name, options.learning_rate, options.weight_decay),
        options_(options),
        decouples_decay_(decouples_decay) {
    this->require_decay("beta1", options.beta1);
    this->require_decay("beta2", options.beta2);
    this->require_epsilon(options.epsilon);
  }

 private:
  AdamOptions options_;
  bool decouples_decay_;
};

}  // namespace elegans
