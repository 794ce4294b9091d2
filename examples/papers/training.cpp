// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include "training.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <iomanip>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include <elegans/io/checkpoint.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/class_scores.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/metric.hpp>
#include <elegans/train/rmsprop.hpp>

namespace papers {

namespace {

/// The loss of the task ozone: the cross-entropy times 1.6 on days of ozone and 0.1 on others. As in the paper's code,
/// its mean is one over steps, and not over these weights.
struct OzoneCrossEntropy : elegans::SoftmaxCrossEntropy {
  template <typename Weights>
  Scalar operator()(elegans::ConstArrayView<Scalar> logits, elegans::ConstArrayView<Scalar> target,
                    const Weights& weight, elegans::ArrayView<Scalar> d_logits) const {
    const Eigen::Array<Scalar, Eigen::Dynamic, 1> of_classes =
        weight * (target.col(0) > Scalar(0.5)).select(Eigen::ArrayXf::Constant(target.rows(), 1.6f), Scalar(0.1));
    return elegans::SoftmaxCrossEntropy::operator()(logits, target, of_classes, d_logits);
  }
};

/// Seconds that this thread has computed.
double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The learning rate falls with every batch.
elegans::Schedule schedule_of(const Training& training, Index batches) {
  if (training.cosine) return elegans::CosineDecay{};
  if (training.decay == 1) return {};
  return [=](std::int64_t step, std::int64_t) {
    return std::pow(training.decay, static_cast<double>(step) / static_cast<double>(batches));
  };
}

/// Limits on the gradient of each tensor, and the L2 penalty of a CfC's weights: those of its backbone and its heads.
std::vector<elegans::ParameterGroup> groups_of(const Training& training, const Model& model) {
  if (!std::isfinite(training.tensor_norm) && training.kernel_l2 == 0) return {};
  elegans::ParameterGroup kernels{.weight_decay = 2 * training.kernel_l2, .tensor_norm = training.tensor_norm};
  elegans::ParameterGroup others{.tensor_norm = training.tensor_norm};
  for (const elegans::Parameter& entry : model.parameter_list()) {
    const auto has = [&](const char* part) { return entry.name.find(part) != std::string::npos; };
    const bool is_kernel = entry.name.ends_with(".weight") && (has("backbone") || has("0.ff") || has("0.time_"));
    (is_kernel ? kernels : others).parameters.push_back(entry.name);
  }
  std::vector<elegans::ParameterGroup> groups;
  for (auto& group : {kernels, others}) {
    if (!group.parameters.empty()) groups.push_back(group);
  }
  return groups;
}

/// A training, and the test score of the model that it ends with. \param metrics  none, or the one that is reported
template <typename Optimizer, typename Loss, typename... Metrics>
elegans::History<Scalar> fit_and_score(const Task& task, const Data& data, const Contender& contender, Model& model,
                                       int seed, int epochs, elegans::Checkpoint& checkpoint,
                                       const std::function<void(const elegans::Epoch<Scalar>&)>& report, double& score,
                                       const Optimizer& optimizer, const Loss& loss, const Metrics&... metrics) {
  const Training& training = contender.training;
  // A task without validation data shows its test score after each epoch, and reports the last one.
  const elegans::Dataset<Scalar>& validation = data.validation.samples() > 0 ? data.validation : data.test;
  const Index samples = data.training.samples();
  const Index batches =
      training.drop_last ? samples / training.batch_size : (samples + training.batch_size - 1) / training.batch_size;
  std::string monitor;
  if (task.best_epoch) ((monitor = metrics.name), ...);
  const auto history = elegans::fit(model, data.training, optimizer,
                                    {.epochs = epochs,
                                     .batch_size = training.batch_size,
                                     .drop_last = training.drop_last,
                                     .seed = static_cast<std::uint64_t>(seed),
                                     .validation = validation,
                                     .restore_best_weights = task.best_epoch,
                                     .monitor = monitor,
                                     .schedule = schedule_of(training, batches),
                                     .schedule_by_batch = training.cosine || training.decay != 1,
                                     .clip = {.global_norm = training.global_norm},
                                     .groups = groups_of(training, model),
                                     .show_progress = false},
                                    elegans::loss(loss), metrics..., checkpoint, report);
  if constexpr (sizeof...(Metrics) > 0) {
    score = double{elegans::evaluate(model, data.test, {.batch_size = training.batch_size}, metrics...)[0]};
  } else {
    score = double{elegans::evaluate(model, data.test, {.batch_size = training.batch_size}, loss)[0]};
  }
  return history;
}

/// Calls body(loss, metrics...) with what a task measures.
template <typename Body>
auto with_measure(Measure measure, Body body) {
  switch (measure) {
    case Measure::accuracy:
      return body(elegans::SoftmaxCrossEntropy{}, elegans::Accuracy{});
    case Measure::f1_of_class_1:
      return body(OzoneCrossEntropy{}, elegans::F1({.of_class = 1}));
    case Measure::yes_or_no:
      return body(elegans::BinaryCrossEntropy{}, elegans::Accuracy{});
    case Measure::mean_squared_error:
      break;
  }
  return body(elegans::MeanSquaredError{});
}

void write_losses(const elegans::History<Scalar>& history, const std::filesystem::path& path) {
  std::vector<std::string> names{"epoch", "training", "validation"};
  for (const auto& metric : history.metrics) names.insert(names.end(), {metric.name, "validation_" + metric.name});
  elegans::write_file(
      path, examples::csv(names, static_cast<Eigen::Index>(history.loss.size()), [&](Eigen::Index e, std::size_t c) {
        const auto at = static_cast<std::size_t>(e);
        if (c == 0) return static_cast<Scalar>(e + 1);
        if (c == 1) return history.loss[at];
        if (c == 2) return history.validation_loss[at];
        return c == 3 ? history.metrics[0].training[at] : history.metrics[0].validation[at];
      }));
}

/// Existing synapses of the LTCs in a model.
int synapses_of(Model& model) {
  int synapses = 0;
  model.visit([&]<typename Held>(Held& held) {
    if constexpr (std::is_same_v<Held, elegans::LTC<Scalar>>) {
      synapses = held.wiring().synapse_count() + held.wiring().sensory_synapse_count();
    } else if constexpr (std::is_same_v<Held, elegans::Stack<Model>>) {
      for (std::size_t k = 0; k < held.size(); ++k) synapses += synapses_of(held.layer(k));
    }
  });
  return synapses;
}

}  // namespace

Outcome train(const Task& task, const Data& data, const Contender& contender, Model& model, int seed, int epochs,
              const std::filesystem::path& prefix, const std::function<void(const std::string&)>& say) {
  const auto file = [&](const char* end) {
    return std::filesystem::path(elegans::detail::concatenate(prefix.string(), "_", contender.name, "_", seed, end));
  };
  Outcome outcome{.model = contender.name, .seed = seed, .epochs = epochs};
  outcome.parameters = model.parameters().size();
  outcome.synapses = synapses_of(model);
  elegans::Checkpoint checkpoint(file(".safetensors"), {.seconds = 10});
  if (elegans::TrainingState<Scalar> found; checkpoint.load(found)) outcome.resumed_after = found.epochs;
  if (outcome.resumed_after > epochs) {
    elegans::detail::refuse(checkpoint.path().string(), ": is of epoch ", outcome.resumed_after, ", behind the last, ",
                            epochs, ": train more epochs, or in another folder");
  }

  const double start = thread_seconds();
  auto said = std::chrono::steady_clock::now();
  const auto report = [&](const elegans::Epoch<Scalar>& epoch) {
    const auto now = std::chrono::steady_clock::now();
    if (now - said < std::chrono::seconds(10)) return;
    said = now;
    std::ostringstream line;
    line << contender.name << ", seed " << seed << ": epoch " << epoch.number << " of " << epoch.of << ", loss "
         << std::setprecision(4) << epoch.loss << ", validation loss " << *epoch.validation_loss;
    for (const auto& metric : epoch.metrics) line << ", " << metric.name << " " << metric.validation.back();
    line << ", " << std::fixed << std::setprecision(0) << thread_seconds() - start << " s";
    say(line.str());
  };
  const auto history = with_measure(task.measure, [&](const auto& loss, const auto&... metrics) {
    const auto with = [&](const auto& optimizer) {
      return fit_and_score(task, data, contender, model, seed, epochs, checkpoint, report, outcome.score, optimizer,
                           loss, metrics...);
    };
    const Training& training = contender.training;
    if (training.rmsprop) {
      return with(elegans::RMSprop<Scalar>({.learning_rate = training.learning_rate, .epsilon = training.epsilon}));
    }
    return with(elegans::Adam<Scalar>({.learning_rate = training.learning_rate, .epsilon = training.epsilon}));
  });
  outcome.seconds = thread_seconds() - start;
  outcome.best_epoch = task.best_epoch ? history.best_epoch : epochs;
  elegans::save(model, file("_model.safetensors"));
  write_losses(history, file("_losses.csv"));
  return outcome;
}

}  // namespace papers
