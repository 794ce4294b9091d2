// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <limits>
#include <utility>

#include <elegans/core/mask.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Index;
using elegans::Mask;

TEST_CASE("Without a mask every step exists", "[core][mask]") {
  const Mask mask;
  CHECK(mask.is_all());
  CHECK(mask(99, 3));
  CHECK(mask.count(4, 5) == 20);
  CHECK_NOTHROW(mask.require_shape(7, 9));
}

TEST_CASE("A mask from a matrix is (time, batch)", "[core][mask]") {
  Eigen::ArrayXXi values(2, 3);
  values << 1, 0, 2, 0, 0, 1;
  const Mask mask(values);
  CHECK_FALSE(mask.is_all());
  CHECK(mask(0, 2));
  CHECK_FALSE(mask(1, 0));
  CHECK(mask.count(2, 3) == 3);
  CHECK_NOTHROW(mask.require_shape(2, 3));
  CHECK_THROWS_WITH(mask.require_shape(3, 2), "mask must be (time, batch) = (3, 2), got (2, 3)");
}

TEST_CASE("A mask from lengths ends each sample at its length", "[core][mask]") {
  const std::array<Index, 3> lengths{0, 4, 2};
  const Mask mask = Mask::of_lengths(lengths, 4);
  for (Index t = 0; t < 4; ++t) {
    CHECK_FALSE(mask(t, 0));
    CHECK(mask(t, 1));
    CHECK(mask(t, 2) == (t < 2));
  }
  CHECK(mask.count(4, 3) == 6);
  CHECK_THROWS_WITH(Mask::of_lengths(lengths, 3), "Mask: a length must be in [0, 3], got 4 for sample 1");
}

TEST_CASE("A mask that was moved from fits no sequence, and can be used again", "[core][mask]") {
  Mask mask(Eigen::ArrayXXi::Zero(2, 3));
  const Mask other = std::move(mask);
  CHECK(other.count(2, 3) == 0);
  CHECK_FALSE(other(1, 2));
  CHECK(support::refusal_of([&] { mask.require_shape(2, 3); }) == "mask must be (time, batch) = (2, 3), got (0, 0)");
  CHECK(mask.count(2, 3) == 0);
  mask.resize(1, 2);
  CHECK(mask(0, 1));
}

TEST_CASE("A mask that is moved to itself keeps its steps", "[core][mask]") {
  Eigen::ArrayXXi values(1, 3);
  values << 1, 0, 1;
  Mask mask(values);
  Mask& itself = mask;
  mask = std::move(itself);
  CHECK_NOTHROW(mask.require_shape(1, 3));
  CHECK(mask.count(1, 3) == 2);
}

TEST_CASE("A mask of impossible size is refused, and stays as it was", "[core][mask]") {
  constexpr Index most = (std::numeric_limits<Index>::max)();
  Mask mask;
  CHECK(support::refusal_of([&] { mask.resize(-1, 2); }) == "Mask: sizes must not be negative, got (-1, 2)");
  CHECK_THROWS_AS(mask.resize(most, 2), elegans::InvalidArgument);
  CHECK(mask.is_all());
}
