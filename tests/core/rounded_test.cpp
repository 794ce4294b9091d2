// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/core/rounded.hpp>

#include "support/catch.hpp"

using elegans::detail::rounded;

TEST_CASE("A product has the digits of a double, also on an x87 unit", "[core][rounded]") {
  // volatile: the program must do the arithmetic, not the compiler.
  volatile double density = 0.6;  // a little less than 0.6: the exact product with 5 is below 3
  CHECK(static_cast<int>(rounded(density * 5)) == 3);
}
