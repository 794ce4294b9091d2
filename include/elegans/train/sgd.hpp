// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <elegans/core/types.hpp>
#include <elegans/train/optimizer_base.hpp>

namespace elegans {

/// The options of SGD, with Keras' names and defaults.
struct SGDOptions {
  double learning_rate = 0.01;
  double weight_decay = 0;  ///< factor of an L2 penalty: weight_decay p is added to each derivative, as PyTorch does
  double momentum = 0;      ///< share of the last step that the next one repeats, in [0, 1)
  bool nesterov = false;    ///< takes the gradient's step from where the momentum leads
};

// mutate all: optimizer.sgd
/// Gradient descent, with momentum: v <- momentum v + g, p <- p - learning_rate v; with Nesterov's look-ahead
/// p <- p - learning_rate (g + momentum v).
///
/// Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013; mirrors
/// `torch.optim.SGD`.
template <typename Scalar>
class SGD : public OptimizerBase<Scalar, 1> {
 public:
  /// An optimizer that has taken no step yet. \throws InvalidArgument if an option is out of range
  explicit SGD(const SGDOptions& options = {})
      : OptimizerBase<Scalar, 1>("SGD", options.learning_rate, options.weight_decay), options_(options) {
    this->require_decay("momentum", options.momentum);
  }

  /// See `Adam::options`.
  [[nodiscard]] const SGDOptions& options() const& noexcept { return options_; }
  [[nodiscard]] SGDOptions options() const&& { return options(); }

  /// See `Adam::step`.
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient,
            std::span<const ParameterRange> ranges = {}) {
    this->begin_step(parameters.size(), gradient.size());
    const auto momentum = static_cast<Scalar>(options_.momentum);
    this->for_each_move(parameters, gradient, ranges, [&](auto move) {
      const ConstVectorView<Scalar> g = this->penalized(move);
      auto v = this->remembered(0, move);
      v = momentum * v + g;
      if (options_.nesterov) {
        move.parameters -= move.learning_rate * (g + momentum * v);
      } else {
        move.parameters -= move.learning_rate * v;
      }
    });
  }

 private:
  SGDOptions options_;
};

}  // namespace elegans
