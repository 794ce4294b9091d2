// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
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

TEST_CASE("A call that makes no sense is an InvalidArgument, under all of its names", "[core][error]") {
  const std::string expected = "Wiring: units must be in [1, 10], got -2";
  CHECK(message_of<elegans::InvalidArgument>(refuse) == expected);
  CHECK(message_of<elegans::Error>(refuse) == expected);
  CHECK(message_of<std::invalid_argument>(refuse) == expected);
  CHECK(message_of<std::exception>(refuse) == expected);
  CHECK_THROWS_AS(refuse(), elegans::InvalidArgument);
}

TEST_CASE("A call that made sense and failed is a RuntimeError, under all of its names", "[core][error]") {
  const std::string expected = "save: cannot write 'model.safetensors'";
  CHECK(message_of<elegans::RuntimeError>(fail) == expected);
  CHECK(message_of<elegans::Error>(fail) == expected);
  CHECK(message_of<std::runtime_error>(fail) == expected);
  CHECK(message_of<std::exception>(fail) == expected);
}

TEST_CASE("The two kinds of errors are not one another", "[core][error]") {
  static_assert(!std::is_base_of_v<elegans::InvalidArgument, elegans::RuntimeError>);
  static_assert(!std::is_base_of_v<elegans::RuntimeError, elegans::InvalidArgument>);
  CHECK_THROWS_AS(message_of<std::runtime_error>(refuse), elegans::InvalidArgument);
  CHECK_THROWS_AS(message_of<std::invalid_argument>(fail), elegans::RuntimeError);
}

TEST_CASE("A message is put together from parts of any type", "[core][error]") {
  CHECK(elegans::detail::concatenate("(", 3, ", ", 2.5, ", ", std::string("x"), ", ", 'c', ")") == "(3, 2.5, x, c)");
}

TEST_CASE("A copied error keeps its message", "[core][error]") {
  const elegans::InvalidArgument error("units");
  const elegans::InvalidArgument copy = error;
  CHECK(std::string(copy.what()) == "units");
}
