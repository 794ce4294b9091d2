// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/metric.hpp>

namespace elegans {

/// The options of `F1`, `Precision` and `Recall`.
struct ClassScoreOptions {
  /// The class whose score is wanted. By default, with one output: class 1, yes; with several: the mean over all
  /// classes that are given or wanted at least once, which scikit-learn calls "macro".
  Index of_class = -1;
};

// mutate all: metric.class_scores
namespace detail {

/// Sums up, for each class, the weights of hits, false alarms and misses. With one output, for class 1 alone.
class ClassCounts : public ClassTargets {
 public:
  /// \throws InvalidArgument if the class is negative
  ClassCounts(const char* who, const ClassScoreOptions& options) : who_(who), options_(options) {
    if (options.of_class < -1) refuse(who, ": of_class must be at least 0, or -1 for all, got ", options.of_class);
  }

  [[nodiscard]] const ClassScoreOptions& options() const& noexcept { return options_; }
  [[nodiscard]] ClassScoreOptions options() const&& { return options(); }

  /// \throws InvalidArgument if there is no such class
  [[nodiscard]] Index sum_count(Index outputs, Index) const {
    if (outputs == 1 && options_.of_class == 0) refuse(who_, ": with one output, of_class must be 1, got 0");
    const Index classes = outputs == 1 ? 2 : outputs;
    if (options_.of_class >= classes) {
      refuse(who_, ": of_class must be below ", classes, ", the number of classes, got ", options_.of_class);
    }
    return 3 * outputs;
  }
  template <typename Scalar, typename Weights>
  void add(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
           VectorView<double> sums) const {
    const Index first = prediction.cols() == 1 ? 1 : 0;  // the class of the first sums
    for (Index row = 0; row < prediction.rows(); ++row) {
      const auto w = static_cast<double>(weight.coeff(row));
      if (w == 0) continue;
      const Answer answer = answer_of<Scalar>(prediction, target, row);
      const bool hit = answer.given == answer.wanted;
      if (answer.given >= first) sums[3 * (answer.given - first) + (hit ? 0 : 1)] += w;
      if (answer.wanted >= first && !hit) sums[3 * (answer.wanted - first) + 2] += w;
    }
  }

 protected:
  /// \param score_of  (hits, false alarms, misses) of a class -> its score
  template <typename ScoreOf>
  [[nodiscard]] double score(ConstVectorView<double> sums, ScoreOf score_of) const {
    const auto of = [&](Index c) { return score_of(sums[3 * c], sums[3 * c + 1], sums[3 * c + 2]); };
    if (sums.size() == 3) return of(0);
    if (options_.of_class >= 0) return of(options_.of_class);
    double sum = 0, classes = 0;
    for (Index c = 0; c < sums.size() / 3; ++c) {
      if (sums[3 * c] + sums[3 * c + 1] + sums[3 * c + 2] == 0) continue;
      sum += of(c);
      ++classes;
    }
    return ratio(sum, classes);
  }
  /// 0 / 0 is 0 here, as in scikit-learn.
  [[nodiscard]] static double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

 private:
  const char* who_;
  ClassScoreOptions options_;
};

}  // namespace detail

/// The share of a class among the answers that name it: hits / (hits + false alarms). Outputs and targets are those of
/// `Accuracy`. Mirrors scikit-learn's `precision_score`.
class Precision : public detail::ClassCounts {
 public:
  static constexpr const char* name = "precision";
  explicit Precision(const ClassScoreOptions& options = {}) : ClassCounts("Precision", options) {}
  [[nodiscard]] double value(ConstVectorView<double> sums) const {
    return score(sums, [](double hits, double alarms, double) { return ratio(hits, hits + alarms); });
  }
};

/// The share of a class that is found: hits / (hits + misses). Mirrors scikit-learn's `recall_score`; see `Precision`.
class Recall : public detail::ClassCounts {
 public:
  static constexpr const char* name = "recall";
  explicit Recall(const ClassScoreOptions& options = {}) : ClassCounts("Recall", options) {}
  [[nodiscard]] double value(ConstVectorView<double> sums) const {
    return score(sums, [](double hits, double, double misses) { return ratio(hits, hits + misses); });
  }
};

/// The harmonic mean of precision and recall: 2 hits / (2 hits + false alarms + misses). It suits classes of very
/// different sizes. Mirrors scikit-learn's `f1_score`; see `Precision`.
///
///     elegans::fit(model, data, optimizer, options, elegans::loss(elegans::BinaryCrossEntropy{}), elegans::F1());
class F1 : public detail::ClassCounts {
 public:
  static constexpr const char* name = "f1";
  explicit F1(const ClassScoreOptions& options = {}) : ClassCounts("F1", options) {}
  [[nodiscard]] double value(ConstVectorView<double> sums) const {
    return score(sums,
                 [](double hits, double alarms, double misses) { return ratio(2 * hits, 2 * hits + alarms + misses); });
  }
};

}  // namespace elegans
