// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cstddef>

#include <elegans/core/sequence.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/time_series.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

namespace {

Sequence<double> series_of(Index time, Index batch, Index features, double first = 0) {
  Sequence<double> x(time, batch, features);
  for (Index i = 0; i < x.values().size(); ++i) x.values()[i] = first + static_cast<double>(i);
  return x;
}

/// A data set with everything in it: 11 steps of 2 samples.
Dataset<double> series_data() {
  Eigen::ArrayXXd spans(11, 2);
  Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(11, 2);
  for (Index i = 0; i < spans.size(); ++i) spans.data()[i] = 0.1 * static_cast<double>(i);
  exists(4, 1) = exists(10, 0) = 0;
  return {.x = series_of(11, 2, 3),
          .y = series_of(11, 2, 1, 1000),
          .timespans = Timespans<double>(spans),
          .mask = Mask(exists),
          .weights = {0.5, 2},
          .step_weights = StepWeights<double>(spans + 1)};
}

/// Steps `first`, `first` + 1, … of sample b must be those of sample k of a part.
void require_part(const Dataset<double>& part, Index k, const Dataset<double>& whole, Index b, Index first) {
  CAPTURE(k, b, first);
  for (Index t = 0; t < part.x.time(); ++t) {
    for (Index f = 0; f < 3; ++f) REQUIRE(part.x(t, k, f) == whole.x(first + t, b, f));
    REQUIRE(part.y(t, k, 0) == whole.y(first + t, b, 0));
    REQUIRE(part.timespans(t, k) == whole.timespans(first + t, b));
    REQUIRE(part.mask(t, k) == whole.mask(first + t, b));
    REQUIRE(part.step_weights(t, k) == whole.step_weights(first + t, b));
  }
  REQUIRE(part.weights[static_cast<std::size_t>(k)] == whole.weights[static_cast<std::size_t>(b)]);
}

}  // namespace

TEST_CASE("Windows are the steps that a plain loop picks", "[train][time_series]") {
  for (const Index batch : {1, 3}) {
    const auto x = series_of(20, batch, 2);
    for (const Index length : {1, 6, 20}) {
      for (const Index stride : {1, 4, 6, 30}) {
        CAPTURE(batch, length, stride);
        const auto cut = windows(x, length, stride);
        Index k = 0;
        for (Index b = 0; b < batch; ++b) {
          for (Index first = 0; first + length <= 20; first += stride, ++k) {
            for (Index t = 0; t < length; ++t) {
              for (Index f = 0; f < 2; ++f) REQUIRE(cut(t, k, f) == x(first + t, b, f));
            }
          }
        }
        REQUIRE(cut.batch() == k);
        REQUIRE(cut.time() == length);
      }
    }
  }
  const Eigen::ArrayXXd matrix = Eigen::ArrayXXd::Random(9, 2);
  CHECK((windows(matrix, 4, 2).sample(1) == matrix.middleRows(2, 4)).all());
}

TEST_CASE("Windows of a data set take everything along", "[train][time_series]") {
  const auto data = series_data();
  const auto cut = windows(data, 4, 3);  // at 0, 3 and 6
  REQUIRE(cut.samples() == 6);
  CHECK_NOTHROW(detail::check_dataset(cut, "test"));
  for (Index b = 0; b < 2; ++b) {
    for (Index k = 0; k < 3; ++k) require_part(cut, b * 3 + k, data, b, 3 * k);
  }
  const Dataset<double> plain{.x = data.x, .y = data.y};
  const auto of_plain = windows(plain, 4, 3);
  CHECK(of_plain.mask.is_all());
  CHECK(of_plain.weights.empty());
  CHECK(of_plain.timespans(2, 3) == 1);
}

TEST_CASE("A split in time has the past and the future", "[train][time_series]") {
  const auto data = series_data();
  for (const Index time : {1, 7, 10}) {
    const auto [past, future] = split_at(data, time);
    REQUIRE(past.x.time() == time);
    REQUIRE(future.x.time() == 11 - time);
    CHECK_NOTHROW(detail::check_dataset(past, "test"));
    CHECK_NOTHROW(detail::check_dataset(future, "test"));
    for (Index b = 0; b < 2; ++b) {
      require_part(past, b, data, b, 0);
      require_part(future, b, data, b, time);
    }
    const auto [of_x, behind] = split_at(data.x, time);
    CHECK((of_x.values() == past.x.values()).all());
    CHECK((behind.values() == future.x.values()).all());
  }
  const Eigen::ArrayXXf matrix = Eigen::ArrayXXf::Random(5, 2);
  CHECK((split_at(matrix, 3).second.sample(0) == matrix.bottomRows(2)).all());
}

TEST_CASE("Windows and splits that do not exist are refused", "[train][time_series]") {
  const auto data = series_data();
  CHECK(refusal_of([&] { (void)windows(data.x, 12, 1); }) ==
        "windows: length must be from 1 to the number of steps, 11, got 12");
  CHECK(refusal_of([&] { (void)windows(data, 0, 1); }) ==
        "windows: length must be from 1 to the number of steps, 11, got 0");
  CHECK(refusal_of([&] { (void)windows(data.x, 4, 0); }) == "windows: stride must be at least 1, got 0");
  CHECK(refusal_of([&] { (void)split_at(data.x, 0); }) == "split_at: time must be from 1 to 10, got 0");
  CHECK(refusal_of([&] { (void)split_at(data, 11); }) == "split_at: time must be from 1 to 10, got 11");
  const Dataset<double> last{.x = data.x, .y = series_of(1, 2, 1)};
  CHECK(refusal_of([&] { (void)windows(last, 4, 1); }) ==
        "windows: needs a target for each step, got targets for the last step only");
  CHECK(refusal_of([&] { (void)split_at(last, 4); }) ==
        "split_at: needs a target for each step, got targets for the last step only");
}
