// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <type_traits>

#include <elegans/simd/activate.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

constexpr Activation all_activations[] = {Activation::linear, Activation::lecun_tanh, Activation::relu,
                                          Activation::tanh,   Activation::gelu,       Activation::silu,
                                          Activation::sigmoid};

/// The definitions, as papers write them.
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
      return z / 2 * std::erfc(-z / std::sqrt(2.0));
    case Activation::silu:
      return z / (1 + std::exp(-z));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// From -8 to 8, and not 0, where relu has its kink.
template <typename Scalar>
Eigen::Array<Scalar, Eigen::Dynamic, 1> some_sums(Index count) {
  Eigen::Array<Scalar, Eigen::Dynamic, 1> z(count);
  for (Index i = 0; i < count; ++i) z[i] = static_cast<Scalar>(8 * std::sin(1.3 * static_cast<double>(i) + 0.2));
  return z;
}

template <typename Scalar, int Lanes>
void check_activations() {
  const double tolerance = sizeof(Scalar) == 4 ? 2e-6 : 1e-14;
  // All sizes up to some packets: the values behind the last whole packet count too.
  for (Index size = 1; size <= 3 * Lanes + 1; ++size) {
    for (const Activation activation : all_activations) {
      CAPTURE(size, static_cast<int>(activation), Lanes);
      const auto z = some_sums<Scalar>(size);
      Eigen::Array<Scalar, Eigen::Dynamic, 1> y(size), in_place = z;
      activate<Packet<Scalar, Lanes>>(activation, z.data(), y.data(), size);
      activate<Packet<Scalar, Lanes>>(activation, in_place.data(), in_place.data(), size);
      CHECK((in_place == y).all());
      for (Index i = 0; i < size; ++i) {
        const double wanted = activation_of(activation, static_cast<double>(z[i]));
        CHECK(std::abs(static_cast<double>(y[i]) - wanted) <= tolerance * (1 + std::abs(wanted)));
      }
    }
  }
}

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

}  // namespace

TEMPLATE_TEST_CASE("tanh and exp of every packet are the standard library's", "[simd][activate]", float, double) {
  check_functions<TestType, full_lanes<TestType>>();
  check_functions<TestType, fewest_lanes<TestType>>();
  check_functions<TestType, 1>();
}

TEMPLATE_TEST_CASE("Every activation is its definition, in packets of any width", "[simd][activate]", float, double) {
  check_activations<TestType, full_lanes<TestType>>();
  check_activations<TestType, fewest_lanes<TestType>>();
  check_activations<TestType, 1>();
}

TEMPLATE_TEST_CASE("The adjoint of every activation is its derivative", "[simd][activate]", float, double) {
  const Index size = 101;
  const double step = 1e-5;
  for (const Activation activation : all_activations) {
    INFO("activation " << static_cast<int>(activation));
    const auto z = some_sums<TestType>(size);
    Eigen::Array<TestType, Eigen::Dynamic, 1> y(size), d(size);
    activate<Packet<TestType, 1>>(activation, z.data(), y.data(), size);
    for (Index i = 0; i < size; ++i) d[i] = static_cast<TestType>(1 + i % 3);
    activate_backward<TestType>(activation, {z.data(), size}, {y.data(), size}, {d.data(), size});
    for (Index i = 0; i < size; ++i) {
      const double at = static_cast<double>(z[i]);
      const double slope = (activation_of(activation, at + step) - activation_of(activation, at - step)) / (2 * step);
      CHECK(std::abs(static_cast<double>(d[i]) - static_cast<double>(1 + i % 3) * slope) <
            (sizeof(TestType) == 4 ? 5e-6 : 1e-9));
    }
  }
}

TEST_CASE("Where relu has its kink, nothing goes back, as in PyTorch", "[simd][activate]") {
  const double z = 0, y = 0;
  double d = 3;
  activate_backward<double>(Activation::relu, {&z, 1}, {&y, 1}, {&d, 1});
  CHECK(d == 0);
}

#ifndef __FAST_MATH__  // it knows no NaN
TEST_CASE("Activations that saturate reach their limits, and NaN stays NaN", "[simd][activate]") {
  using P = Packet<double, full_lanes<double>>;
  const double large[] = {-1e4, 1e4, std::numeric_limits<double>::quiet_NaN()};
  const auto at = [&](Activation activation, int i) {
    double y = 0;
    activate<P>(activation, large + i, &y, 1);
    return y;
  };
  for (const auto& [activation, low, high] : {std::tuple{Activation::lecun_tanh, -1.7159, 1.7159},
                                              {Activation::tanh, -1.0, 1.0},
                                              {Activation::relu, 0.0, 1e4},
                                              {Activation::gelu, 0.0, 1e4},
                                              {Activation::silu, 0.0, 1e4},
                                              {Activation::sigmoid, 0.0, 1.0}}) {
    INFO("activation " << static_cast<int>(activation));
    CHECK(at(activation, 0) == Approx(low).margin(1e-12));
    CHECK(at(activation, 1) == Approx(high));
  }
  for (const Activation activation : {Activation::linear, Activation::tanh, Activation::gelu, Activation::lecun_tanh}) {
    CHECK(std::isnan(at(activation, 2)));
  }
}
#endif

TEMPLATE_TEST_CASE("Where tanh and the sigmoid are flat, their derivatives are 0", "[simd][activate]", float, double) {
  // The adjoint of a huge sum is multiplied by a huge input next.
  for (const Activation activation : {Activation::lecun_tanh, Activation::tanh, Activation::sigmoid}) {
    CAPTURE(static_cast<int>(activation));
    using Vector = Eigen::Array<TestType, 16, 1>;
    Vector z = Vector::Constant(TestType(1e30)), y, d = Vector::Ones();
    activate<Packet<TestType, full_lanes<TestType>>>(activation, z.data(), y.data(), 16);
    activate_backward<TestType>(activation, {z.data(), 16}, {y.data(), 16}, {d.data(), 16});
#ifdef __FAST_MATH__
    // The compiler divides by way of an approximate reciprocal, so the sigmoid may end one rounding below 1.
    CHECK((d <= std::numeric_limits<TestType>::epsilon()).all());
#else
    CHECK((d == TestType(0)).all());
#endif
  }
}
