// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <elegans/simd/lane_sums.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;

namespace {

template <int Lanes>
void check_fold() {
  using P = Packet<float, Lanes>;
  if constexpr (FoldedPacket<P>) {
    float from[4][Lanes], to[Lanes];
    for (int m = 0; m < 4; ++m) {
      for (int i = 0; i < Lanes; ++i) from[m][i] = static_cast<float>((i + 1) * (m + 2) * (i + m));  // exact
    }
    store(to, fold(load<P>(from[0]), load<P>(from[1]), load<P>(from[2]), load<P>(from[3])));
    for (int i = 0; i < Lanes; ++i) {
      const float* const group = from[i % 4] + i / 4 * 4;
      CHECK(to[i] == group[0] + group[1] + group[2] + group[3]);
    }
  }
}

}  // namespace

TEST_CASE("A fold sums every four lanes of four packets", "[simd][lane_sums]") {
#if defined(__GNUC__) && defined(__SSE2__)
  STATIC_REQUIRE(FoldedPacket<Packet<float, fewest_lanes<float>>>);
#endif
  check_fold<full_lanes<float>>();
  check_fold<fewest_lanes<float>>();
}

namespace {

template <typename Scalar, int Lanes>
void check_sum_each() {
  using P = Packet<Scalar, Lanes>;
  constexpr int lanes = P::lanes;
  Scalar from[lanes * lanes], to[lanes];
  P packets[lanes];
  for (int i = 0; i < lanes * lanes; ++i) from[i] = static_cast<Scalar>(i * i % 97);  // exact
  for (int k = 0; k < lanes; ++k) packets[k] = load<P>(from + k * lanes);
  store(to, sum_each(packets));
  Scalar added[lanes] = {};
  add_sums<lanes>(added, packets);
  for (int k = 0; k < lanes; ++k) {
    Scalar sum(0);
    for (int i = 0; i < lanes; ++i) sum += from[k * lanes + i];
    CHECK(to[k] == sum);
    CHECK(added[k] == sum);
  }
}

}  // namespace

TEMPLATE_TEST_CASE("The sum of each packet goes to its lane", "[simd][lane_sums]", float, double) {
  check_sum_each<TestType, full_lanes<TestType>>();
  check_sum_each<TestType, std::max(fewest_lanes<TestType>, full_lanes<TestType> / 2)>();
  check_sum_each<TestType, fewest_lanes<TestType>>();
  check_sum_each<TestType, 1>();
}
