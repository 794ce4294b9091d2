// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace elegans {

/// The options of an `LSTM` or a `GRU` besides its sizes.
struct GatedOptions {
  bool return_sequences = true;  ///< true: the outputs of all steps; false: of the last step only
  std::uint64_t seed = 1;        ///< of the initial values, as `torch.manual_seed`
};

}  // namespace elegans
