// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The bit-stream XOR task of the CfC paper: is the number of ones in a stream of 2 to 31 random bits odd? A stream
// consists of events. Each event is a run of equal bits, with the time that the run took. So the sequences have
// different lengths and irregular time steps. The program compares a CfC, a CfC with mixed memory and an LTC.
//
//     bit_stream_xor --out out
//
// The program leaves numbers, a plot and the trained models in a folder. With --write-test, it also leaves each test
// stream, for `run_model`.
//
// Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022, Table 4: 99.7 % for the
// CfC with mixed memory.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <elegans/elegans.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>

#include "support/csv.hpp"
#include "support/folder.hpp"
#include "support/gnuplot.hpp"
#include "support/program.hpp"

namespace {

using Scalar = float;

struct Settings {
  std::filesystem::path out = "out";
  std::string model = "all";
  int units = 64;
  int ltc_units = 32;
  int epochs = 70;
  int training = 100000;
  int test = 10000;
  int batch_size = 32;
  Scalar learning_rate = 0.003f;
  std::uint64_t seed = 1;
  unsigned threads = std::max(std::thread::hardware_concurrency(), 1U);
  bool write_test = false;
  bool quiet = false;
};

struct Result {
  std::string name;
  elegans::Index parameters = 0;
  double seconds = 0;
  std::vector<Scalar> losses, accuracies;
};

constexpr elegans::Index longest = 32;  // every stream is padded to this many events

/// Makes random streams. The inputs of an event are its bit and the length of its run / 32, which is also its elapsed
/// time.
elegans::Dataset<Scalar> streams(elegans::Index count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  elegans::Dataset<Scalar> data{.x = elegans::Sequence<Scalar>(longest, count, 2),
                                .y = elegans::Sequence<Scalar>(1, count, 1)};
  Eigen::ArrayXXf elapsed = Eigen::ArrayXXf::Zero(longest, count);
  for (elegans::Index b = 0; b < count; ++b) {
    const auto length = static_cast<int>(2 + random() % 30);
    elegans::Index event = -1;
    int last = -1, parity = 0;
    for (int i = 0; i < length; ++i) {
      const auto bit = static_cast<int>(random() >> 63);
      if (bit != last) ++event;
      elapsed(event, b) += 1.0f / static_cast<float>(longest);
      data.x(event, b, 0) = static_cast<Scalar>(bit);
      data.x(event, b, 1) = elapsed(event, b);
      parity ^= bit;
      last = bit;
    }
    data.y(0, b, 0) = static_cast<Scalar>(parity);
  }
  data.timespans = elegans::Timespans<Scalar>(elapsed);
  data.mask = elegans::Mask(elapsed);  // an event exists if it takes time
  return data;
}

/// Writes each stream as `run_model` takes it: test_0_x.csv with the inputs of its events, test_0_t.csv with their
/// elapsed times; and test_y.csv with the parity of each stream.
void write_streams(const elegans::Dataset<Scalar>& data, const std::filesystem::path& folder) {
  std::string parities;
  for (elegans::Index b = 0; b < data.samples(); ++b) {
    std::string x, elapsed;
    for (elegans::Index t = 0; t < data.x.time() && data.mask(t, b); ++t) {
      examples::append_csv_row(data.x.step(t).row(b), x);
      examples::append_csv_row(Eigen::Array<Scalar, 1, 1>::Constant(data.timespans(t, b)), elapsed);
    }
    elegans::write_file(folder / elegans::detail::concatenate("test_", b, "_x.csv"), x);
    elegans::write_file(folder / elegans::detail::concatenate("test_", b, "_t.csv"), elapsed);
    examples::append_csv_row(data.y.step(0).row(b), parities);
  }
  elegans::write_file(folder / "test_y.csv", parities);
}

/// Trains one model, and calls `say` with a line per epoch.
template <typename Model>
Result train(const std::string& name, Model model, const elegans::Dataset<Scalar>& training,
             const elegans::Dataset<Scalar>& test, const Settings& settings,
             const std::function<void(const std::string&)>& say) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  elegans::CsvLog log(settings.out / ("xor_" + name + ".csv"));
  const auto report = [&](const elegans::Epoch<Scalar>& epoch) {
    std::ostringstream line;
    line << std::left << std::setw(10) << name << std::right << " epoch " << std::setw(2) << epoch.number << "/"
         << epoch.of << std::fixed << std::setprecision(4) << "  loss " << epoch.loss << "  test accuracy "
         << epoch.metrics[0].validation.back() << "  " << std::setprecision(0) << seconds() << " s";
    say(line.str());
  };
  const auto history = elegans::fit(model, training, elegans::Adam<Scalar>({.learning_rate = settings.learning_rate}),
                                    {.epochs = settings.epochs,
                                     .batch_size = settings.batch_size,
                                     .seed = settings.seed,
                                     .validation = test,
                                     .schedule = elegans::CosineDecay{},
                                     .clip = {.global_norm = 5},
                                     .show_progress = false},
                                    elegans::loss(elegans::BinaryCrossEntropy{}), elegans::Accuracy{}, log, report);
  elegans::save(model, settings.out / ("xor_" + name + ".safetensors"));
  return {name, model.parameters().size(), seconds(), history.loss, history.metrics[0].validation};
}

