// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <elegans/core/error.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/history.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

// mutate all: train.monitor
/// The value that an epoch is judged by: see `FitOptions::monitor`.
template <typename Scalar>
class Monitor {
 public:
  /// Begins the history of each metric, and chooses one of them, or the loss for "".
  /// \throws InvalidArgument if there is no metric of that name; the message lists all names
  template <typename... Metrics>
  void begin(const std::string& name, History<Scalar>& history, const Metrics&... metrics) {
    std::string names;
    [[maybe_unused]] const auto look = [&]<typename Metric>(const Metric& metric) {
      const char* const own = name_of_score(metric);
      if (!name.empty() && name == own && !metric_) {
        metric_ = history.metrics.size();
        larger_is_better_ = !LossFunction<Metric, Scalar>;
        if constexpr (requires { metric.larger_is_better(); }) larger_is_better_ = metric.larger_is_better();
      }
      names += (names.empty() ? "" : ", ") + std::string(own);
      history.metrics.push_back({own, {}, {}});
    };
    (for_each_score<Scalar>(metrics, look), ...);
    if (!name.empty() && !metric_) {
      refuse("fit: monitor must be the name of a metric, ", names.empty() ? "of which there is none" : names, ", got ",
             name);
    }
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
