// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>

#include "../support/npy.hpp"
#include "task.hpp"

namespace papers {

using Rows = examples::Table<Scalar>;  ///< (time, features)

/// Some rows of a table, as far apart as `stride` says.
struct Window {
  Index first = 0, stride = 1;
};

/// Makes a sequence of each window. \param x, y  inputs and targets, (rows, features)
inline elegans::Dataset<Scalar> cut(const Rows& x, const Rows& y, const std::vector<Window>& windows, Index length) {
  if (windows.empty()) elegans::detail::refuse("the data are too short for a sequence of ", length, " steps");
  const auto samples = static_cast<Index>(windows.size());
  elegans::Dataset<Scalar> data{.x = elegans::Sequence<Scalar>(length, samples, x.cols()),
                                .y = elegans::Sequence<Scalar>(length, samples, y.cols())};
  for (Index b = 0; b < samples; ++b) {
    const Window& window = windows[static_cast<std::size_t>(b)];
    for (Index t = 0; t < length; ++t) {
      const Index row = window.first + t * window.stride;
      data.x.step(t).row(b) = x.row(row);
      data.y.step(t).row(b) = y.row(row);
    }
  }
  return data;
}

/// A file that says of each sequence to which set it belongs.
struct Split {
  std::filesystem::path file;
  examples::Table<std::uint8_t> set;  ///< 0 training, 1 validation, 2 test

  /// \throws elegans::InvalidArgument unless the file has a set for each of so many sequences
  Split(std::filesystem::path path, std::size_t sequences)
      : file(std::move(path)), set(examples::read_npy<std::uint8_t>(file)) {
    if (set.size() != static_cast<Index>(sequences)) {
      elegans::detail::refuse(file.string(), ": must have a set for each of ", sequences, " sequences, got ",
                              set.size());
    }
    if ((set > std::uint8_t{2}).any()) {
      elegans::detail::refuse(file.string(), ": a set must be 0, 1 or 2, got ", int{set.maxCoeff()});
    }
  }

  /// The windows of one of the sets.
  [[nodiscard]] std::vector<Window> of(const std::vector<Window>& windows, int wanted) const {
    std::vector<Window> some;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      if (set.data()[i] == wanted) some.push_back(windows[i]);
    }
    if (some.empty()) elegans::detail::refuse(file.string(), ": no sequence is of set ", wanted);
    return some;
  }
};

/// Reads a file with so many columns, or with any number of rows if it has that many. \throws elegans::InvalidArgument
/// if it is another file
template <typename Value>
examples::Table<Value> read_rows(const std::filesystem::path& path, Index columns, Index rows = 0,
                                 bool nan_too = false) {
  examples::Table<Value> table = examples::read_npy<Value>(path, nan_too);
  if (table.cols() != columns || (rows > 0 && table.rows() != rows)) {
    elegans::detail::refuse(path.string(), ": must be ", rows > 0 ? std::to_string(rows) : "(any number of)", " x ",
                            columns, " values, got ", table.rows(), " x ", table.cols());
  }
  return table;
}

/// Standardizes each column: minus the mean, over the standard deviation. A column without deviation becomes 0.
inline void standardize(Rows& x, const Eigen::ArrayXd& mean, const Eigen::ArrayXd& deviation) {
  for (Index c = 0; c < x.cols(); ++c) {
    const double scale = deviation[c] > 0 ? 1 / deviation[c] : 0;
    x.col(c) = ((x.col(c).cast<double>() - mean[c]) * scale).cast<Scalar>();
  }
}

/// Mean and standard deviation of all values of an array.
struct Moments {
  double mean, deviation;

  template <typename Values>
  explicit Moments(const Values& values)
      : mean(values.template cast<double>().mean()),
        deviation(std::sqrt((values.template cast<double>() - mean).square().mean())) {}
};

}  // namespace papers
