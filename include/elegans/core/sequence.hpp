// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// A batch of sequences: a time-major stack of (batch, features) arrays in one piece of memory.
/// `step` and `values` return views, which must not outlive the Sequence. On a temporary Sequence, where a view would
/// dangle, they return arrays that own copies. A Sequence that was moved from is empty.
template <typename Scalar>
class Sequence {
 public:
  /// An empty sequence: no steps, no samples, no features.
  Sequence() = default;

  /// Zeros. \throws InvalidArgument if a size is negative, or the sizes multiply to more than memory can hold
  Sequence(Index time, Index batch, Index features) { resize(time, batch, features); }

  /// One sequence from a (time, features) matrix. The conversion is implicit, so that every function that takes a
  /// Sequence also takes a matrix.
  template <typename Derived>
  Sequence(const Eigen::DenseBase<Derived>& matrix) : Sequence(matrix.rows(), 1, matrix.cols()) {
    for (Index t = 0; t < time_; ++t) {
      for (Index f = 0; f < features_; ++f) (*this)(t, 0, f) = static_cast<Scalar>(matrix.derived().coeff(t, f));
    }
  }

  [[nodiscard]] Index time() const noexcept { return time_; }
  [[nodiscard]] Index batch() const noexcept { return batch_; }
  [[nodiscard]] Index features() const noexcept { return features_; }

  /// Changes the shape and leaves the values undefined. Allocates only beyond the largest size there ever was.
  /// \throws InvalidArgument if a size is negative, or the sizes multiply to more than memory can hold
  void resize(Index time, Index batch, Index features) {
    values_.resize(detail::product_of_sizes("Sequence", time, batch, features));
    time_ = time;
    batch_ = batch;
    features_ = features;
  }

  /// The (batch, features) array of one time step. Writing to it changes the sequence.
  /// \throws InvalidArgument unless 0 <= t < time()
  [[nodiscard]] ArrayView<Scalar> step(Index t) & { return {values_.data() + start_of(t), batch_, features_}; }
  [[nodiscard]] ConstArrayView<Scalar> step(Index t) const& {
    return {values_.data() + start_of(t), batch_, features_};
  }
  /// A copy of that array, from a temporary sequence.
  [[nodiscard]] OwnedArray<Scalar> step(Index t) const&& { return step(t); }

  /// The value of one time step, sample and feature. A loop over many values is faster over a `step`.
  /// \throws InvalidArgument unless each index is below its size
  [[nodiscard]] Scalar& operator()(Index t, Index b, Index f) & { return values_[place_of(t, b, f)]; }
  [[nodiscard]] const Scalar& operator()(Index t, Index b, Index f) const& { return values_[place_of(t, b, f)]; }
  [[nodiscard]] Scalar operator()(Index t, Index b, Index f) const&& { return (*this)(t, b, f); }

  /// All values as one vector: time changes slowest, batch fastest.
  [[nodiscard]] VectorView<Scalar> values() & noexcept { return {values_.data(), values_.size()}; }
  [[nodiscard]] ConstVectorView<Scalar> values() const& noexcept { return {values_.data(), values_.size()}; }
  /// A copy of all values, from a temporary sequence.
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> values() const&& { return values(); }

 private:
  [[nodiscard]] Index start_of(Index t) const {
    if (t < 0 || t >= time_) detail::refuse("Sequence: there is no step ", t, " of ", time_);
    return t * batch_ * features_;
  }
  [[nodiscard]] Index place_of(Index t, Index b, Index f) const {
    if (t < 0 || t >= time_ || b < 0 || b >= batch_ || f < 0 || f >= features_) {
      detail::refuse("Sequence: there is no value (", t, ", ", b, ", ", f, ") in (time, batch, features) = (", time_,
                     ", ", batch_, ", ", features_, ")");
    }
    return (t * features_ + f) * batch_ + b;
  }

  detail::Extent<Index> time_;
  detail::Extent<Index> batch_;
  detail::Extent<Index> features_;
  Buffer<Scalar> values_;
};

}  // namespace elegans
