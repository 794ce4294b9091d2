// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "axis.hpp"
#include "models.hpp"

namespace papers {

/// Is it a day of much ozone? From 72 measurements of the day.
inline Task ozone(const TaskOptions& options) {
  Rows x = read_rows<Scalar>(options.data / "features.npy", 72, 0, true);
  const auto days = read_rows<std::uint8_t>(options.data / "ozone_day.npy", 1, x.rows());
  if ((days > std::uint8_t{1}).any()) {
    elegans::detail::refuse((options.data / "ozone_day.npy").string(), ": a day must be 0 or 1, got ",
                            int{days.maxCoeff()});
  }
  // A missing value is 0, and one mean and deviation serve all columns, as in the paper's code.
  x = x.unaryExpr([](Scalar value) { return std::isnan(value) ? Scalar(0) : value; });
  const Moments all(x);
  standardize(x, Eigen::ArrayXd::Constant(72, all.mean), Eigen::ArrayXd::Constant(72, all.deviation));

  Task task{.title = "Ozone days", .measure = Measure::f1_of_class_1};
  task.data = AxisOf(x.rows(), options.mended).cut_all(x, days.cast<Scalar>(), options);
  task.contenders = ltc_paper_contenders(72, 2, 0.01, false, {{"ltc", {.302, .0155}}, {"lstm", {.284, .025}}}, options);
  return task;
}

}  // namespace papers
