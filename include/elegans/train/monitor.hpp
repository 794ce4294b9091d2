// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <elegans/core/error.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/history.hpp>

namespace elegans::detail {

// mutate all: train.monitor
/// The value that an epoch is judged by: see `FitOptions::monitor`.
template <typename Scalar>
class Monitor {
 public:
  /// Chooses a metric, or the loss for "". The metrics are in the order of the histories.
  /// \throws InvalidArgument if there is no metric of that name; the message lists all names
  template <typename... Metrics>
  void choose(const std::string& name, const History<Scalar>& history, const Metrics&...) {
    if (name.empty()) return;
    std::string names;
    for (std::size_t k = 0; k < history.metrics.size() && !metric_; ++k) {
      if (history.metrics[k].name == name) metric_ = k;
      names += (k ? ", " : "") + history.metrics[k].name;
    }
    if (!metric_) {
      refuse("fit: monitor must be the name of a metric, ", names.empty() ? "of which there is none" : names, ", got ",
             name);
    }
    std::size_t k = 0;
    ((larger_is_better_ = k++ == *metric_ ? !LossFunction<Metrics, Scalar> : larger_is_better_), ...);
  }

  /// The value of the last epoch, the smaller the better.
  [[nodiscard]] Scalar last(const History<Scalar>& history) const {
    if (!metric_) return (history.validation_loss.empty() ? history.loss : history.validation_loss).back();
    const auto& metric = history.metrics[*metric_];
    const Scalar value = (metric.validation.empty() ? metric.training : metric.validation).back();
    return larger_is_better_ ? -value : value;
  }

 private:
  std::optional<std::size_t> metric_;  // none for the loss
  bool larger_is_better_ = false;
};

}  // namespace elegans::detail
