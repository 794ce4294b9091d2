// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "task.hpp"

namespace papers {

/// What came of one contender with one seed.
struct Outcome {
  std::string model;
  int seed = 0;
  int epochs = 0;
  double score = 0;    ///< on the test set: a mean squared error, or a share of 1
  int best_epoch = 0;  ///< the epoch that was scored, from 1 on
  Index parameters = 0;
  int synapses = 0;              ///< existing synapses between neurons and from inputs; 0 for a model without a wiring
  double seconds = 0;            ///< of one core, since the last checkpoint that the run went on from
  int resumed_after = 0;         ///< epochs of that checkpoint; 0 for none
  std::string fingerprint = {};  ///< of data, settings and initial values: an outcome with another is of another run
};

/// Trains a contender with one seed, and scores it on the test data.
///
/// Leaves three files: TASK_MODEL_SEED.safetensors, a checkpoint from which a stopped run goes on,
/// TASK_MODEL_SEED_model.safetensors, and TASK_MODEL_SEED_losses.csv.
///
/// \param data    with the elapsed times that the contender is to see
/// \param prefix  folder and first part of the files' names
/// \param say     called with a line now and then
/// \throws elegans::InvalidArgument if the checkpoint is of another run, or of a later epoch than the last
Outcome train(const Task& task, const Data& data, const Contender& contender, Model& model, int seed, int epochs,
              const std::filesystem::path& prefix, const std::function<void(const std::string&)>& say);

}  // namespace papers
