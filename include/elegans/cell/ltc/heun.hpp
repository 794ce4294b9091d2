// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/ltc/runge_kutta.hpp>

namespace elegans::detail {

// mutate: ltc.heun_tableau
/// Heun's method: the mean of the slopes at both ends of a sub-step, the second one as Euler's method predicts it.
/// Second order. Heun, Neue Methode zur approximativen Integration der Differentialgleichungen, 1900.
inline constexpr Tableau heun_tableau{2, {0, 1}, {0.5, 0.5}};

}  // namespace elegans::detail
