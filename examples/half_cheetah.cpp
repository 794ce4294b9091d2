// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// A real task: what will the joints of a running half-cheetah do next? Recordings and protocol are those of the LTC
// paper (Hasani et al., AAAI 2021, Table 6: mean squared error 2.308 +- 0.015 for the LTC).
//
//     half_cheetah DATA --out out --seeds 5
//
// DATA is a folder of recordings, trace_0000.npy and so on, each (time, observations). The program prints a table, and
// leaves numbers (CSV), plots (PNG) and the trained models in a folder: `run_model` and `inspect_model` take these.
// Started again after a stop, it goes on from its last checkpoint.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <elegans/elegans.hpp>
#include <elegans/io/checkpoint.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>

#include "support/csv.hpp"
#include "support/folder.hpp"
#include "support/gnuplot.hpp"
#include "support/npy.hpp"
#include "support/program.hpp"

namespace {

using Scalar = float;

struct Settings {
  std::filesystem::path data;
  std::filesystem::path out = "out";
  std::string model = "all";
  int units = 32;
  int epochs = 200;
  int seeds = 1;
  int validation = 5, test = 10, training = 10;  // numbers of recordings, which are used in this order
  int window = 32, stride = 10;
  int batch_size = 16;
  bool quiet = false;
};

struct Data {
  elegans::Dataset<Scalar> validation, test, training;
  examples::Table<double> recording;  // the first test recording, for a plot
};

/// Cuts recordings into windows. The target of a window is the window that starts one step later.
elegans::Dataset<Scalar> windows(const std::vector<examples::Table<double>>& recordings, const Settings& settings) {
  const elegans::Index length = settings.window, observations = recordings.front().cols();
  std::vector<std::pair<std::size_t, elegans::Index>> starts;
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    for (elegans::Index s = 0; s < recordings[r].rows() - length - 1; s += settings.stride) starts.emplace_back(r, s);
  }
  if (starts.empty()) elegans::detail::refuse("no recording is longer than a window of ", length, " steps");
  const auto samples = static_cast<elegans::Index>(starts.size());
  elegans::Dataset<Scalar> data{.x = elegans::Sequence<Scalar>(length, samples, observations),
                                .y = elegans::Sequence<Scalar>(length, samples, observations)};
  for (elegans::Index b = 0; b < samples; ++b) {
    const auto& [r, start] = starts[static_cast<std::size_t>(b)];
    for (elegans::Index t = 0; t < length; ++t) {
      for (elegans::Index f = 0; f < observations; ++f) {
        data.x(t, b, f) = static_cast<Scalar>(recordings[r](start + t, f));
        data.y(t, b, f) = static_cast<Scalar>(recordings[r](start + t + 1, f));
      }
    }
  }
  return data;
}

Data read(const Settings& settings) {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(settings.data, failure)) {
    if (entry.path().extension() == ".npy") files.push_back(entry.path());
  }
  if (failure) elegans::detail::fail("cannot read ", settings.data.string(), ": ", failure.message());
  std::sort(files.begin(), files.end());
  const auto wanted = static_cast<std::size_t>(elegans::Index{settings.validation} + settings.test + settings.training);
  if (files.size() < wanted) {
    elegans::detail::refuse(settings.data.string(), " must have ", wanted, " recordings, *.npy, got ", files.size());
  }
  auto next = files.begin();
  const auto take = [&](int count) {
    std::vector<examples::Table<double>> recordings;
    for (int i = 0; i < count; ++i) {
      recordings.push_back(examples::read_npy(*next++));
      if (recordings.back().cols() != recordings.front().cols()) {
        elegans::detail::refuse((next - 1)->string(), " must have ", recordings.front().cols(),
                                " observations per step like the others, got ", recordings.back().cols());
      }
    }
    return recordings;
  };
  const auto validation = take(settings.validation);
  const auto test = take(settings.test);
  return {windows(validation, settings), windows(test, settings), windows(take(settings.training), settings),
          test.front()};
}

/// The results of one kind of model, over all seeds.
struct Result {
  std::string name;
  elegans::Index parameters = 0;
  int synapses = 0;  ///< existing synapses between neurons and from inputs; 0 for a model without a wiring
  std::vector<double> errors, seconds;
};

