// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <set>

#include <elegans/core/tuning.hpp>
#include <elegans/layer/tape.hpp>

#include "support/catch.hpp"

using namespace elegans;
using elegans::detail::TapeMemory;

TEST_CASE("The tiles of a tape have memory of their own", "[layer][tape]") {
  constexpr Index steps = 5;
  const Index states[] = {96, 8, 40}, inputs[] = {10, 20, 5}, record[] = {6, 0, 9};
  TapeMemory<double> memory;
  memory.clear(steps);
  for (Index i = 0; i < 3; ++i) memory.add_tile(16 * i, states[i], inputs[i], record[i]);
  memory.allocate();
  REQUIRE(memory.tiles() == 3);
  // Write everything, then read everything: each value is still its own.
  const auto visit = [&](auto body) {
    double tag = 1;
    for (Index i = 0; i < 3; ++i) {
      const auto& tile = memory.tile(i);
      REQUIRE(tile.first == 16 * i);
      for (Index k = 0; k < states[i]; ++k) body(memory.states(tile)[k], tag++);
      for (Index k = 0; k < inputs[i]; ++k) body(memory.inputs(tile)[k], tag++);
      for (Index t = 0; t < steps; ++t) {
        double* const at = memory.record(tile, record[i], t);
        REQUIRE((at == nullptr) == (record[i] == 0));
        for (Index k = 0; k < record[i]; ++k) body(at[k], tag++);
      }
    }
  };
  visit([](double& value, double tag) { value = tag; });
  visit([](const double& value, double tag) { REQUIRE(value == tag); });
}

TEST_CASE("A tape records the last steps only, as many as there is room for", "[layer][tape]") {
  constexpr Index most = detail::tuning::recorded_bytes / Index{sizeof(double)};
  constexpr Index steps = 10;
  for (const Index recorded : {0, 1, 4, 9, 10}) {
    CAPTURE(recorded);
    // Two tiles, which record so many scalars together that `recorded` steps fit, and no more.
    const Index per_step = most / (recorded + 1) + 1, more = most / (recorded == 0 ? 1 : recorded);
    const Index size = recorded == steps ? 16 : (per_step + more) / 2;
    TapeMemory<double> memory;
    memory.clear(steps);
    memory.add_tile(0, 1, 1, size / 4);
    memory.add_tile(8, 1, 1, recorded == 0 ? most : size - size / 4);
    memory.allocate();
    std::set<double*> starts;
    for (Index t = 0; t < steps; ++t) {
      for (Index i = 0; i < 2; ++i) {
        double* const at = memory.record(memory.tile(i), size / 4, t);
        CHECK((at != nullptr) == (t >= steps - recorded));
        if (at) CHECK(starts.insert(at).second);
      }
    }
  }
}

TEST_CASE("A tape that was used for a longer sequence serves a shorter one", "[layer][tape]") {
  TapeMemory<float> memory;
  for (const Index steps : {20, 3, 20}) {
    memory.clear(steps);
    CHECK(memory.tiles() == 0);
    memory.add_tile(0, 4 * steps, steps, 2);
    memory.allocate();
    const auto& tile = memory.tile(0);
    std::fill_n(memory.states(tile), 4 * steps, 1.0f);
    std::fill_n(memory.inputs(tile), steps, 2.0f);
    float* const first = memory.record(tile, 2, 0);
    REQUIRE(first != nullptr);
    CHECK(memory.record(tile, 2, steps - 1) == first + 2 * (steps - 1));
  }
}
