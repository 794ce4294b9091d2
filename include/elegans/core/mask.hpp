// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// Says which steps of a batch of sequences exist: (time, batch). Shorter sequences are padded to the longest. A padded
/// step leaves the state as it is and adds nothing to a loss.
///
///     const elegans::Index lengths[] = {5, 3};  // two samples
///     model(x, {.mask = elegans::Mask::of_lengths(lengths, 5)});
///
/// A Mask that was moved from has shape (0, 0), so no sequence with steps accepts it. A move leaves the mask of all
/// steps as it is.
class Mask {
 public:
  /// The mask of all steps: every step of every sample exists.
  Mask() = default;

  /// A mask from any array.
  ///
  /// \param values  (time, batch): the step exists where the value is not 0
  template <typename Derived>
  Mask(const Eigen::DenseBase<Derived>& values) {
    resize(values.rows(), values.cols());
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) set(t, b, values.derived().coeff(t, b) != 0);
    }
  }

  /// A mask of samples of different lengths, which are padded at the end up to `time` steps.
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

  /// True for the mask of all steps, which has no shape.
  [[nodiscard]] bool is_all() const noexcept { return all_; }
  /// Whether a step of a sample exists.
  [[nodiscard]] bool operator()(Index t, Index b) const noexcept { return all_ || values_[t * batch_ + b] != 0; }

  /// This mask with the last step first.
  [[nodiscard]] Mask reversed() const {
    Mask result = *this;
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) result.set(time_ - 1 - t, b, (*this)(t, b));
    }
    return result;
  }

  /// Copies the mask of some samples of another mask, over `steps` steps from `first` on.
  void gather(const Mask& from, std::span<const Index> samples, Index first, Index steps) {
    all_ = from.all_;
    if (all_) return;
    resize(steps, static_cast<Index>(samples.size()));
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) set(t, b, from(first + t, samples[static_cast<std::size_t>(b)]));
    }
  }

  /// Number of steps that exist in all samples together; time x batch for the mask of all steps.
  [[nodiscard]] Index count(Index time, Index batch) const noexcept {
    if (all_) return time * batch;
    Index count = 0;
    for (const unsigned char value : values_) count += value;
    return count;
  }

  /// Checks that the mask fits a batch of sequences.
  /// \throws InvalidArgument unless its shape is (time, batch), or it is the mask of all steps
  void require_shape(Index time, Index batch) const {
    if (all_ || (time_ == time && batch_ == batch)) return;
    detail::refuse("mask must be (time, batch) = (", time, ", ", batch, "), got (", time_, ", ", batch_, ")");
  }

  /// Changes the shape. Then every step exists until `set` says otherwise. Allocates only beyond the largest size so
  /// far.
  /// \throws InvalidArgument if a size is negative, or there are too many steps
  void resize(Index time, Index batch) {
    values_.resize(detail::product_of_sizes("Mask", time, batch));
    std::fill_n(values_.data(), values_.size(), static_cast<unsigned char>(1));
    all_ = false;
    time_ = time;
    batch_ = batch;
  }
  /// Says whether a step exists, for a step within the shape.
  void set(Index t, Index b, bool exists) noexcept { values_[t * batch_ + b] = exists; }

 private:
  bool all_ = true;
  detail::Extent<Index> time_;
  detail::Extent<Index> batch_;
  Buffer<unsigned char> values_;
};

}  // namespace elegans
