// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <limits>
#include <utility>

#include <elegans/core/timespans.hpp>

#include "support/catch.hpp"

using elegans::Index;
using elegans::InvalidArgument;
using elegans::Timespans;

TEST_CASE("Elapsed times are 1 by default, and fit any sequence", "[core][timespans]") {
  const Timespans<float> timespans;
  CHECK(timespans(0, 0) == 1.0f);
  CHECK(timespans(99, 7) == 1.0f);
  CHECK_NOTHROW(timespans.require_shape(100, 8));
  CHECK(Timespans<double>(0.25)(3, 1) == 0.25);
}

TEST_CASE("One column of elapsed times serves every sample", "[core][timespans]") {
  const Timespans<double> timespans(Eigen::Array3d(1, 2, 3));
  for (int b = 0; b < 4; ++b) CHECK(timespans(2, b) == 3);
  CHECK_NOTHROW(timespans.require_shape(3, 1));
  CHECK_NOTHROW(timespans.require_shape(3, 4));
}

TEST_CASE("A matrix of elapsed times is (time, batch)", "[core][timespans]") {
  Eigen::ArrayXXf values(2, 3);
  values << 1, 2, 3, 4, 5, 6;
  const Timespans<double> timespans(values);
  CHECK(timespans(0, 2) == 3);
  CHECK(timespans(1, 0) == 4);
}

TEST_CASE("Elapsed times of another shape are refused, even if their number is right", "[core][timespans]") {
  const Timespans<double> timespans(Eigen::ArrayXXd::Ones(2, 3));
  CHECK_NOTHROW(timespans.require_shape(2, 3));
  CHECK_THROWS_WITH(timespans.require_shape(3, 2), "timespans must be (time, batch) = (3, 2) or (3, 1), got (2, 3)");
  CHECK_THROWS_AS(timespans.require_shape(6, 1), InvalidArgument);
  // One row is one step, not one time for each of three steps.
  CHECK_THROWS_AS(Timespans<double>(Eigen::RowVector3d::Ones()).require_shape(3, 1), InvalidArgument);
}

TEST_CASE("An empty matrix of elapsed times is not the default", "[core][timespans]") {
  CHECK_THROWS_WITH(Timespans<double>(Eigen::ArrayXXd(0, 0)).require_shape(2, 1),
                    "timespans must be (time, batch) = (2, 1) or (2, 1), got (0, 0)");
  CHECK_THROWS_AS(Timespans<double>(Eigen::ArrayXXd(0, 3)).require_shape(2, 3), InvalidArgument);
}

TEST_CASE("An elapsed time that is negative or not finite is refused, but 0 is accepted", "[core][timespans]") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(Timespans<double>(-0.5),
                    "elapsed time must be finite and at least 0, got -0.5 at step 0, sample 0");
  CHECK_THROWS_AS(Timespans<double>(infinity), InvalidArgument);
  CHECK_THROWS_AS(Timespans<double>(std::numeric_limits<double>::quiet_NaN()), InvalidArgument);
  CHECK_NOTHROW(Timespans<double>(0.0));
  Eigen::ArrayXXd values = Eigen::ArrayXXd::Ones(3, 2);
  values(2, 1) = infinity;
  CHECK_THROWS_WITH(Timespans<double>(values),
                    "elapsed time must be finite and at least 0, got inf at step 2, sample 1");
  // 1e300 is finite in double, but not in float.
  CHECK_THROWS_AS(Timespans<float>(Eigen::Array2d(1.0, 1e300)), InvalidArgument);
}

TEST_CASE("Elapsed times can be copied for some samples over some steps", "[core][timespans]") {
  Eigen::ArrayXXd values(4, 3);
  values << 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
  const std::array<Index, 4> samples{2, 0, 2, 1};
  Timespans<double> some;
  some.gather(Timespans<double>(values), samples, 1, 2);
  some.require_shape(2, 4);
  const std::array<std::array<double, 4>, 2> wanted{{{6, 4, 6, 5}, {9, 7, 9, 8}}};
  for (Index t = 0; t < 2; ++t) {
    for (Index b = 0; b < 4; ++b) {
      CHECK(some(t, b) == wanted[static_cast<std::size_t>(t)][static_cast<std::size_t>(b)]);
    }
  }
  // One time for all steps fits any shape.
  some.gather(Timespans<double>(0.25), samples, 1, 2);
  some.require_shape(7, 9);
  CHECK(some(6, 8) == 0.25);
}

TEST_CASE("Elapsed times that were moved from fit no sequence, and can be used again", "[core][timespans]") {
  Timespans<double> timespans(Eigen::ArrayXXd::Constant(2, 3, 0.5));
  Timespans<double> other = std::move(timespans);
  CHECK(other(1, 2) == 0.5);
  CHECK_THROWS_WITH(timespans.require_shape(2, 3), "timespans must be (time, batch) = (2, 3) or (2, 1), got (0, 0)");
  timespans = std::move(other);
  CHECK_NOTHROW(timespans.require_shape(2, 3));
  Timespans<double>& itself = timespans;
  timespans = std::move(itself);
  CHECK_NOTHROW(timespans.require_shape(2, 3));
  CHECK(timespans(1, 2) == 0.5);
}

TEST_CASE("One elapsed time for all steps stays when it is moved from", "[core][timespans]") {
  Timespans<double> timespans(0.25);
  const Timespans<double> other = std::move(timespans);
  CHECK(timespans(3, 1) == 0.25);
  CHECK(other(3, 1) == 0.25);
}
