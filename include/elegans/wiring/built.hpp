// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/error.hpp>
#include <elegans/wiring/concepts.hpp>

namespace elegans::detail {

/// Builds a copy of a wiring for a number of inputs, and turns it into the type that a cell stores.
///
/// \tparam Stored  a `Wiring`, of fixed or dynamic sizes
/// \throws InvalidArgument if the wiring is, or can only be, built for another number of inputs
template <typename Stored, AnyWiring W>
Stored built(W wiring, int input_dim) {
  if constexpr (requires { wiring.build(input_dim); }) {
    wiring.build(input_dim);
  } else {
    if (!wiring.is_built() || wiring.input_dim() != input_dim) {
      refuse("the wiring must be built for input_dim ", input_dim, " and has no build(input_dim) to do so");
    }
  }
  return Stored(wiring);
}

}  // namespace elegans::detail
