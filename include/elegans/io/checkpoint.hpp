// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/io/safetensors_writer.hpp>
#include <elegans/train/training_state.hpp>

namespace elegans {

/// How often a `Checkpoint` is written; always after the last epoch.
struct CheckpointOptions {
  int every = 1;       ///< epochs, at least 1
  double seconds = 1;  ///< and not before so many seconds since the last one, at least 0
};

/// Keeps a training run in a file. Killed at any moment and called again, `fit` goes on from there and ends with the
/// same numbers, bit for bit, as if it had never stopped; a run that had ended gives its history again.
///
///     elegans::Checkpoint checkpoint("run.safetensors", {.every = 10});
///     elegans::fit(model, data, optimizer, {.epochs = 1000}, checkpoint);
///
/// In it are weights, best weights, the optimizer's memory and the history, as a safetensors file, written whole or not
/// at all. Data, options and seed must be the same when a run is resumed; more epochs may be asked for.
class Checkpoint {
 public:
  /// A checkpoint in a file, which need not be there yet. \throws InvalidArgument if an option is out of range
  explicit Checkpoint(std::filesystem::path file_path, const CheckpointOptions& options = {})
      : path_(std::move(file_path)), options_(options) {
    if (options.every < 1) detail::refuse("Checkpoint: every must be at least 1, got ", options.every);
    if (!(options.seconds >= 0)) detail::refuse("Checkpoint: seconds must be at least 0, got ", options.seconds);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// False if there is no file. \throws RuntimeError if it cannot be read; InvalidArgument if it is no checkpoint, or
  /// one of another scalar type
  template <typename Scalar>
  bool load(TrainingState<Scalar>& state) const;

  [[nodiscard]] bool is_due(int epoch, bool last) const {
    return last || (epoch % options_.every == 0 &&
                    std::chrono::steady_clock::now() - saved_ >= std::chrono::duration<double>(options_.seconds));
  }

  /// Writes the state of a training.
  /// \throws RuntimeError if the file cannot be written; what was there before is then still there
  template <typename Scalar>
  void save(const TrainingState<Scalar>& state);

 private:
  std::filesystem::path path_;
  CheckpointOptions options_;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

namespace detail {

inline constexpr const char* checkpoint_key = "elegans_checkpoint";
inline constexpr int checkpoint_version = 1;

/// visit(name, vector) for every vector of a training's state. A metric is named by its number, as names may repeat.
template <typename State, typename Visit>
void for_each_vector(State& state, Visit visit) {
  visit("parameters", state.parameters);
  visit("best_parameters", state.best_parameters);
  visit("optimizer_memory", state.optimizer_memory);
  visit("history.loss", state.history.loss);
  visit("history.validation_loss", state.history.validation_loss);
  visit("history.learning_rate", state.history.learning_rate);
  for (std::size_t k = 0; k < state.history.metrics.size(); ++k) {
    visit(concatenate("history.metrics.", k, ".training"), state.history.metrics[k].training);
    visit(concatenate("history.metrics.", k, ".validation"), state.history.metrics[k].validation);
  }
}

}  // namespace detail

template <typename Scalar>
void Checkpoint::save(const TrainingState<Scalar>& state) {
  SafeTensorsWriter file;
  detail::for_each_vector(state, [&](const std::string& name, const std::vector<Scalar>& values) {
    file.add<Scalar>(name, {values.size()}, [&values](Index, Index i) { return values[static_cast<std::size_t>(i)]; });
  });
  nlohmann::json names = nlohmann::json::array();
  for (const auto& metric : state.history.metrics) names.push_back(metric.name);
  const nlohmann::json all = {{"version", detail::checkpoint_version},
                              {"epochs", state.epochs},
                              {"optimizer_steps", state.optimizer_steps},
                              {"learning_rate", detail::exact_text(double{state.learning_rate})},
                              {"best_loss", detail::exact_text(double{state.best_loss})},
                              {"best_epoch", state.history.best_epoch},
                              {"epochs_without_progress", state.epochs_without_progress},
                              {"metrics", std::move(names)}};
  file.metadata[detail::checkpoint_key] = all.dump();
  file.write(path_);
  saved_ = std::chrono::steady_clock::now();
}

template <typename Scalar>
bool Checkpoint::load(TrainingState<Scalar>& state) const {
  std::error_code unreadable;
  if (std::filesystem::status(path_, unreadable).type() == std::filesystem::file_type::not_found) return false;
  const SafeTensors file(path_);
  const auto entry = file.metadata().find(detail::checkpoint_key);
  if (entry == file.metadata().end())
    file.refuse("not a checkpoint: there is no metadata '", detail::checkpoint_key, "'");
  const nlohmann::json all = nlohmann::json::parse(entry->second, nullptr, false);
  const auto at = [&](const char* key) -> const nlohmann::json& {
    if (!all.is_object() || !all.contains(key)) file.refuse("checkpoint: there is no '", key, "'");
    return all.at(key);
  };
  const auto whole = [&](const char* key) {
    const nlohmann::json& value = at(key);
    if (!value.is_number_integer() || value < 0 || value > 0x7fffffff) {
      file.refuse("checkpoint: ", key, " must be a whole number, got ", detail::printable(value.dump()));
    }
    return value.get<int>();
  };
  const auto real = [&](const char* key) {
    const nlohmann::json& value = at(key);
    const auto number = detail::read_number<double>(value.is_string() ? value.get<std::string>() : "");
    if (!number) file.refuse("checkpoint: ", key, " must be a number, got ", detail::printable(value.dump()));
    return static_cast<Scalar>(*number);
  };
  if (const int version = whole("version"); version != detail::checkpoint_version) {
    file.refuse("checkpoint: version must be ", detail::checkpoint_version, ", got ", version);
  }
  state.epochs = whole("epochs");
  state.optimizer_steps = whole("optimizer_steps");
  state.learning_rate = real("learning_rate");
  state.best_loss = real("best_loss");
  state.history.best_epoch = whole("best_epoch");
  state.epochs_without_progress = whole("epochs_without_progress");
  if (!at("metrics").is_array()) file.refuse("checkpoint: metrics must be a list of names");
  state.history.metrics.clear();
  for (const nlohmann::json& name : at("metrics")) {
    if (!name.is_string()) file.refuse("checkpoint: metrics must be a list of names");
    state.history.metrics.push_back({name.get<std::string>(), {}, {}});
  }

  detail::for_each_vector(state, [&](const std::string& name, std::vector<Scalar>& values) {
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
  });
  const auto epochs = static_cast<std::size_t>(state.epochs);
  const auto one_an_epoch = [&](const std::vector<Scalar>& values) {
    return values.empty() || values.size() == epochs;
  };
  bool fits = state.history.loss.size() == epochs && one_an_epoch(state.history.validation_loss) &&
              one_an_epoch(state.history.learning_rate) && state.history.best_epoch <= state.epochs;
  for (const auto& metric : state.history.metrics) {
    fits = fits && one_an_epoch(metric.training) && one_an_epoch(metric.validation);
  }
  if (!fits) file.refuse("checkpoint: the history does not have one value for each of ", epochs, " epochs");
  return true;
}

}  // namespace elegans
