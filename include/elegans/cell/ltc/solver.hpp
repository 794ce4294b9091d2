// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/ltc/heun.hpp>
#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/runge_kutta.hpp>
#include <elegans/cell/ltc/semi_implicit.hpp>

namespace elegans::detail {

/// The solver of a name.
/// A solver has `stages`, `records`, `adds_epsilon`, `Scratch`, `Adjoint`, `step` and `step_backward`: see
/// `SemiImplicit`. To add one, write a header, add its name to `ODESolver`, and add it here and in `with_solver`. A
/// solver of the Runge-Kutta family is only a `Tableau`: see cell/ltc/heun.hpp.
template <ODESolver name>
[[nodiscard]] constexpr auto make_solver() {
  if constexpr (name == ODESolver::explicit_euler) {
    return RungeKutta{explicit_euler_tableau};
  } else if constexpr (name == ODESolver::heun) {
    return RungeKutta{heun_tableau};
  } else if constexpr (name == ODESolver::runge_kutta) {
    return RungeKutta{classical_tableau};
  } else {
    return SemiImplicit();
  }
}

/// Calls body(solver) with the solver of that name.
template <typename Body>
decltype(auto) with_solver(ODESolver solver, Body&& body) {
  switch (solver) {
    case ODESolver::explicit_euler:
      return body(make_solver<ODESolver::explicit_euler>());
    case ODESolver::heun:
      return body(make_solver<ODESolver::heun>());
    case ODESolver::runge_kutta:
      return body(make_solver<ODESolver::runge_kutta>());
    case ODESolver::semi_implicit:
      break;
  }
  return body(make_solver<ODESolver::semi_implicit>());
}

/// Room for a step of any solver.
// NOLINTBEGIN(misc-multiple-inheritance): each base is the room of one solver, found by its type.
template <typename Scalar, int Capacity>
struct SolverScratch : SemiImplicit::Scratch<Scalar, Capacity>, RungeKutta::Scratch<Scalar, Capacity> {};
template <typename Scalar>
struct SolverAdjoint : SemiImplicit::Adjoint<Scalar>, RungeKutta::Adjoint<Scalar> {};
// NOLINTEND(misc-multiple-inheritance)

}  // namespace elegans::detail
