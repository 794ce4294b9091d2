// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models.hpp"
#include "windows.hpp"

namespace papers {

/// Which phase of a gesture is it? Velocities and accelerations of two hands and wrists; sequences of 32 frames.
inline Task gesture(const TaskOptions& options) {
  constexpr Index length = 32, phases = 5;
  Rows x = read_rows<Scalar>(options.data / "features.npy", 32);
  const auto phase = read_rows<std::uint8_t>(options.data / "phase.npy", 1, x.rows());
  if ((phase >= std::uint8_t{phases}).any()) {
    elegans::detail::refuse((options.data / "phase.npy").string(), ": a phase must be below ", phases, ", got ",
                            int{phase.maxCoeff()});
  }
  const std::string recordings_file = (options.data / "recordings.csv").string();
  const auto recordings = examples::read_csv<double>(recordings_file);
  if (recordings.cols() != 3 || recordings.col(2).sum() != static_cast<double>(x.rows()) ||
      (recordings.col(2) < 1).any()) {
    elegans::detail::refuse(recordings_file, ": must have person, story and frames of recordings with ", x.rows(),
                            " frames in all");
  }
  std::vector<Window> windows;
  Index start = 0;
  for (Index r = 0; r < recordings.rows(); ++r) {
    const auto frames = static_cast<Index>(recordings(r, 2));
    for (Index k = 0; k < frames / length; ++k) {
      windows.push_back({start + length * k});
      if (k + 1 < frames / length) windows.push_back({start + length * k + length / 2});
    }
    start += frames;
  }
  // As in the paper's code, the statistics are those of all sequences, so frames in two of them count twice, and those
  // of the test count, too.
  Eigen::ArrayXd mean = Eigen::ArrayXd::Zero(x.cols()), deviation = mean;
  const auto for_each_frame = [&](auto visit) {
    for (const Window& window : windows) {
      for (Index t = 0; t < length; ++t) visit(x.row(window.first + t).cast<double>().transpose());
    }
  };
  const double frames = static_cast<double>(windows.size()) * length;
  for_each_frame([&](const auto& row) { mean += row / frames; });
  for_each_frame([&](const auto& row) { deviation += (row - mean).square() / frames; });
  standardize(x, mean, deviation.sqrt());

  const Split split(options.data / "set.npy", windows.size());
  const Rows y = phase.cast<Scalar>();
  Task task{.title = "Gesture phases", .measure = Measure::accuracy};
  task.data.training = cut(x, y, split.of(windows, 0), length);
  task.data.validation = cut(x, y, split.of(windows, 1), length);
  task.data.test = cut(x, y, split.of(windows, 2), length);
  task.contenders =
      ltc_paper_contenders(32, phases, 0.01, false, {{"ltc", {.6955, .0113}}, {"lstm", {.6457, .0059}}}, options);
  return task;
}

}  // namespace papers
