// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <utility>

#include <elegans/cell/ltc/solver.hpp>
#include <elegans/simd/layout.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

/// Membranes without synapses, N = v and D = v: cm dv/dt = v - v^2, the logistic equation, whose solution is known. The
/// interface is that of `Membrane`.
struct LogisticMembrane {
  static constexpr Index count = 5;

  struct Scratch {};
  struct Adjoint {
    Buffer<double> cm;
  };

  [[nodiscard]] static double capacitance(Index i) { return 0.4 + 0.1 * static_cast<double>(i); }
  [[nodiscard]] static Index units() { return count; }
  template <LaneLayout Lanes>
  [[nodiscard]] static Index record_size() {
    return 0;
  }
  template <LaneLayout Lanes>
  [[nodiscard]] static typename Lanes::Packet cm(Index block) {
    double values[16]{};
    for (Index i = 0; i < 16; ++i) values[i] = capacitance(i);
    return Lanes::per_neuron(values, block);
  }
  template <LaneLayout Lanes, typename Finish>
  void drive(const double* v, Scratch&, double*, const Finish& finish) const {
    for (Index block = 0; block < Lanes::blocks(count); ++block) {
      const auto at = load<typename Lanes::Packet>(v + block * Lanes::lanes);
      finish(block, at, at);
    }
  }
  template <LaneLayout Lanes, typename Respond>
  void drive_backward(const double* v, Scratch&, double*, const Respond& respond, double* d_v, Adjoint&) const {
    using P = typename Lanes::Packet;
    for (Index block = 0; block < Lanes::blocks(count); ++block) {
      const P at = load<P>(v + block * Lanes::lanes);
      const std::pair<P, P> response = respond(block, at, at);
      add_to(d_v + block * Lanes::lanes, response.first + response.second);
    }
  }
};

/// The end of some sub-steps of length h, term by term as textbooks write them.
double textbook(ODESolver solver, double v, double h, double cm, int unfolds) {
  const auto f = [&](double at) { return (at - at * at) / cm; };
  for (int l = 0; l < unfolds; ++l) {
    const double k1 = f(v);
    switch (solver) {
      case ODESolver::semi_implicit:
        v = (cm * v + h * v) / (cm + h * v);
        break;
      case ODESolver::explicit_euler:
        v += h * k1;
        break;
      case ODESolver::heun:
        v += h / 2 * (k1 + f(v + h * k1));
        break;
      case ODESolver::runge_kutta: {
        const double k2 = f(v + h / 2 * k1), k3 = f(v + h / 2 * k2), k4 = f(v + h * k3);
        v += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
        break;
      }
    }
  }
  return v;
}

double start_of(Index i, Index b) { return 0.2 + 0.11 * static_cast<double>(i) + 0.05 * static_cast<double>(b); }
double length_of(Index b) { return 0.1 + 0.03 * static_cast<double>(b); }

