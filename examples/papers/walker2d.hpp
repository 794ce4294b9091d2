// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models.hpp"
#include "windows.hpp"

namespace papers {

/// The rollouts of one set as sequences of 64 kept steps, with irregular elapsed times.
///
/// \param rollouts  rows of (number, steps, set)
/// \param x         observations of all rollouts, one after the other
/// \param kept      whether a step is kept
inline elegans::Dataset<Scalar> walker_sequences(const examples::Table<double>& rollouts, const Rows& x,
                                                 const examples::Table<std::uint8_t>& kept, int set) {
  constexpr Index length = 64, stride = 16;
  std::vector<Index> steps;         // numbers of kept steps
  std::vector<Scalar> elapsed;      // of each of them
  std::vector<std::size_t> starts;  // of sequences, in `steps`
  Index first = 0;
  for (Index r = 0; r < rollouts.rows(); ++r) {
    const auto count = static_cast<Index>(rollouts(r, 1));
    if (static_cast<int>(rollouts(r, 2)) == set) {
      const std::size_t begin = steps.size();
      Scalar since = 0;
      for (Index t = 0; t + 1 < count; ++t) {
        since += 1;
        if (!kept(first + t, 0)) continue;
        steps.push_back(first + t);
        elapsed.push_back(std::exchange(since, Scalar(0)));
      }
      for (std::size_t s = begin; s + length < steps.size(); s += stride) starts.push_back(s);
    }
    first += count;
  }
  if (starts.empty()) elegans::detail::refuse("walker2d: no rollout of set ", set, " has more than ", length, " steps");
  const auto samples = static_cast<Index>(starts.size());
  elegans::Dataset<Scalar> data{.x = elegans::Sequence<Scalar>(length, samples, x.cols()),
                                .y = elegans::Sequence<Scalar>(length, samples, x.cols())};
  Eigen::ArrayXXf spans(length, samples);
  for (Index b = 0; b < samples; ++b) {
    for (Index t = 0; t < length; ++t) {
      const std::size_t k = starts[static_cast<std::size_t>(b)] + static_cast<std::size_t>(t);
      data.x.step(t).row(b) = x.row(steps[k]);
      data.y.step(t).row(b) = x.row(steps[k] + 1);
      spans(t, b) = elapsed[k];
    }
  }
  data.timespans = elegans::Timespans<Scalar>(spans);
  return data;
}

/// Where will a walker be next? Observations of simulated walks, irregularly sampled.
inline Task walker2d(const TaskOptions& options) {
  const std::string file = (options.data / "rollouts.csv").string();
  const auto rollouts = examples::read_csv<double>(file);
  const Rows x = read_rows<std::int16_t>(options.data / "rollouts.npy", 17).cast<Scalar>() / Scalar(2048);
  const auto kept = read_rows<std::uint8_t>(options.data / "kept.npy", 1, x.rows());
  if (rollouts.cols() != 3 || (rollouts.col(1) < 1).any() || rollouts.col(1).sum() != static_cast<double>(x.rows())) {
    elegans::detail::refuse(file, ": must have number, steps and set of rollouts with ", x.rows(), " steps in all");
  }
  Task task{.title = "Walker2d", .epochs = 50, .best_epoch = false};
  task.data.training = walker_sequences(rollouts, x, kept, 0);
  task.data.validation = walker_sequences(rollouts, x, kept, 1);
  task.data.test = walker_sequences(rollouts, x, kept, 2);

  using elegans::Activation;
  using elegans::CfCMode;
  const auto units = [&](int of_paper) { return options.units > 0 ? options.units : of_paper; };
  const auto training = [](double rate, Index batch, double norm, double l2) {
    return cfc_paper_training(rate, 0.95, batch, norm, l2);
  };
  const auto cfc = [&](const char* name, int neurons, CfCMode mode, Activation activation, int backbone, double dropout,
                       const Training& own, const Published& published) {
    task.contenders.push_back(paper_cfc(
        name, neurons, 17, 17, paper_cfc_options(mode, activation, backbone, 1, dropout, false, 0), own, published));
  };
  task.contenders.push_back(
      {"mixed_cfc",
       [n = units(128)](std::uint64_t seed) {
         return with_dense(
             elegans::MixedCfC<Scalar>(
                 n, 17, paper_cfc_options(CfCMode::standard, Activation::lecun_tanh, 128, 2, 0.2, false, seed),
                 paper_memory_options(2.1)),
             17, seed);
       },
       training(0.005, 128, 10, 6e-6), Published{0.617, 0.006}});
  cfc("cfc", units(64), CfCMode::standard, Activation::silu, 256, 0.1, training(0.02, 256, 1, 1e-6), {0.640, 0.006});
  cfc("cfc_no_gate", units(256), CfCMode::no_gate, Activation::lecun_tanh, 128, 0.1, training(0.008, 128, 1, 3e-5),
      {0.650, 0.008});
  Training ltc = training(0.05, 128, 10, 0);
  ltc.elapsed_plus = 0.001;
  task.contenders.push_back({"ltc",
                             [n = units(128)](std::uint64_t seed) {
                               elegans::LTC<Scalar> model(elegans::FullyConnected(n, n), 17,
                                                          {.ode_unfolds = 3, .seed = seed});
                               toss_polarities(model, seed);
                               return with_dense(std::move(model), 17, seed);
                             },
                             ltc, Published{0.662, 0.013}});
  cfc("cfc_pure", units(256), CfCMode::pure, Activation::silu, 192, 0, training(0.006, 128, 10, 1e-6), {0.948, 0.009});
  return task;
}

}  // namespace papers
