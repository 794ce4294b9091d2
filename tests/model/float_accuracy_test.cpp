// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The errors of float against the same model in double: those of rounding, and of the approximate sigmoid. The largest
// errors are in docs/performance.md. The bounds here are about twice as large.

#include <algorithm>
#include <cmath>
#include <string>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

struct Errors {
  double output = 0;    ///< largest, absolute
  double gradient = 0;  ///< largest, over the largest value
};

template <typename Scalar>
Sequence<Scalar> wave(Index time, Index batch, Index features) {
  Sequence<Scalar> result(time, batch, features);
  for (Index t = 0; t < time; ++t) {
    for (Index b = 0; b < batch; ++b) {
      // Exact in float.
      for (Index f = 0; f < features; ++f) {
        result(t, b, f) = static_cast<Scalar>(static_cast<float>(std::sin(0.13 * double(t) + double(b) + double(f))));
      }
    }
  }
  return result;
}

template <typename Single, typename Double>
Errors errors(Single single, Double model, Index time, Index batch) {
  model.set_parameters(single.parameters().template cast<double>());  // the same values, which are floats
  const auto x = wave<float>(time, batch, single.input_dim());
  const auto x_double = wave<double>(time, batch, single.input_dim());
  const Sequence<float> y = single.forward(x);
  const Sequence<double> y_double = model.forward(x_double);
  single.backward(wave<float>(time, batch, single.output_dim()));
  model.backward(wave<double>(time, batch, single.output_dim()));
  const auto largest = [](const auto& a, const auto& b) { return (a.template cast<double>() - b).abs().maxCoeff(); };
  return {largest(y.values(), y_double.values()),
          std::max(largest(single.gradient(), model.gradient()) / model.gradient().abs().maxCoeff(),
                   largest(single.input_gradient().values(), model.input_gradient().values()) /
                       model.input_gradient().values().abs().maxCoeff())};
}

void check(const std::string& name, const Errors& found, const Errors& allowed) {
  INFO(name << ": outputs " << found.output << ", gradients " << found.gradient);
  CHECK(found.output < allowed.output);
  CHECK(found.gradient < allowed.gradient);
}

}  // namespace

TEST_CASE("An LTC in float is as close to double as docs/performance.md says", "[layer][ltc][accuracy]") {
  for (const Index batch : {1, 16}) {
    const auto of = [&](const std::string& name, const auto& wiring, Index inputs, Index time) {
      check(name + ", batch " + std::to_string(batch),
            errors(LTC<float>(wiring, int(inputs)), LTC<double>(wiring, int(inputs)), time, batch), {2e-6, 2e-5});
    };
    of("FullyConnected(8, 1)", FullyConnected(8, 1), 2, 48);
    of("AutoNCP(8, 1)", AutoNCP(8, 1), 2, 48);
    of("FullyConnected(32)", FullyConnected(32), 17, 32);
    of("AutoNCP(64, 8)", AutoNCP(64, 8), 20, 48);
    of("AutoNCP(8, 1), 1000 steps", AutoNCP(8, 1), 2, 1000);
  }
}

TEST_CASE("A CfC in float is as close to double as docs/performance.md says", "[layer][cfc][accuracy]") {
  for (const Index batch : {1, 16}) {
    for (const CfCMode mode : {CfCMode::standard, CfCMode::pure, CfCMode::no_gate}) {
      const CfCOptions options{.mode = mode};
      const std::string name = "mode " + std::to_string(int(mode)) + ", batch " + std::to_string(batch);
      check(name, errors(CfC<float>(32, 17, options), CfC<double>(32, 17, options), 48, batch), {2e-6, 2e-5});
      check(name + ", wired",
            errors(CfC<float>(AutoNCP(64, 8), 20, options), CfC<double>(AutoNCP(64, 8), 20, options), 48, batch),
            {2e-6, 2e-5});
    }
  }
}
