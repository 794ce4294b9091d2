// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// Keras' default of Adam's epsilon, and ours.
inline constexpr double keras_epsilon = 1e-7;
/// PyTorch's.
inline constexpr double torch_epsilon = 1e-8;

/// How Adam descends.
template <typename Scalar>
struct AdamOptions {
  Scalar learning_rate = Scalar(0.001);                 ///< at least 0
  Scalar beta1 = Scalar(0.9);                           ///< decay of the mean gradient, in [0, 1)
  Scalar beta2 = Scalar(0.999);                         ///< decay of the mean squared gradient, in [0, 1)
  Scalar epsilon = static_cast<Scalar>(keras_epsilon);  ///< added to the root of the latter, at least 0
};

/// Adam: a step along the mean gradient over the root of the mean squared gradient.
///
///     m <- beta1 m + (1 - beta1) g,   s <- beta2 s + (1 - beta2) g^2
///     p <- p - learning_rate / (1 - beta1^k) m / (sqrt(s / (1 - beta2^k)) + epsilon)      in the k-th step
///
/// Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; epsilon stands where PyTorch has it.
template <typename Scalar>
class Adam {
 public:
  /// \throws InvalidArgument if an option is out of range
  explicit Adam(const AdamOptions<Scalar>& options = {}) : options_(options) {
    const auto require = [](bool holds, const char* name, const char* range, Scalar got) {
      if (!holds) detail::refuse("Adam: ", name, " must be ", range, ", got ", got);
    };
    const auto finite = [](Scalar value) { return value >= Scalar(0) && std::isfinite(value); };
    require(finite(options.learning_rate), "learning_rate", "finite and at least 0", options.learning_rate);
    require(finite(options.epsilon), "epsilon", "finite and at least 0", options.epsilon);
    require(options.beta1 >= 0 && options.beta1 < 1, "beta1", "in [0, 1)", options.beta1);
    require(options.beta2 >= 0 && options.beta2 < 1, "beta2", "in [0, 1)", options.beta2);
  }

  [[nodiscard]] const AdamOptions<Scalar>& options() const noexcept { return options_; }

  /// Moves the parameters one step; allocates in the first one only.
  /// \throws InvalidArgument if the sizes differ, or differ from the first step's
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) {
    if (step_ == 0) {
      mean_.resize(parameters.size());
      square_.resize(parameters.size());
    }
    if (gradient.size() != parameters.size() || mean_.size() != parameters.size()) {
      detail::refuse("Adam: ", mean_.size(), " parameters so far, got ", parameters.size(), " and a gradient of ",
                     gradient.size());
    }
    ++step_;
    const double k = static_cast<double>(step_);
    const auto rate = static_cast<Scalar>(double{options_.learning_rate} / (1.0 - std::pow(double{options_.beta1}, k)));
    const auto scale = static_cast<Scalar>(1.0 / std::sqrt(1.0 - std::pow(double{options_.beta2}, k)));
    VectorView<Scalar> m(mean_.data(), mean_.size());
    VectorView<Scalar> s(square_.data(), square_.size());
    m = options_.beta1 * m + (Scalar(1) - options_.beta1) * gradient;
    s = options_.beta2 * s + (Scalar(1) - options_.beta2) * gradient.square();
    parameters -= rate * m / (s.sqrt() * scale + options_.epsilon);
  }

 private:
  AdamOptions<Scalar> options_;
  std::int64_t step_ = 0;
  Buffer<Scalar> mean_;
  Buffer<Scalar> square_;
};

}  // namespace elegans
