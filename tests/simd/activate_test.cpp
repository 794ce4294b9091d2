// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <type_traits>
#include <vector>

#include <elegans/core/activation.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

/// The definition of each activation, in double.
double activation_of(Activation activation, double z) {
  switch (activation) {
    case Activation::linear:
      return z;
    case Activation::lecun_tanh:
      return 1.7159 * std::tanh(0.666 * z);
    case Activation::relu:
      return z > 0 ? z : 0;
    case Activation::tanh:
      return std::tanh(z);
    case Activation::gelu:
      return z * 0.5 * std::erfc(-z / std::sqrt(2.0));
    case Activation::silu:
      return z / (1 + std::exp(-z));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
  }
  return 0;
}

constexpr Activation all_activations[] = {Activation::linear, Activation::lecun_tanh, Activation::relu,
                                          Activation::tanh,   Activation::gelu,       Activation::silu,
                                          Activation::sigmoid};

}  // namespace

TEMPLATE_TEST_CASE("Each activation is its definition, and its adjoint the definition's slope", "[simd][activate]",
                   float, double) {
  const double tolerance = std::is_same_v<TestType, float> ? 2e-6 : 1e-8;
  // From -4.1 to 4.1, without 0, where relu has no slope. Not a whole number of packets.
  std::vector<TestType> z;
  for (int i = 0; i < 42; ++i) z.push_back(static_cast<TestType>(-4.1 + 0.2 * i));
  const auto size = static_cast<Index>(z.size());
  for (const Activation activation : all_activations) {
    CAPTURE(static_cast<int>(activation));
    std::vector<TestType> y(z.size()), d(z.size(), TestType(3));
    activate<Packet<TestType, full_lanes<TestType>>>(activation, z.data(), y.data(), size);
    activate_backward<TestType>(activation, {z.data(), size}, {y.data(), size}, {d.data(), size});
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double at = double{z[i]}, step = 1e-5;
      const double slope = (activation_of(activation, at + step) - activation_of(activation, at - step)) / (2 * step);
      CHECK(std::abs(double{y[i]} - activation_of(activation, at)) < tolerance);
      CHECK(std::abs(double{d[i]} - 3 * slope) < 10 * tolerance);
    }
  }
}
