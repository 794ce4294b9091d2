// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <utility>
#include <variant>

#include <elegans/core/types.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/loss.hpp>

namespace elegans {

// mutate all: loss.any
/// A loss of the library that is chosen at run time. A program that lets its user choose then compiles `fit` once per
/// model, not once per model and loss.
///
///     elegans::AnyLoss loss = elegans::MeanSquaredError{};
///     if (is_robust) loss = elegans::Huber{0.5};
class AnyLoss {
  using Held = std::variant<MeanSquaredError, MeanAbsoluteError, Huber, BinaryCrossEntropy, SoftmaxCrossEntropy>;

 public:
  const char* name;  ///< of the loss that this one is

  /// Holds a loss. \param loss  one of the library's
  template <typename Loss>
    requires std::constructible_from<Held, Loss>
  AnyLoss(Loss loss) : name(Loss::name), loss_(std::move(loss)) {}

  /// Whether the loss can compare so many outputs with so many targets.
  [[nodiscard]] bool accepts(Index outputs, Index targets) const {
    const auto accepts_in = [&](const auto& loss) -> bool {
      if constexpr (requires { loss.accepts(outputs, targets); }) return loss.accepts(outputs, targets);
      return outputs == targets;
    };
    return std::visit(accepts_in, loss_);
  }
  /// Null if the loss accepts a target of this value, else what it must be.
  template <typename Scalar>
  [[nodiscard]] const char* wanted_target(Scalar target, Index outputs, Index targets) const {
    const auto wanted_in = [&](const auto& loss) -> const char* {
      if constexpr (requires { loss.wanted_target(target, outputs, targets); }) {
        return loss.wanted_target(target, outputs, targets);
      }
      return nullptr;
    };
    return std::visit(wanted_in, loss_);
  }

  /// The loss of some rows, and its derivative: see `LossFunction`.
  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
                    ArrayView<Scalar> d_prediction) const {
    return std::visit([&](const auto& loss) { return loss(prediction, target, weight, d_prediction); }, loss_);
  }

  /// Calls visit(loss) with the loss in its own type.
  template <typename Visit>
  decltype(auto) visit(Visit&& visit) const {
    return std::visit(std::forward<Visit>(visit), loss_);
  }

 private:
  Held loss_;
};

}  // namespace elegans
