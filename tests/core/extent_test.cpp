// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include <elegans/core/extent.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Index;
using elegans::detail::Extent;
using elegans::detail::product_of_sizes;
using support::refusal_of;

TEST_CASE("A size becomes 0 when its object is moved from, and stays when it is moved to itself", "[core][extent]") {
  Extent<Index> from = 7;
  Extent<Index> to = std::move(from);
  CHECK(to == 7);
  CHECK(from == 0);
  from = std::move(to);
  CHECK(from == 7);
  CHECK(to == 0);
  Extent<Index>& itself = from;
  from = std::move(itself);
  CHECK(from == 7);
  const Extent<Index> copy = from;
  CHECK(copy == 7);
  CHECK(from == 7);
}

TEST_CASE("A size that the type fixes is a plain number", "[core][extent]") {
  static_assert(std::is_same_v<Extent<int, 8>, int>);
  static_assert(!std::is_same_v<Extent<int>, int>);
}

TEST_CASE("The product of sizes is refused where an Index cannot hold it", "[core][extent]") {
  constexpr Index most = (std::numeric_limits<Index>::max)();
  CHECK(product_of_sizes("Array", Index{3}, Index{4}, Index{5}) == 60);
  CHECK(product_of_sizes("Array", most, Index{1}) == most);
  CHECK(product_of_sizes("Array", Index{0}, most) == 0);
  const Index half = most / 2;
  CHECK(product_of_sizes("Array", half, Index{2}) == most - 1);
  const std::string rule = "Array: there may be at most " + std::to_string(most) + " values, got (";
  CHECK(refusal_of([&] { (void)product_of_sizes("Array", half + 1, Index{2}); }) ==
        rule + std::to_string(half + 1) + ", 2)");
  // The offset of a step is a product of these sizes too, so a size of 0 excuses none of them.
  CHECK(refusal_of([&] { (void)product_of_sizes("Array", most, Index{2}, Index{0}); }) ==
        rule + std::to_string(most) + ", 2, 0)");
  CHECK(refusal_of([] { (void)product_of_sizes("Array", Index{1}, Index{-2}); }) ==
        "Array: sizes must not be negative, got (1, -2)");
}
