// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

// mutate all: train.clip
/// Clips a gradient in place: each derivative first, then the norm of all of them. Both limits are off by default.
///
/// A `GradientTransform`; `FitOptions::clip` holds one. Pascanu, Mikolov and Bengio, On the difficulty of training
/// recurrent neural networks, ICML 2013.
struct Clip {
  double value = std::numeric_limits<double>::infinity();        ///< limits each derivative to [-value, value]; above 0
  double global_norm = std::numeric_limits<double>::infinity();  ///< scales the gradient down to this norm; above 0

  /// Leaves NaN and infinite norms as they are, so that `fit` can report them.
  /// \throws InvalidArgument if a limit is not above 0
  template <typename Scalar>
  void operator()(VectorView<Scalar> gradient, std::type_identity_t<Scalar> /*weight*/) const {
    require_positive();
    if (detail::is_finite(value)) {
      const auto limit = static_cast<Scalar>(value);
      // min and max may turn a NaN into a limit.
      gradient = gradient.unaryExpr([limit](Scalar d) {
        return detail::is_nan(d) ? d : d > limit ? limit : d < -limit ? -limit : d;
      });
    }
    if (detail::is_finite(global_norm)) {
      const double norm = std::sqrt(gradient.template cast<double>().square().sum());
      if (detail::is_finite(norm) && norm > global_norm) gradient *= static_cast<Scalar>(global_norm / norm);
    }
  }

  /// \throws InvalidArgument if a limit is not above 0
  void require_positive() const {
    if (detail::is_nan(value) || value <= 0) detail::refuse("clip: value must be above 0, got ", value);
    if (detail::is_nan(global_norm) || global_norm <= 0) {
      detail::refuse("clip: global_norm must be above 0, got ", global_norm);
    }
  }
};

}  // namespace elegans
