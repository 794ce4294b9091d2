// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace elegans::detail {

/// What the generated C says of one layer. Its function is
///
///     static void <function>(const float *x, float elapsed, const float *state, float *next, float *y);
///
/// without `elapsed` if the elapsed time is fixed. A layer whose outputs are its whole state has no y: its next state
/// is the output.
struct CLayer {
  std::string function;
  std::string spoken;  ///< "LTC, 8 neurons"
  int inputs = 0;
  int outputs = 0;
  int state = 0;
  bool outputs_are_state = false;
  std::size_t stack_values = 0;  ///< in the arrays of its function
  double low = -1, high = 1;     ///< the states stay in [low, high], if they are bounded
  bool is_bounded = false;
  std::optional<double> state_limit{};  ///< the function works for states of at most this magnitude only
};

/// How a step is to be computed.
struct CStepOptions {
  std::optional<double> elapsed_time;  ///< of every step; else each call says its own

  [[nodiscard]] std::string elapsed_parameter() const { return or_nothing(", float elapsed"); }
  [[nodiscard]] std::string elapsed_argument() const { return or_nothing(", elapsed"); }

 private:
  [[nodiscard]] std::string or_nothing(const char* text) const { return elapsed_time ? "" : text; }
};

}  // namespace elegans::detail
