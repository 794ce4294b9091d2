// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  bool is_in_place = false;      ///< reads and changes `state`, and has no `next`: no step fails
  std::size_t stack_values = 0;  ///< in the arrays of its function
  double low = -1, high = 1;     ///< the states stay in [low, high], if they are bounded
  bool is_bounded = false;
  std::optional<double> state_limit{};  ///< the function works for states of at most this magnitude only
};

/// What the generated C says of one layer in whole numbers. Its function changes the state in place:
///
///     static void <function>(const @number *x, <state_type> *v, @number *y);
///
/// without `v` if the layer has no state.
struct CFixedLayer {
  CLayer layer;
  std::string state_type;
  int state_bits = 0;              ///< fraction bits of the states
  int output_bits = 0;             ///< fraction bits of the outputs
  std::int64_t low = 0, high = 0;  ///< the states stay in [low, high]
  /// The parameters with the weights that the C has, if rounding changes them by much. The elapsed time is in them.
  std::vector<double> rounded{};
};

/// How a step is to be computed.
struct CStepOptions {
  std::optional<double> elapsed_time;  ///< of every step; else each call says its own

  bool is_alone = false;  ///< the network has one layer only, so that it may change its state in place

  [[nodiscard]] CStepOptions not_alone() const { return {elapsed_time, false}; }
  [[nodiscard]] std::string elapsed_parameter() const { return or_nothing(", float elapsed"); }
  [[nodiscard]] std::string elapsed_argument() const { return or_nothing(", elapsed"); }

 private:
  [[nodiscard]] std::string or_nothing(const char* text) const { return elapsed_time ? "" : text; }
};

}  // namespace elegans::detail
