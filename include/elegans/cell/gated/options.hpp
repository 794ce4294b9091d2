// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/core/initial_values.hpp>

namespace elegans {

/// The options of an `LSTM` or a `GRU` besides its sizes.
struct GatedOptions {
  bool return_sequences = true;  ///< true: the outputs of all steps; false: of the last step only
  std::uint64_t seed = 1;        ///< of the initial values, as `torch.manual_seed`
  InitialValues initial_values = InitialValues::torch;
  double forget_bias = 0;  ///< added to the initial bias of an LSTM's forget gate; Keras has 1, a GRU has no such gate
};

}  // namespace elegans
