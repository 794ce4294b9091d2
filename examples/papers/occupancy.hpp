// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "models.hpp"
#include "windows.hpp"

namespace papers {

/// Is anybody in the room? Temperature, humidity, light, CO2 and humidity ratio, a row a minute; sequences of 16.
inline Task occupancy(const TaskOptions& options) {
  constexpr Index length = 16;
  const auto read = [&](const char* name) {
    Rows rows = read_rows<Scalar>(options.data / name, 6);
    if (!(rows.col(5) == 0 || rows.col(5) == 1).all()) {
      elegans::detail::refuse((options.data / name).string(), ": column 6 must be 0 or 1");
    }
    return rows;
  };
  Rows training = read("training.npy");
  Rows test[] = {read("test_1.npy"), read("test_2.npy")};
  const Eigen::ArrayXXd x = training.leftCols(5).cast<double>();
  const Eigen::ArrayXd mean = x.colwise().mean();
  const Eigen::ArrayXd deviation = (x.rowwise() - mean.transpose()).square().colwise().mean().sqrt();

  std::vector<Window> windows;
  for (Index s = 0; s < training.rows() - length; ++s) windows.push_back({s});
  const Split split(options.data / "set.npy", windows.size());
  const auto standardized = [&](const Rows& rows) {
    Rows inputs = rows.leftCols(5);
    standardize(inputs, mean, deviation);
    return inputs;
  };
  // The two test files are one set, but no sequence goes from one into the other.
  std::vector<Window> test_windows;
  Rows all_tests(test[0].rows() + test[1].rows(), 6);
  all_tests << test[0], test[1];
  for (Index first = 0; const Rows& rows : test) {
    for (Index s = 0; s < rows.rows() - length; s += 8) test_windows.push_back({first + s});
    first += rows.rows();
  }
  Task task{.title = "Room occupancy", .measure = Measure::accuracy};
  const Rows inputs = standardized(training), targets = training.rightCols(1);
  task.data.training = cut(inputs, targets, split.of(windows, 0), length);
  task.data.validation = cut(inputs, targets, split.of(windows, 1), length);
  task.data.test = cut(standardized(all_tests), all_tests.rightCols(1), test_windows, length);
  task.contenders =
      ltc_paper_contenders(5, 2, 0.005, false, {{"ltc", {.9463, .0017}}, {"lstm", {.9318, .0166}}}, options);
  return task;
}

}  // namespace papers
