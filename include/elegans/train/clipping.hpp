// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// How far a gradient may reach before an optimizer sees it; by default as far as it does. Both may be given.
struct Clipping {
  double value = std::numeric_limits<double>::infinity();        ///< each derivative, in [-value, value]; above 0
  double global_norm = std::numeric_limits<double>::infinity();  ///< all of them together, by scaling; above 0

  [[nodiscard]] bool is_on() const noexcept { return std::isfinite(value) || std::isfinite(global_norm); }
};

/// Clips in place, each value first, then their norm: Pascanu, Mikolov and Bengio, On the difficulty of training
/// recurrent neural networks, ICML 2013. A gradient that is not finite stays so.
template <typename Scalar>
void clip(const Clipping& clipping, VectorView<Scalar> gradient) {
  if (std::isfinite(clipping.value)) {
    const auto limit = static_cast<Scalar>(clipping.value);
    // Not max and min, which may turn a NaN into a limit.
    gradient = gradient.unaryExpr([limit](Scalar d) { return d > limit ? limit : d < -limit ? -limit : d; });
  }
  if (std::isfinite(clipping.global_norm)) {
    const double norm = std::sqrt(gradient.template cast<double>().square().sum());
    if (norm > clipping.global_norm) gradient *= static_cast<Scalar>(clipping.global_norm / norm);
  }
}

namespace detail {

inline void check(const Clipping& clipping) {
  if (!(clipping.value > 0)) refuse("fit: clip.value must be above 0, got ", clipping.value);
  if (!(clipping.global_norm > 0)) refuse("fit: clip.global_norm must be above 0, got ", clipping.global_norm);
}

}  // namespace detail
}  // namespace elegans
