// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>

#include <elegans/core/types.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/adamw.hpp>
#include <elegans/train/optimizer_base.hpp>
#include <elegans/train/rmsprop.hpp>
#include <elegans/train/sgd.hpp>

namespace elegans {

// mutate all: optimizer.any
/// An optimizer of the library that is chosen at run time. A program that lets its user choose then compiles `fit` once
/// per model, not once per model and optimizer.
///
///     elegans::AnyOptimizer<float> optimizer = elegans::Adam<float>({.learning_rate = 0.01});
template <typename Scalar>
class AnyOptimizer {
  using Held = std::variant<Adam<Scalar>, AdamW<Scalar>, RMSprop<Scalar>, SGD<Scalar>>;

 public:
  /// Holds an optimizer. \param optimizer  one of the library's
  template <typename Optimizer>
    requires std::constructible_from<Held, Optimizer>
  AnyOptimizer(Optimizer optimizer) : optimizer_(std::move(optimizer)) {}

  /// See `Adam::step`.
  void step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient,
            std::span<const ParameterRange> ranges = {}) {
    std::visit([&](auto& optimizer) { optimizer.step(parameters, gradient, ranges); }, optimizer_);
  }

  [[nodiscard]] Scalar learning_rate() const noexcept {
    return std::visit([](const auto& optimizer) { return optimizer.learning_rate(); }, optimizer_);
  }
  /// See `OptimizerBase::set_learning_rate`.
  void set_learning_rate(Scalar rate) {
    std::visit([&](auto& optimizer) { optimizer.set_learning_rate(rate); }, optimizer_);
  }
  /// The number of steps so far.
  [[nodiscard]] std::int64_t steps() const noexcept {
    return std::visit([](const auto& optimizer) { return optimizer.steps(); }, optimizer_);
  }
  /// See `OptimizerBase::memory`.
  [[nodiscard]] ConstVectorView<Scalar> memory() const& noexcept {
    return std::visit([](const auto& optimizer) { return optimizer.memory(); }, optimizer_);
  }
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> memory() const&& { return memory(); }
  /// See `OptimizerBase::resume`.
  void resume(std::int64_t steps, ConstVectorView<Scalar> memory) {
    std::visit([&](auto& optimizer) { optimizer.resume(steps, memory); }, optimizer_);
  }

  /// Calls visit(optimizer) with the optimizer in its own type.
  template <typename Visit>
  decltype(auto) visit(Visit&& visit) const {
    return std::visit(std::forward<Visit>(visit), optimizer_);
  }

 private:
  Held optimizer_;
};

}  // namespace elegans
