// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include <elegans/mpi/session.hpp>
#include <elegans/train/callback.hpp>

namespace elegans::mpi {

/// A callback that rank 0 alone runs; made by `on_root`.
template <typename CallbackType>
class OnRoot {
  static_assert(
      !requires(CallbackType callback) { callback.roll_back(); },
      "elegans::mpi::on_root: rank 0 alone runs a Recorder, such as CsvLog, anyway");

 public:
  OnRoot(const Session& session, CallbackType callback)
      : is_root_(session.is_root()), callback_(std::forward<CallbackType>(callback)) {}

  /// See `Callback`.
  template <typename Scalar>
    requires Callback<std::remove_reference_t<CallbackType>, Scalar>
  bool operator()(const Epoch<Scalar>& epoch) {
    return !is_root_ || elegans::detail::wants_more([&] { return callback_(epoch); });
  }
  /// See `EpochCallback`.
  template <typename Model, typename Scalar>
    requires EpochCallback<std::remove_reference_t<CallbackType>, Model>
  bool on_epoch_end(Model& model, const Epoch<Scalar>& epoch) {
    return !is_root_ || elegans::detail::wants_more([&] { return callback_.on_epoch_end(model, epoch); });
  }
  /// See `BatchCallback`.
  template <typename Model, typename Scalar>
    requires BatchCallback<std::remove_reference_t<CallbackType>, Model>
  bool on_batch_end(Model& model, const BatchEnd<Scalar>& batch) {
    return !is_root_ || elegans::detail::wants_more([&] { return callback_.on_batch_end(model, batch); });
  }
  void finish() {
    if constexpr (requires { callback_.finish(); }) {
      if (is_root_) callback_.finish();
    }
  }

 private:
  bool is_root_;
  CallbackType callback_;
};

/// Lets rank 0 alone run a callback of `fit`, for example one that prints. If it stops the training, all ranks stop. It
/// must not change the model, as the other ranks' models would then differ.
///
///     elegans::fit(parallel, data, optimizer, options,
///                  elegans::mpi::on_root(session, [](const auto& epoch) { std::cout << epoch.loss << '\n'; }));
///
/// \param callback  a `Callback`, `EpochCallback` or `BatchCallback`. A named one is referred to, a temporary is kept
template <typename CallbackType>
[[nodiscard]] OnRoot<CallbackType> on_root(const Session& session, CallbackType&& callback) {
  return {session, std::forward<CallbackType>(callback)};
}

}  // namespace elegans::mpi
