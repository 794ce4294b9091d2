// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include <elegans/core/number_text.hpp>

#include "support/catch.hpp"

using elegans::detail::exact_text;
using elegans::detail::number_text;
using elegans::detail::read_number;

namespace {

std::string printed(const char* format, double value) {
  char text[400];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// Doubles of all sizes: any bits.
template <typename Body>
void for_many_doubles(Body&& body) {
  std::uint64_t bits = 1;
  for (int i = 0; i < 20000; ++i) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) body(value);
  }
  for (const double value : {0.0, -0.0, 1.0, -1.5, 0.1, 1e22, 123456789.0, std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::infinity()}) {
    body(value);
  }
}

}  // namespace

// The tests run in the locale "C", where printf and strtod are the truth.

TEST_CASE("A number is written as printf writes it", "[core][number_text]") {
  for_many_doubles([](double value) {
    if (number_text(value, 6) != printed("%.6g", value)) FAIL(value);
    if (number_text(value, 17) != printed("%.17g", value)) FAIL(value);
    if (number_text(value, 3, std::chars_format::fixed) != printed("%.3f", value)) FAIL(value);
  });
}

TEST_CASE("An exact text comes back to the bit, and strtod reads it too", "[core][number_text]") {
  for_many_doubles([](double value) {
    const std::string text = exact_text(value);
    const auto again = read_number<double>(text);
    if (!again || std::memcmp(&*again, &value, sizeof value) != 0) FAIL(text);
    const double known = std::strtod(text.c_str(), nullptr);
    if (std::memcmp(&known, &value, sizeof value) != 0) FAIL(text);
  });
  CHECK(exact_text(0.1) == "0x1.999999999999ap-4");
  CHECK(exact_text(-3) == "-0x1.8p+1");
  CHECK(std::isnan(read_number<double>(exact_text(std::nan(""))).value()));
}

TEST_CASE("Text that is not a number, or not all of it, is not read", "[core][number_text]") {
  CHECK(read_number<double>("+2.5") == 2.5);
  CHECK(read_number<float>("1e-3") == 1e-3f);
  CHECK(read_number<double>("-inf") == -std::numeric_limits<double>::infinity());
  for (const char* text : {"", "-", "+", "--1", "+-1", "1,5", "0x", "0x1,8p+1", "1 ", " 1", "1e400", "x", "0x-1"}) {
    INFO(text);
    CHECK_FALSE(read_number<double>(text).has_value());
  }
}
