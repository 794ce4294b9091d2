// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/step_weights.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

// mutate all: train.score_sums
/// A score, or several of them, that follow from sums.
template <typename S, typename Scalar>
concept SummedScore = SumMetric<S, Scalar> || MetricList<S, Scalar>;

/// The scores of parts of the data, such as grains, as one list of numbers that processes can exchange. A part has its
/// weight, then for each score the number of its sums, and these; or 0 and the mean.
///
/// Whoever has the list adds up the parts in their order. So the sums do not depend on who computed which part.
template <typename Scalar>
class ScoreRecords {
 public:
  void clear() noexcept { values_.clear(); }

  /// Begins a part. All of its scores must follow.
  void begin(Scalar weight) { values_.push_back(double{weight}); }
  /// Adds a loss or a mean metric.
  void add(Scalar mean) {
    values_.push_back(0);
    values_.push_back(double{mean});
  }
  /// Adds a `SummedScore`.
  template <typename Score>
  void add(const Score& score, const Sequence<Scalar>& prediction, const Sequence<Scalar>& target,
           const StepWeights<Scalar>& weights) {
    const auto count = static_cast<std::size_t>(score.sum_count(prediction.features(), target.features()));
    values_.push_back(static_cast<double>(count));
    values_.resize(values_.size() + count);
    VectorView<double> sums(values_.data() + (values_.size() - count), static_cast<Index>(count));
    // The weights of all pieces add up to 1 for a total of theirs, and are themselves for a total of 1.
    for_each_piece(weights, Scalar(1), prediction, target, [&](Index step, Index rows, const auto& weight) {
      score.add(piece(prediction, step, rows), piece(target, step, rows), weight, sums);
    });
  }

  /// Replaces the parts of this process by those of all processes of a group, in the order of their ranks.
  template <typename Group>
  void exchange(Group& group) {
    group.gather(values_, of_all_);
    values_.swap(of_all_);
  }

  [[nodiscard]] std::span<const double> values() const& noexcept { return values_; }

 private:
  std::vector<double> values_, of_all_;
};

/// Several scores over parts of the data: the weighted mean of each loss and mean metric, and the sums of each
/// `SummedScore`.
template <typename Scalar, std::size_t Count>
class ScoreSums {
 public:
  /// Forgets all parts.
  void clear() noexcept {
    means_ = {};
    weight_ = 0;
    for (Buffer<double>& sums : sums_) view(sums).setZero();
  }

  /// Adds parts, and calls visit(weight, first score) for each.
  template <typename Visit, typename... Scores>
  void add(const ScoreRecords<Scalar>& records, Visit visit, const Scores&... scores) {
    const std::span<const double> values = records.values();
    for (std::size_t at = 0; at < values.size();) {
      const double weight = values[at++];
      visit(static_cast<Scalar>(weight), values[at + 1]);
      std::size_t k = 0;
      const auto add_score = [&](const auto& score) {
        if (const auto count = static_cast<Index>(values[at++]); count == 0) {
          means_[k] += values[at++] * weight;
        } else {
          merge(score, sums_[k], {values.data() + at, count});
          at += static_cast<std::size_t>(count);
        }
        ++k;
      };
      (add_score(scores), ...);
      weight_ += weight;
    }
  }

  [[nodiscard]] double weight() const noexcept { return weight_; }
  [[nodiscard]] ConstVectorView<double> sums(std::size_t k) const& noexcept {
    return {sums_[k].data(), sums_[k].size()};
  }
  /// The value of score k.
  template <typename Score>
  [[nodiscard]] Scalar value(std::size_t k, const Score& score) const {
    if constexpr (SumMetric<Score, Scalar>) {
      return static_cast<Scalar>(score.value(sums(k)));
    } else {
      return static_cast<Scalar>(means_[k] / weight_);
    }
  }
  /// Calls visit(value) with the value of each score, and with each value of a `MetricList`.
  template <typename Visit, typename... Scores>
  void for_each_value(Visit visit, const Scores&... scores) const {
    std::size_t k = 0;
    const auto visit_score = [&]<typename Score>(const Score& score) {
      if constexpr (MetricList<Score, Scalar>) {
        score.for_each_value(sums(k), visit);
      } else {
        visit(value(k, score));
      }
      ++k;
    };
    (visit_score(scores), ...);
  }

 private:
  template <typename Score>
  static void merge([[maybe_unused]] const Score& score, Buffer<double>& sums, ConstVectorView<double> others) {
    if (sums.size() != others.size()) {
      sums.resize(others.size());
      view(sums).setZero();
    }
    if constexpr (requires { score.merge(view(sums), others); }) {
      score.merge(view(sums), others);
    } else {
      view(sums) += others;
    }
  }
  static VectorView<double> view(Buffer<double>& sums) noexcept { return {sums.data(), sums.size()}; }

  std::array<double, Count> means_{};
  double weight_ = 0;
  std::array<Buffer<double>, Count> sums_;
};

}  // namespace elegans::detail
