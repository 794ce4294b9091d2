// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The elapsed times of a sequence: one time for all steps, one per step, or one per step and sample. Their unit is the
/// one that the model was trained in. The default is 1, as in ncps.
///
/// Timespans that were moved from have shape (0, 0), so no sequence with steps accepts them. A move leaves a single
/// time for all steps as it is.
template <typename Scalar>
class Timespans {
 public:
  /// The same elapsed time at every step. \throws InvalidArgument if it is negative or not finite
  Timespans(Scalar uniform = Scalar(1)) : uniform_(uniform) { require_valid(uniform, 0, 0); }

  /// Elapsed times (time, 1) for all samples alike, or (time, batch).
  /// \throws InvalidArgument if one is negative or not finite
  template <typename Derived>
  Timespans(const Eigen::DenseBase<Derived>& values) : is_uniform_(false) {
    resize(values.rows(), values.cols());
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) {
        const auto value = static_cast<Scalar>(values.derived().coeff(t, b));
        require_valid(value, t, b);
        values_[t * batch_ + b] = value;
      }
    }
  }

  /// The elapsed time before a step of a sample.
  [[nodiscard]] Scalar operator()(Index t, Index b) const noexcept {
    return is_uniform_ ? uniform_ : values_[t * batch_ + (batch_ == 1 ? 0 : b)];
  }

  /// These elapsed times with the last step first.
  [[nodiscard]] Timespans reversed() const {
    Timespans result = *this;
    for (Index i = 0; i < values_.size(); ++i) {
      result.values_[i] = values_[(time_ - 1 - i / batch_) * batch_ + i % batch_];
    }
    return result;
  }

  /// Copies the elapsed times of some samples of another sequence, over `steps` steps from `first` on.
  void gather(const Timespans& from, std::span<const Index> samples, Index first, Index steps) {
    is_uniform_ = from.is_uniform_;
    uniform_ = from.uniform_;
    if (is_uniform_) return;
    resize(steps, static_cast<Index>(samples.size()));
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) {
        values_[t * batch_ + b] = from(first + t, samples[static_cast<std::size_t>(b)]);
      }
    }
  }

  /// Checks that these elapsed times fit a batch of sequences.
  /// \throws InvalidArgument unless they are uniform, or of shape (time, batch) or (time, 1)
  void require_shape(Index time, Index batch) const {
    if (is_uniform_ || (time_ == time && (batch_ == 1 || batch_ == batch))) return;
    detail::refuse("timespans must be (time, batch) = (", time, ", ", batch, ") or (", time, ", 1), got (", time_, ", ",
                   batch_, ")");
  }

  /// Checks one elapsed time. \throws InvalidArgument if it is negative or not finite; the message has step and sample
  static void require_valid(Scalar elapsed_time, Index t, Index b) {
    if (!detail::is_finite(elapsed_time) || elapsed_time < Scalar(0)) {
      detail::refuse("elapsed time must be finite and at least 0", ", got ", elapsed_time, " at step ", t, ", sample ",
                     b);
    }
  }

 private:
  void resize(Index time, Index batch) {
    values_.resize(detail::product_of_sizes("Timespans", time, batch));
    time_ = time;
    batch_ = batch;
  }

  bool is_uniform_ = true;
  Scalar uniform_ = Scalar(1);
  detail::Extent<Index> time_;
  detail::Extent<Index> batch_;
  Buffer<Scalar> values_;
};

}  // namespace elegans