std::vector<Result> train_all(const Settings& settings, std::ostream& log) {
  const auto training = streams(settings.training, settings.seed);
  const auto test = streams(settings.test, settings.seed + 0x5eed);
  if (settings.write_test) write_streams(test, settings.out);
  std::mutex one_at_a_time;
  const auto say = [&](const std::string& line) {
    const std::lock_guard guard(one_at_a_time);
    log << line << '\n' << std::flush;
  };
  const elegans::CfCOptions cfc{.backbone_layers = 0, .proj_size = 1, .return_sequences = false, .seed = settings.seed};
  std::vector<std::pair<std::string, std::function<Result()>>> jobs;
  const auto add = [&](const std::string& name, const auto& model) {
    if (settings.model != "all" && settings.model != name) return;
    jobs.emplace_back(
        name, [=, &training, &test, &settings, &say] { return train(name, model, training, test, settings, say); });
  };
  add("ltc", elegans::Sequential(elegans::LTC<Scalar>(elegans::FullyConnected(settings.ltc_units, settings.ltc_units),
                                                      2, {.return_sequences = false, .seed = settings.seed}),
                                 elegans::Dense<Scalar>(1, settings.ltc_units, {.seed = settings.seed})));
  add("mixed_cfc", elegans::MixedCfC<Scalar>(settings.units, 2, cfc));
  add("cfc", elegans::CfC<Scalar>(settings.units, 2, cfc));

  // One thread per model. A training gives the same numbers whatever runs beside it.
  std::vector<Result> results(jobs.size());
  std::vector<std::exception_ptr> failures(jobs.size());
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < settings.threads; ++t) {
      threads.emplace_back([&] {
        for (std::size_t k = next++; k < jobs.size(); k = next++) {
          try {
            results[k] = jobs[k].second();
          } catch (...) {
            failures[k] = std::current_exception();
          }
        }
      });
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return results;
}

void run(const Settings& settings) {
  std::ostringstream nowhere;
  std::ostream& log = settings.quiet ? nowhere : std::cout;
  examples::make_folder(settings.out);
  const std::vector<Result> results = train_all(settings, log);

  std::ostringstream table;
  table << "model,parameters,seconds,test_accuracy\n";
  log << "\n"
      << std::left << std::setw(12) << "model" << std::right << std::setw(12) << "parameters" << std::setw(10)
      << "seconds" << std::setw(17) << "test accuracy\n"
      << std::fixed;
  for (const Result& result : results) {
    const Scalar accuracy = result.accuracies.empty() ? Scalar(0) : result.accuracies.back();
    table << result.name << "," << result.parameters << "," << result.seconds << "," << accuracy << "\n";
    log << std::left << std::setw(12) << result.name << std::right << std::setw(12) << result.parameters
        << std::setprecision(0) << std::setw(10) << result.seconds << std::setprecision(2) << std::setw(14)
        << 100 * accuracy << " %\n";
  }
  elegans::write_file(settings.out / "xor.csv", table.str());
  std::vector<std::string> curves;
  for (const Result& result : results) {
    if (result.accuracies.empty()) continue;
    curves.push_back((settings.out / ("xor_" + result.name + ".csv")).string());
    curves.push_back(result.name);
  }
  if (curves.empty()) return;
  if (!examples::gnuplot(std::filesystem::path(ELEGANS_EXAMPLES_DIR) / "plots" / "xor.gp", settings.out / "xor.png",
                         curves)) {
    log << "\nThere is no gnuplot here, so there is no plot. All numbers are written.\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Trains three networks to tell the parity of bit streams");
  const auto option = [&](const char* name, auto& value, const char* meaning) {
    return app.add_option(name, value, meaning)->capture_default_str();
  };
  option("--out", settings.out, "Folder for numbers, pictures and trained models");
  option("--model", settings.model, "Which network to train")->check(CLI::IsMember({"cfc", "mixed_cfc", "ltc", "all"}));
  option("--units", settings.units, "Neurons of the CfCs")->check(CLI::Range(1, 4096));
  option("--ltc-units", settings.ltc_units, "Neurons of the LTC")->check(CLI::Range(1, 4096));
  option("--epochs", settings.epochs, "Passes over the training streams")->check(CLI::Range(0, 1000000));
  option("--training", settings.training, "Training streams")->check(CLI::Range(1, 1000000));
  option("--test", settings.test, "Test streams")->check(CLI::Range(1, 1000000));
  option("--batch-size", settings.batch_size, "Streams per update")->check(CLI::Range(1, 1000000));
  option("--learning-rate", settings.learning_rate, "Learning rate of Adam at the start")->check(CLI::Range(0.0, 1e30));
  option("--seed", settings.seed, "Seed of streams and networks");
  option("--threads", settings.threads, "Networks trained at once")->check(CLI::Range(1, 64));
  app.add_flag("--write-test", settings.write_test, "Write the test streams, for run_model");
  app.add_flag("--quiet", settings.quiet, "Print nothing");
  return examples::run_program(app, argc, argv, "bit_stream_xor", [&] { run(settings); });
}
