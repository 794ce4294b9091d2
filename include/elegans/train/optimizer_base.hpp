// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// A range of the parameters that an optimizer steps over, and how. See `ParameterGroup`.
struct ParameterRange {
  Index first = 0;                          ///< the first parameter
  Index size = 0;                           ///< number of parameters
  double learning_rate_factor = 1;          ///< times the optimizer's learning rate
  std::optional<double> weight_decay = {};  ///< instead of the optimizer's, if there is one
};

// mutate all: optimizer.base
/// The base of the optimizers: a learning rate that may change, and a memory of the gradients so far. An optimizer that
/// was moved from has taken no steps.
///
/// \tparam Vectors  the memory has so many vectors, each as long as the parameters; at least 1
template <typename Scalar, int Vectors>
class OptimizerBase {
 public:
  /// The name of the method, for messages and checkpoints.
  [[nodiscard]] const char* name() const noexcept { return name_; }

  [[nodiscard]] Scalar learning_rate() const noexcept { return learning_rate_; }
  /// Changes the rate from the next step on. \throws InvalidArgument unless finite and at least 0
  void set_learning_rate(Scalar rate) {
    require_at_least_0("learning_rate", rate);
    learning_rate_ = rate;
  }

  /// The number of steps so far.
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  /// The memory, vector after vector; empty before the first step.
  [[nodiscard]] ConstVectorView<Scalar> memory() const& noexcept { return {memory_.data(), memory_.size()}; }
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> memory() const&& { return memory(); }
  /// Continues from the steps and the memory of another optimizer of the same kind.
  /// \throws InvalidArgument if the memory does not have the size of such an optimizer's
  void resume(std::int64_t steps, ConstVectorView<Scalar> memory) {
    if (steps < 0 || memory.size() % Vectors != 0 || (steps == 0) != (memory.size() == 0)) {
      detail::refuse(name_, ": cannot resume from step ", steps, " with a memory of ", memory.size(), " values");
    }
    memory_.resize(memory.size());
    VectorView<Scalar>(memory_.data(), memory_.size()) = memory;
    steps_ = steps;
    size_ = memory.size() / Vectors;
  }

 protected:
  /// \param weight_decay  see `SGDOptions`
  OptimizerBase(const char* name, double learning_rate, double weight_decay = 0)
      : name_(name), weight_decay_(weight_decay) {
    set_learning_rate(static_cast<Scalar>(learning_rate));
    require_at_least_0("weight_decay", weight_decay);
  }

  /// \throws InvalidArgument unless the condition holds; the message names the optimizer, the option and its range
  void require_that(bool holds, const char* option, const char* range, double got) const {
    if (!holds) detail::refuse(name_, ": ", option, " must be ", range, ", got ", got);
  }
  /// \throws InvalidArgument unless in [0, 1)
  void require_decay(const char* option, double value) const {
    require_that(!detail::is_nan(value) && value >= 0 && static_cast<Scalar>(value) < Scalar(1), option, "in [0, 1)",
                 value);
  }
  /// \throws InvalidArgument unless finite and at least 0
  void require_at_least_0(const char* option, double value) const {
    require_that(detail::is_finite(static_cast<Scalar>(value)) && value >= 0, option, "finite and at least 0", value);
  }
  /// With an epsilon of 0, a parameter whose gradient has always been 0 would become 0 / 0. A denormal one is 0 where
  /// the processor flushes denormals. \throws InvalidArgument unless finite and a normal number above 0
  void require_epsilon(double value) const {
    const auto rounded = static_cast<Scalar>(value);
    require_that(detail::is_finite(rounded) && rounded >= (std::numeric_limits<Scalar>::min)(), "epsilon",
                 "finite, above 0 and not denormal", value);
  }

  /// Counts a step; the first one allocates the memory.
  /// \throws InvalidArgument if the sizes differ, or differ from the first step's
  void begin_step(Index parameters, Index gradient) {
    if (gradient != parameters || (steps_ > 0 && size_ != parameters)) {
      detail::refuse(name_, ": ", steps_ > 0 ? Index{size_} : parameters, " parameters so far, got ", parameters,
                     " and a gradient of ", gradient);
    }
    if (steps_ == 0) {
      memory_.resize(Vectors * parameters);
      size_ = parameters;
    }
    steps_ = steps_ + 1;
  }
  /// The k-th vector of the memory.
  [[nodiscard]] VectorView<Scalar> remembered(int k) noexcept { return {memory_.data() + k * size_, size_}; }

  // --- for steps over ranges -----------------------------------------------------------------------------------------

  /// What a step does to a range of the parameters.
  struct Move {
    VectorView<Scalar> parameters;     ///< of the range
    ConstVectorView<Scalar> gradient;  ///< of the range
    Scalar learning_rate;              ///< with the factor of the range
    Scalar weight_decay;               ///< of the range, or of the optimizer
    Index first;                       ///< number of the range's first parameter
  };
  /// Calls visit(move) for each range, or once for all parameters if there are no ranges.
  template <typename Visit>
  void for_each_move(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient,
                     std::span<const ParameterRange> ranges, Visit visit) {
    const ParameterRange all[]{{.first = 0, .size = parameters.size()}};
    for (const ParameterRange& range : ranges.empty() ? std::span<const ParameterRange>(all) : ranges) {
      visit(Move{{parameters.data() + range.first, range.size},
                 {gradient.data() + range.first, range.size},
                 static_cast<Scalar>(double{learning_rate_} * range.learning_rate_factor),
                 static_cast<Scalar>(range.weight_decay.value_or(weight_decay_)),
                 range.first});
    }
  }
  /// The gradient with the derivative of the L2 penalty, weight_decay / 2 p^2, which is PyTorch's weight decay.
  [[nodiscard]] ConstVectorView<Scalar> penalized(const Move& move) {
    if (move.weight_decay == Scalar(0)) return move.gradient;
    penalized_.resize(size_);
    VectorView<Scalar> sum(penalized_.data() + move.first, move.parameters.size());
    sum = move.gradient + move.weight_decay * move.parameters;
    return {sum.data(), sum.size()};
  }
  /// The part of the k-th vector of the memory that belongs to a range.
  [[nodiscard]] VectorView<Scalar> remembered(int k, const Move& move) noexcept {
    return {memory_.data() + k * size_ + move.first, move.parameters.size()};
  }

 private:
  const char* name_;
  double weight_decay_;
  Scalar learning_rate_ = Scalar(0);
  detail::Extent<std::int64_t> steps_ = 0;
  detail::Extent<Index> size_ = 0;
  Buffer<Scalar> memory_;
  Buffer<Scalar> penalized_;
};

}  // namespace elegans
