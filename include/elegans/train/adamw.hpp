// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/train/adam.hpp>

namespace elegans {

/// The options of AdamW: those of Adam, and the decay of the weights.
template <typename Scalar>
struct AdamWOptions {
  Scalar learning_rate = Scalar(0.001);
  Scalar weight_decay = Scalar(0.01);  ///< at least 0; PyTorch's default
  Scalar beta1 = Scalar(0.9);
  Scalar beta2 = Scalar(0.999);
  Scalar epsilon = static_cast<Scalar>(keras_epsilon);
};

// mutate all: optimizer.adamw
/// Adam with decoupled weight decay: p <- (1 - learning_rate weight_decay) p, then a step of Adam.
///
/// Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019; mirrors `torch.optim.AdamW`. It decays
/// every parameter, even reversal potentials and membrane capacitances.
template <typename Scalar>
class AdamW : public Adam<Scalar> {
 public:
  /// An optimizer that has taken no step yet. \throws InvalidArgument if an option is out of range
  explicit AdamW(const AdamWOptions<Scalar>& options = {})
      : Adam<Scalar>("AdamW", {.learning_rate = options.learning_rate,
                               .beta1 = options.beta1,
                               .beta2 = options.beta2,
                               .epsilon = options.epsilon}),
        options_(options) {
    this->require_at_least_0("weight_decay", options.weight_decay);
  }

  /// See `Adam::options`.
  [[nodiscard]] const AdamWOptions<Scalar>& options() const& noexcept { return options_; }
  [[nodiscard]] AdamWOptions<Scalar> options() const&& { return options(); }

  /// See `Adam::step`.
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) {
    parameters *= Scalar(1) - this->learning_rate() * options_.weight_decay;
    Adam<Scalar>::step(parameters, gradient);
  }

 private:
  AdamWOptions<Scalar> options_;
};

}  // namespace elegans
