// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/sequence.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Index;
using elegans::Sequence;
using support::refusal_of;

TEST_CASE("A new sequence has the sizes that it was given, and zeros", "[core][sequence]") {
  const Sequence<float> sequence(3, 2, 4);
  CHECK(sequence.time() == 3);
  CHECK(sequence.batch() == 2);
  CHECK(sequence.features() == 4);
  CHECK(sequence.values().size() == 24);
  CHECK((sequence.values() == 0.0f).all());
  CHECK(Sequence<float>().values().size() == 0);
}

TEST_CASE("Elements, steps and flat values share one memory: time changes slowest, batch fastest", "[core][sequence]") {
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

TEST_CASE("A matrix is one sequence, (time, features), whatever its storage order and type", "[core][sequence]") {
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

TEST_CASE("A sequence that is resized has the new shape, and does not allocate for what fits", "[core][sequence]") {
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

TEST_CASE("A sequence of more values than memory can hold is refused, and stays as it was", "[core][sequence]") {
  // 2^32 on 64 bits, 2^16 on 32 bits: the square overflows.
  const Index root = Index{1} << (sizeof(Index) * 4);
  const std::string most = std::to_string((std::numeric_limits<Index>::max)());
  const std::string got = std::to_string(root);
  const std::string refusal = "Sequence: there may be at most " + most + " values, got (" + got + ", " + got + ", 1)";
  CHECK(refusal_of([&] { Sequence<float> sequence(root, root, 1); }) == refusal);
  Sequence<float> sequence(1, 2, 3);
  sequence(0, 1, 2) = 5;
  CHECK(refusal_of([&] { sequence.resize(root, root, 1); }) == refusal);
  // The product fits an Index, but its bytes do not fit the address space.
  if (sizeof(Index) == sizeof(void*)) {
    CHECK_THROWS_AS(sequence.resize(root / 2, root / 2, 2), elegans::InvalidArgument);
  }
  CHECK(sequence.time() == 1);
  CHECK(sequence.batch() == 2);
  CHECK(sequence.features() == 3);
  CHECK(sequence(0, 1, 2) == 5);
}

TEST_CASE("A sequence that was moved from is empty, and can be used again", "[core][sequence]") {
  Sequence<float> sequence(3, 2, 4);
  sequence(2, 1, 3) = 7;
  Sequence<float> other = std::move(sequence);
  CHECK(other(2, 1, 3) == 7);
  CHECK(sequence.time() == 0);
  CHECK(sequence.batch() == 0);
  CHECK(sequence.features() == 0);
  CHECK(sequence.values().size() == 0);
  sequence.resize(1, 2, 3);
  CHECK(sequence.step(0).rows() == 2);
  sequence = std::move(other);
  CHECK(sequence.time() == 3);
  CHECK(sequence(2, 1, 3) == 7);
  CHECK(other.batch() == 0);
}

TEST_CASE("A sequence that is moved to itself keeps its values", "[core][sequence]") {
  Sequence<float> sequence(3, 2, 4);
  sequence(2, 1, 3) = 7;
  Sequence<float>& itself = sequence;
  sequence = std::move(itself);
  CHECK(sequence.time() == 3);
  CHECK(sequence(2, 1, 3) == 7);
}

TEST_CASE("A temporary sequence gives values that outlive it", "[core][sequence]") {
  const auto make = [] {
    Sequence<double> sequence(3, 2, 4);
    for (Index i = 0; i < 24; ++i) sequence.values()[i] = static_cast<double>(i);
    return sequence;
  };
  const auto values = make().values();
  const auto step = make().step(1);
  const double& element = make()(2, 1, 3);
  for (Index i = 0; i < 24; ++i) CHECK(values[i] == static_cast<double>(i));
  CHECK(step.rows() == 2);
  CHECK(step(1, 2) == 13);
  CHECK(element == 23);
  CHECK((make().values() == values).all());
  static_assert(std::is_same_v<decltype(std::declval<const Sequence<double>>().values()), decltype(make().values())>);
}

TEST_CASE("An index that is out of range is refused, also of a sequence that was moved from", "[core][sequence]") {
  Sequence<float> sequence(3, 2, 4);
  const auto value = [&](Index t, Index b, Index f) { return refusal_of([&] { (void)sequence(t, b, f); }); };
  const auto step = [&](Index t) { return refusal_of([&] { (void)sequence.step(t); }); };
  CHECK(value(2, 1, 3) == "(not refused)");
  CHECK(value(3, 0, 0) == "Sequence: there is no value (3, 0, 0) in (time, batch, features) = (3, 2, 4)");
  for (const Index bad : {Index{-1}, Index{5}}) {
    CHECK(value(bad, 0, 0) != "(not refused)");
    CHECK(value(0, bad, 0) != "(not refused)");
    CHECK(value(0, 0, bad) != "(not refused)");
  }
  CHECK(value(0, 2, 0) != "(not refused)");
  CHECK(value(0, 0, 4) != "(not refused)");
  CHECK(step(2) == "(not refused)");
  CHECK(step(3) == "Sequence: there is no step 3 of 3");
  CHECK(step(-1) == "Sequence: there is no step -1 of 3");
  const Sequence<float> other = std::move(sequence);
  CHECK(value(2, 1, 3) == "Sequence: there is no value (2, 1, 3) in (time, batch, features) = (0, 0, 0)");
  CHECK(step(0) == "Sequence: there is no step 0 of 0");
  CHECK(refusal_of([&] { (void)other(0, 0, 4); }) != "(not refused)");
  CHECK(refusal_of([&] { (void)other.step(3); }) != "(not refused)");
}

TEST_CASE("A sequence reads values as numpy has them, sample after sample", "[core][sequence]") {
  std::vector<double> values(2 * 3 * 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  const auto sequence = elegans::Sequence<float>::from_batch_first(values, 2, 3, 4);
  REQUIRE(sequence.time() == 3);
  REQUIRE(sequence.batch() == 2);
  REQUIRE(sequence.features() == 4);
  for (elegans::Index b = 0; b < 2; ++b) {
    for (elegans::Index t = 0; t < 3; ++t) {
      for (elegans::Index f = 0; f < 4; ++f) CHECK(sequence(t, b, f) == static_cast<float>((b * 3 + t) * 4 + f));
    }
  }
  CHECK(refusal_of([&] { (void)elegans::Sequence<float>::from_batch_first(values, 2, 3, 5); }) ==
        "Sequence: (batch, time, features) = (2, 3, 5) has 30 values, got 24");
}

TEST_CASE("A sample of a sequence is its (time, features) array, to read and to write", "[core][sequence]") {
  elegans::Sequence<float> sequence(3, 2, 4);
  sequence.values().setLinSpaced(0, 23);
  const auto& constant = sequence;
  for (elegans::Index b = 0; b < 2; ++b) {
    const Eigen::ArrayXXf sample = constant.sample(b);
    REQUIRE(sample.rows() == 3);
    REQUIRE(sample.cols() == 4);
    for (elegans::Index t = 0; t < 3; ++t) {
      for (elegans::Index f = 0; f < 4; ++f) CHECK(sample(t, f) == sequence(t, b, f));
    }
    const elegans::Sequence<float> alone = constant.sample(b);
    CHECK(alone.batch() == 1);
    CHECK((alone.sample(0) == sample).all());
  }
  sequence.sample(1).col(2) = -1;
  CHECK(sequence(0, 1, 2) == -1);
  CHECK(sequence(2, 1, 2) == -1);
  CHECK(sequence(2, 0, 2) != -1);
  const auto copy = elegans::Sequence<float>(sequence).sample(1);  // of a temporary
  CHECK((copy == constant.sample(1)).all());
  CHECK(refusal_of([&] { (void)constant.sample(2); }) == "Sequence: there is no sample 2 of 2");
  CHECK(refusal_of([&] { sequence.sample(-1).setZero(); }) == "Sequence: there is no sample -1 of 2");
}
