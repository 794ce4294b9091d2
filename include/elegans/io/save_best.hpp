// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <elegans/core/config.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/history.hpp>

namespace elegans {

// mutate all: save_best
/// Saves a model whenever an epoch was the best so far, as Keras' `ModelCheckpoint(save_best_only=True)` does.
///
///     elegans::SaveBest best("best.safetensors");
///     elegans::fit(model, data, optimizer, {.epochs = 200, .validation_split = 0.1}, best);
///
/// The best epoch has the smallest validation loss, or loss if there are no validation data. If the epoch then fails,
/// the file is again what it was before. A run that a `Checkpoint` resumes remembers what was best.
class SaveBest {
 public:
  /// \param path  of a model file, which `load` reads
  explicit SaveBest(std::filesystem::path path) : path_(std::move(path)) {}

  /// Saves the model if the epoch is the best so far. \throws RuntimeError if the file cannot be written
  template <typename Model, typename Scalar>
  void on_epoch_end(Model& model, const Epoch<Scalar>& epoch) {
    if (!epoch.is_best) return;
    std::error_code ignored;
    before_.reset();
    if (std::filesystem::is_regular_file(path_, ignored)) {
      std::ifstream file(path_, std::ios::binary);
      before_.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    save(model, path_);
    saved_ = true;
  }

  template <typename Scalar>
  void resume(const History<Scalar>&) {}

  /// Keeps the file as it is.
  void commit() noexcept {
    saved_ = false;
    before_.reset();
  }
  /// Makes the file what it was at the last `commit`.
  void roll_back() noexcept {
    if (!std::exchange(saved_, false)) return;
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
  void finish() noexcept {}

 private:
  void restore_file() {
    std::error_code ignored;
    if (before_) {
      write_file(path_, *before_);
    } else {
      std::filesystem::remove(path_, ignored);
    }
  }

  std::filesystem::path path_;
  bool saved_ = false;                 // since the last commit
  std::optional<std::string> before_;  // the file at the last commit, if `saved_`
};

}  // namespace elegans
