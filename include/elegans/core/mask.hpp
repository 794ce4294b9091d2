// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// Which steps of a batch of sequences exist: (time, batch). Shorter sequences are padded to the longest; a padded step
/// leaves the state alone and adds nothing to a loss.
///
///     const elegans::Index lengths[] = {5, 3};  // two samples
///     model(x, {.mask = elegans::Mask::of_lengths(lengths, 5)});
class Mask {
 public:
  /// Every step of every sample exists.
  Mask() = default;

  /// A mask of any array: steps that are not 0 exist.
  ///
  /// \param values  (time, batch): the step exists where the value is not 0
  template <typename Derived>
  Mask(const Eigen::DenseBase<Derived>& values) {
    resize(values.rows(), values.cols());
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) set(t, b, values.derived().coeff(t, b) != 0);
    }
  }

  /// Samples that have so many steps each, and are padded at the end up to `time`.
  /// \throws InvalidArgument if a length is negative or beyond `time`
  static Mask of_lengths(std::span<const Index> lengths, Index time) {
    Mask mask;
    mask.resize(time, static_cast<Index>(lengths.size()));
    for (Index b = 0; b < mask.batch_; ++b) {
      const Index length = lengths[static_cast<std::size_t>(b)];
      if (length < 0 || length > time) {
        detail::refuse("Mask: a length must be in [0, ", time, "], got ", length, " for sample ", b);
      }
      for (Index t = length; t < time; ++t) mask.set(t, b, false);
    }
    return mask;
  }

  /// True if nothing is masked because there is no mask.
  [[nodiscard]] bool is_all() const noexcept { return all_; }
  [[nodiscard]] bool operator()(Index t, Index b) const noexcept { return all_ || values_[t * batch_ + b] != 0; }

  /// The last step first.
  [[nodiscard]] Mask reversed() const {
    Mask result = *this;
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) result.set(time_ - 1 - t, b, (*this)(t, b));
    }
    return result;
  }

  /// Becomes that of some samples of another, over `steps` steps from `first` on.
  void gather(const Mask& from, std::span<const Index> samples, Index first, Index steps) {
    all_ = from.all_;
    if (all_) return;
    resize(steps, static_cast<Index>(samples.size()));
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) set(t, b, from(first + t, samples[static_cast<std::size_t>(b)]));
    }
  }

  /// Of all steps of samples, how many exist; time x batch without a mask.
  [[nodiscard]] Index count(Index time, Index batch) const noexcept {
    if (all_) return time * batch;
    Index count = 0;
    for (const unsigned char value : values_) count += value;
    return count;
  }

  /// Checks that it fits a batch of sequences.
  /// \throws InvalidArgument unless it fits a sequence of that many steps and samples
  void require_shape(Index time, Index batch) const {
    if (all_ || (time_ == time && batch_ == batch)) return;
    detail::refuse("mask must be (time, batch) = (", time, ", ", batch, "), got (", time_, ", ", batch_, ")");
  }

  /// Changes the shape; every step then exists, until set otherwise. Allocates only beyond the largest size ever.
  void resize(Index time, Index batch) {
    all_ = false;
    time_ = time;
    batch_ = batch;
    values_.resize(time * batch);
    std::fill_n(values_.data(), values_.size(), 1);
  }
  /// Says whether a step exists, within the shape.
  void set(Index t, Index b, bool exists) noexcept { values_[t * batch_ + b] = exists; }

 private:
  bool all_ = true;
  Index time_ = 0;
  Index batch_ = 0;
  Buffer<unsigned char> values_;
};

}  // namespace elegans
