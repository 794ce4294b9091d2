// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// How few synapses does the sine wave of the tutorial need? The program trains a fully-connected network. Then it
// removes the weakest synapses and trains on, again and again.
//
//     pruning --out out
//
// It prints loss and cost for each number of synapses, and leaves numbers (CSV), a plot and the wirings (PNG) in a
// folder.

#include <algorithm>
#include <chrono>
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
  int rounds = 12;
  double fraction = 0.25;
  float learning_rate = 0.01f;
  std::uint64_t seed = 1;
  double good_loss = 0.01;
  bool quiet = false;
};

/// A network after some rounds of pruning.
struct Round {
  int synapses;         ///< between neurons and from inputs
  float before;         ///< loss before it is trained on
  float after;          ///< loss after it was trained on
  double microseconds;  ///< cost of a forward and a backward pass
};

int count_synapses(const elegans::LTC<float>& model) {
  return model.wiring().synapse_count() + model.wiring().sensory_synapse_count();
}

/// Microseconds per sequence of a forward and a backward pass over 16 sequences: the median of 51 passes.
double cost_of(elegans::LTC<float> model) {
  constexpr elegans::Index batch = 16;
  elegans::Sequence<float> x(examples::sine_steps, batch, 2);
  for (elegans::Index t = 0; t < x.time(); ++t) {
    x.step(t).rowwise() = examples::sine_inputs<float>().row(t);
  }
  const elegans::Sequence<float> d_y(examples::sine_steps, batch, 1);
  std::vector<double> passes;
  for (int pass = 0; pass < 51; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    model.forward(x);
    model.backward(d_y);
    passes.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(passes.begin(), passes.begin() + 25, passes.end());
  return passes[25] / batch;
}

void run(const Settings& settings) {
  std::ostringstream nowhere;
  std::ostream& log = settings.quiet ? nowhere : std::cout;
  examples::make_folder(settings.out);

  const elegans::Sequence<float> x = examples::sine_inputs<float>();
  const elegans::Sequence<float> y = examples::sine_targets<float>();
  elegans::LTC<float> model(elegans::FullyConnected(settings.units, 1), 2, {.seed = settings.seed});
  elegans::draw(model.wiring(), settings.out / "pruning_before.png");
  elegans::Wiring<> smallest(model.wiring());
  int fewest = 0;

  const auto loss = [&] { return (model(x).values() - y.values()).square().mean(); };
  log << "Synapses  loss before training on       and after  forward and backward pass, in a batch of 16\n"
      << std::fixed;
  std::vector<Round> rounds;
  for (int round = 0; round <= settings.rounds; ++round) {
    if (round > 0) {
      const int before = count_synapses(model);
      model = elegans::prune(model, {.fraction = settings.fraction, .sensory = true});
      if (count_synapses(model) == before) break;  // all others must stay, or the fraction is less than one synapse
    }
    Round now{count_synapses(model), loss(), 0, cost_of(model)};
    elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = settings.learning_rate}),
                 {.epochs = settings.epochs, .show_progress = !settings.quiet});
    now.after = loss();
    log << std::setw(8) << now.synapses << std::setprecision(6) << std::setw(25) << now.before << std::setw(16)
        << now.after << std::setprecision(1) << std::setw(8) << now.microseconds << " us\n";
    if (static_cast<double>(now.after) < settings.good_loss) {
      smallest = elegans::Wiring<>(model.wiring());
      fewest = now.synapses;
    }
    rounds.push_back(now);
  }
  if (fewest > 0) {
    log << "\n"
        << fewest << " of " << rounds.front().synapses << " synapses do for a loss below " << std::setprecision(2)
        << settings.good_loss << "\n";
    elegans::draw(smallest, settings.out / "pruning_after.png");
  }

  const auto table = settings.out / "pruning.csv";
  elegans::write_file(table, examples::csv({"round", "synapses", "before", "after", "microseconds"},
                                           static_cast<elegans::Index>(rounds.size()), [&](auto r, auto c) {
                                             const Round& now = rounds[static_cast<std::size_t>(r)];
                                             return c == 0   ? static_cast<float>(r)
                                                    : c == 1 ? static_cast<float>(now.synapses)
                                                    : c == 2 ? now.before
                                                    : c == 3 ? now.after
                                                             : static_cast<float>(now.microseconds);
                                           }));
  if (!examples::gnuplot(std::filesystem::path(ELEGANS_EXAMPLES_DIR) / "plots" / "pruning.gp",
                         settings.out / "pruning.png", {table.string()})) {
    log << "There is no gnuplot here, so there is no plot. All numbers are written.\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Prunes a liquid time-constant network round by round, training on in between");
  app.add_option("--out", settings.out, "Folder for numbers and pictures")->capture_default_str();
  app.add_option("--units", settings.units, "Number of neurons")->capture_default_str()->check(CLI::Range(1, 128));
  app.add_option("--epochs", settings.epochs, "Updates of the parameters in each round")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  app.add_option("--rounds", settings.rounds, "How often to prune, at most")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  app.add_option("--fraction", settings.fraction, "Fraction of the synapses to remove in each round")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--learning-rate", settings.learning_rate, "Learning rate of Adam")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e30));
  app.add_option("--seed", settings.seed, "Seed of the initial parameters")->capture_default_str();
  app.add_option("--good-loss", settings.good_loss, "Draw the smallest network whose loss is below this")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e30));
  app.add_flag("--quiet", settings.quiet, "Print nothing");
  return examples::run_program(app, argc, argv, "pruning", [&] { run(settings); });
}
