// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/io/safetensors_writer.hpp>
#include <elegans/train/training_state.hpp>

namespace elegans {

/// How often `fit` writes a `Checkpoint`. It always writes one after the last epoch.
struct CheckpointOptions {
  int every = 1;       ///< epochs between two checkpoints, at least 1
  double seconds = 1;  ///< least time between two checkpoints, at least 0
};

// mutate all: checkpoint
/// Stores a training run in a file, so that a later call of `fit` resumes it.
///
///     elegans::Checkpoint checkpoint("run.safetensors", {.every = 10});
///     elegans::fit(model, data, optimizer, {.epochs = 1000}, checkpoint);
///
/// If the program is killed at any moment and started again, the run ends with the same numbers, bit for bit, as if it
/// had never stopped. If the run had ended, `fit` returns its history again. The model, the optimizer, the data and the
/// options must be the same as before; `fit` refuses others, and names the difference. Only the number of epochs may
/// grow.
///
/// The file is a safetensors file with the weights, the best weights, the optimizer's memory and the history. It is
/// replaced as a whole.
class Checkpoint {
 public:
  /// A checkpoint in a file, which need not exist yet. \throws InvalidArgument if an option is out of range
  explicit Checkpoint(std::filesystem::path file_path, const CheckpointOptions& options = {})
      : path_(std::move(file_path)), options_(options) {
    if (options.every < 1) detail::refuse("Checkpoint: every must be at least 1, got ", options.every);
    if (detail::is_nan(options.seconds) || options.seconds < 0) {
      detail::refuse("Checkpoint: seconds must be at least 0, got ", options.seconds);
    }
  }

  [[nodiscard]] const std::filesystem::path& path() const& noexcept { return path_; }
  [[nodiscard]] std::filesystem::path path() const&& { return path(); }

  /// Reads the state from the file. False if there is no file.
  /// \throws RuntimeError    if the file cannot be read
  /// \throws InvalidArgument if it is not a checkpoint, or one of another scalar type
  template <typename Scalar>
  bool load(TrainingState<Scalar>& state) const;

  [[nodiscard]] bool is_due(int epoch, bool last) const {
    return last || (epoch % options_.every == 0 &&
                    std::chrono::steady_clock::now() - saved_ >= std::chrono::duration<double>(options_.seconds));
  }

  /// Replaces the file by one with this state.
  /// \throws RuntimeError if the file cannot be written; the file before is then still there
  template <typename Scalar>
  void save(const TrainingState<Scalar>& state);

 private:
  std::filesystem::path path_;
  CheckpointOptions options_;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

namespace detail {

inline constexpr const char* checkpoint_key = "elegans_checkpoint";
inline constexpr int checkpoint_version = 3;

/// Reads the metadata of a checkpoint. Any of it may be missing or wrong: files come from anywhere.
class CheckpointMetadata {
 public:
  CheckpointMetadata(const SafeTensors&&) = delete;
  explicit CheckpointMetadata(const SafeTensors& file) : file_(file) {
    if (!find(checkpoint_key)) file.refuse("not a checkpoint: there is no metadata '", checkpoint_key, "'");
    if (const int version = whole(checkpoint_key); version != checkpoint_version) {
      file.refuse("checkpoint: version must be ", checkpoint_version, ", got ", version);
    }
  }

  /// Null if there is none.
  [[nodiscard]] const std::string* find(const std::string& key) const {
    const auto entry = file_.metadata().find(key);
    return entry == file_.metadata().end() ? nullptr : &entry->second;
  }
  [[nodiscard]] const std::string& at(const std::string& key) const {
    const std::string* const text = find(key);
    if (!text) file_.refuse("checkpoint: there is no '", printable(key), "'");
    return *text;
  }
  /// A number, at least 0.
  [[nodiscard]] int whole(const std::string& key) const {
    const std::string& text = at(key);
    int value = -1;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size() || value < 0) {
      file_.refuse("checkpoint: ", key, " must be a whole number, got '", printable(text), "'");
    }
    return value;
  }

