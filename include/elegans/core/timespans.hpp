// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The elapsed times of a sequence: one for all steps, one a step, or one a step and sample. In whatever unit the
/// model was trained in; 1 by default, as in ncps.
template <typename Scalar>
class Timespans {
 public:
  /// The same at every step. \throws InvalidArgument if negative or not finite
  Timespans(Scalar uniform = Scalar(1)) : uniform_(uniform) { check(uniform, 0, 0); }

  /// (time, 1) for all samples alike, or (time, batch). \throws InvalidArgument if one is negative or not finite
  template <typename Derived>
  Timespans(const Eigen::DenseBase<Derived>& values) : is_uniform_(false), time_(values.rows()), batch_(values.cols()) {
    values_.resize(time_ * batch_);
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) {
        const auto value = static_cast<Scalar>(values.derived().coeff(t, b));
        check(value, t, b);
        values_[t * batch_ + b] = value;
      }
    }
  }

  [[nodiscard]] Scalar operator()(Index t, Index b) const noexcept {
    return is_uniform_ ? uniform_ : values_[t * batch_ + (batch_ == 1 ? 0 : b)];
  }

  /// The last step's first.
  [[nodiscard]] Timespans reversed() const {
    Timespans result = *this;
    for (Index i = 0; i < values_.size(); ++i) {
      result.values_[i] = values_[(time_ - 1 - i / batch_) * batch_ + i % batch_];
    }
    return result;
  }

  /// Becomes those of some samples of another, over `steps` steps from `first` on.
  void gather(const Timespans& from, std::span<const Index> samples, Index first, Index steps) {
    is_uniform_ = from.is_uniform_;
    uniform_ = from.uniform_;
    if (is_uniform_) return;
    time_ = steps;
    batch_ = static_cast<Index>(samples.size());
    values_.resize(time_ * batch_);
    for (Index t = 0; t < time_; ++t) {
      for (Index b = 0; b < batch_; ++b) {
        values_[t * batch_ + b] = from(first + t, samples[static_cast<std::size_t>(b)]);
      }
    }
  }

  /// Checks that they fit a batch of sequences.
  /// \throws InvalidArgument unless they fit a sequence of that many steps and samples
  void require_shape(Index time, Index batch) const {
    if (is_uniform_ || (time_ == time && (batch_ == 1 || batch_ == batch))) return;
    detail::refuse("timespans must be (time, batch) = (", time, ", ", batch, ") or (", time, ", 1), got (", time_, ", ",
                   batch_, ")");
  }

  /// Checks one elapsed time. \throws InvalidArgument if negative or not finite
  static void check(Scalar value, Index t, Index b) {
    if (!(value >= Scalar(0)) || !std::isfinite(value)) {
      detail::refuse("elapsed time must be finite and at least 0, got ", value, " at step ", t, ", sample ", b);
    }
  }

 private:
  bool is_uniform_ = true;
  Scalar uniform_ = Scalar(1);
  Index time_ = 0;
  Index batch_ = 0;
  Buffer<Scalar> values_;
};

}  // namespace elegans
