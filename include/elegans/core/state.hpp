// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The membrane potentials of a batch, (batch, units): what a cell remembers from one step to the next.
/// `array` and `data` return views, which must not outlive the State. On a temporary State, `array` returns an array
/// that owns a copy. After a move, every size that the type does not fix is 0.
///
/// \tparam Units  number of neurons, or Dynamic
/// \tparam Batch  number of samples, or Dynamic; with both fixed a State uses no heap
template <typename Scalar, int Units = Dynamic, int Batch = Dynamic>
class State {
 public:
  State()
    requires(Units != Dynamic && Batch != Dynamic)
      : State(Batch, Units) {}

  /// No samples, and no units unless the type fixes how many.
  State()
    requires(Batch == Dynamic)
      : State(0, Units == Dynamic ? 0 : Units) {}

  /// Zeros. \throws InvalidArgument if a size differs from a fixed one or is negative, or there are too many values
  State(Index batch, Index units) : batch_(batch), units_(units) {
    if (batch < 0 || units < 0 || (Batch != Dynamic && batch != Batch) || (Units != Dynamic && units != Units)) {
      detail::refuse("State: shape does not fit the type, got (", batch, ", ", units, ")");
    }
    values_.resize(detail::product_of_sizes("State", batch, units));
  }

  /// Changes the number of samples and leaves the values undefined.
  /// \throws InvalidArgument if it is negative, or there are too many values
  void resize(Index batch)
    requires(Batch == Dynamic)
  {
    values_.resize(detail::product_of_sizes("State", batch, units()));
    batch_ = batch;
  }

  [[nodiscard]] Index batch() const noexcept { return batch_; }
  [[nodiscard]] Index units() const noexcept { return units_; }

  /// The potential of one neuron in one sample.
  /// \throws InvalidArgument unless 0 <= b < batch() and 0 <= unit < units()
  [[nodiscard]] Scalar& operator()(Index b, Index unit) & { return values_[place_of(b, unit)]; }
  [[nodiscard]] const Scalar& operator()(Index b, Index unit) const& { return values_[place_of(b, unit)]; }
  [[nodiscard]] Scalar operator()(Index b, Index unit) const&& { return (*this)(b, unit); }

  /// The (batch, units) array, to read and write as any array of Eigen.
  [[nodiscard]] ArrayView<Scalar, Batch, Units> array() & noexcept { return {values_.data(), batch_, units_}; }
  [[nodiscard]] ConstArrayView<Scalar, Batch, Units> array() const& noexcept {
    return {values_.data(), batch_, units_};
  }
  /// A copy of the array, from a temporary state.
  [[nodiscard]] OwnedArray<Scalar, Batch, Units> array() const&& { return array(); }

  /// The first of the batch x units values, neuron after neuron.
  [[nodiscard]] Scalar* data() & noexcept { return values_.data(); }
  [[nodiscard]] const Scalar* data() const& noexcept { return values_.data(); }
  void data() const&& = delete;

  void set_zero() noexcept { array().setZero(); }

 private:
  [[nodiscard]] Index place_of(Index b, Index unit) const {
    if (b < 0 || b >= batch_ || unit < 0 || unit >= units_) {
      detail::refuse("State: there is no value (", b, ", ", unit, ") in (batch, units) = (", batch_, ", ", units_, ")");
    }
    return b + batch_ * unit;
  }

  detail::Extent<Index, Batch> batch_;
  detail::Extent<Index, Units> units_;
  Buffer<Scalar, detail::multiply_sizes(Units, Batch)> values_;
};

}  // namespace elegans
