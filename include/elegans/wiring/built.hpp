// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/error.hpp>
#include <elegans/wiring/concepts.hpp>

namespace elegans::detail {

/// A copy of the wiring that knows its number of inputs, as the base class that a cell keeps.
template <typename Kept, AnyWiring W>
Kept built(W wiring, int input_dim) {
  if constexpr (requires { wiring.build(input_dim); }) {
    wiring.build(input_dim);
  } else {
    if (!wiring.is_built() || wiring.input_dim() != input_dim) {
      refuse("the wiring must be built for input_dim ", input_dim, " and has no build(input_dim) to do so");
    }
  }
  return Kept(wiring);
}

}  // namespace elegans::detail
