// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <elegans/io/checkpoint.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/adamw.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/csv_log.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/schedule.hpp>
#include <elegans/train/sgd.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/raw_safetensors.hpp"
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

/// A short run, with a checkpoint or callbacks as extras.
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

/// Runs the body in a child process. Returns its exit status, or -1 if a signal ended it.
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
  state.fingerprint = {{"model", "ltc \u00e9"}};
  return state;
}

}  // namespace

TEST_CASE("A run that is killed again and again ends bit for bit as one that never stopped", "[io][checkpoint]") {
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
      // Dies in the epoch after a checkpoint, or in the one before it.
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

TEST_CASE("A kill during a write leaves the checkpoint before it or after it", "[io][checkpoint]") {
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

TEST_CASE("A checkpoint gives every bit of the state back", "[io][checkpoint]") {
  Folder folder;
  TrainingState<double> state = some_state();
  state.epochs_planned = 9;
  state.planned_since = 1;
  state.epochs_without_progress = 1;
  state.best_loss = 2.5;
  state.history.best_epoch = 1;
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
  CHECK(found.best_loss == 2.5);
  CHECK(found.epochs_planned == 9);
  CHECK(found.planned_since == 1);
  CHECK(found.epochs_without_progress == 1);
  CHECK(found.history.best_epoch == 1);
  CHECK(found.history.validation_loss == state.history.validation_loss);
  CHECK(found.history.metrics[0].name == "accuracy");
  CHECK(found.history.metrics[0].validation == state.history.metrics[0].validation);
  REQUIRE(found.fingerprint.size() == 1);
  CHECK(found.fingerprint[0].name == "model");
  CHECK(found.fingerprint[0].value == "ltc \u00e9");
}

TEST_CASE("A checkpoint is due after the epochs and the time that it was told, and at the end", "[io][checkpoint]") {
  const Checkpoint every_third("run", {.every = 3, .seconds = 0});
  CHECK_FALSE(every_third.is_due(4, false));
  CHECK(every_third.is_due(6, false));
  CHECK(every_third.is_due(4, true));
  Folder folder;
  Checkpoint timed(folder.path / "run.safetensors", {.seconds = 0.5});
  CHECK_FALSE(timed.is_due(1, false));
  ::usleep(600'000);
  CHECK(timed.is_due(1, false));
  timed.save(some_state());
  CHECK_FALSE(timed.is_due(2, false));
}

TEST_CASE("A run that stops early writes a last checkpoint", "[io][checkpoint]") {
  Folder folder;
  Checkpoint checkpoint(folder.path / "run.safetensors", {.seconds = 1000});
  Model model(AutoNCP(6, 1), 2);
  // Nothing is an improvement by 1000.
  fit(model, data(), Adam<double>(), {.epochs = 9, .patience = 2, .min_delta = 1000}, checkpoint);
  TrainingState<double> found;
  REQUIRE(checkpoint.load(found));
  CHECK(found.epochs == 3);
}

TEST_CASE("A learning rate that a callback changes goes on with the run", "[io][checkpoint]") {
  Folder folder;
  const auto run = [&](int stop_after, auto&... extras) {
    Model model(AutoNCP(6, 1), 2);
    Adam<double> adam({.learning_rate = 0.05});
    const auto halve = [&](const Epoch<double>& epoch) {
      adam.set_learning_rate(adam.learning_rate() / 2);
      return epoch.number < stop_after;
    };
    fit(model, data(), std::ref(adam), {.epochs = 6}, halve, extras...);
    return Eigen::ArrayXd(model.parameters());
  };
  Checkpoint checkpoint(folder.path / "run.safetensors");
  run(3, checkpoint);
  CHECK((run(6, checkpoint) == run(6)).all());
}

TEST_CASE("A checkpoint whose parts do not fit each other is refused", "[io][checkpoint]") {
  Folder folder;
  const auto path = folder.path / "bad.safetensors";
  Checkpoint checkpoint(path);
  TrainingState<double> found;
  const auto refusal_of_state = [&](auto change) {
    TrainingState<double> state = some_state();
    state.history.metrics.clear();
    change(state);
    checkpoint.save(state);
    return refusal_of([&] { checkpoint.load(found); });
  };
  const std::string misfit = path.string() + ": checkpoint: the history does not have one value for each of 2 epochs";
  CHECK(refusal_of_state([](auto&) {}) == "(not refused)");
  CHECK(refusal_of_state([](auto& state) { state.history.loss = {1}; }) == misfit);
  CHECK(refusal_of_state([](auto& state) { state.history.validation_loss = {1}; }) == misfit);
  CHECK(refusal_of_state([](auto& state) { state.history.learning_rate = {1}; }) == misfit);
  CHECK(refusal_of_state([](auto& state) { state.history.best_epoch = 3; }) == misfit);
  CHECK(refusal_of_state([](auto& state) { state.history.metrics = {{"m", {1}, {1, 2}}}; }) == misfit);
  CHECK(refusal_of_state([](auto& state) { state.history.metrics = {{"m", {1, 2}, {}}}; }) == misfit);
  const auto refusal_of_file = [&](auto change) {
    checkpoint.save(some_state());
    support::RawFile raw{SafeTensors(path)};
    change(raw);
    std::ofstream(path, std::ios::binary) << raw.bytes();
    return refusal_of([&] { checkpoint.load(found); });
  };
  CHECK(refusal_of_file([](auto& raw) { raw.metadata["optimizer_steps"] = "7x"; }) ==
        path.string() + ": checkpoint: optimizer_steps must be a whole number, got '7x'");
  CHECK(refusal_of_file([](auto& raw) { raw.metadata["optimizer_steps"] = "-7"; }) ==
        path.string() + ": checkpoint: optimizer_steps must be a whole number, got '-7'");
  CHECK(refusal_of_file([](auto& raw) { raw.tensors["parameters"].shape = {3, 1}; }) ==
        path.string() + ": parameters: must be a vector of F64, as the model is, got F64 (3, 1)");
  CHECK(refusal_of_file([](auto& raw) {
          raw.tensors["numbers"] = support::RawTensor::of<double>("F64", {3}, {1, 2, 3});
        }) == path.string() + ": numbers: must be 2 values, got 3");
}

TEST_CASE("A file that is not a checkpoint is refused", "[io][checkpoint]") {
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
  for (const auto& [from, to] : {std::pair{"\"epochs\":\"2\"", "\"epochs\":\"3\""},
                                 {"\"epochs\":\"2\"", "\"epochs\":\"x\""},
                                 {"\"epochs\":\"2\"", "\"epochz\":\"2\""},
                                 {"\"numbers\"", "\"numberz\""},
                                 {"\"elegans_checkpoint\":\"3\"", "\"elegans_checkpoint\":\"1\""}}) {
    std::string changed = whole;
    const std::size_t position = changed.find(from);
    REQUIRE(position != std::string::npos);
    changed.replace(position, std::string(from).size(), to);
    REQUIRE(changed.size() == whole.size());  // as the length of the header stands before it
    std::ofstream(path, std::ios::binary) << changed;
    INFO(to);
    CHECK(refusal().starts_with(path.string() + ": "));
  }
  TrainingState<float> narrow;
  std::ofstream(path, std::ios::binary) << whole;
  CHECK(refusal_of([&] { checkpoint.load(narrow); }) ==
        path.string() + ": parameters: must be a vector of F32, as the model is, got F64 (3)");
  CHECK(refusal().starts_with("fit: the checkpoint is of another run: model was ltc \u00e9, is ltc (LTC); "));
  CHECK_THROWS_AS(Checkpoint("/nonexistent/run.safetensors").save(some_state()), RuntimeError);
  CHECK(refusal_of([] { Checkpoint("run", {.every = 0}); }) == "Checkpoint: every must be at least 1, got 0");
  CHECK(refusal_of([] { Checkpoint("run", {.seconds = -1}); }) == "Checkpoint: seconds must be at least 0, got -1");
}

namespace {

/// An optimizer with an option that only its `fingerprint` tells.
struct Scaled : SGD<double> {
  explicit Scaled(double given) : factor(given) {}
  double factor;

  void fingerprint(const auto& add) const { add("factor", factor); }
};

/// What `fit` says when it resumes a short run with this model, optimizer, data and options.
template <typename Other, typename Optimize, typename... Extras>
std::string refusal_to_resume(Other model, Optimize optimizer, const Dataset<double>& now, FitOptions<double> options,
                              Extras... extras) {
  Folder folder;
  Checkpoint checkpoint(folder.path / "run.safetensors");
  Model first(AutoNCP(6, 1), 2);
  fit(first, data(), Adam<double>({.learning_rate = 0.01}), {.epochs = 2, .batch_size = 2}, checkpoint);
  options.epochs = 3;
  const Eigen::ArrayXd before = model.parameters();
  const std::string file = support::read(checkpoint.path());
  const std::string refusal = refusal_of([&] { fit(model, now, std::ref(optimizer), options, checkpoint, extras...); });
  constexpr const char* start = "fit: the checkpoint is of another run: ";
  if (!refusal.starts_with(start)) return refusal;
  CHECK((model.parameters() == before).all());
  CHECK((support::read(checkpoint.path()) == file));
  return refusal.substr(std::strlen(start));
}

}  // namespace

TEST_CASE("A checkpoint of another run is refused by what differs", "[io][checkpoint]") {
  const Adam<double> adam({.learning_rate = 0.01});
  const FitOptions<double> options{.batch_size = 2};
  const auto of_model = [&](LTCOptions other) {
    return refusal_to_resume(Model(AutoNCP(6, 1), 2, other), adam, data(), options);
  };
  const auto of_optimizer = [&](const auto& other) {
    return refusal_to_resume(Model(AutoNCP(6, 1), 2), other, data(), options);
  };
  const auto of_options = [&](FitOptions<double> other) {
    other.batch_size = other.batch_size == 0 ? 2 : other.batch_size;
    return refusal_to_resume(Model(AutoNCP(6, 1), 2), adam, data(), other);
  };
  CHECK(of_model({}) == "(not refused)");

  CHECK(refusal_to_resume(Model(FullyConnected(6, 1), 2), adam, data(), options)
            .starts_with("model wiring was 6 units "));
  CHECK(
      refusal_to_resume(Model(AutoNCP(6, 1, {.seed = 5}), 2), adam, data(), options).starts_with("model wiring was "));
  CHECK(refusal_to_resume(CfC<double>(AutoNCP(6, 1), 2), adam, data(), options)
            .starts_with("model was ltc (LTC), is cfc (CfC); "));
  CHECK(of_model({.solver = ODESolver::runge_kutta}) == "model solver was 0, is 3");
  CHECK(of_model({.ode_unfolds = 4}) == "model ode_unfolds was 6, is 4");
  CHECK(of_model({.epsilon = 1e-6}) == "model epsilon was 1e-08, is 1e-06");
  CHECK(of_model({.seed = 2}) == "model seed was 1, is 2");
  CHECK(of_model({.initialization = {.w = {0.1, 0.2}}}) == "model initialization.w was [0.001, 1], is [0.1, 0.2]");

  CHECK(of_optimizer(Adam<double>({.learning_rate = 0.02})) == "optimizer learning_rate was 0.01, is 0.02");
  CHECK(of_optimizer(Adam<double>({.learning_rate = 0.01, .beta2 = 0.9})) == "optimizer beta2 was 0.999, is 0.9");
  CHECK(of_optimizer(AdamW<double>({.learning_rate = 0.01})) ==
        "optimizer was Adam, is AdamW; optimizer weight_decay was 0, is 0.01");
  CHECK(of_optimizer(SGD<double>()).starts_with("optimizer was Adam, is SGD; "));
  CHECK(of_optimizer(SGD<double>()).find("; optimizer beta2 was 0.999, is none") != std::string::npos);

  CHECK(of_options({.batch_size = 3}) == "batch_size was 2, is 3");
  CHECK(of_options({.seed = 2}) == "seed was 1, is 2");
  CHECK(of_options({.clip = {.global_norm = 1}}) == "clip global_norm was inf, is 1");
  CHECK(of_options({.bptt_steps = 2}) == "bptt_steps was 0, is 2");
  CHECK(of_options({.schedule = CosineDecay{}}) == "schedule was false, is true");

  Dataset<double> other = data();
  other.x(0, 0, 0) += 1e-15;
  CHECK(refusal_to_resume(Model(AutoNCP(6, 1), 2), adam, other, options).starts_with("data x was (6, 5, 2) "));
  other = data();
  other.mask = Mask::of_lengths(std::vector<Index>{6, 6, 6, 6, 5}, 6);
  CHECK(refusal_to_resume(Model(AutoNCP(6, 1), 2), adam, other, options).starts_with("data mask was "));
  CHECK(refusal_to_resume(Model(AutoNCP(6, 1), 2), adam, data(), options, loss(Huber(2))) ==
        "loss was mean_squared_error, is huber; loss delta was none, is 2");
  CHECK(refusal_to_resume(Model(AutoNCP(6, 1), 2), adam, data(), options, Clip{.value = 1}) ==
        "transform 1 value was none, is 1; transform 1 global_norm was none, is inf; transforms was 0, is 1");
  CHECK(refusal_to_resume(Model(AutoNCP(6, 1), 2), adam, data(), {.batch_size = 2, .monitor = "huber"}, Huber(2),
                          loss(MeanSquaredError{}))
            .find("; monitor was none, is huber") != std::string::npos);
}

TEST_CASE("A stack of layers is refused for the wiring of one layer", "[io][checkpoint]") {
  Folder folder;
  Checkpoint checkpoint(folder.path / "run.safetensors");
  const auto run = [&](const auto& wiring) {
    Sequential model(Model(wiring, 2), Dense<double>(1, 2, {.seed = 3}));
    fit(model, data(), Adam<double>(), {.epochs = 1}, checkpoint);
  };
  run(AutoNCP(6, 2));
  CHECK(refusal_of([&] { run(AutoNCP(6, 2)); }) == "(not refused)");
  CHECK(refusal_of([&] {
          run(FullyConnected(6, 2));
        }).starts_with("fit: the checkpoint is of another run: model layer 0 wiring was 6 units "));
}

TEST_CASE("A checkpoint is refused if the schedule gives other rates", "[io][checkpoint]") {
  Folder folder;
  Checkpoint checkpoint(folder.path / "run.safetensors");
  const auto run = [&](double factor, int epochs) {
    Model model(AutoNCP(6, 1), 2);
    fit(model, data(), Adam<double>({.learning_rate = 0.5}),
        {.epochs = epochs, .schedule = ExponentialDecay{.factor = factor}}, checkpoint,
        [](const Epoch<double>& epoch) { return epoch.number < 3; });
  };
  run(0.5, 5);
  CHECK(refusal_of([&] { run(0.25, 5); }) ==
        "fit: the checkpoint is of another run: the schedule's rate in epoch 2 was 0.25, is 0.125");
  CHECK(refusal_of([&] { run(0.5, 5); }) == "(not refused)");
  // With another number of epochs, a schedule may give other rates for those so far.
  Checkpoint second(folder.path / "second.safetensors");
  const auto cosine = [&](int epochs) {
    Model model(AutoNCP(6, 1), 2);
    fit(model, data(), Adam<double>(), {.epochs = epochs, .schedule = CosineDecay{}}, second);
  };
  cosine(3);
  CHECK(refusal_of([&] { cosine(6); }) == "(not refused)");
  // The rates of the first epochs are those of 3 epochs, the others those of 6.
  CHECK(refusal_of([&] { cosine(6); }) == "(not refused)");
  CHECK(refusal_of([&] { run(0.5, 6); }) == "(not refused)");
  CHECK(refusal_of([&] { run(0.25, 7); }) != "(not refused)");
}

namespace {

struct HalfGradient {
  void operator()(VectorView<double> gradient, double) const { gradient *= 0.5; }
};
struct SameGradient {
  void operator()(VectorView<double>, double) const {}
};

}  // namespace

TEST_CASE("A type that describes nothing has its name in the fingerprint", "[io][checkpoint]") {
  Folder folder;
  Checkpoint checkpoint(folder.path / "run.safetensors");
  const auto run = [&](auto transform) {
    Model model(AutoNCP(6, 1), 2);
    fit(model, data(), Adam<double>(), {.epochs = 2}, checkpoint, transform);
  };
  run(HalfGradient{});
  CHECK(refusal_of([&] { run(HalfGradient{}); }) == "(not refused)");
  CHECK(refusal_of([&] { run(SameGradient{}); }) ==
        "fit: the checkpoint is of another run: transform 1 was HalfGradient, is SameGradient");
  CHECK(elegans::detail::word_of_type<std::vector<int>>() == "vector");
  CHECK(elegans::detail::word_of_type<decltype(run)>().empty());
}

TEST_CASE("A type of one's own describes itself in the fingerprint", "[io][checkpoint]") {
  const auto refusal = [](double then, double now) {
    Folder folder;
    Checkpoint checkpoint(folder.path / "run.safetensors");
    Model first(AutoNCP(6, 1), 2), second = first;
    fit(first, data(), Scaled(then), {.epochs = 2}, checkpoint);
    return refusal_of([&] { fit(second, data(), Scaled(now), {.epochs = 2}, checkpoint); });
  };
  CHECK(refusal(0.5, 0.5) == "(not refused)");
  CHECK(refusal(0.5, 0.25) == "fit: the checkpoint is of another run: optimizer factor was 0.5, is 0.25");
}

TEST_CASE("The CSV log goes on where the checkpoint does", "[io][checkpoint][csv_log]") {
  Folder folder;
  const auto run = [&](int epochs, int stop_after, const std::string& name) {
    Model model(AutoNCP(6, 1), 2);
    Checkpoint checkpoint(folder.path / (name + ".safetensors"), {.every = 2, .seconds = 0});
    CsvLog log(folder.path / (name + ".csv"));
    int calls = 0;
    const auto interrupt = [&](const Epoch<double>&) {
      if (++calls == stop_after) throw std::runtime_error("interrupted");
    };
    try {
      fit(model, data(), Adam<double>({.learning_rate = 0.01}), {.epochs = epochs, .validation_split = 0.2}, checkpoint,
          log, interrupt, loss(MeanSquaredError{}), MeanAbsoluteError{});
    } catch (const std::runtime_error&) {
    }
    return support::read(folder.path / (name + ".csv"));
  };
  const std::string whole = run(7, 0, "whole");
  CHECK(std::count(whole.begin(), whole.end(), '\n') == 8);
  // The fourth epoch fails, so the log has three rows, and the checkpoint two epochs.
  const std::string part = run(7, 4, "part");
  CHECK(std::count(part.begin(), part.end(), '\n') == 4);
  CHECK(whole.starts_with(part));
  CHECK(run(7, 0, "part") == whole);
  // A finished run that is started again keeps its log.
  CHECK(run(7, 0, "part") == whole);
  CHECK(run(7, 0, "whole") == whole);
  // More epochs go on from there.
  const std::string more = run(9, 0, "whole");
  CHECK(more.starts_with(whole));
  CHECK(std::count(more.begin(), more.end(), '\n') == 10);
}
