// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <elegans.hpp>

float second_unit();

// The same templates as in the other translation unit, and functions that are in both.
float second_unit() {
  elegans::LTC<float> model(elegans::AutoNCP(8, 1), 2, {.seed = 1});
  auto state = model.initial_state();
  return model.step(Eigen::Array2f(0.3f, -0.2f), state, 0.05f)(0, 0);
}
