// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace elegans {

/// Whose initial values the linear maps of a layer have.
enum class InitialValues {
  torch,  ///< those of ncps' or PyTorch's layer, to the bit
  /// Keras' distributions: weights Glorot-uniform, recurrent weights of an LSTM or GRU orthogonal, biases 0. The code
  /// of the papers on LTC and CfC starts so.
  keras
};

}  // namespace elegans
