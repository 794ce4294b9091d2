// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace elegans {

/// What a layer of neurons without a memory makes of its weighted sums.
enum class Activation {
  linear,      ///< z
  lecun_tanh,  ///< 1.7159 tanh(0.666 z): LeCun et al., Efficient BackProp, 1998, with ncps' constants
  relu,        ///< max(z, 0)
  tanh,
  gelu,  ///< z Phi(z), Phi the normal distribution's: exact, with erf, as PyTorch's default
  silu,  ///< z sigmoid(z)
  sigmoid
};

}  // namespace elegans
