// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>

#include <elegans/cell/memory/gates.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/kernel/linear/linear.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

Eigen::ArrayXXd gate_values(Index rows, Index columns, double salt) {
  Eigen::ArrayXXd result(rows, columns);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = std::sin(2.7 * static_cast<double>(i) + salt);
  return result;
}

struct GateScratch {
  Buffer<double> in, gate[4];
};

template <typename Lanes>
void check_gates(Index units, Index inputs) {
  CAPTURE(units, inputs, Lanes::single, Lanes::lanes);
  Linear<double, 4> maps(units, inputs + units);
  Eigen::ArrayXXd weight[4], bias[4];
  for (int m = 0; m < 4; ++m) {
    weight[m] = gate_values(units, inputs + units, m);
    bias[m] = gate_values(units, 1, 10 + m);
    maps.pack_weight(m, weight[m].data(), units, 0, inputs + units);
    maps.pack_bias(m, bias[m].data());
  }
  const MemoryGates<double> gates{maps.view()};
  REQUIRE(gates.units() == units);
  REQUIRE(gates.input_dim() == inputs);

  const Index samples = Lanes::samples;
  const Eigen::ArrayXXd x = gate_values(inputs, samples, 20), state = gate_values(2 * units, samples, 30);
  Buffer<double> x_lanes(extent<Lanes>(inputs)), state_lanes(extent<Lanes>(2 * units)), h(extent<Lanes>(units));
  to_lanes<Lanes>(inputs, samples, x_lanes.data(), [&](Index b, Index f) { return x(f, b); });
  to_lanes<Lanes>(2 * units, samples, state_lanes.data(), [&](Index b, Index i) { return state(i, b); });
  const Buffer<double> before = state_lanes;
  GateScratch own;
  own.in.resize(extent<Lanes>(inputs + units));
  for (auto& gate : own.gate) gate.resize(extent<Lanes>(units));
  const double* const c = gates.template forward<Lanes>(x_lanes.data(), state_lanes.data(), h.data(), own);

  const auto sigmoid_of = [](double z) { return 1 / (1 + std::exp(-z)); };
  for (Index b = 0; b < samples; ++b) {
    Eigen::VectorXd in(inputs + units);
    in << x.col(b).matrix(), state.col(b).head(units).matrix();
    for (Index i = 0; i < units; ++i) {
      const auto map = [&](int m) { return weight[m].matrix().row(i).dot(in) + bias[m](i, 0); };
      const double new_c = state(units + i, b) * sigmoid_of(map(2) + 1) + std::tanh(map(0)) * sigmoid_of(map(1));
      CHECK(c[Lanes::index(i, b)] == Approx(new_c).margin(1e-13));
      CHECK(h[Lanes::index(i, b)] == Approx(std::tanh(new_c) * sigmoid_of(map(3))).margin(1e-13));
    }
  }
  for (Index i = 0; i < before.size(); ++i) CHECK(state_lanes[i] == before[i]);
}

}  // namespace

TEST_CASE("The gates of the memory are an LSTM's, with a forget bias of 1", "[cell][memory][gates]") {
  for (const auto& [units, inputs] : {std::pair<Index, Index>{1, 1}, {3, 2}, {5, 8}, {18, 3}}) {
    check_gates<BatchLanes<double, full_lanes<double>>>(units, inputs);
    check_gates<BatchLanes<double, fewest_lanes<double>>>(units, inputs);
    check_gates<NeuronLanes<double, full_lanes<double>>>(units, inputs);
    check_gates<NeuronLanes<double, fewest_lanes<double>>>(units, inputs);
  }
}