/// Predicts the first 200 steps of a recording, each from those before it, and writes prediction and truth side by
/// side.
template <typename Model>
void write_prediction(Model& model, const examples::Table<double>& recording, const std::filesystem::path& path) {
  const elegans::Index steps = std::min<elegans::Index>(recording.rows() - 1, 200), observations = recording.cols();
  const elegans::Sequence<Scalar> prediction = model(elegans::Sequence<Scalar>(recording.topRows(steps)));
  std::vector<std::string> names{"step"};
  for (elegans::Index f = 0; f < observations; ++f) {
    for (const char* what : {"true_", "predicted_"}) names.push_back(what + std::to_string(f));
  }
  elegans::write_file(path, examples::csv(names, steps, [&](Eigen::Index t, std::size_t c) {
                        if (c == 0) return static_cast<double>(t);
                        const auto f = static_cast<Eigen::Index>((c - 1) / 2);
                        return c % 2 == 1 ? recording(t + 1, f) : double{prediction(t, 0, f)};
                      }));
}

/// Trains one model with one seed. Its result is the test error of the epoch with the smallest validation error, as in
/// the paper.
template <typename Model>
void train(const std::string& name, Model model, Scalar learning_rate, std::uint64_t seed, const Data& data,
           const Settings& settings, Result& result, std::ostream& log) {
  const auto start = std::chrono::steady_clock::now();
  const auto file = [&](const char* what) {
    return settings.out / elegans::detail::concatenate("half_cheetah_", name, "_", seed, what);
  };
  elegans::Checkpoint checkpoint(file(".safetensors"), {.every = 10});
  const auto history = elegans::fit(model, data.training, elegans::Adam<Scalar>({.learning_rate = learning_rate}),
                                    {.epochs = settings.epochs,
                                     .batch_size = settings.batch_size,
                                     .drop_last = true,
                                     .seed = seed,
                                     .validation = data.validation,
                                     .restore_best_weights = true,
                                     .show_progress = !settings.quiet},
                                    checkpoint);
  const double error =
      elegans::evaluate(model, data.test, {.batch_size = settings.batch_size}, elegans::MeanSquaredError{})[0];
  elegans::save(model, file("_model.safetensors"));
  result.errors.push_back(error);
  result.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  result.parameters = model.parameters().size();
  log << "  " << name << ", seed " << seed << ": test error " << std::fixed << std::setprecision(3) << error
      << " (best validation error in epoch " << history.best_epoch << " of " << history.loss.size() << "), "
      << std::setprecision(1) << result.seconds.back() << " s\n";

  elegans::write_file(file("_losses.csv"),
                      examples::csv({"epoch", "training", "validation"}, static_cast<Eigen::Index>(history.loss.size()),
                                    [&](Eigen::Index e, std::size_t c) {
                                      const auto at = static_cast<std::size_t>(e);
                                      return c == 0   ? static_cast<Scalar>(e + 1)
                                             : c == 1 ? history.loss[at]
                                                      : history.validation_loss[at];
                                    }));
  if (seed != 1 || history.loss.empty()) return;
  write_prediction(model, data.recording, file("_prediction.csv"));
  const auto plot = [&](const char* script, const char* picture, const char* numbers) {
    return examples::gnuplot(std::filesystem::path(ELEGANS_EXAMPLES_DIR) / "plots" / script, file(picture),
                             {file(numbers).string(), name});
  };
  if (plot("half_cheetah.gp", "_prediction.png", "_prediction.csv")) plot("losses.gp", "_losses.png", "_losses.csv");
}

double mean_of(const std::vector<double>& values) {
  return Eigen::Map<const Eigen::ArrayXd>(values.data(), static_cast<Eigen::Index>(values.size())).mean();
}
double deviation_of(const std::vector<double>& values) {
  const Eigen::Map<const Eigen::ArrayXd> all(values.data(), static_cast<Eigen::Index>(values.size()));
  return std::sqrt((all - all.mean()).square().mean());
}

