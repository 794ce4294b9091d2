// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <elegans/core/sequence.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/data_source.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/fit_extras.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/fit_run.hpp>
#include <elegans/train/history.hpp>
#include <elegans/train/training_group.hpp>

namespace elegans {

namespace detail {

/// Explains what is wrong with the types of a call of `fit`. True if nothing is.
template <typename Model, typename Optimize, typename... Extras>
consteval bool check_fit_types() {
  using Scalar = typename Model::Scalar;
  static_assert(!std::is_const_v<Model>, "elegans::fit: the model is const, but training changes it");
  constexpr bool trains = std::is_const_v<Model> || TrainableModel<OwnModel<Model>>;
  static_assert(trains,
                "elegans::fit: the model lacks a member that training needs: see elegans::TrainableModel in "
                "elegans/train/concepts.hpp");
  constexpr bool descends = Optimizer<Optimize, Scalar>;
  static_assert(descends,
                "elegans::fit: the argument before the options must be an Optimizer of the model's Scalar: "
                "optimizer.step(VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient)");
  constexpr bool known = (FitExtras<OwnModel<std::remove_const_t<Model>>>::template is_known<Extras> && ...);
  static_assert(
      known,
      "elegans::fit: an argument after the options is none of these, with Scalar the model's: a callback, "
      "callable as callback(const Epoch<Scalar>&) and returning void or bool, or with on_epoch_end(model, epoch) or "
      "on_batch_end(model, batch); a loss, named by "
      "elegans::loss(...); a metric, callable as metric(prediction, target, weight) and with a name; a "
      "gradient transform, callable as transform(VectorView<Scalar> gradient, Scalar weight); a checkpoint");
  return !std::is_const_v<Model> && trains && descends && known;
}

/// Takes an argument of a call that no `fit` can take.
struct AnyArgument {
  template <typename Argument>
  AnyArgument(const Argument&);
};

/// Likewise, and says what the arguments must be.
struct ArgumentOfNoFit {
  template <typename Argument>
  ArgumentOfNoFit(const Argument&) {
    static_assert(
        sizeof(Argument) == 0,
        "elegans::fit: the arguments must be the model; a Dataset, or the sequences x and y; an optimizer; "
        "options, spelled as in FitOptions and of the model's Scalar, which may be {}; then callbacks, "
        "losses, metrics, gradient transforms or a checkpoint. The options are epochs, batch_size, grain, "
        "shuffle, drop_last, seed, validation_split, validation, patience, min_delta, restore_best_weights, "
        "monitor, schedule, schedule_by_batch, reduce_lr_on_plateau, clip, freeze, groups, loss_over, bptt_steps, "
        "stateful and show_progress, in this order");
  }
};

template <typename Model, typename Source, typename Optimize, typename... Extras>
History<typename Model::Scalar> fit_source(Model& model, Source& data, Optimize& optimizer,
                                           const FitOptions<typename Model::Scalar>& options, Extras&... extras) {
  using Optimizer = std::remove_reference_t<std::unwrap_reference_t<Optimize>>;
  if constexpr (check_fit_types<Model, Optimizer, Extras...>()) {
    Optimizer& descend = optimizer;
    return with_group(model, [&]<typename Own, typename Group>(Own& own, Group& group) {
      return FitRun<Own, Group, Source, Optimizer, Extras...>(own, group, data, descend, options, extras...).run();
    });
  } else {
    return {};
  }
}

}  // namespace detail

/// Trains a model.
///
///     elegans::Dataset<float> data{.x = x, .y = y, .mask = mask};
///     elegans::CsvLog log("training.csv");
///     auto history = elegans::fit(model, data, elegans::Adam<float>({.learning_rate = 0.01f}),
///                                 {.epochs = 200, .batch_size = 16, .validation_split = 0.1, .patience = 20},
///                                 elegans::loss(elegans::BinaryCrossEntropy{}), elegans::Accuracy{}, log);
///
/// The same seed gives the same run. If anything throws, model, optimizer and the files of `CsvLog` and `Checkpoint`
/// are as they were before the epoch that failed, or before the call.
///
/// \param model      a `TrainableModel`, or a `mpi::DataParallel` of one: then several processes train it together
/// \param data       a `Dataset`, or another `DataSource`, whose samples need not be in memory
/// \param optimizer  an `Optimizer`. `fit` works on a copy; pass `std::ref(optimizer)` to continue with it later
/// \param extras     in any order: the `loss` to train on, by default `MeanSquaredError`; each `Metric` and further
///                   `LossFunction` to report; each `GradientTransform`, applied in turn; each `Callback`,
///                   `EpochCallback` and `BatchCallback` to call; a `Checkpointer`. A single `LossFunction` without a
///                   named loss is the loss
/// \return the history of the training, and why it ended
/// \throws InvalidArgument if a shape differs, an option is out of range, no step counts, a loss does not accept a
///                         target, or a checkpoint is of another run
/// \throws RuntimeError    if a loss, a prediction on validation data, or a parameter is not finite; the message says
///                         where
template <typename Model, typename Optimize, typename... Extras>
History<typename Model::Scalar> fit(Model& model, const Dataset<typename Model::Scalar>& data, Optimize optimizer,
                                    const FitOptions<typename Model::Scalar>& options = {}, Extras&&... extras) {
  return detail::fit_source(model, data, optimizer, options, extras...);
}

/// The same for data that need not be in memory.
///
/// \param data  a `DataSource`: it is asked for each batch, and for each batch of samples that are held back to
/// validate
template <typename Model, typename Source, typename Optimize, typename... Extras>
  requires(DataSource<std::remove_reference_t<Source>, typename Model::Scalar> &&
           !std::same_as<std::remove_cvref_t<Source>, Dataset<typename Model::Scalar>>)
History<typename Model::Scalar> fit(Model& model, Source&& data, Optimize optimizer,
                                    const FitOptions<typename Model::Scalar>& options = {}, Extras&&... extras) {
  return detail::fit_source(model, data, optimizer, options, extras...);
}

/// The same for sequences without elapsed times, mask and weights.
///
///     auto history = elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = 0.01f}), {.epochs = 400});
///
/// \param x  (time, samples, input_dim), or a (time, input_dim) matrix for one sequence
/// \param y  (time, samples, targets), or (1, samples, targets) for a model that gives its last output only
template <typename Model, typename Optimize, typename... Extras>
History<typename Model::Scalar> fit(Model& model, const Sequence<typename Model::Scalar>& x,
                                    const Sequence<typename Model::Scalar>& y, Optimize optimizer,
                                    const FitOptions<typename Model::Scalar>& options = {}, Extras&&... extras) {
  return fit(model, Dataset<typename Model::Scalar>{.x = x, .y = y}, std::move(optimizer), options, extras...);
}

/// Refuses data of another scalar than the model's, float or double, at compile time.
template <typename Model, typename Other, typename Optimize, typename... Extras>
  requires(!std::same_as<Other, typename Model::Scalar>)
void fit(Model&, const Dataset<Other>&, Optimize, const FitOptions<typename Model::Scalar>& = {}, Extras&&...) {
  static_assert(std::same_as<Other, typename Model::Scalar>,
                "elegans::fit: the model and the data must have one scalar, float or double");
}

/// Refuses sequences of another scalar likewise.
template <typename Model, typename OfX, typename OfY, typename Optimize, typename... Extras>
  requires(!std::same_as<OfX, typename Model::Scalar> || !std::same_as<OfY, typename Model::Scalar>)
void fit(Model&, const Sequence<OfX>&, const Sequence<OfY>&, Optimize, const FitOptions<typename Model::Scalar>& = {},
         Extras&&...) {
  static_assert(std::same_as<OfX, typename Model::Scalar> && std::same_as<OfY, typename Model::Scalar>,
                "elegans::fit: the model, x and y must have one scalar, float or double");
}

/// Refuses everything else at compile time, such as an option that does not exist: the compiler's own message would
/// list all candidates, and name neither the option nor what the arguments mean.
template <typename Model>
void fit(Model&, detail::ArgumentOfNoFit, detail::AnyArgument, ...);

}  // namespace elegans
