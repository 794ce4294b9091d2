// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "models.hpp"
#include "windows.hpp"

namespace papers {

/// What will the joints of a running half-cheetah do next? Each file is a recording, (time, observations).
inline Task half_cheetah(const TaskOptions& options) {
  constexpr Index length = 32;
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(options.data, failure)) {
    if (entry.path().extension() == ".npy") files.push_back(entry.path());
  }
  if (failure) elegans::detail::fail("cannot read ", options.data.string(), ": ", failure.message());
  std::sort(files.begin(), files.end());
  if (files.size() < 25) {
    elegans::detail::refuse(options.data.string(), ": must have 25 recordings, *.npy, got ", files.size());
  }
  Task task{.title = "Half-cheetah"};
  Index observations = 0;
  const auto read = [&](std::size_t first, std::size_t last) {
    std::vector<Window> windows;
    Index rows = 0;
    std::vector<Rows> recordings;
    for (std::size_t i = first; i < last; ++i) {
      recordings.push_back(examples::read_npy<double>(files[i]).cast<Scalar>());
      if (observations == 0) observations = recordings.back().cols();
      if (recordings.back().cols() != observations) {
        elegans::detail::refuse(files[i].string(), ": must have ", observations,
                                " observations per step like the others, got ", recordings.back().cols());
      }
      for (Index s = 0; s < recordings.back().rows() - length - 1; s += 10) windows.push_back({rows + s});
      rows += recordings.back().rows();
    }
    Rows x(rows, observations);
    for (Index row = 0; const Rows& recording : recordings) {
      x.middleRows(row, recording.rows()) = recording;
      row += recording.rows();
    }
    return std::pair(cut(x.topRows(rows - 1), x.bottomRows(rows - 1), windows, length), recordings.front());
  };
  task.data.validation = read(0, 5).first;
  const auto [test, recording] = read(5, 15);
  task.data.test = test;
  task.data.recording = recording.cast<double>();
  task.data.training = read(15, 25).first;
  const auto inputs = static_cast<int>(observations);
  task.contenders =
      ltc_paper_contenders(inputs, inputs, 0.01, false, {{"ltc", {2.308, 0.015}}, {"lstm", {2.500, 0.140}}}, options);
  // The same network as ncps makes it, with its initial values and an elapsed time of 1.
  const int units = options.units > 0 ? options.units : 32;
  task.contenders.push_back({"ltc_of_ncps",
                             [=](std::uint64_t seed) {
                               return with_dense(
                                   elegans::LTC<Scalar>(elegans::FullyConnected(units, units), inputs,
                                                        {.output_mapping = elegans::Mapping::none, .seed = seed}),
                                   inputs, seed);
                             },
                             {.learning_rate = 0.01}});
  return task;
}

}  // namespace papers
