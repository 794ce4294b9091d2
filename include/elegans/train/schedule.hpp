// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>

#include <elegans/core/error.hpp>

namespace elegans {

/// Changes the learning rate over a training: `fit` calls it before each epoch, with the number of epochs so far and in
/// all, and multiplies the optimizer's first learning rate by the result. An empty schedule changes nothing.
///
/// With `FitOptions::schedule_by_batch`, it is called before each batch, with the number of batches so far and in all.
using Schedule = std::function<double(std::int64_t step, std::int64_t steps)>;

// mutate all: train.schedule
/// factor^step. Mirrors `torch.optim.lr_scheduler.ExponentialLR`.
struct ExponentialDecay {
  double factor = 0.95;  ///< above 0

  double operator()(std::int64_t step, std::int64_t) const { return std::pow(factor, static_cast<double>(step)); }
};

/// Half a cosine from 1 down to `least`: Loshchilov and Hutter, SGDR, ICLR 2017, without restarts.
/// Mirrors `torch.optim.lr_scheduler.CosineAnnealingLR` with `T_max` = steps.
struct CosineDecay {
  double least = 0;  ///< in [0, 1]

  double operator()(std::int64_t step, std::int64_t steps) const {
    const double angle = std::numbers::pi * static_cast<double>(step) / static_cast<double>(steps);
    return least + (1 - least) * (1 + std::cos(angle)) / 2;
  }
};

/// factor^k after k times `every` steps. Mirrors `torch.optim.lr_scheduler.StepLR`.
struct StepDecay {
  int every = 30;  ///< epochs, or batches, at least 1
  double factor = 0.1;

  double operator()(std::int64_t step, std::int64_t) const {
    if (every < 1) detail::refuse("StepDecay: every must be at least 1, got ", every);
    const std::int64_t times = step / every;
    return std::pow(factor, static_cast<double>(times));
  }
};

/// Rises from `start` to 1 in a line over the first steps, and then follows another schedule over the steps that are
/// left. Mirrors `torch.optim.lr_scheduler.LinearLR`, with `SequentialLR` for what follows.
///
///     {.epochs = 100, .schedule = elegans::WarmUp{.steps = 5, .then = elegans::CosineDecay{}}}
struct WarmUp {
  int steps = 5;          ///< epochs, or batches, of the rise, at least 0
  double start = 1. / 3;  ///< the first factor, at least 0
  Schedule then = {};     ///< 1 by default

  double operator()(std::int64_t step, std::int64_t all) const {
    if (steps < 0) detail::refuse("WarmUp: steps must be at least 0, got ", steps);
    if (step < steps) return start + (1 - start) * static_cast<double>(step) / steps;
    return then ? then(step - steps, all - steps) : 1;
  }
};

}  // namespace elegans