void run(const Settings& settings) {
  std::ostringstream nowhere;
  std::ostream& log = settings.quiet ? nowhere : std::cout;
  examples::make_folder(settings.out);
  const Data data = read(settings);
  const auto observations = static_cast<int>(data.training.x.features());
  log << "Sequences of " << settings.window << " steps and " << observations
      << " observations: " << data.training.samples() << " for training, " << data.validation.samples()
      << " for validation, " << data.test.samples() << " for the test\n";

  std::vector<Result> results;
  const auto add = [&](const std::string& name, int synapses, Scalar learning_rate, auto make) {
    if (settings.model != "all" && settings.model != name) return;
    Result result{name, 0, synapses, {}, {}};
    for (int seed = 1; seed <= settings.seeds; ++seed) {
      train(name, make(static_cast<std::uint64_t>(seed)), learning_rate, static_cast<std::uint64_t>(seed), data,
            settings, result, log);
    }
    results.push_back(std::move(result));
  };
  // A dense layer reads out all neurons.
  const auto ltc = [&](const auto& wiring) {
    return [&wiring, observations](std::uint64_t seed) {
      return elegans::Sequential(
          elegans::LTC<Scalar>(wiring, observations, {.output_mapping = elegans::Mapping::none, .seed = seed}),
          elegans::Dense<Scalar>(observations, wiring.output_dim(), {.seed = seed}));
    };
  };
  elegans::FullyConnected full(settings.units, settings.units);
  elegans::AutoNCP ncp(settings.units, std::max(settings.units / 4, 1));
  full.build(observations);
  ncp.build(observations);
  add("ltc", full.synapse_count() + full.sensory_synapse_count(), 0.01f, ltc(full));
  add("ncp", ncp.synapse_count() + ncp.sensory_synapse_count(), 0.01f, ltc(ncp));
  add("cfc", 0, 0.001f, [&](std::uint64_t seed) {
    return elegans::Sequential(elegans::CfC<Scalar>(settings.units, observations, {.seed = seed}),
                               elegans::Dense<Scalar>(observations, settings.units, {.seed = seed}));
  });

  std::ostringstream table;
  table << "model,parameters,synapses,test_error_mean,test_error_deviation,seconds\n";
  log << "\n"
      << std::left << std::setw(8) << "model" << std::right << std::setw(18) << "test error" << std::setw(12)
      << "parameters" << std::setw(10) << "synapses" << std::setw(14) << "seconds / run\n";
  for (const Result& result : results) {
    const double mean = mean_of(result.errors), deviation = deviation_of(result.errors);
    log << std::left << std::setw(8) << result.name << std::right << std::fixed << std::setprecision(3) << std::setw(9)
        << mean << " +- " << deviation << std::setw(12) << result.parameters << std::setw(10) << result.synapses
        << std::setw(13) << std::setprecision(1) << mean_of(result.seconds) << "\n";
    table << result.name << "," << result.parameters << "," << result.synapses << "," << mean << "," << deviation << ","
          << mean_of(result.seconds) << "\n";
  }
  elegans::write_file(settings.out / "half_cheetah.csv", table.str());
  log << "\nPublished for an LTC: 2.308 +- 0.015. Numbers and pictures are in " << settings.out.string() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Predicts a half-cheetah's next observation, as in the paper on liquid time-constant networks");
  const auto option = [&](const char* name, auto& value, const char* meaning) {
    return app.add_option(name, value, meaning)->capture_default_str();
  };
  const CLI::Range at_least_1(1, 1000000);
  app.add_option("DATA", settings.data, "Folder of recordings, *.npy")->required();
  option("--out", settings.out, "Folder for numbers, pictures, trained models and checkpoints");
  option("--model", settings.model, "Which network to train")->check(CLI::IsMember({"ltc", "ncp", "cfc", "all"}));
  option("--units", settings.units, "Neurons")->check(CLI::Range(4, 4096));
  option("--epochs", settings.epochs, "Passes over the training sequences")->check(CLI::Range(0, 1000000));
  option("--seeds", settings.seeds, "Runs of each network, with seeds from 1 on")->check(at_least_1);
  option("--validation", settings.validation, "Recordings for validation, the first ones")->check(at_least_1);
  option("--test", settings.test, "Recordings for the test, the next ones")->check(at_least_1);
  option("--training", settings.training, "Recordings for training, those after")->check(at_least_1);
  option("--window", settings.window, "Steps per sequence")->check(at_least_1);
  option("--stride", settings.stride, "Steps between the starts of two sequences")->check(at_least_1);
  option("--batch-size", settings.batch_size, "Sequences per update")->check(at_least_1);
  app.add_flag("--quiet", settings.quiet, "Print nothing");
  return examples::run_program(app, argc, argv, "half_cheetah", [&] { run(settings); });
}
