// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <locale>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include <elegans/core/config.hpp>
#include <elegans/system/file.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/history.hpp>

namespace elegans {

// mutate all: csv_log
/// Logs a training to a CSV file, one row per epoch: epoch, loss, and as far as there are any, validation_loss,
/// learning_rate and each metric.
///
///     elegans::CsvLog log("training.csv");
///     elegans::fit(model, data, optimizer, {.epochs = 200}, log);
///
/// It replaces the file as a whole, at most once per second and when the training ends. If a `Checkpoint` resumes the
/// run, the log has the rows of the epochs before it, too. A failed epoch leaves no row.
class CsvLog {
 public:
  explicit CsvLog(std::filesystem::path file_path) : path_(std::move(file_path)) {}

  /// Adds the epoch's row, and writes the file if a second has passed. \throws RuntimeError if it cannot be written
  template <typename Scalar>
  void operator()(const Epoch<Scalar>& epoch) {
    const std::size_t last = epoch.metrics.empty() ? 0 : epoch.metrics.front().training.size() - 1;
    text_ += text_of(epoch, last, text_.empty());
    if (std::chrono::steady_clock::now() - written_at_ >= std::chrono::seconds(1)) write();
  }

  /// Starts from the epochs of a run that is resumed, instead of any rows so far.
  template <typename Scalar>
  void resume(const History<Scalar>& history) {
    std::string text;
    for (std::size_t i = 0; i < history.loss.size(); ++i) {
      Epoch<Scalar> epoch{.number = static_cast<int>(i) + 1, .loss = history.loss[i], .metrics = history.metrics};
      if (!history.validation_loss.empty()) epoch.validation_loss = history.validation_loss[i];
      if (!history.learning_rate.empty()) epoch.learning_rate = history.learning_rate[i];
      text += text_of(epoch, i, text.empty());
    }
    text_ = std::move(text);
    committed_ = text_.size();
    in_file_ = 0;
  }

  /// Makes the rows so far permanent.
  void commit() noexcept {
    committed_ = text_.size();
    before_.reset();
  }

  /// Forgets the rows since the last `commit`, in the file, too.
  void roll_back() noexcept {
    text_.resize(committed_);
    if (in_file_ <= committed_) return;
    // This runs while an exception is on its way; a second one would end the program.
#if ELEGANS_EXCEPTIONS
    try {
      restore_file();
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
#else
    restore_file();
#endif
  }

  /// Writes the file if it lacks rows. \throws RuntimeError if it cannot be written
  void finish() {
    if (in_file_ != text_.size()) write();
  }

 private:
  /// The row of an epoch; the metrics' values are at index `i`.
  template <typename Scalar>
  [[nodiscard]] static std::string text_of(const Epoch<Scalar>& epoch, std::size_t i, bool with_header) {
    std::ostringstream row;
    row.exceptions(std::ios::badbit);  // else a failed allocation would only cut the row off
    row.imbue(std::locale::classic());
    row.precision(std::numeric_limits<Scalar>::max_digits10);
    if (with_header) {
      row << "epoch,loss" << (epoch.validation_loss ? ",validation_loss" : "")
          << (epoch.learning_rate ? ",learning_rate" : "");
      for (const auto& metric : epoch.metrics) {
        row << ',' << field(metric.name);
        if (epoch.validation_loss) row << ',' << field("validation_" + metric.name);
      }
      row << '\n';
    }
    row << epoch.number << ',' << epoch.loss;
    if (epoch.validation_loss) row << ',' << *epoch.validation_loss;
    if (epoch.learning_rate) row << ',' << *epoch.learning_rate;
    for (const auto& metric : epoch.metrics) {
      row << ',' << metric.training[i];
      if (epoch.validation_loss) row << ',' << metric.validation[i];
    }
    row << '\n';
    return row.str();
  }

  /// A name as a field of CSV: in quotes if it has characters that are special there, as RFC 4180 says.
  [[nodiscard]] static std::string field(const std::string& name) {
    if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
    std::string quoted = "\"";
    for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + '"';
  }

  void write() {
    // The first epoch may yet fail. Then the file of an earlier run has to come back.
    std::error_code ignored;
    if (committed_ == 0 && in_file_ == 0 && std::filesystem::is_regular_file(path_, ignored)) {
      std::ifstream file(path_, std::ios::binary);
      before_.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    write_file(path_, text_);
    in_file_ = text_.size();
    written_at_ = std::chrono::steady_clock::now();
  }

  void restore_file() {
    std::error_code ignored;
    if (committed_ > 0) {
      write_file(path_, text_);
    } else if (before_) {
      write_file(path_, *before_);
    } else if (std::filesystem::is_regular_file(path_, ignored)) {
      std::filesystem::remove(path_, ignored);
    }
    in_file_ = committed_;
  }

  std::filesystem::path path_;
  std::string text_;
  std::size_t committed_ = 0;          // bytes of text_ whose epochs are complete
  std::size_t in_file_ = 0;            // bytes of text_ that the file has
  std::optional<std::string> before_;  // the file before the first row
  std::chrono::steady_clock::time_point written_at_ = std::chrono::steady_clock::now();
};

}  // namespace elegans
