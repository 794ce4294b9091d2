// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The time constants of the neurons in a liquid time-constant network change with the inputs. The program trains such a
// network on the sine wave of the tutorial, and draws the potentials and time constants of its neurons.
//
//     time_constants --out out
//
// It prints the range of each neuron, and leaves numbers (CSV), the plot and the wiring (PNG) in a folder.

#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <elegans/elegans.hpp>
#include <elegans/graph/graph.hpp>
#include <elegans/system/file.hpp>

#include "support/csv.hpp"
#include "support/folder.hpp"
#include "support/gnuplot.hpp"
#include "support/program.hpp"
#include "support/sine_task.hpp"

namespace {

struct Settings {
  std::filesystem::path out = "out";
  int units = 8;
  int epochs = 400;
  float learning_rate = 0.01f;
  std::uint64_t seed = 1;
  bool quiet = false;
};

void run(const Settings& settings) {
  std::ostringstream nowhere;
  std::ostream& log = settings.quiet ? nowhere : std::cout;
  examples::make_folder(settings.out);

  const elegans::Sequence<float> x = examples::sine_inputs<float>();
  const elegans::Sequence<float> y = examples::sine_targets<float>();
  elegans::LTC<float> model(elegans::AutoNCP(settings.units, 1), 2, {.seed = settings.seed});
  elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = settings.learning_rate}),
               {.epochs = settings.epochs, .show_progress = !settings.quiet});

  const elegans::Sequence<float> output = model(x);
  const elegans::Sequence<float> states = elegans::hidden_states(model, x);
  const elegans::Sequence<float> tau = elegans::time_constants(model, x);

  const auto units = static_cast<std::size_t>(model.units());
  std::vector<std::string> names{"step", "target", "output"};
  std::vector<int> count_of_type(3);
  for (const char* what : {"v ", "tau "}) {
    for (int i = 0; i < model.units(); ++i) {
      names.push_back(what + std::string(elegans::name_of(model.wiring().neuron_type(i))) + " " + std::to_string(i));
    }
  }
  for (int i = 0; i < model.units(); ++i) {
    ++count_of_type[static_cast<std::size_t>(model.wiring().neuron_type(i))];
  }
  log << "Loss (mean squared error) after " << settings.epochs << " epochs: " << std::fixed << std::setprecision(6)
      << (output.values() - y.values()).square().mean() << "\n\n"
      << "Neuron        potential            time constant, in steps\n"
      << std::setprecision(3);
  for (std::size_t i = 0; i < units; ++i) {
    const auto range = [&](const elegans::Sequence<float>& values) {
      const auto of_neuron = values.values()(
          Eigen::seqN(static_cast<elegans::Index>(i), examples::sine_steps, static_cast<elegans::Index>(units)));
      log << std::right << std::setw(8) << of_neuron.minCoeff() << " to" << std::setw(8) << of_neuron.maxCoeff();
    };
    log << std::left << std::setw(10) << names[3 + i].substr(2);
    range(states);
    log << "  ";
    range(tau);
    log << "\n";
  }

  const auto table = settings.out / "time_constants.csv";
  elegans::write_file(table, examples::csv(names, examples::sine_steps, [&](auto r, auto c) {
                        if (c == 0) return static_cast<float>(r);
                        if (c < 3) return c == 1 ? y(r, 0, 0) : output(r, 0, 0);
                        const auto i = static_cast<elegans::Index>((c - 3) % units);
                        return c - 3 < units ? states(r, 0, i) : tau(r, 0, i);
                      }));
  elegans::draw(model.wiring(), settings.out / "time_constants_wiring.png");
  std::vector<std::string> arguments{table.string()};
  for (const int count : count_of_type) arguments.push_back(std::to_string(count));
  if (!examples::gnuplot(std::filesystem::path(ELEGANS_EXAMPLES_DIR) / "plots" / "time_constants.gp",
                         settings.out / "time_constants.png", arguments)) {
    log << "There is no gnuplot here, so there is no plot. All numbers are written.\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Draws the potentials and time constants of a liquid time-constant network");
  app.add_option("--out", settings.out, "Folder for numbers and pictures")->capture_default_str();
  app.add_option("--units", settings.units, "Number of neurons")->capture_default_str()->check(CLI::Range(1, 256));
  app.add_option("--epochs", settings.epochs, "Updates of the parameters")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  app.add_option("--learning-rate", settings.learning_rate, "Learning rate of Adam")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e30));
  app.add_option("--seed", settings.seed, "Seed of the initial parameters")->capture_default_str();
  app.add_flag("--quiet", settings.quiet, "Print nothing");
  return examples::run_program(app, argc, argv, "time_constants", [&] { run(settings); });
}
