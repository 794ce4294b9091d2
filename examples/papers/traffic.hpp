// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <numbers>
#include <string>

#include "axis.hpp"
#include "models.hpp"

namespace papers {

/// How many cars an hour are on the motorway? From weather and time of that hour.
inline Task traffic(const TaskOptions& options) {
  const std::string file = (options.data / "traffic.csv").string();
  const auto table = examples::read_csv<double>(file);
  if (table.cols() != 9) {
    elegans::detail::refuse(file, ": must have 9 columns, from hours to volume, got ", table.cols());
  }
  Rows x(table.rows(), 7), y(table.rows(), 1);
  x.col(0) = 0;  // holidays: the paper's code never finds one
  x.col(1) = (table.col(4) - table.col(4).mean()).cast<Scalar>();
  for (Index c = 0; c < 3; ++c) x.col(2 + c) = table.col(5 + c).cast<Scalar>();  // rain, snow, clouds
  x.col(5) = table.col(1).cast<Scalar>();
  x.col(6) = (table.col(2) * std::numbers::pi / 24).sin().cast<Scalar>();
  const Moments volume(table.col(8));
  if (!(volume.deviation > 0)) elegans::detail::refuse(file, ": all volumes are the same");
  y.col(0) = ((table.col(8) - volume.mean) / volume.deviation).cast<Scalar>();

  Task task{.title = "Traffic on a motorway"};
  task.data = AxisOf(table.rows(), options.mended).cut_all(x, y, options);
  task.contenders = ltc_paper_contenders(7, 1, 0.01, false, {{"ltc", {.099, .0095}}, {"lstm", {.169, .004}}}, options);
  return task;
}

}  // namespace papers
