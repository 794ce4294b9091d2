// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <elegans/core/finite.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;

namespace {

/// The relative error of a quotient of packets of floats besides its rounding: 32-bit ARM has no division of packets.
#if defined(__ARM_NEON) && !defined(__aarch64__)
inline constexpr double quotient_bound = 2.4e-7;
#else
inline constexpr double quotient_bound = 0;
#endif

/// The allowed errors of the logistic function, absolute and relative to its value. In double some roundings. In float
/// two roundings of 1; and where the value is small, the rounding of the exponent, which is up to 126.
template <typename Scalar>
inline constexpr double absolute_bound = 3e-16;
template <typename Scalar>
inline constexpr double relative_bound = 1e-15;
#ifdef __FAST_MATH__
// The compiler divides by way of an approximate reciprocal, which underflows early.
template <>
inline constexpr double absolute_bound<float> = 2.1e-7;
template <>
inline constexpr double relative_bound<float> = 1e-3;
#else
template <>
inline constexpr double absolute_bound<float> = 1.2e-7 + quotient_bound / 4;
template <>
inline constexpr double relative_bound<float> = 1e-5;
#endif
#ifdef ELEGANS_TEST_REASSOCIATES
// Eigen subtracts n ln 2 from an exponent in two parts, of which the compiler may make one.
template <>
inline constexpr double relative_bound<double> = 2e-13;
#endif

template <typename Scalar, int Lanes, Evaluation evaluation>
void check_sigmoid_evaluated() {
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
    store(y, sigmoid_of_scaled<evaluation>(load<P>(x) * P(sigmoid_scale<Scalar>)));
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
void check_sigmoid() {
  check_sigmoid_evaluated<Scalar, Lanes, Evaluation::fewest_operations>();
  check_sigmoid_evaluated<Scalar, Lanes, Evaluation::shortest_chain>();
}

template <typename Scalar, int Lanes>
void check_extremes() {
  using P = Packet<Scalar, Lanes>;
  Scalar y[Lanes];
  const auto at = [&](Scalar x) {
    store(y, sigmoid(P(x)));
    return y[Lanes - 1];
  };
  CHECK(std::abs(at(0) - Scalar(0.5)) < absolute_bound<Scalar>);
  for (const Scalar large : {Scalar(1e3), Scalar(1e6), Scalar(1e30), std::numeric_limits<Scalar>::max()}) {
    CHECK(at(large) == Approx(1).epsilon(1e-6));
    CHECK(at(large) <= 1);
    CHECK(at(-large) >= 0);
    CHECK(at(-large) < Scalar(1e-30));
  }
}

template <int Lanes>
void check_not_finite() {
  float y[Lanes];
  const auto at = [&](std::uint32_t bits) {
    store(y, sigmoid(Packet<float, Lanes>(std::bit_cast<float>(hidden(bits)))));
    return y[Lanes - 1];
  };
  CHECK(std::abs(at(0x7f800000U) - 1) < absolute_bound<float>);
  CHECK(at(0xff800000U) >= 0);
  CHECK(at(0xff800000U) < 1e-30f);
#if !defined(__FINITE_MATH_ONLY__) || !__FINITE_MATH_ONLY__
  for (const std::uint32_t bits : {0x7fc00000U, 0xffc00000U, 0x7f800001U, 0xff812345U, 0x7fffffffU}) {
    CAPTURE(bits);
    CHECK(is_nan(at(bits)));
  }
#endif
}

template <typename Scalar, int Lanes>
void check_memory() {
  using P = Packet<Scalar, Lanes>;
  Scalar from[Lanes + 1];
  for (int i = 0; i <= Lanes; ++i) from[i] = static_cast<Scalar>(i - 1);
  Scalar to[Lanes];
  // One past the start: no alignment is assumed.
  store(to, load<P>(from + 1));
  for (int i = 0; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(i));
  add_to(to, P(Scalar(10)));
  for (int i = 0; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(10 + i));
  add_product_to(to, P(Scalar(3)), load<P>(from + 1));
  for (int i = 0; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(10 + 4 * i));
  store(to, select(load<P>(from + 1) == P(Scalar(0)), P(Scalar(-7)), load<P>(from)));
  CHECK(to[0] == Scalar(-7));
  for (int i = 1; i < Lanes; ++i) CHECK(to[i] == static_cast<Scalar>(i - 1));
}

/// Every operator of packets against the same operator of plain values.
template <typename Scalar, int Lanes>
void check_operators() {
  using P = Packet<Scalar, Lanes>;
  Scalar a[Lanes], b[Lanes], c[Lanes], got[Lanes];
  for (int i = 0; i < Lanes; ++i) {
    a[i] = static_cast<Scalar>(i - 1.5);
    b[i] = static_cast<Scalar>(0.25 * (i + 1));
    c[i] = static_cast<Scalar>(3 - 2 * i);
  }
  const P pa = load<P>(a), pb = load<P>(b), pc = load<P>(c);
  // The values are exact in both scalars, but for quotients, which both round once.
  const auto check = [&](const P& packet, auto value) {
    store(got, packet);
    for (int i = 0; i < Lanes; ++i) CHECK(got[i] == value(i));
  };
  check(pa + pb, [&](int i) { return a[i] + b[i]; });
  check(pa - pb, [&](int i) { return a[i] - b[i]; });
  check(pa * pb, [&](int i) { return a[i] * b[i]; });
  check(pa / pb, [&](int i) { return Approx(a[i] / b[i]).epsilon(quotient_bound); });
  check(-pa, [&](int i) { return -a[i]; });
  check(fma(pa, pb, pc), [&](int i) { return a[i] * b[i] + c[i]; });
  check(minimum(pa, pc), [&](int i) { return std::min(a[i], c[i]); });
  check(maximum(pa, pc), [&](int i) { return std::max(a[i], c[i]); });
  check(absolute(pa), [&](int i) { return std::abs(a[i]); });
  check(each_lane(pa, [](Scalar value) { return 2 * value; }), [&](int i) { return 2 * a[i]; });
  Scalar total(0);
  for (const Scalar value : c) total += value;
  CHECK(sum(pc) == total);
}

template <typename Scalar, int Lanes>
void check_all_finite() {
  INFO("lanes " << Lanes);
  using P = Packet<Scalar, Lanes>;
  using Limits = std::numeric_limits<Scalar>;
  constexpr int packets = 3, size = packets * Lanes;
  Scalar values[size];
  std::fill_n(values, size, (Limits::max)());
  CHECK(all_finite<P>(values, packets));
  CHECK(all_finite<P>(values, 0));
  for (const Scalar value : {Limits::lowest(), Limits::denorm_min(), Scalar(0)}) {
    values[size - 1] = value;
    CHECK(all_finite<P>(values, packets));
  }
  for (const Scalar value : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
    for (int i = 0; i < size; ++i) {
      const Scalar before = values[i];
      values[i] = value;
      CHECK_FALSE(all_finite<P>(values, packets));
      values[i] = before;
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("Operators of packets are those of values, lane by lane", "[simd][packet]", float, double) {
  check_operators<TestType, full_lanes<TestType>>();
  check_operators<TestType, fewest_lanes<TestType>>();
  check_operators<TestType, 1>();
}

TEMPLATE_TEST_CASE("Packets take the values in their order, and one by one what is left over", "[simd][packet]", float,
                   double) {
  constexpr elegans::Index size = 2 * full_lanes<TestType> + 3;
  TestType values[size]{};
  for_each_packet<Packet<TestType, full_lanes<TestType>>>(size, [&]<typename P>(elegans::Index i) {
    for (elegans::Index k = 0; k < P::lanes; ++k) values[i + k] += static_cast<TestType>(P::lanes);
  });
  for (elegans::Index i = 0; i < size; ++i) {
    const bool whole = i < size / full_lanes<TestType> * full_lanes<TestType>;
    CHECK(values[i] == static_cast<TestType>(whole ? full_lanes<TestType> : 1));
  }
}

TEMPLATE_TEST_CASE("The sigmoid of every packet is the standard library's", "[simd][packet]", float, double) {
  check_sigmoid<TestType, full_lanes<TestType>>();
  check_sigmoid<TestType, fewest_lanes<TestType>>();
  check_sigmoid<TestType, 1>();
}

TEMPLATE_TEST_CASE("The sigmoid of a huge value is 0 or 1, never NaN", "[simd][packet]", float, double) {
  check_extremes<TestType, full_lanes<TestType>>();
  check_extremes<TestType, fewest_lanes<TestType>>();
  check_extremes<TestType, 1>();
}

TEST_CASE("The sigmoid of infinity is 0 or 1, that of a NaN is NaN", "[simd][packet]") {
  check_not_finite<full_lanes<float>>();
  check_not_finite<fewest_lanes<float>>();
  check_not_finite<1>();
}

TEMPLATE_TEST_CASE("Packets load, store, add and choose lane by lane", "[simd][packet]", float, double) {
  check_memory<TestType, full_lanes<TestType>>();
  check_memory<TestType, fewest_lanes<TestType>>();
  check_memory<TestType, 1>();
}

TEMPLATE_TEST_CASE("The narrowest packet has 16 bytes, the widest is no narrower", "[simd][packet]", float, double) {
  CHECK(fewest_lanes<TestType> <= full_lanes<TestType>);
  CHECK((fewest_lanes<TestType> * int{sizeof(TestType)} == 16 || full_lanes<TestType> == 1));
}

TEMPLATE_TEST_CASE("One value that is not finite is found in any lane of any packet", "[simd][packet]", float, double) {
  check_all_finite<TestType, full_lanes<TestType>>();
  check_all_finite<TestType, fewest_lanes<TestType>>();
  check_all_finite<TestType, 1>();
}
