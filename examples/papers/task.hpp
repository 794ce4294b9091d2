// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <elegans/layer/dense.hpp>
#include <elegans/layer/layer_variant.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/dataset.hpp>

#include "../support/csv.hpp"

namespace papers {

using Scalar = float;
using elegans::Index;
/// A contender's model: a stack whose layers are known at run time only, so that all of them train by the same code.
using Model = elegans::LayerVariant<elegans::LTC<Scalar>, elegans::CfC<Scalar>, elegans::MixedCfC<Scalar>,
                                    elegans::LSTM<Scalar>, elegans::Dense<Scalar>>;

/// The data of a task. Without validation data, `validation` has no samples.
struct Data {
  elegans::Dataset<Scalar> training, validation, test;
  examples::Table<double> recording;  ///< (time, features) of one that is to be predicted in a plot; may be empty
};

/// What a task trains on and reports.
enum class Measure {
  mean_squared_error,  ///< trains on it and reports it
  accuracy,            ///< trains on the cross-entropy of classes
  f1_of_class_1,       ///< likewise
  yes_or_no            ///< reports the accuracy, and trains on the binary cross-entropy of one logit
};
[[nodiscard]] inline bool larger_is_better(Measure measure) { return measure != Measure::mean_squared_error; }

/// How a contender is trained. The defaults are those of the paper on LTC.
struct Training {
  bool rmsprop = false;  ///< instead of Adam
  double learning_rate = 0.001;
  double epsilon = elegans::torch_epsilon;
  double decay = 1;                                              ///< of the learning rate, in an epoch
  bool cosine = false;                                           ///< lowers the learning rate along a cosine
  double tensor_norm = std::numeric_limits<double>::infinity();  ///< limit of the norm of each tensor's gradient
  double global_norm = std::numeric_limits<double>::infinity();  ///< limit of the norm of the gradient
  double kernel_l2 = 0;                                          ///< factor of the sum of squares of a CfC's weights
  Index batch_size = 16;
  bool drop_last = true;                       ///< leaves out an incomplete last batch
  double elapsed_scale = 1, elapsed_plus = 0;  ///< what the model takes for elapsed times: scale x + plus
};

/// A published mean and standard deviation.
struct Published {
  double mean, deviation;
};

/// A model and its training.
struct Contender {
  std::string name;
  std::function<Model(std::uint64_t seed)> make;
  Training training;
  std::optional<Published> published = {};
};

/// A task of a paper.
struct Task {
  std::string title;
  Measure measure = Measure::mean_squared_error;
  int epochs = 199;
  bool best_epoch = true;  ///< reports the epoch of the best validation score; else the last
  Data data = {};
  std::vector<Contender> contenders = {};
};

/// What a task is made for.
struct TaskOptions {
  std::filesystem::path data;  ///< the task's folder; empty if none was given
  bool mended = false;         ///< another protocol than the published one, if the task has one
  int units = 0;               ///< neurons of each contender; 0 for the paper's number
};

}  // namespace papers
