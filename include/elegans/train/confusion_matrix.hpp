// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/metric.hpp>

namespace elegans {

// mutate all: metric.confusion
namespace detail {

/// Sums up the weights of each pair of a wanted and a given class.
struct ConfusionCounts : ClassTargets {
  static constexpr const char* name = "confusion_matrix";

  [[nodiscard]] static Index classes_of(Index outputs) { return (std::max)(outputs, Index{2}); }
  [[nodiscard]] static Index sum_count(Index outputs, Index) { return classes_of(outputs) * classes_of(outputs); }
  template <typename Scalar, typename Weights>
  static void add(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
                  VectorView<double> sums) {
    for (Index row = 0; row < prediction.rows(); ++row) {
      const auto w = static_cast<double>(weight.coeff(row));
      if (w == 0) continue;
      const Answer answer = answer_of<Scalar>(prediction, target, row);
      sums[answer.wanted + classes_of(prediction.cols()) * answer.given] += w;
    }
  }
  [[nodiscard]] static double value(ConstVectorView<double> sums) { return sums.sum(); }
};

}  // namespace detail

/// How often a classifier answers what: (classes, classes), where row i and column j hold the weight of the steps that
/// are of class i and were taken for class j. Each weight is 1 unless the data say otherwise. Outputs and targets are
/// those of `Accuracy`; one output makes two classes, no and yes. Mirrors scikit-learn's `confusion_matrix`.
///
///     std::cout << elegans::confusion_matrix(model, test) << '\n';
///
/// \param data  a `Dataset` or another `DataSource`
/// \throws as `evaluate`
template <TrainableModel Model, typename Source>
[[nodiscard]] OwnedArray<double> confusion_matrix(Model& model, Source&& data, const EvaluateOptions& options = {}) {
  const auto sums = detail::evaluate_sums(model, data, options, "confusion_matrix", detail::ConfusionCounts{});
  const ConstVectorView<double> counts = sums.sums(0);
  Index classes = 1;
  while (classes * classes < counts.size()) ++classes;
  return ConstArrayView<double>(counts.data(), classes, classes);
}

}  // namespace elegans
