// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <string>
#include <vector>

#include <elegans/cell/ltc/membrane.hpp>
#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/wiring/random.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

constexpr int membrane_units = 11, membrane_inputs = 3;
constexpr double membrane_epsilon = 1e-3;

/// The membranes of a random wiring, and their parameters as plain arrays.
struct SomeMembranes {
  Random<> wiring;
  bool implicit;
  ParameterList<ltc_tensor_capacity> list;
  std::vector<double> values;

  explicit SomeMembranes(bool with_softplus) : wiring(membrane_units, 2, {.sparsity = 0.4}), implicit(with_softplus) {
    wiring.build(membrane_inputs);
    const LTCOptions options{.implicit_param_constraints = implicit, .seed = 5};
    list = ltc_parameters(membrane_units, 2, membrane_inputs, options);
    values.resize(static_cast<std::size_t>(list.count()));
    initialize_ltc(list, options, wiring, values.data());
  }
  [[nodiscard]] double at(const std::string& name, Index row, Index column = 0) const {
    const Parameter& entry = list.at(name);
    return values[static_cast<std::size_t>(entry.offset + row + entry.rows * column)];
  }
  [[nodiscard]] double positive(const std::string& name, Index row, Index column = 0) const {
    const double stored = at(name, row, column);
    return implicit ? std::log(1 + std::exp(stored)) : stored;
  }

  /// N and D of neuron i, term by term, for the potentials v and the mapped inputs u.
  [[nodiscard]] std::pair<double, double> drive(Index i, const Eigen::ArrayXd& v, const Eigen::ArrayXd& u) const {
    double n = positive("gleak", i) * at("vleak", i), d = positive("gleak", i) + membrane_epsilon;
    const auto add = [&](const std::string& prefix, const auto& polarity, const Eigen::ArrayXd& from) {
      for (Index j = 0; j < from.size(); ++j) {
        if (polarity(j, i) == 0) continue;
        const double z = at(prefix + "sigma", j, i) * (from[j] - at(prefix + "mu", j, i));
        const double conductance = positive(prefix + "w", j, i) / (1 + std::exp(-z));
        n += conductance * at(prefix + "erev", j, i);
        d += conductance;
      }
    };
    add("", wiring.adjacency_matrix(), v);
    add("sensory_", wiring.sensory_adjacency_matrix(), u);
    return {n, d};
  }
};

/// (neurons, samples) that differ from place to place.
Eigen::ArrayXXd membrane_values(Index neurons, Index samples, double salt) {
  Eigen::ArrayXXd result(neurons, samples);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = std::sin(2.1 * static_cast<double>(i) + salt);
  return result;
}

template <typename Lanes>
Buffer<double> lanes_of(const Eigen::ArrayXXd& values) {
  Buffer<double> result(extent<Lanes>(pad_neurons(values.rows())));
  to_lanes<Lanes>(values.rows(), values.cols(), result.data(), [&](Index b, Index f) { return values(f, b); });
  return result;
}

