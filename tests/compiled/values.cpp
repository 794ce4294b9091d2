// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Prints the bits of what models compute and learn. Compiled with and without the library, it must print the same.
#include <iostream>
#include <span>
#include <string>
#include <utility>

#include <elegans/elegans.hpp>

namespace {

template <typename Values>
void print(const char* name, const Values& values) {
  std::cout << name << std::hexfloat;
  for (elegans::Index i = 0; i < values.size(); ++i) std::cout << ' ' << values.coeff(i);
  std::cout << '\n';
}

template <typename Model>
void run(const char* name) {
  using Scalar = typename Model::Scalar;
  using elegans::Index;
  elegans::Sequence<Scalar> x(7, 5, 2), y(7, 5, 1);
  for (Index i = 0; i < x.values().size(); ++i) x.values()[i] = Scalar((i * 37) % 23) / Scalar(11) - Scalar(1);
  for (Index i = 0; i < y.values().size(); ++i) y.values()[i] = Scalar((i * 29) % 17) / Scalar(9) - Scalar(1);
  elegans::AutoNCP wiring(8, 1);
  Model model(wiring, 2, {.seed = 3});
  std::cout << name << '\n' << model.summary();
  print("outputs", model(x).values());
  model.forward(x);
  model.backward(y);
  print("gradient", model.gradient());
  Model trained = model;
  elegans::Adam<Scalar> adam({.learning_rate = 0.01});
  const auto history = elegans::fit(trained, {.x = x, .y = y}, std::ref(adam), {.epochs = 3, .batch_size = 2});
  const auto more = elegans::fit(trained, x, y, std::move(adam), {.epochs = 2});
  std::cout << std::hexfloat << history.loss.back() << ' ' << more.loss.back() << '\n';
  print("parameters", trained.parameters());
  auto state = trained.initial_state();
  print("step", trained.step(x.sample(0).row(0), state, Scalar(0.5)));
  model = std::move(trained);
  print("session", elegans::Session(model)(x).values());
}

}  // namespace

int main() {
  run<elegans::LTC<float>>("LTC<float>");
  run<elegans::MixedCfC<double>>("MixedCfC<double>");
}
