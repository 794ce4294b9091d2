// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The (time, features) array of one sample of a Sequence, in which neighbouring values do not lie side by side.
template <typename Scalar>
using SampleView = Eigen::Map<Eigen::Array<Scalar, Dynamic, Dynamic>, 0, Eigen::Stride<Dynamic, Dynamic>>;

/// A read-only SampleView.
template <typename Scalar>
using ConstSampleView = Eigen::Map<const Eigen::Array<Scalar, Dynamic, Dynamic>, 0, Eigen::Stride<Dynamic, Dynamic>>;

/// A batch of sequences: a time-major stack of (batch, features) arrays in one piece of memory.
/// `step`, `sample` and `values` return views, which must not outlive the Sequence. On a temporary Sequence, where a
/// view would dangle, they return arrays that own copies. A Sequence that was moved from is empty.
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

  /// A batch of sequences from values in the order that Python packages prefer: sample after sample, and of each, step
  /// after step. So a C-ordered numpy array of shape (batch, time, features) comes in as it lies in memory.
  ///
  /// \param values  batch x time x features of them
  /// \throws InvalidArgument if there are more or fewer, or a size is negative
  template <typename Value>
  [[nodiscard]] static Sequence from_batch_first(std::span<const Value> values, Index batch, Index time,
                                                 Index features) {
    Sequence result(time, batch, features);
    if (static_cast<Index>(values.size()) != result.values_.size()) {
      detail::refuse("Sequence: (batch, time, features) = (", batch, ", ", time, ", ", features, ") has ",
                     result.values_.size(), " values, got ", values.size());
    }
    auto from = values.begin();
    for (Index b = 0; b < batch; ++b) {
      for (Index t = 0; t < time; ++t) {
        for (Index f = 0; f < features; ++f) result(t, b, f) = static_cast<Scalar>(*from++);
      }
    }
    return result;
  }
  /// The same from a vector.
  template <typename Value>
  [[nodiscard]] static Sequence from_batch_first(const std::vector<Value>& values, Index batch, Index time,
                                                 Index features) {
    return from_batch_first(std::span<const Value>(values), batch, time, features);
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

  /// The (time, features) array of one sample. Writing to it changes the sequence.
  /// \throws InvalidArgument unless 0 <= b < batch()
  [[nodiscard]] SampleView<Scalar> sample(Index b) & {
    require_sample(b);
    return {values_.data() + b, time_, features_, {batch_, batch_ * features_}};
  }
  /// The same, to read.
  [[nodiscard]] ConstSampleView<Scalar> sample(Index b) const& {
    require_sample(b);
    return {values_.data() + b, time_, features_, {batch_, batch_ * features_}};
  }
  /// A copy of that array, from a temporary sequence.
  [[nodiscard]] OwnedArray<Scalar> sample(Index b) const&& { return sample(b); }

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
  void require_sample(Index b) const {
    if (b < 0 || b >= batch_) detail::refuse("Sequence: there is no sample ", b, " of ", batch_);
  }

  detail::Extent<Index> time_;
  detail::Extent<Index> batch_;
  detail::Extent<Index> features_;
  Buffer<Scalar> values_;
};

}  // namespace elegans
