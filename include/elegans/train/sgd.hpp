// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/train/optimizer_base.hpp>

namespace elegans {

/// The options of SGD, with Keras' names and defaults.
template <typename Scalar>
struct SGDOptions {
  Scalar learning_rate = Scalar(0.01);
  Scalar momentum = Scalar(0);  ///< share of the last step that the next one repeats, in [0, 1)
  bool nesterov = false;        ///< takes the gradient's step from where the momentum leads
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
  explicit SGD(const SGDOptions<Scalar>& options = {})
      : OptimizerBase<Scalar, 1>("SGD", options.learning_rate), options_(options) {
    this->require_decay("momentum", options.momentum);
  }

  /// See `Adam::options`.
  [[nodiscard]] const SGDOptions<Scalar>& options() const& noexcept { return options_; }
  [[nodiscard]] SGDOptions<Scalar> options() const&& { return options(); }

  /// Moves the parameters by one step. Only the first one allocates.
  /// \throws InvalidArgument if the sizes differ, or differ from the first step's
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) {
    this->begin_step(parameters.size(), gradient.size());
    auto v = this->remembered(0);
    v = options_.momentum * v + gradient;
    if (options_.nesterov) {
      parameters -= this->learning_rate() * (gradient + options_.momentum * v);
    } else {
      parameters -= this->learning_rate() * v;
    }
  }

 private:
  SGDOptions<Scalar> options_;
};

}  // namespace elegans
