// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/ltc/heun.hpp>
#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/runge_kutta.hpp>
#include <elegans/cell/ltc/semi_implicit.hpp>

namespace elegans::detail {

/// Calls body(solver) with the solver of that name. This is the only list of all solvers.
/// A solver has `stages`, `records`, `adds_epsilon`, `Scratch`, `Adjoint`, `step` and `step_backward`: see
/// `SemiImplicit`. To add one, write a header, add its name to `ODESolver`, and add a line here. A solver of the
/// Runge-Kutta family is only a `Tableau`: see cell/ltc/heun.hpp.
template <typename Body>
decltype(auto) with_solver(ODESolver solver, Body&& body) {
  switch (solver) {
    case ODESolver::explicit_euler:
      return body(RungeKutta{explicit_euler_tableau});
    case ODESolver::heun:
      return body(RungeKutta{heun_tableau});
    case ODESolver::runge_kutta:
      return body(RungeKutta{classical_tableau});
    case ODESolver::semi_implicit:
      break;
  }
  return body(SemiImplicit());
}

/// Room for a step of any solver.
// NOLINTBEGIN(misc-multiple-inheritance): each base is the room of one solver, found by its type.
template <typename Scalar, int Capacity>
struct SolverScratch : SemiImplicit::Scratch<Scalar, Capacity>, RungeKutta::Scratch<Scalar, Capacity> {};
template <typename Scalar>
struct SolverAdjoint : SemiImplicit::Adjoint<Scalar>, RungeKutta::Adjoint<Scalar> {};
// NOLINTEND(misc-multiple-inheritance)

}  // namespace elegans::detail
