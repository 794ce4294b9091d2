// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include <elegans/io/checkpoint.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::Folder;
using support::refusal_of;

namespace {

using Model = LTC<double>;

Dataset<double> data() {
  Dataset<double> result{.x = Sequence<double>(6, 5, 2), .y = Sequence<double>(6, 5, 1)};
  result.x.values().setLinSpaced(-1, 1);
  result.y.values() = Eigen::ArrayXd::LinSpaced(30, 0, 6).sin();
  return result;
}

/// The run that is interrupted. Extras: a checkpoint, a callback.
template <typename... Extras>
History<double> train(Model& model, Extras&&... extras) {
  return fit(model, data(), Adam<double>({.learning_rate = 0.01}),
             {.epochs = 40,
              .batch_size = 2,
              .validation_split = 0.2,
              .restore_best_weights = true,
              .schedule = CosineDecay{.least = 0.1}},
             extras...);
}

/// What a child process does until it ends or is killed; its exit status, or -1 if a signal ended it.
template <typename Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TrainingState<double> some_state() {
  TrainingState<double> state;
  state.epochs = 2;
  state.parameters = {1, 2, 3};
  state.optimizer_memory = {0.1, -0.0, std::numeric_limits<double>::denorm_min(), 4, 5, 6};
  state.optimizer_steps = 7;
  state.learning_rate = 0.1;
  state.history.loss = {3, 2};
  state.history.validation_loss = {std::numeric_limits<double>::infinity(), 2};
  state.history.metrics = {{"accuracy", {0.5, 0.75}, {0.25, 0.5}}};
  return state;
}

}  // namespace

TEST_CASE("A run that is killed again and again ends as one that never stopped, to the bit", "[io][checkpoint]") {
  Model whole(AutoNCP(6, 1), 2);
  const auto expected = train(whole);
  Folder folder;
  const auto path = folder.path / "run.safetensors";
  int runs = 0;
  int status = -1;
  while (status != 0) {
    REQUIRE(++runs < 20);
    status = in_child([&] {
      Model model(AutoNCP(6, 1), 2);
      Checkpoint checkpoint(path, {.every = 2, .seconds = 0});
      // Dies without a word, in the epoch after a checkpoint or in the one before it.
      int epochs = 0;
      train(model, checkpoint, [&](const Epoch<double>&) {
        if (++epochs == 4 + runs % 2) ::kill(::getpid(), SIGKILL);
      });
    });
  }
  CHECK(runs > 5);
  Model model(AutoNCP(6, 1), 2);
  Checkpoint checkpoint(path);
  const auto history = train(model, checkpoint);
  CHECK((model.parameters() == whole.parameters()).all());
  CHECK(history.loss == expected.loss);
  CHECK(history.validation_loss == expected.validation_loss);
  CHECK(history.best_epoch == expected.best_epoch);
  CHECK(folder.entries() == 1);
}

TEST_CASE("A checkpoint killed while it is written is the one before or the one after", "[io][checkpoint]") {
  Folder folder;
  const auto path = folder.path / "run.safetensors";
  for (int delay = 0; delay < 12; ++delay) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      TrainingState<double> state = some_state();
      state.parameters.assign(100000, 1.0);
      for (;;) {
        Checkpoint(path).save(state);
        state.parameters.assign(100000, state.parameters[0] + 1);
      }
    }
    ::usleep(static_cast<useconds_t>(3000 + 700 * delay));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    TrainingState<double> found;
    if (!Checkpoint(path).load(found)) continue;
    REQUIRE(found.parameters.size() == 100000);
    CHECK(std::count(found.parameters.begin(), found.parameters.end(), found.parameters[0]) == 100000);
  }
}

TEST_CASE("Every bit of a state comes back", "[io][checkpoint]") {
  Folder folder;
  const TrainingState<double> state = some_state();
  Checkpoint checkpoint(folder.path / "state.safetensors");
  TrainingState<double> found;
  CHECK_FALSE(checkpoint.load(found));
  checkpoint.save(state);
  REQUIRE(checkpoint.load(found));
  CHECK(found.parameters == state.parameters);
  CHECK(found.optimizer_memory == state.optimizer_memory);
  CHECK(std::signbit(found.optimizer_memory[1]));
  CHECK(found.optimizer_steps == 7);
  CHECK(found.learning_rate == 0.1);
  CHECK(found.best_loss == std::numeric_limits<double>::infinity());
  CHECK(found.history.validation_loss == state.history.validation_loss);
  CHECK(found.history.metrics[0].name == "accuracy");
  CHECK(found.history.metrics[0].validation == state.history.metrics[0].validation);
}

TEST_CASE("What is no checkpoint is refused, and stays as it is", "[io][checkpoint]") {
  Folder folder;
  const auto path = folder.path / "bad.safetensors";
  Checkpoint checkpoint(path);
  const auto refusal = [&] {
    return refusal_of([&] {
      Model model(AutoNCP(6, 1), 2);
      train(model, checkpoint);
    });
  };
  SafeTensorsWriter other;
  other.write(path);
  CHECK(refusal() == path.string() + ": not a checkpoint: there is no metadata 'elegans_checkpoint'");
  checkpoint.save(some_state());
  const std::string whole = support::read(path);
  for (std::size_t size = 0; size < whole.size(); size += 5) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    CHECK(refusal().starts_with(path.string() + ": "));
  }
  for (const auto& [from, to] : {std::pair{"\\\"epochs\\\":2", "\\\"epochs\\\":3"},
                                 {"\\\"epochs\\\":2", "\\\"epochs\\\":x"},
                                 {"0x1.999999999999ap-4", "0x1.999999999999ap-z"},
                                 {"[\\\"accuracy\\\"]", "[\\\"a\\\",\\\"b\\\"]"},
                                 {"\\\"version\\\":1", "\\\"version\\\":2"}}) {
    std::string changed = whole;
    const std::size_t place = changed.find(from);
    REQUIRE(place != std::string::npos);
    changed.replace(place, std::string(from).size(), to);
    // The header's length, which comes first, need not change.
    if (changed.size() == whole.size()) {
      std::ofstream(path, std::ios::binary) << changed;
      INFO(to);
      CHECK(refusal().starts_with(path.string() + ": "));
    }
  }
  TrainingState<float> narrow;
  std::ofstream(path, std::ios::binary) << whole;
  CHECK(refusal_of([&] { checkpoint.load(narrow); }) ==
        path.string() + ": parameters: must be a vector of F32, as the model is, got F64 (3)");
  CHECK(refusal().starts_with("fit: the checkpoint has 3 parameters and 1 metrics, the model has "));
  CHECK_THROWS_AS(Checkpoint("/nonexistent/run.safetensors").save(some_state()), RuntimeError);
  CHECK(refusal_of([] { Checkpoint("run", {.every = 0}); }) == "Checkpoint: every must be at least 1, got 0");
}
