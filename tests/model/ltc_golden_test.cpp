// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <string>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/golden_ltc.hpp"

using namespace elegans_test;

namespace {

constexpr std::array ltc_golden_names{"ltc_sine_fully_connected",
                                      "ltc_sine_random",
                                      "ltc_sine_auto_ncp",
                                      "ltc_implicit",
                                      "ltc_ncp3_batch",
                                      "ltc_unfolds1",
                                      "ltc_unfolds12_eps",
                                      "ltc_linear",
                                      "ltc_nomap",
                                      "ltc_timespans",
                                      "ltc_timespans_explicit",
                                      "ltc_last",
                                      "ltc_units_int"};

}  // namespace

TEMPLATE_TEST_CASE("Outputs, states and gradients are ncps'", "[layer][ltc][golden]", double, float) {
  for (const char* name : ltc_golden_names) {
    INFO("golden file " << name);
    const GoldenFile file(std::string(name) + ".safetensors");
    elegans::LTC<TestType> model(wiring_of(file), static_cast<int>(file["x"].shape[2]), options_of(file.metadata));
    check_against(file, model);
    check_other_ways(file, model);
  }
}

TEMPLATE_TEST_CASE("Outputs, states and gradients with mixed memory are ncps'", "[layer][ltc][mixed][golden]", double,
                   float) {
  const GoldenFile file("ltc_mixed.safetensors");
  elegans::MixedLTC<TestType> model(wiring_of(file), static_cast<int>(file["x"].shape[2]), options_of(file.metadata));
  check_against(file, model);
  check_other_ways(file, model);
}
