// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The tables of the papers on liquid networks, rerun: eight tasks, with the papers' data, windows, splits, networks and
// settings.
//
//     papers occupancy --data DIR --seeds 5 --out out
//
// DIR is a folder with the task's recordings. The program prints a table with the published numbers beside its own, and
// leaves numbers (CSV), plots (PNG) and the trained models in a folder: `run_model` and `inspect_model` take these.
// Started again after a stop, it goes on from its last checkpoints. docs/papers.md has the tables.
//
// Hasani et al., Liquid Time-constant Networks, AAAI 2021; Hasani et al., Closed-form continuous-time neural networks,
// Nature Machine Intelligence 2022.

#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "../support/folder.hpp"
#include "../support/program.hpp"
#include "frame.hpp"
#include "gesture.hpp"
#include "half_cheetah.hpp"
#include "occupancy.hpp"
#include "ozone.hpp"
#include "smnist.hpp"
#include "traffic.hpp"
#include "walker2d.hpp"
#include "xor.hpp"

namespace {

struct TaskOf {
  papers::Task (*make)(const papers::TaskOptions&);
  bool has_mended;
};

const std::map<std::string, TaskOf> tasks{{"half_cheetah", {papers::half_cheetah, false}},
                                          {"walker2d", {papers::walker2d, false}},
                                          {"gesture", {papers::gesture, false}},
                                          {"occupancy", {papers::occupancy, false}},
                                          {"traffic", {papers::traffic, true}},
                                          {"ozone", {papers::ozone, true}},
                                          {"smnist", {papers::smnist, false}},
                                          {"xor", {papers::bit_stream_xor, true}}};

}  // namespace

int main(int argc, char** argv) {
  std::string name, protocol = "published";
  papers::TaskOptions of_task;
  papers::RunOptions of_run;
  of_run.threads = std::max(std::thread::hardware_concurrency(), 1U);
  bool writes_test = false, is_quiet = false;
  CLI::App app("Reruns the tables of the papers on liquid networks");
  const auto option = [&](const char* flag, auto& value, const char* meaning) {
    return app.add_option(flag, value, meaning)->capture_default_str();
  };
  std::vector<std::string> names;
  for (const auto& task : tasks) names.push_back(task.first);
  app.add_option("TASK", name, "Which table")->required()->check(CLI::IsMember(names));
  app.add_option("--data", of_task.data, "Folder of the task's recordings; xor makes random streams without it");
  option("--protocol", protocol, "As published, or mended: traffic, ozone and xor have both")
      ->check(CLI::IsMember({"published", "mended"}));
  option("--model", of_run.model, "Which contender to train, of those that the task has")
      ->check(
          CLI::IsMember({"all", "ltc", "ncp", "lstm", "cfc", "mixed_cfc", "cfc_no_gate", "cfc_pure", "ltc_of_ncps"}));
  option("--seeds", of_run.seeds, "Runs of each contender, with seeds from 1 on")->check(CLI::Range(1, 1000000));
  app.add_option("--epochs", of_run.epochs, "Passes over the training data, instead of the paper's number")
      ->check(CLI::Range(0, 1000000));
  app.add_option("--units", of_task.units, "Neurons, instead of the paper's numbers")->check(CLI::Range(4, 4096));
  option("--threads", of_run.threads, "Runs at once")->check(CLI::Range(1, 64));
  option("--out", of_run.out, "Folder for numbers, pictures, trained models and checkpoints");
  app.add_flag("--write-test", writes_test, "Of xor: write the test streams, for run_model");
  app.add_flag("--quiet", is_quiet, "Print nothing");
  const auto run = [&] {
    std::ostringstream nowhere;
    std::ostream& log = is_quiet ? nowhere : std::cout;
    examples::make_folder(of_run.out);
    const papers::Task task = tasks.at(name).make(of_task);
    const auto& [training, validation, test, recording] = task.data;
    log << "Sequences of " << training.x.time() << " steps and " << training.x.features()
        << " inputs: " << training.samples() << " for training, " << validation.samples() << " for validation, "
        << test.samples() << " for the test\n";
    if (writes_test) papers::write_streams(task.data.test, of_run.out);
    papers::Run(task, name + (of_task.mended ? "_mended" : ""), of_run, log).run();
    log << "\nNumbers and pictures are in " << of_run.out.string() << "\n";
  };
  const auto check = [&] {
    of_task.mended = protocol == "mended";
    if (of_task.mended && !tasks.at(name).has_mended) {
      throw CLI::ValidationError("--protocol", "must be published, as " + name + " has no other");
    }
    if (writes_test && name != "xor") throw CLI::ValidationError("--write-test", "is for the task xor alone");
    if (of_task.data.empty() && name != "xor") throw CLI::RequiredError("--data");
  };
  return examples::run_program(app, argc, argv, "papers", run, check);
}
