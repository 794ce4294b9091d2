// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/any_loss.hpp>
#include <elegans/train/class_scores.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/metric.hpp>
#include <elegans/train/r2_score.hpp>

namespace elegans {

// mutate all: metric.any
/// A metric of the library, or a loss that serves as one, that is chosen at run time: see `AnyMetrics`.
class AnyMetric {
  using Held = std::variant<Accuracy, Precision, Recall, F1, R2, AnyLoss>;

 public:
  const char* name;  ///< of the metric that this one is

  /// Holds a metric. \param metric  one of the library's, or a loss
  template <typename Metric>
    requires std::constructible_from<Held, Metric>
  AnyMetric(Metric metric) : name(metric.name), metric_(std::move(metric)) {}

  /// Whether a larger value is better: of a loss, a smaller one is.
  [[nodiscard]] bool larger_is_better() const noexcept { return !std::holds_alternative<AnyLoss>(metric_); }
  /// Whether the metric can compare so many outputs with so many targets.
  [[nodiscard]] bool accepts(Index outputs, Index targets) const {
    const auto accepts_in = [&](const auto& metric) -> bool {
      if constexpr (requires { metric.accepts(outputs, targets); }) return metric.accepts(outputs, targets);
      return outputs == targets;
    };
    return std::visit(accepts_in, metric_);
  }
  /// Null if the metric accepts a target of this value, else what it must be.
  template <typename Scalar>
  [[nodiscard]] const char* wanted_target(Scalar target, Index outputs, Index targets) const {
    const auto wanted_in = [&](const auto& metric) -> const char* {
      if constexpr (requires { metric.wanted_target(target, outputs, targets); }) {
        return metric.wanted_target(target, outputs, targets);
      }
      return nullptr;
    };
    return std::visit(wanted_in, metric_);
  }

  /// Calls visit(metric) with the metric in its own type.
  template <typename Visit>
  decltype(auto) visit(Visit&& visit) const {
    return std::visit(std::forward<Visit>(visit), metric_);
  }

 private:
  Held metric_;
};

/// Metrics that are chosen at run time, as many as there are. A program that lets its user choose then compiles `fit`
/// once per model, not once per model and choice.
///
///     elegans::AnyMetrics<float> metrics({elegans::Accuracy{}, elegans::F1()});
///     elegans::fit(model, data, optimizer, options, elegans::loss(elegans::BinaryCrossEntropy{}), metrics);
///
/// The history has each of them, as if it had been an argument of `fit` itself.
///
/// \tparam Scalar  float or double: the model's
template <typename Scalar>
class AnyMetrics {
 public:
  static constexpr const char* name = "metrics";  ///< in messages about all of them

  /// \throws InvalidArgument if there are two of one name
  explicit AnyMetrics(std::vector<AnyMetric> metrics = {}) : metrics_(std::move(metrics)) {
    for (std::size_t k = 0; k < metrics_.size(); ++k) {
      for (std::size_t other = 0; other < k; ++other) {
        if (std::string_view(metrics_[k].name) == metrics_[other].name) {
          detail::refuse("AnyMetrics: each metric must be there once, got ", metrics_[k].name, " twice");
        }
      }
    }
  }
  AnyMetrics(std::initializer_list<AnyMetric> metrics) : AnyMetrics(std::vector<AnyMetric>(metrics)) {}  ///< the same

  [[nodiscard]] std::span<const AnyMetric> metrics() const& noexcept { return metrics_; }

  // First comes the number of metrics, so that a list without any has a sum, too. The sums of each metric follow the
  // number of them.

  /// See `SumMetric`.
  [[nodiscard]] Index sum_count(Index outputs, Index targets) const {
    Index count = 1;
    for (const AnyMetric& metric : metrics_) count += 1 + count_of(metric, outputs, targets);
    return count;
  }
  /// See `SumMetric`.
  template <typename Weights>
  void add(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
           VectorView<double> sums) const {
    double* at = sums.data();
    *at++ = static_cast<double>(metrics_.size());
    for (const AnyMetric& any : metrics_) {
      const Index count = count_of(any, prediction.cols(), target.cols());
      *at++ = static_cast<double>(count);
      VectorView<double> own(at, count);
      any.visit([&]<typename Metric>(const Metric& metric) {
        if constexpr (SumMetric<Metric, Scalar>) {
          metric.add(prediction, target, weight, own);
        } else {
          own[0] += static_cast<double>(mean(metric, prediction, target, weight));
          own[1] += static_cast<double>(weight.sum());
        }
      });
      at += count;
    }
  }
  /// See `SumMetric`.
  void merge(VectorView<double> sums, ConstVectorView<double> others) const {
    sums[0] = others[0];
    Index at = 1;
    for (const AnyMetric& any : metrics_) {
      const auto count = static_cast<Index>(others[at]);
      sums[at++] = static_cast<double>(count);
      VectorView<double> own(sums.data() + at, count);
      const ConstVectorView<double> more(others.data() + at, count);
      any.visit([&](const auto& metric) {
        if constexpr (requires { metric.merge(own, more); }) {
          metric.merge(own, more);
        } else {
          own += more;
        }
      });
      at += count;
    }
  }
  /// The value of each metric, in their order: calls visit(value).
  template <typename Visit>
  void for_each_value(ConstVectorView<double> sums, Visit visit) const {
    Index at = 1;
    for (const AnyMetric& any : metrics_) {
      const auto count = static_cast<Index>(sums[at++]);
      const ConstVectorView<double> own(sums.data() + at, count);
      any.visit([&]<typename Metric>(const Metric& metric) {
        if constexpr (SumMetric<Metric, Scalar>) {
          visit(static_cast<Scalar>(metric.value(own)));
        } else {
          visit(static_cast<Scalar>(own[0] / own[1]));
        }
      });
      at += count;
    }
  }

 private:
  /// A mean is a sum, and the sum of the weights to divide it by.
  [[nodiscard]] static Index count_of(const AnyMetric& any, Index outputs, Index targets) {
    return any.visit([&]<typename Metric>(const Metric& metric) -> Index {
      if constexpr (SumMetric<Metric, Scalar>) return metric.sum_count(outputs, targets);
      return 2;
    });
  }

  template <typename Metric, typename Weights>
  [[nodiscard]] Scalar mean(const Metric& metric, ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target,
                            const Weights& weight) const {
    if constexpr (MeanMetric<Metric, Scalar>) {
      return metric(prediction, target, weight);
    } else {
      scratch_.resize((std::max)(scratch_.size(), prediction.size()));
      return metric(prediction, target, weight,
                    ArrayView<Scalar>(scratch_.data(), prediction.rows(), prediction.cols()));
    }
  }

  std::vector<AnyMetric> metrics_;
  mutable Buffer<Scalar> scratch_;  // for the derivatives of losses, which nobody wants
};

}  // namespace elegans
