// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include <elegans/core/sequence.hpp>

#include "support/catch.hpp"

using elegans::Index;
using elegans::Sequence;

TEST_CASE("A new sequence has the sizes it was given, and zeros", "[core][sequence]") {
  const Sequence<float> sequence(3, 2, 4);
  CHECK(sequence.time() == 3);
  CHECK(sequence.batch() == 2);
  CHECK(sequence.features() == 4);
  CHECK(sequence.values().size() == 24);
  CHECK((sequence.values() == 0.0f).all());
  CHECK(Sequence<float>().values().size() == 0);
}

TEST_CASE("An element, a step and the flat values are one memory: time slowest, batch fastest", "[core][sequence]") {
  Sequence<double> sequence(3, 2, 4);
  double value = 0;
  for (Index t = 0; t < 3; ++t) {
    for (Index f = 0; f < 4; ++f) {
      for (Index b = 0; b < 2; ++b) sequence(t, b, f) = value++;
    }
  }
  for (Index i = 0; i < 24; ++i) CHECK(sequence.values()[i] == static_cast<double>(i));
  CHECK(sequence.step(1).rows() == 2);
  CHECK(sequence.step(1).cols() == 4);
  CHECK(sequence.step(1)(1, 2) == sequence(1, 1, 2));

  sequence.step(2).setConstant(-1);
  CHECK(sequence(2, 1, 3) == -1);
  CHECK(sequence(1, 1, 3) == 15);
}

TEST_CASE("A matrix is one sequence, (time, features), whatever its storage and type", "[core][sequence]") {
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> matrix(3, 2);
  matrix << 1, 2, 3, 4, 5, 6;
  const auto check = [&](const Sequence<double>& sequence) {
    CHECK(sequence.time() == 3);
    CHECK(sequence.batch() == 1);
    CHECK(sequence.features() == 2);
    CHECK(sequence(0, 0, 1) == 2);
    CHECK(sequence(2, 0, 0) == 5);
  };
  check(matrix);
  check(matrix.array() + 0.0f);
}

TEST_CASE("A copy of a sequence is independent of it", "[core][sequence]") {
  Sequence<float> sequence(1, 1, 2);
  Sequence<float> copy = sequence;
  copy(0, 0, 1) = 7;
  CHECK(sequence(0, 0, 1) == 0);
}

TEST_CASE("Resizing changes the shape, and does not move what fits", "[core][sequence]") {
  Sequence<float> sequence(4, 3, 2);
  const float* const memory = sequence.values().data();
  sequence.resize(2, 5, 1);
  CHECK(sequence.time() == 2);
  CHECK(sequence.batch() == 5);
  CHECK(sequence.features() == 1);
  CHECK(sequence.values().size() == 10);
  sequence.resize(4, 3, 2);
  CHECK(sequence.values().data() == memory);
}

TEST_CASE("A sequence of a negative size is refused", "[core][sequence]") {
  CHECK_THROWS_WITH(Sequence<float>(1, -2, 3), "Sequence: sizes must not be negative, got (1, -2, 3)");
  Sequence<float> sequence(1, 2, 3);
  CHECK_THROWS_AS(sequence.resize(-1, 2, 3), elegans::InvalidArgument);
  CHECK(sequence.time() == 1);
}
