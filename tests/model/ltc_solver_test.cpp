// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// dv/dt of the LTC paper's equation, term by term, for inputs that stand still.
Eigen::ArrayXd slope(const LTC<double>& model, const Eigen::ArrayXd& x, const Eigen::ArrayXd& v) {
  const auto parameter = [&](const char* name) { return Eigen::ArrayXXd(model.parameter(name)); };
  const auto drive = [&](const Eigen::ArrayXd& from, Index j, Index i, const std::string& prefix,
                         const auto& polarity) {
    if (polarity(j, i) == 0) return 0.0;
    const double sigma = parameter((prefix + "sigma").c_str())(j, i);
    const double mu = parameter((prefix + "mu").c_str())(j, i);
    const double w = parameter((prefix + "w").c_str())(j, i);
    const double erev = parameter((prefix + "erev").c_str())(j, i);
    return w / (1 + std::exp(-sigma * (from[j] - mu))) * (erev - v[i]);
  };
  const Eigen::ArrayXd u = parameter("input_w").col(0) * x + parameter("input_b").col(0);
  Eigen::ArrayXd f(v.size());
  for (Index i = 0; i < v.size(); ++i) {
    double sum = parameter("gleak")(i, 0) * (parameter("vleak")(i, 0) - v[i]);
    for (Index k = 0; k < x.size(); ++k) sum += drive(u, k, i, "sensory_", model.wiring().sensory_adjacency_matrix());
    for (Index j = 0; j < v.size(); ++j) sum += drive(v, j, i, "", model.wiring().adjacency_matrix());
    f[i] = sum / parameter("cm")(i, 0);
  }
  return f;
}

}  // namespace

TEST_CASE("One sub-step of each solver is that of the textbook", "[layer][ltc][solver]") {
  const Eigen::Array2d x(0.7, -0.4);
  const Eigen::ArrayXd v = Eigen::ArrayXd::LinSpaced(8, -0.5, 0.9);
  const double h = 0.05;
  const auto step = [&](ODESolver solver) {
    LTC<double> model(AutoNCP(8, 1), 2, {.solver = solver, .ode_unfolds = 1});
    auto state = model.initial_state();
    state.array().row(0) = v.transpose();
    model.step(x, state, h);
    return Eigen::ArrayXd(state.array().row(0));
  };
  const LTC<double> model(AutoNCP(8, 1), 2);
  const auto f = [&](const Eigen::ArrayXd& at) { return slope(model, x, at); };
  CHECK((step(ODESolver::explicit_euler) - (v + h * f(v))).abs().maxCoeff() < 1e-14);
  const Eigen::ArrayXd k1 = f(v), k2 = f(v + h / 2 * k1), k3 = f(v + h / 2 * k2), k4 = f(v + h * k3);
  CHECK((step(ODESolver::runge_kutta) - (v + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))).abs().maxCoeff() < 1e-14);
}

TEST_CASE("With an elapsed time of 0, every solver leaves the state as it is", "[layer][ltc][solver]") {
  for (const ODESolver solver : {ODESolver::explicit_euler, ODESolver::runge_kutta}) {
    LTC<double> model(AutoNCP(6, 1), 2, {.solver = solver});
    auto state = model.initial_state();
    state.array().row(0) = Eigen::ArrayXd::LinSpaced(6, -1, 1).transpose();
    model.step(Eigen::Array2d(1, 2), state, 0.0);
    CHECK((state.array().row(0).transpose() == Eigen::ArrayXd::LinSpaced(6, -1, 1)).all());
    // This holds for neurons without capacitance, too, whose slopes are infinite.
    model.set_parameter("cm", Eigen::ArrayXd::Zero(6));
    model.step(Eigen::Array2d(1, 2), state, 0.0);
    CHECK((state.array().row(0).transpose() == Eigen::ArrayXd::LinSpaced(6, -1, 1)).all());
  }
}
