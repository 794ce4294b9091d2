// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>
#include <vector>

namespace elegans {

/// What a callback is told after each epoch.
template <typename Scalar>
struct Epoch {
  int number;   ///< from 1 on
  int of;       ///< how many there will be
  Scalar loss;  ///< before this epoch's update
};

/// Called after each epoch; one that returns a bool stops the training by returning false.
template <typename C, typename Scalar>
concept Callback = std::invocable < C&,
        const Epoch<Scalar>
& > &&(std::is_void_v<std::invoke_result_t<C&, const Epoch<Scalar>&>> ||
       std::convertible_to<std::invoke_result_t<C&, const Epoch<Scalar>&>, bool>);

/// Why `fit` came back.
enum class StopReason { all_epochs, callback };

/// What `fit` saw.
template <typename Scalar>
struct History {
  std::vector<Scalar> loss;  ///< of each epoch, before its update
  StopReason stopped_by = StopReason::all_epochs;
};

}  // namespace elegans
