// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

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
    require_that(detail::is_finite(rate) && rate >= Scalar(0), "learning_rate", "finite and at least 0", rate);
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
  OptimizerBase(const char* name, Scalar learning_rate) : name_(name) { set_learning_rate(learning_rate); }

  /// \throws InvalidArgument unless the condition holds; the message names the optimizer, the option and its range
  void require_that(bool holds, const char* option, const char* range, Scalar got) const {
    if (!holds) detail::refuse(name_, ": ", option, " must be ", range, ", got ", got);
  }
  /// \throws InvalidArgument unless in [0, 1)
  void require_decay(const char* option, Scalar value) const {
    require_that(!detail::is_nan(value) && value >= Scalar(0) && value < Scalar(1), option, "in [0, 1)", value);
  }
  /// \throws InvalidArgument unless finite and at least 0
  void require_at_least_0(const char* option, Scalar value) const {
    require_that(detail::is_finite(value) && value >= Scalar(0), option, "finite and at least 0", value);
  }
  /// With an epsilon of 0, a parameter whose gradient has always been 0 would become 0 / 0. A denormal one is 0 where
  /// the processor flushes denormals. \throws InvalidArgument unless finite and a normal number above 0
  void require_epsilon(Scalar value) const {
    require_that(detail::is_finite(value) && value >= (std::numeric_limits<Scalar>::min)(), "epsilon",
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

 private:
  const char* name_;
  Scalar learning_rate_ = Scalar(0);
  detail::Extent<std::int64_t> steps_ = 0;
  detail::Extent<Index> size_ = 0;
  Buffer<Scalar> memory_;
};

}  // namespace elegans
