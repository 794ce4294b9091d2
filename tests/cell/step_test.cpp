// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/cell/step.hpp>

#include "support/catch.hpp"

using namespace elegans;

TEST_CASE("A tape that keeps all states has each in memory of its own, in order", "[cell][step]") {
  double memory[24];
  const Tape<double> tape(memory, 4, true);
  for (Index k = 0; k < 6; ++k) CHECK(tape(k) == memory + 4 * k);
  const Tape<double> later = tape.from(2).from(1);
  for (Index k = 0; k < 3; ++k) CHECK(later(k) == tape(k + 3));
  CHECK(tape(0) == memory);
}

TEST_CASE("Two states take turns where nothing goes back", "[cell][step]") {
  double memory[8];
  const Tape<double> tape(memory, 4, false);
  for (Index k = 0; k < 6; ++k) CHECK(tape(k) == memory + 4 * (k % 2));
  // A sub-step never overwrites the state that it starts from, wherever the tape stands.
  for (Index k = 0; k < 6; ++k) {
    const Tape<double> here = tape.from(k);
    CHECK(here(0) == tape(k));
    CHECK(here(0) != here(1));
    CHECK(here(0) == here(2));
  }
}
