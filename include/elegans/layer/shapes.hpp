// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

// The checks of shapes that all layers share, so that each mistake has one message.

/// \throws InvalidArgument unless the state is (batch, state_size)
///
/// \param what  the function and what it calls the state: "forward: the initial state"
template <typename AnyState>
void require_state_shape(const char* what, const AnyState& state, Index batch, Index state_size) {
  if (state.batch() == batch && state.units() == state_size) return;
  refuse(what, " must be (batch, state_size) = (", batch, ", ", state_size, "), got (", state.batch(), ", ",
         state.units(), ")");
}

/// \throws InvalidArgument unless a layer can run over these inputs with this context
template <typename Scalar, int Units>
void require_forward_shape(const Sequence<Scalar>& x, const Context<Scalar, Units>& context, Index input_dim,
                           Index state_size) {
  if (x.features() != input_dim || x.time() < 1 || x.batch() < 1) {
    refuse("forward: x must be (time >= 1, batch >= 1, input_dim = ", input_dim, "), got (", x.time(), ", ", x.batch(),
           ", ", x.features(), ")");
  }
  context.timespans.require_shape(x.time(), x.batch());
  context.mask.require_shape(x.time(), x.batch());
  if (context.initial_state) {
    require_state_shape("forward: the initial state", *context.initial_state, x.batch(), state_size);
  }
}

/// \throws InvalidArgument unless the adjoints have the shapes of the outputs and of the state
template <typename Scalar, typename AnyState>
void require_backward_shape(const Sequence<Scalar>& d_output, const AnyState* d_final_state,
                            const Sequence<Scalar>& output, Index state_size) {
  if (d_output.time() != output.time() || d_output.batch() != output.batch() ||
      d_output.features() != output.features()) {
    refuse("backward: d_output must be (", output.time(), ", ", output.batch(), ", ", output.features(), "), got (",
           d_output.time(), ", ", d_output.batch(), ", ", d_output.features(), ")");
  }
  if (d_final_state) {
    require_state_shape("backward: d_final_state", *d_final_state, output.batch(), state_size);
  }
}

}  // namespace elegans::detail
