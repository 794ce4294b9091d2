// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Trains for a short time and prints all results, bit by bit. Compiled with the single header, and with the headers
// that it was made of.
#include <cmath>
#include <cstdio>

#include <elegans.hpp>

// The other translation unit.
float second_unit();

int main() {
  constexpr int steps = 16;
  Eigen::ArrayXXf x(steps, 2), y(steps, 1);
  for (int t = 0; t < steps; ++t) {
    x.row(t) << std::sin(0.3f * static_cast<float>(t)), std::cos(0.3f * static_cast<float>(t));
    y(t, 0) = std::sin(0.6f * static_cast<float>(t));
  }
  elegans::LTC<float> model(elegans::AutoNCP(8, 1), 2, {.seed = 1});
  const auto history = elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = 0.01f}), {.epochs = 5});
  std::printf("elegans %s: %d parameters\n", ELEGANS_VERSION_STRING, static_cast<int>(model.parameters().size()));
  for (const auto loss : history.loss) std::printf("%a\n", static_cast<double>(loss));
  for (const float value : model.parameters()) std::printf("%a\n", static_cast<double>(value));
  std::printf("%a\n", static_cast<double>(second_unit()));
  return history.loss.back() < history.loss.front() ? 0 : 1;
}
