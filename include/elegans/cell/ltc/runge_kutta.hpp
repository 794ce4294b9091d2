// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/ltc/options.hpp>

namespace elegans::detail {

/// An explicit Runge-Kutta method each of whose stages needs only the one before it: the s-th slope is
/// k[s] = f(v + reach[s] h k[s - 1]), and a sub-step v + h sum_s weight[s] k[s].
struct Tableau {
  int stages;
  double reach[4];
  double weight[4];
};

/// The fused step, which has no tableau, leaves one state a sub-step, as a method of one stage does.
constexpr Tableau tableau(ODESolver solver) {
  if (solver == ODESolver::runge_kutta) return {4, {0, 0.5, 0.5, 1}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}};
  return {1, {0}, {1}};
}

}  // namespace elegans::detail
