// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/parameters.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Index;
using elegans::ParameterList;

TEMPLATE_TEST_CASE("Tensors follow each other in a flat vector, in the order in which they were added",
                   "[core][parameters]", (ParameterList<>), (ParameterList<3>)) {
  TestType list;
  CHECK(list.size() == 0);
  CHECK(list.count() == 0);
  list.add("w", 2, 3);
  list.add("b", 3, 1);
  list.add("nothing", 0, 4);
  CHECK(list.size() == 3);
  CHECK(list.count() == 9);
  CHECK(list.at("w").offset == 0);
  CHECK(list.at("b").offset == 6);
  CHECK(list.at("b").rows == 3);
  CHECK(list.at("b").columns == 1);
  CHECK(list.at("b").size() == 3);
  CHECK(list.at("nothing").offset == 9);
  std::vector<std::string> names;
  for (const elegans::Parameter& entry : list) names.emplace_back(entry.name);
  CHECK(names == std::vector<std::string>{"w", "b", "nothing"});
}

TEST_CASE("A list finds no tensor that it does not have, and the error names those that it has", "[core][parameters]") {
  ParameterList<> list;
  list.add("w", 2, 3);
  list.add("b", 3, 1);
  CHECK(list.find("w") == list.begin());
  CHECK(list.find("W") == nullptr);
  CHECK(list.find("") == nullptr);
  CHECK_THROWS_WITH(list.at("tau"), "no parameter named 'tau'; there are w, b");
}

TEST_CASE("A list takes no more tensors than its capacity", "[core][parameters]") {
  ParameterList<1> list;
  list.add("w", 2, 3);
  CHECK_THROWS_AS(list.add("b", 3, 1), elegans::InvalidArgument);
}

TEST_CASE("A tensor of nearly 2^31 values has the right size and offset", "[core][parameters]") {
  ParameterList<> list;
  list.add("w", 46340, 46341);
  list.add("b", 1, 1);
  CHECK(list.at("w").size() == 2147441940);
  CHECK(list.at("b").offset == 2147441940);
}

TEST_CASE("A list counts its values in 64 bits, or refuses more than an Index can count", "[core][parameters]") {
  ParameterList<> list;
  list.add("b", 3, 1);
  if constexpr (sizeof(Index) == 8) {
    list.add("w", 65536, 65536);
    CHECK(list.at("w").size() == 4294967296);
    CHECK(list.count() == 4294967299);
    constexpr int most = (std::numeric_limits<int>::max)();
    list.add("large", most, most);
    list.add("second", most, most);
    CHECK_THROWS_AS(list.add("third", most, most), elegans::InvalidArgument);
  } else {
    CHECK(support::refusal_of([&] { list.add("w", 65536, 65536); }) ==
          "parameters: there may be at most 2147483647 values, got (65536, 65536) for 'w' beside 3 others");
    CHECK(list.count() == 3);
  }
}

TEST_CASE("A dynamic list that was moved from is empty, and can be used again", "[core][parameters]") {
  ParameterList<> list;
  list.add("w", 2, 3);
  const ParameterList<> other = std::move(list);
  CHECK(other.count() == 6);
  CHECK(list.size() == 0);
  CHECK(list.count() == 0);
  list.add("b", 4, 1);
  CHECK(list.at("b").offset == 0);
}

namespace {

template <typename List>
concept FindsByPointer = requires(List&& list) { std::forward<List>(list).find("w"); } ||
                         requires(List&& list) { std::forward<List>(list).begin(); };

}  // namespace

TEST_CASE("A temporary list gives out its tensors by value only", "[core][parameters]") {
  const auto make = [] {
    ParameterList<> list;
    list.add("a name that is too long for the string object itself", 2, 3);
    return list;
  };
  const elegans::Parameter& entry = make().at("a name that is too long for the string object itself");
  CHECK(entry.name == "a name that is too long for the string object itself");
  static_assert(FindsByPointer<const ParameterList<>&>);
  static_assert(!FindsByPointer<ParameterList<>> && !FindsByPointer<ParameterList<2>>);
}
