// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// A batch of sequences: a time-major stack of (batch, features) arrays, all in one piece of memory.
template <typename Scalar>
class Sequence {
 public:
  /// No steps.
  Sequence() = default;

  /// Zeros. \throws InvalidArgument if a size is negative
  Sequence(Index time, Index batch, Index features) { resize(time, batch, features); }

  /// One sequence from a (time, features) matrix; implicit, so that a matrix serves wherever a Sequence is asked for.
  template <typename Derived>
  Sequence(const Eigen::DenseBase<Derived>& matrix) : Sequence(matrix.rows(), 1, matrix.cols()) {
    for (Index t = 0; t < time_; ++t) {
      for (Index f = 0; f < features_; ++f) (*this)(t, 0, f) = static_cast<Scalar>(matrix.derived().coeff(t, f));
    }
  }

  [[nodiscard]] Index time() const noexcept { return time_; }
  [[nodiscard]] Index batch() const noexcept { return batch_; }
  [[nodiscard]] Index features() const noexcept { return features_; }

  /// Changes the shape; the values are then undefined. Allocates only beyond the largest size there ever was.
  void resize(Index time, Index batch, Index features) {
    if (time < 0 || batch < 0 || features < 0) {
      detail::refuse("Sequence: sizes must not be negative, got (", time, ", ", batch, ", ", features, ")");
    }
    time_ = time;
    batch_ = batch;
    features_ = features;
    values_.resize(time * batch * features);
  }

  /// The (batch, features) array of one time step, 0 <= t < time(). Writes go through.
  [[nodiscard]] ArrayView<Scalar> step(Index t) noexcept {
    return {values_.data() + t * batch_ * features_, batch_, features_};
  }
  [[nodiscard]] ConstArrayView<Scalar> step(Index t) const noexcept {
    return {values_.data() + t * batch_ * features_, batch_, features_};
  }

  [[nodiscard]] Scalar& operator()(Index t, Index b, Index f) noexcept {
    return values_[(t * features_ + f) * batch_ + b];
  }
  [[nodiscard]] const Scalar& operator()(Index t, Index b, Index f) const noexcept {
    return values_[(t * features_ + f) * batch_ + b];
  }

  /// All values in a row: time slowest, batch fastest.
  [[nodiscard]] VectorView<Scalar> values() noexcept { return {values_.data(), values_.size()}; }
  [[nodiscard]] ConstVectorView<Scalar> values() const noexcept { return {values_.data(), values_.size()}; }

 private:
  Index time_ = 0;
  Index batch_ = 0;
  Index features_ = 0;
  Buffer<Scalar> values_;
};

}  // namespace elegans
