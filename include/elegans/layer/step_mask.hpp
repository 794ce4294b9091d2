// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/core/mask.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

// mutate all: layer.step_mask
/// Says which of a tile's samples take a step. The others are masked: their state stays as it is.
template <LaneLayout Lanes>
class StepMask {
  using Scalar = typename Lanes::Scalar;

 public:
  StepMask(const Mask& mask, Index t, Index first, Index samples) noexcept : samples_(samples) {
    for (Index b = 0; b < samples; ++b) {
      exists_[b] = mask(t, first + b);
      all_ = all_ && exists_[b];
      any_ = any_ || exists_[b];
    }
  }

  /// True if the sample takes the step; false for a lane without a sample.
  [[nodiscard]] bool operator[](Index sample) const noexcept { return exists_[sample]; }
  [[nodiscard]] bool all() const noexcept { return all_; }
  [[nodiscard]] bool any() const noexcept { return any_; }

  /// Copies the values of masked samples. \param count  values per sample
  void copy_masked(Index count, const Scalar* from, Scalar* to) const noexcept {
    for_each_masked(count, [&](Index i) { to[i] = from[i]; });
  }
  /// Sets the values of masked samples to 0.
  void clear_masked(Index count, Scalar* values) const noexcept {
    for_each_masked(count, [&](Index i) { values[i] = Scalar(0); });
  }

 private:
  template <typename Visit>
  void for_each_masked(Index count, Visit visit) const noexcept {
    for (Index i = 0; i < count; ++i) {
      for (Index b = 0; b < samples_; ++b) {
        if (!exists_[b]) visit(Lanes::index(i, b));
      }
    }
  }

  bool exists_[Lanes::samples]{};
  Index samples_;
  bool all_ = true;
  bool any_ = false;
};

}  // namespace elegans::detail
