// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

// mutate all: train.gradient_sum
/// Adds up the gradients of the grains of a batch, each the gradient of a weighted mean.
///
/// They are added in a binary tree: neighbours in pairs, then neighbouring pairs, and so on. So the sum depends on the
/// grains and their order alone, whoever computes them, and its rounding error grows with the logarithm of their
/// number. It needs one vector for each level of the tree, which are reused from batch to batch.
template <typename Scalar>
class GradientSum {
 public:
  void clear() noexcept {
    count_ = 0;
    weight_ = Scalar(0);
  }

  [[nodiscard]] Scalar weight() const noexcept { return weight_; }

  /// Adds the gradient of a grain.
  /// \param weight  sum of the weights that the grain's loss was divided by; with 0, the gradient is not read
  void add(ConstVectorView<Scalar> gradient, Scalar weight, Index size) {
    // A set bit k of the count means that level k has the sum of the last 2^k grains that no higher level has.
    const auto level = static_cast<std::size_t>(std::countr_one(count_));
    if (levels_.size() <= level) levels_.resize(level + 1);
    levels_[level].resize(size);
    VectorView<Scalar> sum(levels_[level].data(), size);
    if (weight != Scalar(0)) {
      sum = weight * gradient;
    } else {
      sum.setZero();
    }
    for (std::size_t k = 0; k < level; ++k) sum += ConstVectorView<Scalar>(levels_[k].data(), size);
    ++count_;
    weight_ += weight;
  }

  /// The gradient of the mean over all grains so far; 0 if nothing weighs.
  void mean(VectorView<Scalar> result) const {
    result.setZero();
    for (std::size_t k = 0; k < levels_.size(); ++k) {
      if ((count_ >> k & 1U) != 0) result += ConstVectorView<Scalar>(levels_[k].data(), result.size());
    }
    if (weight_ != Scalar(0)) result /= weight_;
  }

 private:
  std::uint64_t count_ = 0;
  Scalar weight_ = Scalar(0);
  std::vector<Buffer<Scalar>> levels_;
};

}  // namespace elegans::detail
