// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/train/adam.hpp>

namespace elegans {

/// The options of AdamW: those of Adam, with PyTorch's default decay of the weights.
struct AdamWOptions {
  double learning_rate = 0.001;
  double weight_decay = 0.01;  ///< at least 0
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = keras_epsilon;
};

// mutate all: optimizer.adamw
/// Adam with decoupled weight decay: p <- (1 - learning_rate weight_decay) p, then a step of Adam.
///
/// Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019; mirrors `torch.optim.AdamW`. It decays
/// every parameter, even reversal potentials and membrane capacitances; a `ParameterGroup` says which ones not.
template <typename Scalar>
class AdamW : public Adam<Scalar> {
 public:
  /// An optimizer that has taken no step yet. \throws InvalidArgument if an option is out of range
  explicit AdamW(const AdamWOptions& options = {})
      : Adam<Scalar>("AdamW",
                     {.learning_rate = options.learning_rate,
                      .weight_decay = options.weight_decay,
                      .beta1 = options.beta1,
                      .beta2 = options.beta2,
                      .epsilon = options.epsilon},
                     true) {}
};

}  // namespace elegans
