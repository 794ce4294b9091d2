// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <type_traits>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/optimizer_base.hpp>

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
    const ParameterRange all[]{{.first = 0, .size = gradient.size()}};
    (*this)(gradient, std::span<const ParameterRange>(all));
  }

  /// The same for some ranges of the gradient; the norm is that of all of them together.
  template <typename Scalar>
  void operator()(VectorView<Scalar> gradient, std::span<const ParameterRange> ranges) const {
    require_positive();
    const auto part = [&](const ParameterRange& range) {
      return VectorView<Scalar>(gradient.data() + range.first, range.size);
    };
    if (detail::is_finite(value)) {
      const auto limit = static_cast<Scalar>(value);
      // min and max may turn a NaN into a limit.
      const auto limited = [limit](Scalar d) {
        return detail::is_nan(d) ? d : d > limit ? limit : d < -limit ? -limit : d;
      };
      for (const ParameterRange& range : ranges) part(range) = part(range).unaryExpr(limited);
    }
    if (detail::is_finite(global_norm)) {
      double sum = 0;
      for (const ParameterRange& range : ranges) sum += part(range).template cast<double>().square().sum();
      const double norm = std::sqrt(sum);
      if (!detail::is_finite(norm) || norm <= global_norm) return;
      for (const ParameterRange& range : ranges) part(range) *= static_cast<Scalar>(global_norm / norm);
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
