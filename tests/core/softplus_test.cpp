// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>

#include <elegans/core/softplus.hpp>

#include "support/catch.hpp"

using elegans::detail::softplus;
using elegans::detail::softplus_derivative;

// torch.nn.functional.softplus(torch.tensor([...], dtype=torch.float64)), PyTorch 1.13.
TEST_CASE("Softplus equals that of PyTorch", "[cell][softplus]") {
  CHECK(softplus(-30.0) == Approx(9.357622968839737e-14).epsilon(1e-14));
  CHECK(softplus(-1.0) == Approx(0.31326168751822286).epsilon(1e-14));
  CHECK(softplus(0.0) == Approx(0.6931471805599453).epsilon(1e-14));
  CHECK(softplus(2.5) == Approx(2.5788897342925496).epsilon(1e-14));
  CHECK(softplus(19.9) == Approx(19.900000002277924).epsilon(1e-14));
  CHECK(softplus(20.5) == 20.5);
  CHECK(softplus(1e300) == 1e300);
  CHECK(softplus(-1e300) == 0);
}

TEMPLATE_TEST_CASE("Softplus is positive, rises and never overflows", "[cell][softplus]", float, double) {
  TestType last = 0;
  for (TestType x = -80; x < 200; x += TestType(0.37)) {
    CHECK(softplus(x) > last);
    last = softplus(x);
  }
  CHECK(std::isfinite(softplus(TestType(1e30))));
}

TEST_CASE("The derivative of softplus agrees with finite differences", "[cell][softplus]") {
  for (const double x : {-40.0, -3.0, -0.1, 0.0, 0.7, 5.0, 19.0, 21.0, 700.0}) {
    INFO("x = " << x);
    const double h = 1e-5;
    CHECK(softplus_derivative(x) == Approx((softplus(x + h) - softplus(x - h)) / (2 * h)).epsilon(1e-8).margin(1e-12));
  }
  CHECK(softplus_derivative(-1e300) == 0);
  CHECK(softplus_derivative(0.0f) == 0.5f);
}
