// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numbers>

#include <elegans/core/types.hpp>

namespace examples {

/// The tutorial's task: one sine wave from another of half its frequency.
inline constexpr int sine_steps = 48;

/// Two inputs: sin and cos over three half waves, (time, 2).
template <typename Scalar>
Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> sine_inputs() {
  const auto angle = Eigen::ArrayXd::LinSpaced(sine_steps, 0.0, 3.0 * std::numbers::pi);
  Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> x(sine_steps, 2);
  x << angle.sin().template cast<Scalar>(), angle.cos().template cast<Scalar>();
  return x;
}

/// The target: sin at twice the frequency, (time, 1).
template <typename Scalar>
Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> sine_targets() {
  return Eigen::ArrayXd::LinSpaced(sine_steps, 0.0, 6.0 * std::numbers::pi).sin().template cast<Scalar>();
}

}  // namespace examples
