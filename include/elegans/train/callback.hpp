// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <type_traits>

#include <elegans/train/history.hpp>

namespace elegans {

/// What a callback is told after each epoch.
template <typename Scalar>
struct Epoch {
  int number = 0;                                    ///< from 1 on
  int of = 0;                                        ///< how many there will be
  Scalar loss{};                                     ///< mean over its batches, each before its update
  std::optional<Scalar> validation_loss{};           ///< after it, if there is validation data
  std::optional<Scalar> learning_rate{};             ///< if the optimizer has one
  std::span<const MetricHistory<Scalar>> metrics{};  ///< up to this epoch
};

/// Called after each epoch; one that returns a bool stops the training by returning false.
///
/// Optional: `finish()`, called when the training ends, also if by a loss that is not finite.
template <typename C, typename Scalar>
concept Callback = requires(C& callback, const Epoch<Scalar>& epoch) {
  callback(epoch);
  requires std::is_void_v<decltype(callback(epoch))> || std::convertible_to<decltype(callback(epoch)), bool>;
};

namespace detail {

/// False if it wants the training to stop.
template <typename C, typename Scalar>
bool goes_on(C& callback, const Epoch<Scalar>& epoch) {
  if constexpr (std::is_void_v<decltype(callback(epoch))>) {
    callback(epoch);
    return true;
  } else {
    return static_cast<bool>(callback(epoch));
  }
}

}  // namespace detail
}  // namespace elegans
