// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// What every optimizer has: a learning rate that may change, and what it remembers of the gradients so far, vectors as
/// long as the parameters.
///
/// \tparam Vectors  number of them, at least 1
template <typename Scalar, int Vectors>
class OptimizerBase {
 public:
  [[nodiscard]] Scalar learning_rate() const noexcept { return learning_rate_; }
  /// From the next step on. \throws InvalidArgument unless finite and at least 0
  void set_learning_rate(Scalar rate) {
    require(rate >= Scalar(0) && std::isfinite(rate), "learning_rate", "finite and at least 0", rate);
    learning_rate_ = rate;
  }

  /// Steps so far.
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  /// All that it remembers, vector after vector; nothing before the first step.
  [[nodiscard]] ConstVectorView<Scalar> memory() const noexcept { return {memory_.data(), memory_.size()}; }
  /// Goes on from where another one was. \throws InvalidArgument if the memory is not one of its kind
  void restore(std::int64_t steps, ConstVectorView<Scalar> memory) {
    if (steps < 0 || memory.size() % Vectors != 0 || (steps == 0) != (memory.size() == 0)) {
      detail::refuse(name_, ": cannot go on from step ", steps, " with a memory of ", memory.size(), " values");
    }
    steps_ = steps;
    size_ = memory.size() / Vectors;
    memory_.resize(memory.size());
    VectorView<Scalar>(memory_.data(), memory_.size()) = memory;
  }

 protected:
  OptimizerBase(const char* name, Scalar learning_rate) : name_(name) { set_learning_rate(learning_rate); }

  void require(bool holds, const char* option, const char* range, Scalar got) const {
    if (!holds) detail::refuse(name_, ": ", option, " must be ", range, ", got ", got);
  }
  /// \throws InvalidArgument unless in [0, 1)
  void require_decay(const char* option, Scalar value) const {
    require(value >= Scalar(0) && value < Scalar(1), option, "in [0, 1)", value);
  }
  /// \throws InvalidArgument unless finite and at least 0
  void require_at_least_0(const char* option, Scalar value) const {
    require(value >= Scalar(0) && std::isfinite(value), option, "finite and at least 0", value);
  }

  /// Counts a step; makes room in the first. \throws InvalidArgument if the sizes differ, or differ from the first
  /// step's
  void begin_step(Index parameters, Index gradient) {
    if (steps_ == 0) {
      size_ = parameters;
      memory_.resize(Vectors * parameters);
    }
    if (gradient != parameters || size_ != parameters) {
      detail::refuse(name_, ": ", size_, " parameters so far, got ", parameters, " and a gradient of ", gradient);
    }
    ++steps_;
  }
  /// The k-th vector of its memory.
  [[nodiscard]] VectorView<Scalar> remembered(int k) noexcept { return {memory_.data() + k * size_, size_}; }

 private:
  const char* name_;
  Scalar learning_rate_ = Scalar(0);
  std::int64_t steps_ = 0;
  Index size_ = 0;
  Buffer<Scalar> memory_;
};

}  // namespace elegans
