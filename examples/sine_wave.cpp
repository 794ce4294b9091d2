// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The tutorial: networks of three wirings learn to turn a sine wave into one of twice its frequency.
//
//     sine_wave --out out
//
// The program prints what it does, and leaves numbers (CSV), wirings (DOT, SVG, PNG) and plots (PNG) in a folder.

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

using Scalar = float;
using Matrix = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

struct Settings {
  std::filesystem::path out = "out";
  int epochs = 400;
  Scalar learning_rate = 0.01f;
  std::uint64_t seed = 1;
  std::string wiring = "all";
  bool quiet = false;
};

/// One of the three networks, with its predictions before and after training.
struct Run {
  std::string name;
  elegans::Wiring<> wiring;
  elegans::Sequence<Scalar> before;
  elegans::Sequence<Scalar> after;
  std::vector<Scalar> losses;
  Scalar final_loss;
};

constexpr int steps = examples::sine_steps;
Matrix inputs() { return examples::sine_inputs<Scalar>(); }
Matrix targets() { return examples::sine_targets<Scalar>(); }

template <typename W>
Run train(const std::string& name, const W& wiring, const Settings& settings, std::ostream& log) {
  const elegans::Sequence<Scalar> x = inputs();
  const elegans::Sequence<Scalar> y = targets();

  elegans::LTC<Scalar> model(wiring, 2, {.seed = settings.seed});
  log << "\n" << name << "\n" << model.summary();

  Run run{name, elegans::Wiring<>(model.wiring()), model(x), {}, {}, {}};
  const auto say_loss = [&](const elegans::Epoch<Scalar>& epoch) {
    if (epoch.number == 1 || epoch.number % 50 == 0 || epoch.number == epoch.of) {
      log << "Epoch " << std::setw(3) << epoch.number << "/" << epoch.of << "  loss " << std::fixed
          << std::setprecision(6) << epoch.loss << "\n";
    }
  };
  run.losses = elegans::fit(model, x, y, elegans::Adam<Scalar>({.learning_rate = settings.learning_rate}),
                            {.epochs = settings.epochs, .show_progress = !settings.quiet}, say_loss)
                   .loss;
  run.after = model(x);
  run.final_loss = (run.after.values() - y.values()).square().mean();
  return run;
}

void write_numbers(const std::vector<Run>& runs, const Settings& settings) {
  const Matrix x = inputs();
  const Matrix y = targets();
  elegans::write_file(settings.out / "data.csv",
                      examples::csv({"step", "sin", "cos", "target"}, steps, [&](auto r, auto c) {
                        return c == 0 ? static_cast<Scalar>(r) : c == 3 ? y(r, 0) : x(r, static_cast<int>(c) - 1);
                      }));
  for (const Run& run : runs) {
    elegans::write_file(
        settings.out / ("prediction_" + run.name + ".csv"),
        examples::csv({"step", "target", "before", "after"}, steps, [&](auto r, auto c) {
          return c == 0 ? static_cast<Scalar>(r) : c == 1 ? y(r, 0) : c == 2 ? run.before(r, 0, 0) : run.after(r, 0, 0);
        }));
  }
  std::vector<std::string> names{"epoch"};
  for (const Run& run : runs) names.push_back(run.name);
  elegans::write_file(settings.out / "losses.csv", examples::csv(names, settings.epochs, [&](auto r, auto c) {
                        return c == 0 ? static_cast<Scalar>(r + 1) : runs[c - 1].losses[static_cast<std::size_t>(r)];
                      }));
}

void draw_wirings(const std::vector<Run>& runs, const Settings& settings) {
  for (const Run& run : runs) {
    for (const char* format : {".dot", ".svg", ".png"}) {
      elegans::draw(run.wiring, settings.out / ("wiring_" + run.name + format));
    }
  }
}