 private:
  const SafeTensors& file_;
};

inline constexpr const char* metric_key = "metric ";
inline constexpr const char* setting_key = "setting ";

}  // namespace detail

template <typename Scalar>
void Checkpoint::save(const TrainingState<Scalar>& state) {
  SafeTensorsWriter file;
  const auto add = [&file](const std::string& name, const std::vector<Scalar>& values) {
    file.add<Scalar>(name, {values.size()}, [&values](Index, Index i) { return values[static_cast<std::size_t>(i)]; });
  };
  detail::for_each_vector(state, add);
  // As a tensor, since text would have to be exact in every locale.
  const std::vector<Scalar> numbers{state.learning_rate, state.best_loss};
  add("numbers", numbers);
  file.metadata = {{detail::checkpoint_key, std::to_string(detail::checkpoint_version)},
                   {"epochs", std::to_string(state.epochs)},
                   {"epochs_planned", std::to_string(state.epochs_planned)},
                   {"planned_since", std::to_string(state.planned_since)},
                   {"optimizer_steps", std::to_string(state.optimizer_steps)},
                   {"best_epoch", std::to_string(state.history.best_epoch)},
                   {"epochs_without_progress", std::to_string(state.epochs_without_progress)}};
  std::size_t k = 0;
  for (const auto& metric : state.history.metrics) {
    file.metadata[detail::metric_key + std::to_string(k++)] = metric.name;
  }
  for (const Setting& setting : state.fingerprint) file.metadata[detail::setting_key + setting.name] = setting.value;
  file.write(path_);
  saved_ = std::chrono::steady_clock::now();
}

template <typename Scalar>
bool Checkpoint::load(TrainingState<Scalar>& state) const {
  std::error_code unreadable;
  if (std::filesystem::status(path_, unreadable).type() == std::filesystem::file_type::not_found) return false;
  const SafeTensors file(path_);
  const detail::CheckpointMetadata metadata(file);
  state.epochs = metadata.whole("epochs");
  state.epochs_planned = metadata.whole("epochs_planned");
  state.planned_since = metadata.whole("planned_since");
  state.optimizer_steps = metadata.whole("optimizer_steps");
  state.history.best_epoch = metadata.whole("best_epoch");
  state.epochs_without_progress = metadata.whole("epochs_without_progress");
  state.history.metrics.clear();
  while (const std::string* name = metadata.find(detail::metric_key + std::to_string(state.history.metrics.size()))) {
    state.history.metrics.push_back({*name, {}, {}});
  }
  state.fingerprint.clear();
  for (const auto& [key, value] : file.metadata()) {
    const std::string_view prefix = detail::setting_key;
    if (key.starts_with(prefix)) state.fingerprint.push_back({key.substr(prefix.size()), value});
  }

  const auto read = [&file](const std::string& name, std::vector<Scalar>& values) {
    constexpr TensorType wanted = std::is_same_v<Scalar, double> ? TensorType::f64 : TensorType::f32;
    const Tensor& tensor = file.at(name);
    if (tensor.type != wanted || tensor.shape.size() != 1) {
      file.refuse(name, ": must be a vector of ", detail::describe(wanted).name, ", as the model is, got ",
                  detail::describe(tensor.type).name, " ", detail::shape_text(tensor.shape));
    }
    values.resize(tensor.size());
    detail::with_values(tensor.type, tensor.bytes, [&](auto&& value_at) {
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Scalar>(value_at(i));
    });
  };
  detail::for_each_vector(state, read);
  std::vector<Scalar> numbers;
  read("numbers", numbers);
  if (numbers.size() != 2) file.refuse("numbers: must be 2 values, got ", numbers.size());
  state.learning_rate = numbers[0];
  state.best_loss = numbers[1];

  const auto epochs = static_cast<std::size_t>(state.epochs);
  const auto one_per_epoch = [&](const std::vector<Scalar>& values) {
    return values.empty() || values.size() == epochs;
  };
  bool fits = state.history.loss.size() == epochs && one_per_epoch(state.history.validation_loss) &&
              one_per_epoch(state.history.learning_rate) && state.history.best_epoch <= state.epochs;
  for (const auto& metric : state.history.metrics) {
    fits = fits && metric.training.size() == epochs && one_per_epoch(metric.validation) &&
           metric.validation.size() == state.history.validation_loss.size();
  }
  if (!fits) file.refuse("checkpoint: the history does not have one value for each of ", epochs, " epochs");
  return true;
}

}  // namespace elegans
