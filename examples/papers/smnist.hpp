// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "models.hpp"
#include "windows.hpp"

namespace papers {

/// Reads images of 28 rows. A row is a byte n, its values from the first to the last that is not 0; if there is one,
/// the column of the first follows, and then n values.
/// \return  (28, images, 28), values from 0 to 1
inline elegans::Sequence<Scalar> read_images(const std::filesystem::path& path, Index images) {
  const auto bytes = read_rows<std::uint8_t>(path, 1);
  elegans::Sequence<Scalar> result(28, images, 28);
  result.values().setZero();
  Index next = 0;
  const auto byte = [&] {
    if (next == bytes.rows()) elegans::detail::refuse(path.string(), ": ends within image ", images, " or before it");
    return Index{bytes(next++, 0)};
  };
  for (Index b = 0; b < images; ++b) {
    for (Index row = 0; row < 28; ++row) {
      const Index count = byte();
      if (count == 0) continue;
      const Index first = byte();
      if (first + count > 28) {
        elegans::detail::refuse(path.string(), ": a row of image ", b, " must have 28 values, got ", first + count);
      }
      for (Index f = first; f < first + count; ++f) result(row, b, f) = static_cast<Scalar>(byte()) / Scalar(255);
    }
  }
  if (next != bytes.rows()) {
    elegans::detail::refuse(path.string(), ": must end with image ", images, ", got ", bytes.rows() - next,
                            " bytes more");
  }
  return result;
}

/// Which digit is it? An image row by row, sequences of 28 steps; the answer counts after the last.
inline Task smnist(const TaskOptions& options) {
  const auto read = [&](const std::string& name) {
    const auto file = options.data / (name + "_labels.npy");
    const auto labels = read_rows<std::uint8_t>(file, 1);
    if ((labels > std::uint8_t{9}).any()) {
      elegans::detail::refuse(file.string(), ": a label must be a digit, got ", int{labels.maxCoeff()});
    }
    elegans::Dataset<Scalar> data{.x = read_images(options.data / (name + "_rows.npy"), labels.rows()),
                                  .y = elegans::Sequence<Scalar>(1, labels.rows(), 1)};
    for (Index b = 0; b < labels.rows(); ++b) data.y(0, b, 0) = labels(b, 0);
    return data;
  };
  Task task{.title = "Sequential MNIST, row by row", .measure = Measure::accuracy};
  const elegans::Dataset<Scalar> all = read("training");
  task.data.test = read("test");
  // The last tenth validates.
  const Index training = all.samples() - all.samples() / 10;
  if (training == all.samples()) elegans::detail::refuse("smnist: there must be at least 10 images to train on");
  const auto part = [&](Index first, Index last) {
    std::vector<Index> numbers;
    for (Index b = first; b < last; ++b) numbers.push_back(b);
    elegans::Dataset<Scalar> some;
    all.read(numbers, some);
    return some;
  };
  task.data.training = part(0, training);
  task.data.validation = part(training, all.samples());
  task.contenders =
      ltc_paper_contenders(28, 10, 0.005, true, {{"ltc", {.9757, .0018}}, {"lstm", {.9841, .0012}}}, options);
  return task;
}

}  // namespace papers
