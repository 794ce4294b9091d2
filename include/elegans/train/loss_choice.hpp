// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace elegans {

/// The loss that `fit` trains on; made by `loss`.
template <typename Function>
struct ChosenLoss {
  Function function;
};

/// Names the loss that `fit` trains on. Its place among the arguments makes no difference.
///
///     elegans::fit(model, data, optimizer, options, elegans::Accuracy{},
///     elegans::loss(elegans::BinaryCrossEntropy{}));
///
/// \param function  a `LossFunction`
template <typename Function>
[[nodiscard]] constexpr ChosenLoss<Function> loss(Function function) {
  return {std::move(function)};
}

}  // namespace elegans
