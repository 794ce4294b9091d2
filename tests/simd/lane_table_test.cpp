// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <elegans/simd/lane_table.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

/// Every value of tables of every size, each from every lane, in an order that has no pattern.
template <typename Scalar, int Lanes>
void check_table() {
  for (int size = 1; size <= 80; ++size) {
    std::vector<Scalar> values;
    for (int i = 0; i < size; ++i) values.push_back(static_cast<Scalar>(i * i - 7));
    const LaneTable<Scalar, Lanes> table(values.data(), size);
    for (int first = 0; first < size; ++first) {
      int index[Lanes];
      for (int k = 0; k < Lanes; ++k) index[k] = (first + 37 * k) % size;
      Scalar got[Lanes];
      store(got, table.look_up(index));
      for (int k = 0; k < Lanes; ++k) REQUIRE(got[k] == values[static_cast<std::size_t>(index[k])]);
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("A table gives each lane the value it asks for", "[simd][lane_table]", float, double) {
  check_table<TestType, full_lanes<TestType>>();
  check_table<TestType, fewest_lanes<TestType>>();
}

namespace {

/// Packets of lanes that go to different sums, and some that go to none.
template <typename Scalar, int Lanes>
void check_sums() {
  using Sums = LaneTableSums<Scalar, Lanes>;
  if constexpr (Sums::capacity > 0) {
    using P = Packet<Scalar, Lanes>;
    for (int size = 1; size <= Sums::capacity; ++size) {
      Sums sums;
      std::vector<Scalar> want(static_cast<std::size_t>(size) + 1, Scalar(1)), got = want;
      for (int packet = 0; packet < 5; ++packet) {
        std::vector<int> routes(Lanes, no_route);
        Scalar values[Lanes];
        for (int k = 0; k < Lanes; ++k) {
          values[k] = static_cast<Scalar>(k * k + packet);
          const int sum = (37 * packet + 5 * k) % Sums::capacity;
          if (sum >= size || k % 7 == 3) continue;
          set_route(routes.data(), sum, k);
          want[static_cast<std::size_t>(sum)] += 2 * values[k];
        }
        sums.add(routes.data(), load<P>(values));
      }
      sums.add_products_to(got.data(), size, P(Scalar(2)));
      REQUIRE(got == want);
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("A table of sums takes each lane's value to its place", "[simd][lane_table]", float, double) {
  check_sums<TestType, full_lanes<TestType>>();
  check_sums<TestType, fewest_lanes<TestType>>();
}
