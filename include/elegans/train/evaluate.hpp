// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/batch.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/data_source.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/not_finite.hpp>
#include <elegans/train/sample_order.hpp>
#include <elegans/train/score_sums.hpp>
#include <elegans/train/training_group.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans {

/// How `evaluate` takes the samples.
struct EvaluateOptions {
  Index batch_size = 0;  ///< samples at a time; 0 for all
  LossOver loss_over = LossOver::every_step;
};

// mutate all: train.evaluate
namespace detail {

/// The memory that `score_samples` reuses from call to call.
template <typename Scalar, int Units>
struct ScoreWorkspace {
  Batch<Scalar, Units> batch;
  Sequence<Scalar> scratch;
  ScoreRecords<Scalar> records;
};

/// Adds a model's scores over some samples to `sums`. The processes of a group share the batches.
///
/// \param who  begins the messages
/// \throws RuntimeError if a prediction or a loss is not finite
template <typename Model, typename Group, typename Source, typename Scalar = typename Model::Scalar, typename... Scores>
void score_samples(Model& model, Group& group, SourceReader<Source, Scalar>& reader, std::span<const Index> samples,
                   const EvaluateOptions& options, ScoreWorkspace<Scalar, Model::state_size_at_compile_time>& workspace,
                   const char* who, ScoreSums<Scalar, sizeof...(Scores)>& sums, const Scores&... scores) {
  auto& batch = workspace.batch;
  auto& records = workspace.records;
  records.clear();
  const auto count = static_cast<Index>(samples.size());
  const Index size = options.batch_size == 0 ? (std::max)(count, Index{1}) : options.batch_size;
  const Share mine = share_of((count + size - 1) / size, group.rank(), group.size());
  const auto first = static_cast<std::size_t>(mine.first * size);
  const auto own = samples.subspan(first, static_cast<std::size_t>((std::min)(mine.last * size, count)) - first);
  for_each_batch(own, size, false, [&](std::span<const Index> part) {
    reader.read(part, who);
    batch.gather(reader.data(), reader.numbers(), 0, reader.data().x.time(), options.loss_over);
    if (batch.total == Scalar(0)) return;
    const Sequence<Scalar> prediction = model(batch.x, batch.context);
    const BatchOrigin origin{who, 0, part};
    records.begin(batch.total);
    const auto add = [&]<typename Score>(const Score& score) {
      check_targets(score, prediction, batch.y, batch.weights, origin);
      const auto check_finite = [&](bool is_loss, Scalar value) {
        if (!all_finite(prediction.values()) || (is_loss && !is_finite(value))) {
          fail(who, ": ", name_of_score(score), " is ", value, ": ", why_not_finite(batch, prediction, origin));
        }
      };
      if constexpr (SummedScore<Score, Scalar>) {
        check_finite(false, std::numeric_limits<Scalar>::quiet_NaN());
        records.add(score, prediction, batch.y, batch.weights);
      } else {
        const Scalar value = weighted_score(score, prediction, batch.y, batch.weights, workspace.scratch);
        check_finite(LossFunction<Score, Scalar>, value);
        records.add(value);
      }
    };
    (add(scores), ...);
  });
  records.exchange(group);
  sums.add(records, [](Scalar, double) {}, scores...);
}

/// Adds up scores over all samples of a data source.
template <typename Model, typename Source, typename... Scores>
ScoreSums<typename Model::Scalar, sizeof...(Scores)> evaluate_sums(Model& model, Source& data,
                                                                   const EvaluateOptions& options, const char* who,
                                                                   const Scores&... scores) {
  using Scalar = typename Model::Scalar;
  static_assert(DataSource<Source, Scalar>,
                "elegans::evaluate: the data must be a Dataset or DataSource of the "
                "model's Scalar");
  if (options.batch_size < 0) {
    refuse(who, ": batch_size must be at least 1, or 0 for all, got ", options.batch_size);
  }
  const std::vector<Index> samples = numbers(0, data.samples());
  if constexpr (SourceReader<Source, Scalar>::in_memory) {
    check_dataset(data, who);
    require_weight(data, samples, who);
  }
  SourceReader<Source, Scalar> reader(data);
  ScoreWorkspace<Scalar, Model::state_size_at_compile_time> workspace;
  ScoreSums<Scalar, sizeof...(Scores)> sums;
  with_group(model, [&](auto& own, auto& group) {
    [[maybe_unused]] const auto watch = group.watch();
    score_samples(own, group, reader, samples, options, workspace, who, sums, scores...);
  });
  if (sums.weight() == 0) refuse(who, ": no step of ", samples.size(), " samples counts, so there is no loss");
  return sums;
}

template <typename Model, typename Source, typename Scalar = typename Model::Scalar, typename... Scores>
std::array<Scalar, sizeof...(Scores)> evaluate_source(Model& model, Source& data, const EvaluateOptions& options,
                                                      const Scores&... scores) {
  static_assert(sizeof...(Scores) > 0, "elegans::evaluate: say which losses or metrics, as the last arguments");
  static_assert(((LossFunction<Scores, Scalar> || Metric<Scores, Scalar>) && ...),
                "elegans::evaluate: the last arguments must be losses or metrics");
  const auto sums = evaluate_sums(model, data, options, "evaluate", scores...);
  std::size_t k = 0;
  return {[&] {
    const Scalar value = sums.value(k, scores);
    ++k;
    return value;
  }()...};
}

}  // namespace detail

/// Scores a model on a data set: each loss or metric.
///
///     const auto scores = elegans::evaluate(model, test, {}, elegans::BinaryCrossEntropy{}, elegans::Accuracy{});
///
/// \param model   a model, or a `Session` of one; the processes of a `mpi::DataParallel` share the batches
/// \param scores  losses or metrics
/// \return  one value per score, in their order
/// \throws InvalidArgument if a shape differs, if no step counts, or if a loss does not accept a target
/// \throws RuntimeError    if a prediction or a loss is not finite; the message says where
template <PredictingModel Model, typename... Scores>
std::array<typename Model::Scalar, sizeof...(Scores)> evaluate(Model& model,
                                                               const Dataset<typename Model::Scalar>& data,
                                                               const EvaluateOptions& options,
                                                               const Scores&... scores) {
  return detail::evaluate_source(model, data, options, scores...);
}

/// The same for data that need not be in memory. \param data  a `DataSource`
template <TrainableModel Model, typename Source, typename... Scores>
  requires(DataSource<std::remove_reference_t<Source>, typename Model::Scalar> &&
           !std::same_as<std::remove_cvref_t<Source>, Dataset<typename Model::Scalar>>)
std::array<typename Model::Scalar, sizeof...(Scores)> evaluate(Model& model, Source&& data,
                                                               const EvaluateOptions& options,
                                                               const Scores&... scores) {
  return detail::evaluate_source(model, data, options, scores...);
}

}  // namespace elegans
