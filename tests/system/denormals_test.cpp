// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>

#include <elegans/system/denormals.hpp>

#include "support/catch.hpp"

namespace {

// volatile: the program must do the arithmetic, not the compiler.
template <typename Scalar>
bool has_denormal_results() {
  volatile Scalar least = std::numeric_limits<Scalar>::min();
  volatile Scalar half = Scalar(0.5);
  volatile Scalar product = least * half;
  return product > 0;
}

}  // namespace

#if defined(__SSE2__) || defined(_M_X64) || ((defined(__aarch64__) || defined(__ARM_FP)) && defined(__GNUC__))

TEMPLATE_TEST_CASE("Results that are too small for a normal number are zero while FlushDenormals lives",
                   "[core][denormals]", float, double) {
  REQUIRE(has_denormal_results<TestType>());
  {
    const elegans::detail::FlushDenormals flush;
    CHECK_FALSE(has_denormal_results<TestType>());
    {
      const elegans::detail::FlushDenormals again;
      CHECK_FALSE(has_denormal_results<TestType>());
    }
    CHECK_FALSE(has_denormal_results<TestType>());
  }
  CHECK(has_denormal_results<TestType>());
}

TEST_CASE("An exception that leaves the scope of FlushDenormals restores denormal numbers", "[core][denormals]") {
  try {
    const elegans::detail::FlushDenormals flush;
    throw 1;
  } catch (int) {
  }
  CHECK(has_denormal_results<float>());
}

#endif
