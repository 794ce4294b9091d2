// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>

#include <elegans/core/mask.hpp>

#include "support/catch.hpp"

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

TEST_CASE("A mask from lengths ends each sample there", "[core][mask]") {
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
