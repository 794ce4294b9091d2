// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <elegans/core/table.hpp>

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
    const Table<Scalar, Lanes> table(values.data(), size);
    for (int first = 0; first < size; ++first) {
      int index[Lanes];
      for (int k = 0; k < Lanes; ++k) index[k] = (first + 37 * k) % size;
      Scalar got[Lanes];
      store<Packet<Scalar, Lanes>>(got, table.gather(index));
      for (int k = 0; k < Lanes; ++k) REQUIRE(got[k] == values[static_cast<std::size_t>(index[k])]);
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("A table gives each lane the value it asks for", "[core][table]", float, double) {
  check_table<TestType, full_lanes<TestType>>();
  check_table<TestType, fewest_lanes<TestType>>();
}
