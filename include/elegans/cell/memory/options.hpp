// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/initial_values.hpp>

namespace elegans {

/// The options of the LSTM of a mixed memory. Both are about its initial values.
struct MemoryOptions {
  InitialValues initial_values = InitialValues::torch;  ///< ncps', or Keras', whose biases are 0
  /// The sum of the forget gate's fixed bias, 1 as in ncps, and of what is added to its initial bias: a gate begins at
  /// about sigmoid(forget_bias). The code of the paper on CfC has up to 2.1.
  double forget_bias = 1;
};

namespace detail {

/// \throws InvalidArgument if an option is out of its range
inline void check_options(const MemoryOptions& options) {
  if (!is_finite(options.forget_bias)) refuse("memory: forget_bias must be finite, got ", options.forget_bias);
}

}  // namespace detail
}  // namespace elegans
