// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;

namespace {

/// What the logistic function may differ by, absolutely and relative to its value. In double some roundings. In float
/// two roundings of 1; and where the value is small, the rounding of the exponent, which is up to 126.
template <typename Scalar>
inline constexpr double absolute_bound = 3e-16;
template <>
inline constexpr double absolute_bound<float> = 1.2e-7;
template <typename Scalar>
inline constexpr double relative_bound = 1e-15;
template <>
inline constexpr double relative_bound<float> = 1e-5;

template <typename Scalar, int Lanes>
void check_sigmoid() {
  INFO("lanes " << Lanes);
  using P = Packet<Scalar, Lanes>;
  const double range = std::is_same_v<Scalar, float> ? 85 : 700;
  double absolute = 0;
  double relative = 0;
  Scalar x[Lanes];
  Scalar y[Lanes];
  for (int i = 0; i < 200000; i += Lanes) {
    for (int lane = 0; lane < Lanes; ++lane) {
      // Three of four between -20 and 20, where the gates live.
      const double wide = (i + lane) % 4 == 0 ? range : 20.0;
      x[lane] = static_cast<Scalar>(wide * std::sin(0.7312 * (i + lane)));
    }
    store<P>(y, sigmoid<P>(load<P>(x)));
    for (int lane = 0; lane < Lanes; ++lane) {
      const double expected = 1 / (1 + std::exp(-static_cast<double>(x[lane])));
      const double difference = std::abs(static_cast<double>(y[lane]) - expected);
      absolute = std::max(absolute, difference);
      relative = std::max(relative, difference / expected);
    }
  }
  CHECK(absolute < absolute_bound<Scalar>);
  CHECK(relative < relative_bound<Scalar>);
}

template <typename Scalar, int Lanes>
void check_extremes() {
  using P = Packet<Scalar, Lanes>;
  Scalar y[Lanes];
  const auto at = [&](Scalar x) {
    store<P>(y, sigmoid<P>(broadcast<P>(x)));
    return y[Lanes - 1];
  };
  CHECK(at(0) == Scalar(0.5));
  for (const Scalar large : {Scalar(1e3), Scalar(1e6), Scalar(1e30), std::numeric_limits<Scalar>::max()}) {
    CHECK(at(large) == Approx(1).epsilon(1e-6));
    CHECK(at(large) <= 1);
    CHECK(at(-large) >= 0);
    CHECK(at(-large) < Scalar(1e-30));
  }
}

template <typename Scalar, int Lanes>
void check_memory() {
  using P = Packet<Scalar, Lanes>;
  Scalar from[Lanes + 1];
  for (int i = 0; i <= Lanes; ++i) from[i] = static_cast<Scalar>(i - 1);
  Scalar to[Lanes];
  // One past the start: no alignment is assumed.
  store<P>(to, load<P>(from + 1));
  for (int i = 0; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(i));
  add_to<P>(to, broadcast<P>(Scalar(10)));
  for (int i = 0; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(10 + i));
  add_product_to<P>(to, broadcast<P>(Scalar(3)), load<P>(from + 1));
  for (int i = 0; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(10 + 4 * i));
  store<P>(to, select_zero<P>(load<P>(from + 1), broadcast<P>(Scalar(-7)), load<P>(from)));
  CHECK(to[0] == Scalar(-7));
  for (int i = 1; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(i - 1));
}

}  // namespace

TEMPLATE_TEST_CASE("The sigmoid of every packet is the standard library's", "[core][packet]", float, double) {
  check_sigmoid<TestType, full_lanes<TestType>>();
  check_sigmoid<TestType, fewest_lanes<TestType>>();
}

TEMPLATE_TEST_CASE("The sigmoid of a huge value is 0 or 1, never NaN", "[core][packet]", float, double) {
  check_extremes<TestType, full_lanes<TestType>>();
  check_extremes<TestType, fewest_lanes<TestType>>();
}

TEMPLATE_TEST_CASE("Packets load, store, add and choose lane by lane", "[core][packet]", float, double) {
  check_memory<TestType, full_lanes<TestType>>();
  check_memory<TestType, fewest_lanes<TestType>>();
}

TEMPLATE_TEST_CASE("The narrowest packet has 16 bytes, the widest is no narrower", "[core][packet]", float, double) {
  CHECK(fewest_lanes<TestType> <= full_lanes<TestType>);
  CHECK((fewest_lanes<TestType> * int{sizeof(TestType)} == 16 || full_lanes<TestType> == 1));
}
