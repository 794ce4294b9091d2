// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace elegans::detail {

// mutate all: softplus
/// log(1 + exp(x)). Above 20 it is x itself, as in PyTorch.
template <typename Scalar>
[[nodiscard]] Scalar softplus(Scalar x) {
  return x > Scalar(20) ? x : std::log1p(std::exp(x));
}

/// The derivative of softplus: the sigmoid of x, and 1 above 20.
template <typename Scalar>
[[nodiscard]] Scalar softplus_derivative(Scalar x) {
  return x > Scalar(20) ? Scalar(1) : Scalar(1) / (Scalar(1) + std::exp(-x));
}

}  // namespace elegans::detail
