// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

#include <elegans/train/callback.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/loss_choice.hpp>
#include <elegans/train/training_state.hpp>

namespace elegans::detail {

template <typename Extra>
inline constexpr bool is_chosen_loss = false;
template <typename Function>
inline constexpr bool is_chosen_loss<ChosenLoss<Function>> = true;

/// The loss of a `fit` that is given none.
inline constexpr MeanSquaredError default_loss{};

/// Sorts the arguments of `fit` that follow the options, by their types alone: their order decides nothing.
template <typename Model, typename... Extras>
class FitExtras {
  using Scalar = typename Model::Scalar;
  template <typename Extra>
  static constexpr bool is_loss = LossFunction<Extra, Scalar> && !Metric<Extra, Scalar>;
  template <typename Extra>
  static constexpr bool is_score = LossFunction<Extra, Scalar> || Metric<Extra, Scalar> || MetricList<Extra, Scalar>;

  static constexpr std::size_t chosen_losses = (0 + ... + std::size_t{is_chosen_loss<std::remove_cv_t<Extras>>});
  static constexpr std::size_t plain_losses = (0 + ... + std::size_t{is_loss<Extras>});

 public:
  template <typename Extra>
  static constexpr bool is_known =
      is_chosen_loss<std::remove_cv_t<Extra>> || is_score<Extra> || Callback<Extra, Scalar> ||
      EpochCallback<Extra, Model> || BatchCallback<Extra, Model> || GradientTransform<Extra, Scalar> ||
      Checkpointer<Extra, Scalar>;
  static constexpr bool has_batch_callbacks = (BatchCallback<Extras, Model> || ...);
  static constexpr std::size_t checkpointers = (0 + ... + std::size_t{Checkpointer<Extras, Scalar>});

  static_assert(chosen_losses <= 1, "elegans::fit: there may be only one elegans::loss(...)");
  static_assert(chosen_losses == 1 || plain_losses <= 1,
                "elegans::fit: name the loss to train on, as elegans::loss(elegans::BinaryCrossEntropy{}); the other "
                "losses are then reported as metrics");
  static_assert(checkpointers <= 1, "elegans::fit: there may be only one checkpoint");

  /// \param is_root  whether this process is the first one of those that train the model: others keep no records
  FitExtras(bool is_root, Extras&... extras) : is_root_(is_root), all_(extras...) {}

  /// The loss to train on: the named one, or the only one, or the mean squared error.
  [[nodiscard]] const auto& loss() const noexcept { return find_loss<0>(); }

  /// Everything to report, as a tuple of references: the loss first, then the metrics in the order they were given.
  [[nodiscard]] auto scores() const {
    return std::tuple_cat(std::tie(loss()), select([]<typename Extra>() { return is_metric<Extra>; }));
  }
  [[nodiscard]] auto transforms() const {
    return select([]<typename Extra>() { return GradientTransform<Extra, Scalar>; });
  }

  /// Calls every callback after an epoch. False if one of them wants the training to stop.
  [[nodiscard]] bool end_epoch(Model& model, const Epoch<Scalar>& epoch) {
    bool more = true;
    for_each_callback([&]<typename Extra>(Extra& extra) {
      if constexpr (Callback<Extra, Scalar>) more = wants_more([&] { return extra(epoch); }) && more;
      if constexpr (EpochCallback<Extra, Model>) {
        more = wants_more([&] { return extra.on_epoch_end(model, epoch); }) && more;
      }
    });
    return more;
  }
  /// The same after a batch.
  [[nodiscard]] bool end_batch(Model& model, const BatchEnd<Scalar>& batch) {
    bool more = true;
    for_each_callback([&]<typename Extra>(Extra& extra) {
      if constexpr (BatchCallback<Extra, Model>) {
        more = wants_more([&] { return extra.on_batch_end(model, batch); }) && more;
      }
    });
    return more;
  }
  /// Tells every callback that no epoch follows.
  void finish_callbacks() {
    for_each_callback([]<typename Extra>(Extra& extra) {
      if constexpr (requires { extra.finish(); }) extra.finish();
    });
  }
  template <typename Visit>
  void for_each_recorder(Visit visit) {
    for_each_callback([&]<typename Extra>(Extra& extra) {
      if constexpr (Recorder<Extra, Scalar>) visit(extra);
    });
  }
  template <typename Visit>
  void for_each_checkpointer(Visit visit) {
    for_each([&]<typename Extra>(Extra& extra) {
      if constexpr (Checkpointer<Extra, Scalar>) visit(extra);
    });
  }

 private:
  template <typename Extra>
  static constexpr bool is_callback =
      Callback<Extra, Scalar> || EpochCallback<Extra, Model> || BatchCallback<Extra, Model>;

  template <typename Visit>
  void for_each(Visit visit) {
    std::apply([&](auto&... extras) { (visit(extras), ...); }, all_);
  }
  template <typename Visit>
  void for_each_callback(Visit visit) {
    for_each([&]<typename Extra>(Extra& extra) {
      if constexpr (is_callback<Extra>) {
        if (is_root_ || !Recorder<Extra, Scalar>) visit(extra);
      }
    });
  }

  template <typename Extra>
  static constexpr bool is_metric = is_score<Extra> && !(chosen_losses == 0 && is_loss<Extra>);

  template <std::size_t K>
  [[nodiscard]] const auto& find_loss() const noexcept {
    if constexpr (K == sizeof...(Extras)) {
      return default_loss;
    } else {
      using Extra = std::remove_cv_t<std::tuple_element_t<K, std::tuple<Extras...>>>;
      if constexpr (is_chosen_loss<Extra>) {
        static_assert(LossFunction<decltype(Extra::function), Scalar>,
                      "elegans::loss: the loss must be callable as loss(prediction, target, weight, d_prediction) and "
                      "return a Scalar, the model's: see elegans::LossFunction");
        return std::get<K>(all_).function;
      } else if constexpr (chosen_losses == 0 && is_loss<Extra>) {
        return std::get<K>(all_);
      } else {
        return find_loss<K + 1>();
      }
    }
  }

  /// The extras of a kind, as a tuple of references.
  template <typename Wanted>
  [[nodiscard]] auto select(Wanted) const {
    const auto pick = []<typename Extra>(Extra& extra) {
      if constexpr (Wanted{}.template operator()<Extra>()) {
        return std::tuple<Extra&>(extra);
      } else {
        return std::tuple<>();
      }
    };
    return std::apply([&](auto&... extras) { return std::tuple_cat(pick(extras)...); }, all_);
  }

  bool is_root_;
  std::tuple<Extras&...> all_;
};

}  // namespace elegans::detail
