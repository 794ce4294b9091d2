// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>
#include <string>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/random.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

namespace {

/// The same in every program: sine waves of a shift and a pitch of their own.
Sequence<float> waves(Index time, Index batch, Index features) {
  Sequence<float> x(time, batch, features);
  for (Index t = 0; t < time; ++t) {
    for (Index b = 0; b < batch; ++b) {
      for (Index f = 0; f < features; ++f) {
        x(t, b, f) = static_cast<float>(std::sin(0.4 * double(t) + double(b) + 0.7 * double(f)));
      }
    }
  }
  return x;
}

/// A NaN that the compiler does not know of.
double nan_from_memory() {
  volatile double nan = std::numeric_limits<double>::quiet_NaN();
  return nan;
}

/// The output of the last step of each of three samples.
template <typename Model>
void check_last(Model model, double first, double second, double third) {
  const Sequence<float> y = model.forward(waves(40, 3, 2));
  CHECK(y(39, 0, 0) == Approx(first).margin(1e-6));
  CHECK(y(39, 1, 0) == Approx(second).margin(1e-6));
  CHECK(y(39, 2, 0) == Approx(third).margin(1e-6));
}

}  // namespace

// The numbers are those of double models with the same parameters, compiled without such flags.

TEST_CASE("Models give their numbers, whatever the compiler may assume", "[fast_math]") {
  check_last(LTC<float>(AutoNCP(12, 2), 2), -0.013995581, 0.015874854, 0.020744643);
  check_last(CfC<float>(AutoNCP(12, 2), 2), -0.152527766, 0.013835168, 0.035724638);
  check_last(CfC<float>(12, 2, {.mode = CfCMode::pure}), -0.156173856, -0.148545108, -0.146637536);
}

TEST_CASE("Training goes the same way", "[fast_math]") {
  LTC<float> model(AutoNCP(12, 1), 2);
  const Sequence<float> x = waves(24, 4, 2);
  Sequence<float> y(24, 4, 1);
  for (Index i = 0; i < y.values().size(); ++i) y.values()[i] = i % 3 == 0 ? 1.0f : 0.0f;
  const Adam<float> adam({.learning_rate = 0.01f});
  const auto history = fit(model, x, y, adam, {.epochs = 10}, BinaryCrossEntropy{});
  CHECK(history.loss.front() == Approx(0.685386612).epsilon(1e-5));
  CHECK(history.loss.back() == Approx(0.636729508).epsilon(1e-5));
}

TEST_CASE("NaN is refused, whatever the compiler may assume", "[fast_math]") {
  const double nan = nan_from_memory();
  CHECK(refusal_of([&] { Timespans<double> refused(nan); }).starts_with("elapsed time must be finite"));
  CHECK(refusal_of([&] { AutoNCP refused(8, 1, {.sparsity = nan}); }).starts_with("AutoNCP: sparsity must be in"));
  CHECK(refusal_of([&] { Random refused(8, 1, {.sparsity = nan}); }).starts_with("Random: sparsity must be in"));
  CHECK(refusal_of([&] { Adam<double> refused({.beta1 = nan}); }).starts_with("Adam: beta1 must be in"));
  CHECK(refusal_of([&] { Adam<double> refused({.epsilon = nan}); }).starts_with("Adam: epsilon must be finite"));
  CHECK(refusal_of([&] { Clip{.global_norm = nan}.require_positive(); }).starts_with("clip: global_norm must be"));
  CHECK(refusal_of([&] { LTC<float> refused(AutoNCP(8, 1), 2, {.epsilon = nan}); }).starts_with("LTC: epsilon must"));
}

// No loss need be NaN where the compiler assumes that there is none. Then a parameter is.
TEST_CASE("Training stops in the first batch that has a NaN", "[fast_math]") {
  LTC<float> model(AutoNCP(12, 1), 2);
  Sequence<float> x = waves(8, 2, 2);
  const Sequence<float> y(8, 2, 1);
  x(5, 1, 0) = static_cast<float>(nan_from_memory());
  const Adam<float> adam;
  const std::string message =
      refusal_of<RuntimeError>([&] { fit(model, x, y, adam, {.epochs = 2}, BinaryCrossEntropy{}); });
  CAPTURE(message);
  CHECK(message.find("nan") != std::string::npos);
  CHECK(message.find("in epoch 1 of 2, batch 1: ") != std::string::npos);
}
