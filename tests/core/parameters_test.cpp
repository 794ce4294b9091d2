// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <vector>

#include <elegans/core/parameters.hpp>

#include "support/catch.hpp"

using elegans::ParameterList;

TEMPLATE_TEST_CASE("Tensors follow each other in a flat vector, in the order they were added", "[core][parameters]",
                   (ParameterList<>), (ParameterList<3>)) {
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

TEST_CASE("A tensor that is not in a list is not found, and the error names those that are", "[core][parameters]") {
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

TEST_CASE("A tensor of more than 2^31 values has the right size", "[core][parameters]") {
  ParameterList<> list;
  list.add("w", 46340, 46341);
  list.add("b", 1, 1);
  CHECK(list.at("b").offset == 2147441940);
  CHECK(elegans::Parameter{"w", 65536, 65536, 0}.size() == 4294967296);
}
