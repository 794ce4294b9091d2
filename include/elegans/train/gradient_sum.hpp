// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/training_group.hpp>

namespace elegans::detail {

// mutate all: train.gradient_sum
/// Adds up the gradients of the grains of a batch, each the gradient of a weighted mean.
///
/// They are added in a binary tree: neighbours in pairs, then neighbouring pairs, and so on. So the sum depends on the
/// grains and their order alone, whoever computes them, and its rounding error grows with the logarithm of their
/// number. It needs one vector for each level of the tree, which are reused from batch to batch.
///
/// A sum of the grains [first, next) is a list of blocks. A block is the sum of 2^k grains, the first of which has a
/// number that 2^k divides, and is as large as possible. Two processes with neighbouring grains can therefore put their
/// lists together, and get what one process gets that adds up all of these grains.
template <typename Scalar>
class GradientSum {
 public:
  /// Forgets all grains. \param size  of a gradient
  void begin(Index first_grain, Index size) noexcept {
    next_ = first_grain;
    size_ = size;
    levels_.clear();
  }

  /// Adds the gradient of the next grain. \param weight  its factor; with 0, the gradient is not read
  void add(ConstVectorView<Scalar> gradient, Scalar weight) {
    make_room(1);
    VectorView<Scalar> sum = block(levels_.size());
    if (weight != Scalar(0)) {
      sum = weight * gradient;
    } else {
      sum.setZero();
    }
    push(0);
  }

  /// Adds the grains up to `last`, which another process has added up.
  /// \param receive  writes the blocks of their sum, as its `blocks()`, to a `VectorView`
  template <typename Receive>
  void append(Index last, Receive receive) {
    const std::size_t before = levels_.size();
    std::size_t count = 0;
    for (Index grain = next_; grain < last; grain += Index{1} << level_of(grain, last)) ++count;
    make_room(count);
    receive(VectorView<Scalar>(block(before).data(), static_cast<Index>(count) * size_));
    for (std::size_t k = before; next_ < last; ++k) {
      // Blocks that were put together leave a gap.
      if (k != levels_.size()) block(levels_.size()) = block(k);
      push(level_of(next_, last));
    }
  }

  /// The blocks one after the other.
  [[nodiscard]] ConstVectorView<Scalar> blocks() const noexcept {
    return {values_.data(), static_cast<Index>(levels_.size()) * size_};
  }

  /// The gradient of the mean over all grains so far. \param weight  sum of the weights; 0 if nothing weighs
  void mean(VectorView<Scalar> result, Scalar weight) const {
    result.setZero();
    for (std::size_t k = levels_.size(); k-- > 0;) {
      result += ConstVectorView<Scalar>(values_.data() + static_cast<Index>(k) * size_, size_);
    }
    if (weight != Scalar(0)) result /= weight;
  }

 private:
  /// The level of the block that begins with a grain, if there are grains up to `last`.
  static int level_of(Index grain, Index last) noexcept {
    const int fits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(last - grain))) - 1;
    return grain == 0 ? fits : (std::min)(fits, std::countr_zero(static_cast<std::uint64_t>(grain)));
  }

  void make_room(std::size_t blocks) {
    const Index needed = static_cast<Index>(levels_.size() + blocks) * size_;
    if (values_.size() < needed) values_.resize(needed);
  }
  [[nodiscard]] VectorView<Scalar> block(std::size_t k) noexcept {
    return {values_.data() + static_cast<Index>(k) * size_, size_};
  }

  /// Takes the block behind the last one into the list, and puts together what belongs together.
  void push(int level) {
    next_ += Index{1} << level;
    for (; !levels_.empty() && levels_.back() == level; ++level) {
      // Neighbours are a pair if the pair begins with a number that its size divides.
      if (next_ % (Index{2} << level) != 0) break;
      levels_.pop_back();
      block(levels_.size()) += block(levels_.size() + 1);
    }
    levels_.push_back(level);
  }

  Index next_ = 0;
  Index size_ = 0;
  std::vector<int> levels_;  // of the blocks, in the order of their grains
  Buffer<Scalar> values_;
};

/// Adds up the grains of all processes on the first one: neighbours in pairs, then neighbouring pairs, and so on.
///
/// \param sum     of a process' own share of the grains; that of all of them on the first process
/// \param grains  of all processes
template <typename Scalar, typename Group>
void add_up_on_root(Group& group, GradientSum<Scalar>& sum, Index grains) {
  const int rank = group.rank(), size = group.size();
  for (int step = 1; step < size; step *= 2) {
    if (rank % (2 * step) != 0) {
      const auto blocks = sum.blocks();
      if (blocks.size() > 0) group.send(blocks.data(), blocks.size(), rank - step);
      return;
    }
    const int other = rank + step;
    if (other >= size) continue;
    const Share theirs = share_of(grains, other, size, step);
    if (theirs.first == theirs.last) continue;
    sum.append(theirs.last, [&](VectorView<Scalar> blocks) { group.receive(blocks.data(), blocks.size(), other); });
  }
}

}  // namespace elegans::detail
