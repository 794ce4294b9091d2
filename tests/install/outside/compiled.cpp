// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <elegans/elegans.hpp>

#ifndef ELEGANS_COMPILED
#error "elegans::compiled must define ELEGANS_COMPILED"
#endif

int main() {
  const Eigen::ArrayXXf x = Eigen::ArrayXXf::Ones(4, 2), y = Eigen::ArrayXXf::Zero(4, 1);
  elegans::LTC<float> model(elegans::AutoNCP(8, 1), 2);
  const auto history = elegans::fit(model, x, y, elegans::Adam<float>(), {.epochs = 3});
  return history.loss.size() == 3 && std::isfinite(model(x)(3, 0, 0)) ? 0 : 1;
}
