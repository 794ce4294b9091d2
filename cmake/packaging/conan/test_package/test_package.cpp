// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string_view>

#include <elegans/elegans.hpp>
#ifdef WITH_IO
#include <elegans/io/model_file.hpp>
#endif

static_assert(std::string_view(VERSION_OF_PACKAGE) == ELEGANS_VERSION_STRING);

int main() {
  elegans::LTC<float> model(elegans::AutoNCP(8, 1), 2, {.seed = 1});
  auto state = model.initial_state();
  const float motor = model.step(Eigen::Array2f(0.3f, -0.2f), state, 0.05f)(0, 0);
  std::printf("elegans %s: a step gives %g\n", ELEGANS_VERSION_STRING, static_cast<double>(motor));
#ifdef WITH_IO
  elegans::LTC<float> copy(elegans::AutoNCP(8, 1), 2, {.seed = 2});
  elegans::save(model, "model.safetensors");
  elegans::load(copy, "model.safetensors");
  if ((copy.parameters() != model.parameters()).any()) return 1;
  std::printf("and a file of it is the same again\n");
#endif
  return motor == motor ? 0 : 1;
}
