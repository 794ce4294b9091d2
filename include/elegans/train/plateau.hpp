// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/train/history.hpp>

namespace elegans {

/// Lowers the learning rate when the loss no longer gets better: the validation loss if there is one. It multiplies the
/// rate that a schedule starts from. Mirrors Keras' `ReduceLROnPlateau`, with its names and defaults; only `patience`
/// has to be given.
///
///     {.epochs = 500, .reduce_lr_on_plateau = {.patience = 10, .factor = 0.5}}
struct ReduceLROnPlateau {
  int patience = 0;         ///< epochs without a better loss; 0 leaves the rate alone
  double factor = 0.1;      ///< times the rate, in (0, 1)
  double min_delta = 1e-4;  ///< the least improvement that counts as better, at least 0
  int cooldown = 0;         ///< epochs after a change that are not counted
  double min_lr = 0;        ///< the rate does not fall below it, at least 0

  /// \throws InvalidArgument if an option is out of range
  void require_valid() const {
    const auto require_that = [](bool holds, const char* option, const char* range, double got) {
      if (!holds) detail::refuse("reduce_lr_on_plateau: ", option, " must be ", range, ", got ", got);
    };
    require_that(patience >= 0, "patience", "at least 0", patience);
    require_that(detail::is_finite(factor) && factor > 0 && factor < 1, "factor", "in (0, 1)", factor);
    require_that(detail::is_finite(min_delta) && min_delta >= 0, "min_delta", "finite and at least 0", min_delta);
    require_that(cooldown >= 0, "cooldown", "at least 0", cooldown);
    require_that(detail::is_finite(min_lr) && min_lr >= 0, "min_lr", "finite and at least 0", min_lr);
  }
};

// mutate all: train.plateau
namespace detail {

/// What `ReduceLROnPlateau` knows of the epochs so far.
class PlateauWatch {
 public:
  explicit PlateauWatch(const ReduceLROnPlateau& options) : options_(options) {}

  /// The learning rate after an epoch, by the rules of Keras.
  template <typename Scalar>
  [[nodiscard]] Scalar next(Scalar learning_rate, Scalar loss) {
    if (options_.patience == 0) return learning_rate;
    if (cooling_ > 0) {
      --cooling_;
      waited_ = 0;
    }
    if (double{loss} < best_ - options_.min_delta) {
      best_ = double{loss};
      waited_ = 0;
    } else if (cooling_ == 0 && ++waited_ >= options_.patience && double{learning_rate} > options_.min_lr) {
      cooling_ = options_.cooldown;
      waited_ = 0;
      const double lower = double{learning_rate} * options_.factor;
      return static_cast<Scalar>(lower > options_.min_lr ? lower : options_.min_lr);
    }
    return learning_rate;
  }

 private:
  ReduceLROnPlateau options_;
  double best_ = std::numeric_limits<double>::infinity();
  int waited_ = 0;
  int cooling_ = 0;
};

/// The loss that an epoch is judged by: the validation loss if there is one.
template <typename Scalar>
[[nodiscard]] Scalar monitored(const History<Scalar>& history, std::size_t epoch) {
  return history.validation_loss.empty() ? history.loss[epoch] : history.validation_loss[epoch];
}

}  // namespace detail
}  // namespace elegans
