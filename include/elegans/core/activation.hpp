// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace elegans {

/// The function that a layer of neurons without memory applies to its weighted sums z.
enum class Activation {
  linear,      ///< z
  lecun_tanh,  ///< 1.7159 tanh(0.666 z): LeCun et al., Efficient BackProp, 1998, with ncps' constants
  relu,        ///< max(z, 0)
  tanh,
  gelu,  ///< z Phi(z), where Phi is the normal distribution function: exact, with erf, like PyTorch's default
  silu,  ///< z sigmoid(z)
  sigmoid
};

namespace detail {

template <typename Scalar>
inline constexpr Scalar lecun_scale = Scalar(1.7159);
template <typename Scalar>
inline constexpr Scalar lecun_slope = Scalar(0.666);

}  // namespace detail

}  // namespace elegans
