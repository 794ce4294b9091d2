// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "march/units.hpp"
#include "support/catch.hpp"

TEST_CASE("The two units are compiled for different packets", "[march]") {
  CHECK(baseline::packet_bytes() < wide::packet_bytes());
}

TEST_CASE("A type has one layout on every target", "[march]") {
  CHECK(baseline::layout_of_dynamic() == wide::layout_of_dynamic());
  CHECK(baseline::layout_of_fixed() == wide::layout_of_fixed());
}

TEST_CASE("A wiring passes by value between targets", "[march]") {
  CHECK(baseline::checksum(wide::make_dynamic()) == wide::checksum(baseline::make_dynamic()));
  CHECK(baseline::checksum(wide::make_fixed()) == wide::checksum(baseline::make_fixed()));
  CHECK(baseline::checksum(wide::make_fixed()) == baseline::checksum(wide::make_dynamic()));
}

TEST_CASE("A vector of wirings is made, grown and freed by different targets", "[march]") {
  const auto check = [](const auto& wirings) {
    REQUIRE(wirings.size() == 203);
    for (const auto& wiring : wirings) {
      CHECK(baseline::checksum(wiring) == wide::checksum(wide::make_dynamic()));
      CHECK(wide::checksum(wiring) == baseline::checksum(baseline::make_dynamic()));
    }
  };
  check(wide::grow(baseline::grow(wide::make_dynamics(3))));
  check(baseline::grow(wide::grow(baseline::make_dynamics(3))));
  check(wide::grow(baseline::grow(wide::make_fixeds(3))));
  check(baseline::grow(wide::grow(baseline::make_fixeds(3))));
}

TEST_CASE("A model passes between targets, steps and trains on each", "[march]") {
  CHECK(baseline::layout_of_dynamic_model() == wide::layout_of_dynamic_model());
  CHECK(baseline::layout_of_fixed_model() == wide::layout_of_fixed_model());
  const double expected = baseline::train(baseline::make_dynamic_model());
  CHECK(wide::train(wide::make_dynamic_model()) == Approx(expected).epsilon(1e-4));
  CHECK(wide::train(baseline::make_dynamic_model()) == Approx(expected).epsilon(1e-4));
  CHECK(baseline::train(wide::make_dynamic_model()) == Approx(expected).epsilon(1e-4));
  CHECK(wide::train(baseline::make_fixed_model()) == Approx(expected).epsilon(1e-4));
  CHECK(baseline::train(wide::make_fixed_model()) == Approx(expected).epsilon(1e-4));
}
