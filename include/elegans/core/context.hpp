// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <elegans/core/mask.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// Everything about a sequence besides its values: elapsed times, the initial state, and the mask.
///
/// \tparam Units  state size of the model that runs the sequence, or Dynamic
template <typename Scalar, int Units = Dynamic>
struct Context {
  Timespans<Scalar> timespans{};                        ///< elapsed time of each step, 1 by default
  std::optional<State<Scalar, Units>> initial_state{};  ///< (batch, state_size), 0 by default
  Mask mask{};  ///< steps that exist, all by default; the others leave the state as it is
};

}  // namespace elegans
