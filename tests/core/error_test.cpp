// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <locale>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <elegans/core/error.hpp>

#include "support/catch.hpp"

namespace {

template <typename Caught, typename Function>
std::string message_of(Function&& function) {
  try {
    function();
  } catch (const Caught& error) {
    return error.what();
  }
  return "nothing was thrown";
}

void refuse() { elegans::detail::refuse("Wiring: units must be in [1, ", 10, "], got ", -2); }
void fail() { elegans::detail::fail("save: cannot write '", std::string("model.safetensors"), "'"); }

}  // namespace

TEST_CASE("An InvalidArgument can be caught under all of its names", "[core][error]") {
  const std::string expected = "Wiring: units must be in [1, 10], got -2";
  CHECK(message_of<elegans::InvalidArgument>(refuse) == expected);
  CHECK(message_of<elegans::Error>(refuse) == expected);
  CHECK(message_of<std::invalid_argument>(refuse) == expected);
  CHECK(message_of<std::exception>(refuse) == expected);
  CHECK_THROWS_AS(refuse(), elegans::InvalidArgument);
}

TEST_CASE("A RuntimeError can be caught under all of its names", "[core][error]") {
  const std::string expected = "save: cannot write 'model.safetensors'";
  CHECK(message_of<elegans::RuntimeError>(fail) == expected);
  CHECK(message_of<elegans::Error>(fail) == expected);
  CHECK(message_of<std::runtime_error>(fail) == expected);
  CHECK(message_of<std::exception>(fail) == expected);
}

TEST_CASE("Neither kind of error is caught as the other", "[core][error]") {
  static_assert(!std::is_base_of_v<elegans::InvalidArgument, elegans::RuntimeError>);
  static_assert(!std::is_base_of_v<elegans::RuntimeError, elegans::InvalidArgument>);
  CHECK_THROWS_AS(message_of<std::runtime_error>(refuse), elegans::InvalidArgument);
  CHECK_THROWS_AS(message_of<std::invalid_argument>(fail), elegans::RuntimeError);
}

TEST_CASE("A message is made of parts of any type", "[core][error]") {
  CHECK(elegans::detail::concatenate("(", 3, ", ", 2.5, ", ", std::string("x"), ", ", 'c', ")") == "(3, 2.5, x, c)");
}

namespace {

/// Numbers as some languages write them: 1.234,5.
struct DecimalComma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_CASE("A message is the same under every locale", "[core][error]") {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new DecimalComma));
  const std::string message = elegans::detail::concatenate(46340, " and ", 2.5);
  std::locale::global(before);
  CHECK(message == "46340 and 2.5");
}

TEST_CASE("A copied error keeps its message", "[core][error]") {
  const elegans::InvalidArgument error("units");
  const elegans::InvalidArgument copy = error;
  CHECK(std::string(copy.what()) == "units");
}
