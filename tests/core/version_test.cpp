// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <elegans/core/version.hpp>

#include "support/catch.hpp"

// The preprocessor can compare the version.
#if ELEGANS_VERSION < 100
#error "ELEGANS_VERSION is below the first version"
#endif

TEST_CASE("The version is a number and a text, made of its three parts", "[core][version]") {
  static_assert(ELEGANS_VERSION / 10000 == ELEGANS_VERSION_MAJOR);
  static_assert(ELEGANS_VERSION / 100 % 100 == ELEGANS_VERSION_MINOR);
  static_assert(ELEGANS_VERSION % 100 == ELEGANS_VERSION_PATCH);
  CHECK(std::string(ELEGANS_VERSION_STRING) == std::to_string(ELEGANS_VERSION_MAJOR) + "." +
                                                   std::to_string(ELEGANS_VERSION_MINOR) + "." +
                                                   std::to_string(ELEGANS_VERSION_PATCH));
}