template <typename Lanes>
void check_membrane(bool implicit) {
  using P = typename Lanes::Packet;
  CAPTURE(implicit, Lanes::single, Lanes::lanes);
  const SomeMembranes truth(implicit);
  using Membranes = Membrane<double, Dynamic, Dynamic>;
  Membranes membrane{Wiring<>(truth.wiring)};
  REQUIRE(membrane.units() == membrane_units);
  membrane.pack(LTCTensors<const double*>(truth.list, truth.values.data()), implicit, membrane_epsilon, Lanes::single);
  typename Membranes::Scratch<> scratch;
  typename Membranes::Adjoint adjoint;
  membrane.template reserve<Lanes>(scratch);
  membrane.template reset<Lanes>(adjoint);

  const Index samples = Lanes::samples;
  const Eigen::ArrayXXd v = membrane_values(membrane_units, samples, 0.1),
                        u = membrane_values(membrane_inputs, samples, 0.7);
  const Eigen::ArrayXXd a = membrane_values(membrane_units, samples, 1.3),
                        b = membrane_values(membrane_units, samples, 2);
  const Buffer<double> v_lanes = lanes_of<Lanes>(v), u_lanes = lanes_of<Lanes>(u), a_lanes = lanes_of<Lanes>(a),
                       b_lanes = lanes_of<Lanes>(b);
  Buffer<double> n(v_lanes.size()), d(v_lanes.size()), cm(v_lanes.size());
  membrane.template begin_step<Lanes>(u_lanes.data(), membrane_inputs, v_lanes.data(), scratch);
  membrane.template sense<Lanes>(u_lanes.data(), scratch);
  const auto keep = [&](Index block, const P& numerator, const P& denominator) {
    store(n.data() + block * Lanes::lanes, numerator);
    store(d.data() + block * Lanes::lanes, denominator);
    store(cm.data() + block * Lanes::lanes, membrane.template cm<Lanes>(block));
  };
  membrane.template drive<Lanes>(v_lanes.data(), scratch, nullptr, keep);
  for (Index s = 0; s < samples; ++s) {
    for (Index i = 0; i < membrane_units; ++i) {
      const auto [wanted_n, wanted_d] = truth.drive(i, v.col(s), u.col(s));
      CHECK(n[Lanes::index(i, s)] == Approx(wanted_n).epsilon(1e-12));
      CHECK(d[Lanes::index(i, s)] == Approx(wanted_d).epsilon(1e-12));
      CHECK(cm[Lanes::index(i, s)] == Approx(truth.positive("cm", i)).epsilon(1e-14));
    }
  }

  // The adjoints of potentials and inputs, for a loss of sum(a N + b D).
  Buffer<double> d_v(v_lanes.size()), d_u(u_lanes.size());
  membrane.clear_step(adjoint);
  const auto respond = [&](Index block, const P&, const P&) {
    return std::pair<P, P>{load<P>(a_lanes.data() + block * Lanes::lanes),
                           load<P>(b_lanes.data() + block * Lanes::lanes)};
  };
  membrane.template drive_backward<Lanes>(v_lanes.data(), scratch, nullptr, respond, d_v.data(), adjoint);
  membrane.template sense_backward<Lanes>(u_lanes.data(), scratch, d_u.data(), adjoint);
  for (Index s = 0; s < samples; ++s) {
    const auto loss = [&](const Eigen::ArrayXd& at_v, const Eigen::ArrayXd& at_u) {
      double sum = 0;
      for (Index i = 0; i < membrane_units; ++i) {
        const auto [of_n, of_d] = truth.drive(i, at_v, at_u);
        sum += a(i, s) * of_n + b(i, s) * of_d;
      }
      return sum;
    };
    const auto moved = [](Eigen::ArrayXd values, Index i, double change) {
      values[i] += change;
      return values;
    };
    constexpr double step = 1e-6;
    for (Index i = 0; i < membrane_units; ++i) {
      const double difference = loss(moved(v.col(s), i, step), u.col(s)) - loss(moved(v.col(s), i, -step), u.col(s));
      CHECK(d_v[Lanes::index(i, s)] == Approx(difference / (2 * step)).margin(1e-8));
    }
    for (Index k = 0; k < membrane_inputs; ++k) {
      const double difference = loss(v.col(s), moved(u.col(s), k, step)) - loss(v.col(s), moved(u.col(s), k, -step));
      CHECK(d_u[Lanes::index(k, s)] == Approx(difference / (2 * step)).margin(1e-8));
    }
  }
}

}  // namespace

TEST_CASE("A membrane's N and D, and their adjoints, are plain loops over all synapses", "[cell][ltc][membrane]") {
  for (const bool implicit : {false, true}) {
    check_membrane<BatchLanes<double, full_lanes<double>>>(implicit);
    check_membrane<BatchLanes<double, fewest_lanes<double>>>(implicit);
    check_membrane<NeuronLanes<double, full_lanes<double>>>(implicit);
    check_membrane<NeuronLanes<double, fewest_lanes<double>>>(implicit);
  }
}
