// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The membrane potentials of a batch, (batch, units): what a cell remembers from one step to the next.
///
/// \tparam Units  number of neurons, or Dynamic
/// \tparam Batch  rows, or Dynamic; with both fixed a State uses no heap
template <typename Scalar, int Units = Dynamic, int Batch = Dynamic>
class State {
 public:
  State()
    requires(Units != Dynamic && Batch != Dynamic)
      : State(Batch, Units) {}

  /// No rows; of no units, unless the type says how many.
  State()
    requires(Batch == Dynamic)
      : State(0, Units == Dynamic ? 0 : Units) {}

  /// Zeros. \throws InvalidArgument if a size differs from a fixed one, or is negative
  State(Index batch, Index units) : batch_(batch), units_(units) {
    if (batch < 0 || units < 0 || (Batch != Dynamic && batch != Batch) || (Units != Dynamic && units != Units)) {
      detail::refuse("State: shape does not fit the type, got (", batch, ", ", units, ")");
    }
    values_.resize(batch * units);
  }

  /// Changes the number of rows; the values are then undefined.
  void resize(Index batch)
    requires(Batch == Dynamic)
  {
    batch_ = batch;
    values_.resize(batch * units_);
  }

  [[nodiscard]] Index batch() const noexcept { return batch_; }
  [[nodiscard]] Index units() const noexcept { return units_; }

  [[nodiscard]] Scalar& operator()(Index b, Index unit) noexcept { return values_[b + batch_ * unit]; }
  [[nodiscard]] const Scalar& operator()(Index b, Index unit) const noexcept { return values_[b + batch_ * unit]; }

  /// The (batch, units) array, to read and write with all that Eigen offers.
  [[nodiscard]] ArrayView<Scalar, Batch, Units> array() noexcept { return {values_.data(), batch_, units_}; }
  [[nodiscard]] ConstArrayView<Scalar, Batch, Units> array() const noexcept { return {values_.data(), batch_, units_}; }

  [[nodiscard]] Scalar* data() noexcept { return values_.data(); }
  [[nodiscard]] const Scalar* data() const noexcept { return values_.data(); }

  void set_zero() noexcept { array().setZero(); }

 private:
  Index batch_;
  Index units_;
  Buffer<Scalar, detail::multiply_sizes(Units, Batch)> values_;
};

}  // namespace elegans
