// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <functional>
#include <numbers>

#include <elegans/core/error.hpp>

namespace elegans {

/// Changes the learning rate over a training: `fit` calls it before each epoch, with the number of epochs so far and in
/// all, and multiplies the optimizer's first learning rate by the result. An empty schedule changes nothing.
using Schedule = std::function<double(int epoch, int epochs)>;

// mutate all: train.schedule
/// factor^epoch. Mirrors `torch.optim.lr_scheduler.ExponentialLR`.
struct ExponentialDecay {
  double factor = 0.95;  ///< above 0

  double operator()(int epoch, int) const { return std::pow(factor, epoch); }
};

/// Half a cosine from 1 down to `least`: Loshchilov and Hutter, SGDR, ICLR 2017, without restarts.
/// Mirrors `torch.optim.lr_scheduler.CosineAnnealingLR` with `T_max` = epochs.
struct CosineDecay {
  double least = 0;  ///< in [0, 1]

  double operator()(int epoch, int epochs) const {
    return least + (1 - least) * (1 + std::cos(std::numbers::pi * epoch / epochs)) / 2;
  }
};

/// factor^k after k times `every` epochs. Mirrors `torch.optim.lr_scheduler.StepLR`.
struct StepDecay {
  int every = 30;  ///< epochs, at least 1
  double factor = 0.1;

  double operator()(int epoch, int) const {
    if (every < 1) detail::refuse("StepDecay: every must be at least 1, got ", every);
    return std::pow(factor, epoch / every);
  }
};

}  // namespace elegans
