// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <limits>
#include <locale>
#include <sstream>
#include <utility>

#include <elegans/system/file.hpp>
#include <elegans/train/callback.hpp>

namespace elegans {

/// Writes what `fit` sees to a CSV file, a row an epoch: epoch, loss, and as far as there are any, validation_loss,
/// learning_rate and each metric.
///
///     elegans::CsvLog log("training.csv");
///     elegans::fit(model, data, optimizer, {.epochs = 200}, log);
///
/// The file is replaced whole, at most once a second and when the training ends. A resumed run logs the epochs that it
/// does itself.
class CsvLog {
 public:
  explicit CsvLog(std::filesystem::path file_path) : path_(std::move(file_path)) {}

  /// Adds the epoch's line, and writes the file, once a second at most. \throws RuntimeError if it cannot be written
  template <typename Scalar>
  void operator()(const Epoch<Scalar>& epoch) {
    std::ostringstream row;
    row.imbue(std::locale::classic());
    row.precision(std::numeric_limits<Scalar>::max_digits10);
    if (text_.empty()) write_header(row, epoch);
    row << epoch.number << ',' << epoch.loss;
    if (epoch.validation_loss) row << ',' << *epoch.validation_loss;
    if (epoch.learning_rate) row << ',' << *epoch.learning_rate;
    for (const auto& metric : epoch.metrics) {
      row << ',' << metric.training.back();
      if (epoch.validation_loss) row << ',' << metric.validation.back();
    }
    row << '\n';
    text_ += row.str();
    const auto now = std::chrono::steady_clock::now();
    if (now - written_ < std::chrono::seconds(1)) return;
    write_file(path_, text_);
    written_ = now;
  }

  /// Writes the file whole, at the end of a run. \throws RuntimeError if it cannot be written
  void finish() { write_file(path_, text_); }

 private:
  template <typename Scalar>
  static void write_header(std::ostream& to, const Epoch<Scalar>& epoch) {
    to << "epoch,loss";
    if (epoch.validation_loss) to << ",validation_loss";
    if (epoch.learning_rate) to << ",learning_rate";
    for (const auto& metric : epoch.metrics) {
      to << ',' << metric.name;
      if (epoch.validation_loss) to << ",validation_" << metric.name;
    }
    to << '\n';
  }

  std::filesystem::path path_;
  std::string text_;
  std::chrono::steady_clock::time_point written_ = std::chrono::steady_clock::now();
};

}  // namespace elegans
