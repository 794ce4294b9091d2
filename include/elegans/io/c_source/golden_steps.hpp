// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <elegans/core/types.hpp>

namespace elegans::detail {

/// A few steps of a model from the state 0, in double.
struct GoldenSteps {
  std::vector<double> x, elapsed, y;  ///< (steps, inputs), (steps) and (steps, outputs), step by step
  Index steps = 0;
};

/// \param elapsed_time  of every step, or none to let it change
/// \param input_range   a power of 2: inputs are in [-input_range, input_range]
template <typename Model>
GoldenSteps golden_steps(const Model& model, std::optional<double> elapsed_time, double input_range) {
  GoldenSteps golden;
  golden.steps = 4;
  auto stepper = model;
  auto state = stepper.initial_state();
  Eigen::Array<double, 1, Dynamic> x(stepper.input_dim());
  for (Index t = 0; t < golden.steps; ++t) {
    for (Index i = 0; i < x.size(); ++i) {
      // Values that float has, too.
      x[i] = static_cast<double>((5 * t + 3 * i + 2) % 9 - 4) / 4 * input_range;
      golden.x.push_back(x[i]);
    }
    golden.elapsed.push_back(elapsed_time.value_or(0.5 * static_cast<double>(1 + t % 2)));
    const auto y = stepper.step(x, state, golden.elapsed.back());
    for (Index o = 0; o < y.size(); ++o) golden.y.push_back(y(0, o));
  }
  return golden;
}

}  // namespace elegans::detail
