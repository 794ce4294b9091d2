// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// no_exceptions good|bad|return: trains a network and runs it on a stream, or makes a bad call. Compiled with
// -fno-exceptions and -fno-rtti; with OWN_HOOK with a hook of its own, which ends the program with 3, or returns.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(OWN_HOOK)
inline bool hook_returns = false;
inline void own_hook(const char* message) {
  std::printf("hook: %s\n", message);
  std::fflush(stdout);
  if (!hook_returns) std::exit(3);
}
#define ELEGANS_ON_ERROR(message) own_hook(message)
#endif

#include <elegans/elegans.hpp>

#if defined(__cpp_exceptions) || defined(__GXX_RTTI)
#error "this is to be compiled without exceptions and RTTI"
#endif

#if defined(OWN_HOOK)
namespace {

/// Returns true if training lowers the loss.
bool trains() {
  constexpr int steps = 12;
  Eigen::ArrayXXf x(steps, 2), y(steps, 1);
  for (int t = 0; t < steps; ++t) {
    x.row(t) << std::sin(0.5f * static_cast<float>(t)), std::cos(0.5f * static_cast<float>(t));
    y(t, 0) = std::sin(static_cast<float>(t));
  }
  elegans::LTC<float> model(elegans::FullyConnected(4, 1), 2, {.seed = 1});
  const auto history = elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = 0.02f}), {.epochs = 10});
  return history.loss.back() < history.loss.front();
}

/// Returns true if a network of fixed sizes gives finite outputs on a stream, and has a memory.
bool streams() {
  const elegans::AutoNCP<6, 1> wiring;
  elegans::LTC<float, elegans::AutoNCP<6, 1>, 2> net(wiring);
  auto state = net.initial_state();
  const Eigen::Array2f sensors(0.3f, -0.2f);
  const float first = net.step(sensors, state, 0.05f)(0, 0);
  const float second = net.step(sensors, state, 0.05f)(0, 0);
  return std::isfinite(second) && first != second;
}

}  // namespace
#endif

int main([[maybe_unused]] int count, [[maybe_unused]] char** arguments) {
#if defined(OWN_HOOK)
  if (std::strcmp(arguments[1], "good") == 0) return trains() && streams() ? 0 : 1;
  hook_returns = std::strcmp(arguments[1], "return") == 0;
#endif
  const elegans::AutoNCP<> impossible(8, 7);
  return 1;
}