/// Draws the plots from the CSV files. Returns false if there is no gnuplot.
bool draw_plots(const std::vector<Run>& runs, const Settings& settings) {
  const auto plot = [&](const char* script, const std::string& picture, const std::vector<std::string>& arguments) {
    return examples::gnuplot(std::filesystem::path(ELEGANS_EXAMPLES_DIR) / "plots" / script, settings.out / picture,
                             arguments);
  };
  const auto in_out = [&](const std::string& file) { return (settings.out / file).string(); };
  if (!plot("training_data.gp", "training_data.png", {in_out("data.csv")})) return false;
  for (const Run& run : runs) {
    for (const char* when : {"before", "after"}) {
      plot("prediction.gp", std::string("prediction_") + when + "_" + run.name + ".png",
           {in_out("prediction_" + run.name + ".csv"), when, run.name});
    }
  }
  if (settings.epochs > 0) {
    const std::vector<std::string> pictures{"loss_one.png", "loss_two.png", "loss_three.png"};
    // The random network comes last, because the first two curves shall be those of the networks that learn.
    for (std::size_t curves = 1; curves <= runs.size(); ++curves) {
      plot("loss.gp", pictures[curves - 1], {in_out("losses.csv"), std::to_string(curves)});
    }
  }
  return true;
}

void report(const std::vector<Run>& runs, std::ostream& log) {
  log << "\nFinal loss (mean squared error)\n" << std::fixed;
  for (const Run& run : runs) {
    log << "  " << std::left << std::setw(16) << run.name << std::right << std::setprecision(6) << run.final_loss
        << "  with " << std::setw(2) << run.wiring.synapse_count() << " synapses between neurons\n";
  }
}

void run(const Settings& settings) {
  std::ostringstream nowhere;
  std::ostream& log = settings.quiet ? nowhere : std::cout;
  examples::make_folder(settings.out);

  log << "Inputs  (time, batch, features): (" << steps << ", 1, 2)\n"
      << "Targets (time, batch, features): (" << steps << ", 1, 1)\n";

  const elegans::FullyConnected fully_connected(8, 1);
  const elegans::AutoNCP ncp(8, 1);
  const elegans::Random random(8, 1, {.sparsity = 0.75});
  const auto wanted = [&](const char* name) { return settings.wiring == "all" || settings.wiring == name; };
  std::vector<Run> runs;
  if (wanted("fully_connected")) runs.push_back(train("fully_connected", fully_connected, settings, log));
  if (wanted("ncp")) runs.push_back(train("ncp", ncp, settings, log));
  if (wanted("random")) runs.push_back(train("random", random, settings, log));
  report(runs, log);
  if (wanted("ncp")) {
    auto sparse = ncp;
    sparse.build(2);
    log << "\nThe NCP has " << std::setprecision(2)
        << 100.0 * (1.0 - static_cast<double>(sparse.synapse_count()) / fully_connected.synapse_count())
        << "% fewer synapses between its neurons than the fully-connected network.\n";
  }

  write_numbers(runs, settings);
  draw_wirings(runs, settings);
  if (!draw_plots(runs, settings)) {
    log << "\nThere is no gnuplot here, so there are no plots. All numbers are written. Install it (gnuplot-nox)\n"
        << "and run this again, or draw the CSV files with another program.\n";
  }
  log << "\nNumbers and pictures are in " << settings.out.string() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Trains liquid time-constant networks of three wirings on a sine wave");
  app.add_option("--out", settings.out, "Folder for numbers and pictures")->capture_default_str();
  app.add_option("--epochs", settings.epochs, "Updates of the parameters")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  app.add_option("--learning-rate", settings.learning_rate, "Learning rate of Adam")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e30));
  app.add_option("--seed", settings.seed, "Seed of the initial parameters; the wirings have seeds of their own")
      ->capture_default_str();
  app.add_option("--wiring", settings.wiring, "Which network to train")
      ->capture_default_str()
      ->check(CLI::IsMember({"fully_connected", "random", "ncp", "all"}));
  app.add_flag("--quiet", settings.quiet, "Print nothing");
  return examples::run_program(app, argc, argv, "sine_wave", [&] { run(settings); });
}
