// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace elegans {

/// The numbers that a network in C computes with.
enum class CArithmetic {
  float32,  ///< float, for every model
  q31,      ///< whole numbers of 32 bits: as exact as float, on cores without an FPU
  q15,      ///< weights and outputs of 16 bits: the fastest on cores without an FPU
  int8      ///< weights of 8 bits and outputs of 16, for a CfC: the smallest
};

/// How a network in q15 or int8 computes a sigmoid.
enum class CSigmoid {
  exact,  ///< to the last bits of a number, without a table
  table   ///< between the entries of a table of 514 bytes: within 3e-5, in fewer instructions
};

}  // namespace elegans
