// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include <elegans/core/activation.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/packet.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;
using elegans::Activation;

namespace {

/// The largest difference of a function of packets from the same function in double, over values from low to high;
/// absolute where the function is below 1, else relative.
template <typename Scalar, int Lanes, typename Function, typename Truth>
double error_of(double low, double high, Function function, Truth truth) {
  using P = Packet<Scalar, Lanes>;
  const int count = 40000;
  double largest = 0;
  Scalar x[Lanes], y[Lanes];
  for (int i = 0; i < count; i += Lanes) {
    for (int lane = 0; lane < Lanes; ++lane) x[lane] = static_cast<Scalar>(low + (high - low) * (i + lane) / count);
    store(y, function(load<P>(x)));
    for (int lane = 0; lane < Lanes; ++lane) {
      const double expected = truth(static_cast<double>(x[lane]));
      const double difference = std::abs(static_cast<double>(y[lane]) - expected);
      largest = std::max(largest, difference / std::max(std::abs(expected), 1.0));
    }
  }
  return largest;
}

template <typename Scalar, int Lanes>
void check_functions() {
  CAPTURE(Lanes, sizeof(Scalar));
  const double digit = std::is_same_v<Scalar, float> ? 1.2e-7 : 2.3e-16;
  CHECK(error_of<Scalar, Lanes>(
            -20, 20, [](const auto& x) { return elegans::detail::tanh(x); }, [](double x) { return std::tanh(x); }) <
        4 * digit);
  CHECK(error_of<Scalar, Lanes>(
            -80, 5, [](const auto& x) { return elegans::detail::exp(x); }, [](double x) { return std::exp(x); }) <
        4 * digit);
}

double truth(Activation activation, double z) {
  switch (activation) {
    case Activation::linear:
      return z;
    case Activation::lecun_tanh:
      return 1.7159 * std::tanh(0.666 * z);
    case Activation::relu:
      return std::max(z, 0.0);
    case Activation::tanh:
      return std::tanh(z);
    case Activation::gelu:
      return z * std::erfc(-z / std::sqrt(2.0)) / 2;
    case Activation::silu:
      return z / (1 + std::exp(-z));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
  }
  return 0;
}

constexpr Activation activations[] = {Activation::linear, Activation::lecun_tanh, Activation::relu,   Activation::tanh,
                                      Activation::gelu,   Activation::silu,       Activation::sigmoid};

}  // namespace

TEMPLATE_TEST_CASE("tanh and exp of every packet are the standard library's", "[simd][activate]", float, double) {
  check_functions<TestType, full_lanes<TestType>>();
  check_functions<TestType, fewest_lanes<TestType>>();
  check_functions<TestType, 1>();
}

TEMPLATE_TEST_CASE("Activations are their formulas, and their derivatives those of the formulas", "[simd][activate]",
                   float, double) {
  using P = Packet<TestType, full_lanes<TestType>>;
  const double bound = std::is_same_v<TestType, float> ? 2e-6 : 4e-15;
  for (const Activation activation : activations) {
    CAPTURE(static_cast<int>(activation));
    // A number that leaves some values over.
    const elegans::Index size = 203;
    std::vector<TestType> z(size), y(size), d(size, TestType(1));
    for (elegans::Index i = 0; i < size; ++i) z[i] = static_cast<TestType>(0.0713 * (double(i) - 101.3));
    activate<P>(activation, z.data(), y.data(), size);
    activate_backward<TestType>(activation, {z.data(), size}, {y.data(), size}, {d.data(), size});
    for (elegans::Index i = 0; i < size; ++i) {
      CAPTURE(z[i]);
      const double at = static_cast<double>(z[i]), h = 1e-5;
      CHECK(std::abs(static_cast<double>(y[i]) - truth(activation, at)) < bound);
      const double slope = (truth(activation, at + h) - truth(activation, at - h)) / (2 * h);
      CHECK(std::abs(static_cast<double>(d[i]) - slope) < bound + 1e-9);
    }
  }
}