/// Runs a solver forward and back.
template <typename Lanes>
void check_solver(ODESolver chosen, int unfolds) {
  using P = typename Lanes::Packet;
  CAPTURE(static_cast<int>(chosen), unfolds, Lanes::single, Lanes::lanes);
  constexpr Index count = LogisticMembrane::count;
  const Index size = extent<Lanes>(count);
  with_solver(chosen, [&]<typename Solver>(const Solver& solver) {
    const LogisticMembrane membrane;
    LogisticMembrane::Scratch none;
    LogisticMembrane::Adjoint sums{Buffer<double>(size)};
    typename Solver::template Scratch<double, Dynamic> scratch;
    typename Solver::template Adjoint<double> adjoint;
    scratch.reserve(size);
    adjoint.reset(size);
    double lengths[Lanes::samples];
    for (Index b = 0; b < Lanes::samples; ++b) lengths[b] = length_of(b);
    const P h = Lanes::per_sample(lengths);
    Buffer<double> memory((Index{unfolds} * solver.stages + 1) * size), turns(2 * size);
    for (Buffer<double>* states : {&memory, &turns}) {
      to_lanes<Lanes>(count, Lanes::samples, states->data(), [](Index b, Index i) { return start_of(i, b); });
    }
    const Step<Lanes> step{.x = nullptr, .elapsed = nullptr, .states = Tape<double>(memory.data(), size, true)};
    solver.step(membrane, h, unfolds, step, none, scratch);
    const Step<Lanes> without{.x = nullptr, .elapsed = nullptr, .states = Tape<double>(turns.data(), size, false)};
    solver.step(membrane, h, unfolds, without, none, scratch);
    const Index last = Index{unfolds} * solver.stages;
    for (Index i = 0; i < count; ++i) {
      for (Index b = 0; b < Lanes::samples; ++b) {
        const double wanted = textbook(chosen, start_of(i, b), lengths[b], LogisticMembrane::capacitance(i), unfolds);
        CHECK(step.states(last)[Lanes::index(i, b)] == Approx(wanted).epsilon(1e-14));
        CHECK(without.states(last)[Lanes::index(i, b)] == step.states(last)[Lanes::index(i, b)]);
      }
    }

    // Back, against differences of the textbook's result, for a loss of sum((1 + i) v_i).
    Buffer<double> d_state(size);
    to_lanes<Lanes>(count, Lanes::samples, d_state.data(), [](Index, Index i) { return 1.0 + static_cast<double>(i); });
    const P d_h = solver.step_backward(membrane, h, unfolds, step, d_state.data(), none, sums, scratch, adjoint);
    double d_lengths[Lanes::samples]{};
    Lanes::add_to_samples(d_lengths, d_h);
    constexpr double change = 1e-6;
    for (Index b = 0; b < Lanes::samples; ++b) {
      double wanted_d_h = 0;
      for (Index i = 0; i < count; ++i) {
        const double v = start_of(i, b), cm = LogisticMembrane::capacitance(i), weight = 1 + static_cast<double>(i);
        const auto slope = [&](auto end_at) { return weight * (end_at(change) - end_at(-change)) / (2 * change); };
        CHECK(d_state[Lanes::index(i, b)] ==
              Approx(slope([&](double x) { return textbook(chosen, v + x, lengths[b], cm, unfolds); })).margin(1e-8));
        CHECK(sums.cm[Lanes::index(i, b)] ==
              Approx(slope([&](double x) { return textbook(chosen, v, lengths[b], cm + x, unfolds); })).margin(1e-8));
        wanted_d_h += slope([&](double x) { return textbook(chosen, v, lengths[b] + x, cm, unfolds); });
      }
      CHECK(d_lengths[b] == Approx(wanted_d_h).margin(1e-8));
    }
  });
}

/// How far a solver ends from the solution at time 1, over the five membranes.
double error_of(ODESolver chosen, int unfolds) {
  using Lanes = NeuronLanes<double, 1>;
  constexpr Index count = LogisticMembrane::count;
  double error = 0;
  with_solver(chosen, [&]<typename Solver>(const Solver& solver) {
    LogisticMembrane::Scratch none;
    typename Solver::template Scratch<double, Dynamic> scratch;
    scratch.reserve(count);
    Buffer<double> memory(2 * count);
    for (Index i = 0; i < count; ++i) memory[i] = start_of(i, 0);
    const Step<Lanes> step{.x = nullptr, .elapsed = nullptr, .states = Tape<double>(memory.data(), count, false)};
    solver.step(LogisticMembrane(), Lanes::Packet(1.0 / unfolds), unfolds, step, none, scratch);
    const double* const end = step.states(Index{unfolds} * solver.stages);
    for (Index i = 0; i < count; ++i) {
      const double truth = 1 / (1 + (1 / start_of(i, 0) - 1) * std::exp(-1 / LogisticMembrane::capacitance(i)));
      error = (std::max)(error, (std::abs)(end[i] - truth));
    }
  });
  return error;
}

constexpr ODESolver all_solvers[] = {ODESolver::semi_implicit, ODESolver::explicit_euler, ODESolver::heun,
                                     ODESolver::runge_kutta};

}  // namespace

TEST_CASE("The sub-steps of every solver are the textbook's, and so are their adjoints", "[cell][ltc][solver]") {
  for (const ODESolver solver : all_solvers) {
    for (const int unfolds : {1, 2, 5}) {
      check_solver<BatchLanes<double, full_lanes<double>>>(solver, unfolds);
      check_solver<BatchLanes<double, fewest_lanes<double>>>(solver, unfolds);
      check_solver<NeuronLanes<double, full_lanes<double>>>(solver, unfolds);
      check_solver<NeuronLanes<double, 1>>(solver, unfolds);
    }
  }
}

TEST_CASE("Every solver converges to the solution with its order", "[cell][ltc][solver]") {
  const auto order = [](ODESolver solver, int unfolds) {
    return std::log2(error_of(solver, unfolds) / error_of(solver, 2 * unfolds));
  };
  CHECK(order(ODESolver::semi_implicit, 256) == Approx(1).margin(0.05));
  CHECK(order(ODESolver::explicit_euler, 256) == Approx(1).margin(0.05));
  CHECK(order(ODESolver::heun, 64) == Approx(2).margin(0.1));
  CHECK(order(ODESolver::runge_kutta, 32) == Approx(4).margin(0.2));
}
