// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <elegans/cell/array_cell.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/random.hpp>

namespace cell_test {

using namespace elegans;

/// Leaky neurons on plain arrays: v <- v + dt (tanh(W x + r v) - k v), of which the first are the outputs.
template <typename ScalarType>
struct LeakyNeurons {
  using Scalar = ScalarType;
  int count = 4;
  int inputs = 3;
  int outputs = 3;

  [[nodiscard]] Index units() const { return count; }
  [[nodiscard]] Index input_dim() const { return inputs; }
  [[nodiscard]] Index output_dim() const { return outputs; }
  [[nodiscard]] ParameterList<> parameters() const {
    ParameterList<> list;
    list.add("W", count, inputs);
    list.add("r", count, 1);
    list.add("k", count, 1);
    return list;
  }
  void initialize(Tensors<Scalar> p) const {
    p("W").reshaped().setLinSpaced(Scalar(-0.75), Scalar(0.5));
    p("r").reshaped().setLinSpaced(Scalar(0.25), Scalar(-1));
    p("k").reshaped().setLinSpaced(Scalar(0.5), Scalar(2));
  }
  void step(Tensors<const Scalar> p, const ArrayStep<Scalar>& now, ArrayView<Scalar> next) const {
    next = now.state + slope(p, now, drive(p, now)).colwise() * now.elapsed;
  }
  void step_backward(Tensors<const Scalar> p, const ArrayStep<Scalar>& now, ConstArrayView<Scalar> d_next,
                     ArrayStepAdjoint<Scalar>& d_now, Tensors<Scalar> d_p) const {
    const Values driven = drive(p, now);
    const Values d_slope = d_next.colwise() * now.elapsed;
    const Values d_z = d_slope * (Scalar(1) - driven.square());
    d_now.elapsed += (d_next * slope(p, now, driven)).rowwise().sum();
    d_now.state += d_next + d_z.rowwise() * p("r").col(0).transpose() - d_slope.rowwise() * p("k").col(0).transpose();
    d_now.x.matrix() += d_z.matrix() * p("W").matrix();
    d_p("W").matrix() += d_z.matrix().transpose() * now.x.matrix();
    d_p("r") += (d_z * now.state).colwise().sum().transpose();
    d_p("k") -= (d_slope * now.state).colwise().sum().transpose();
  }

 private:
  using Values = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  [[nodiscard]] Values drive(Tensors<const Scalar> p, const ArrayStep<Scalar>& now) const {
    const Values of_inputs = (now.x.matrix() * p("W").matrix().transpose()).array();
    return (of_inputs + now.state.rowwise() * p("r").col(0).transpose()).tanh();
  }
  [[nodiscard]] Values slope(Tensors<const Scalar> p, const ArrayStep<Scalar>& now, const Values& driven) const {
    return driven - now.state.rowwise() * p("k").col(0).transpose();
  }
};

/// Calls visit(name, make) for every kind of cell, where make.operator()<Scalar>() makes one. Most of them have 3
/// inputs and 3 outputs.
template <typename Visit>
void for_each_cell(Visit visit) {
  const auto text = [](const auto& option) { return std::to_string(static_cast<int>(option)); };
  for (const ODESolver solver :
       {ODESolver::semi_implicit, ODESolver::explicit_euler, ODESolver::heun, ODESolver::runge_kutta}) {
    for (const Mapping mapping : {Mapping::affine, Mapping::linear, Mapping::none}) {
      for (const bool implicit : {false, true}) {
        visit("LTC, solver " + text(solver) + ", mapping " + text(mapping) + ", implicit " + text(implicit),
              [&]<typename Scalar>() {
                return LTC<Scalar>(FullyConnected(4, 3), 3,
                                   {.input_mapping = mapping,
                                    .output_mapping = mapping,
                                    .solver = solver,
                                    .ode_unfolds = 3,
                                    .implicit_param_constraints = implicit})
                    .cell();
              });
      }
    }
    visit("LTC of an NCP, solver " + text(solver), [&]<typename Scalar>() {
      return LTC<Scalar>(AutoNCP(9, 3), 3, {.solver = solver, .ode_unfolds = 1, .epsilon = 1e-3}).cell();
    });
  }
  visit("LTC with columns of synapses", []<typename Scalar>() {
    return LTC<Scalar>(Random(20, 3, {.sparsity = 0.94}), 20, {.ode_unfolds = 2}).cell();
  });
  for (const CfCMode mode : {CfCMode::standard, CfCMode::no_gate, CfCMode::pure}) {
    visit("CfC, mode " + text(mode),
          [&]<typename Scalar>() { return CfC<Scalar>(3, 3, {.mode = mode, .backbone_layers = 0}).cell(); });
    visit("CfC with backbone and projection, mode " + text(mode), [&]<typename Scalar>() {
      return CfC<Scalar>(5, 3, {.mode = mode, .backbone_units = 7, .backbone_layers = 2, .proj_size = 3}).cell();
    });
    visit("CfC of an NCP, mode " + text(mode),
          [&]<typename Scalar>() { return CfC<Scalar>(AutoNCP(9, 3), 3, {.mode = mode}).cell(); });
    visit("CfC with mixed memory, mode " + text(mode),
          [&]<typename Scalar>() { return MixedCfC<Scalar>(3, 3, {.mode = mode, .backbone_units = 4}).cell(); });
  }
  visit("CfC of an NCP with projection and mixed memory",
        []<typename Scalar>() { return MixedCfC<Scalar>(AutoNCP(9, 2), 3, {.proj_size = 3}).cell(); });
  for (const ODESolver solver : {ODESolver::semi_implicit, ODESolver::runge_kutta}) {
    visit("LTC with mixed memory, solver " + text(solver), [&]<typename Scalar>() {
      return MixedLTC<Scalar>(
                 FullyConnected(5, 3), 3,
                 {.solver = solver, .ode_unfolds = 2, .implicit_param_constraints = solver == ODESolver::semi_implicit})
          .cell();
    });
  }
  visit("LSTM", []<typename Scalar>() { return LSTM<Scalar>(3, 3).cell(); });
  visit("LSTM of many neurons", []<typename Scalar>() { return LSTM<Scalar>(19, 2).cell(); });
  visit("GRU", []<typename Scalar>() { return GRU<Scalar>(3, 3).cell(); });
  visit("GRU of many neurons", []<typename Scalar>() { return GRU<Scalar>(19, 2).cell(); });
  visit("cell on plain arrays", []<typename Scalar>() { return ArrayCell(LeakyNeurons<Scalar>{}); });
}

}  // namespace cell_test
