// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>

#include <elegans/cell/cfc/heads.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/kernel/linear/linear.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

Eigen::ArrayXXd head_values(Index rows, Index columns, double salt) {
  Eigen::ArrayXXd result(rows, columns);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = std::sin(1.9 * static_cast<double>(i) + salt);
  return result;
}

double head_elapsed(Index b) { return 0.3 + 0.2 * static_cast<double>(b); }

/// Heads with weights that are known, and their formula in plain doubles.
struct SomeHeads {
  CfCMode mode;
  Activation activation;
  Index units, inputs;
  Eigen::ArrayXXd weight[4], bias[4];  // ff1, ff2, time_a, time_b
  Eigen::ArrayXd w_tau = Eigen::ArrayXd::Ones(32), A = Eigen::ArrayXd::Zero(32);
  Linear<double, 4> gated;
  Linear<double> pure;

  SomeHeads(CfCMode chosen, Activation g, Index neurons, Index features)
      : mode(chosen),
        activation(g),
        units(neurons),
        inputs(features),
        gated(neurons, features),
        pure(neurons, features) {
    for (int m = 0; m < 4; ++m) {
      weight[m] = head_values(units, inputs, m);
      bias[m] = head_values(units, 1, 10 + m);
      gated.pack_weight(m, weight[m].data(), units, 0, inputs);
      gated.pack_bias(m, bias[m].data());
    }
    pure.pack_weight(0, weight[0].data(), units, 0, inputs);
    pure.pack_bias(0, bias[0].data());
    w_tau.head(units) = head_values(units, 1, 20).abs();
    A.head(units) = head_values(units, 1, 30);
  }
  [[nodiscard]] CfCHeads<double> view() const {
    return {mode, gated.view(), pure.view(), w_tau.data(), A.data(), activation};
  }

  /// The new state of a neuron. \param z  ff1, ff2, time_a, time_b before their activations
  [[nodiscard]] double head(Index i, const double (&z)[4], double dt) const {
    if (mode == CfCMode::pure) return -A[i] * std::exp(-dt * (w_tau[i] + std::abs(z[0]))) * z[0] + A[i];
    const double t = 1 / (1 + std::exp(-(z[2] * dt + z[3])));
    const auto bend = [&](double value) {
      return activation == Activation::lecun_tanh ? 1.7159 * std::tanh(0.666 * value) : std::tanh(value);
    };
    const double first = bend(z[0]), second = bend(z[1]);
    return mode == CfCMode::standard ? first * (1 - t) + t * second : first + t * second;
  }
  /// All new states of a sample. \param shift  added to the maps' results of one neuron
  [[nodiscard]] Eigen::ArrayXd heads(const Eigen::ArrayXd& x, double dt, Index neuron = -1, int map = 0,
                                     double shift = 0) const {
    Eigen::ArrayXd h(units);
    for (Index i = 0; i < units; ++i) {
      double z[4];
      for (int m = 0; m < 4; ++m) {
        z[m] = bias[m](i, 0);
        for (Index j = 0; j < inputs; ++j) z[m] += weight[m](i, j) * x[j];
        if (i == neuron && m == map) z[m] += shift;
      }
      h[i] = head(i, z, dt);
    }
    return h;
  }
};

struct HeadSums {
  Buffer<double> d_h, A, w_tau;
};

template <typename Lanes>
void check_heads(CfCMode mode, Activation activation, Index units, Index inputs) {
  CAPTURE(static_cast<int>(mode), static_cast<int>(activation), units, inputs, Lanes::single, Lanes::lanes);
  const SomeHeads some(mode, activation, units, inputs);
  const CfCHeads<double> heads = some.view();
  REQUIRE(heads.units() == units);
  const Index samples = Lanes::samples, size = extent<Lanes>(units);
  const Eigen::ArrayXXd x = head_values(inputs, samples, 40), d_h = head_values(units, samples, 50);
  double elapsed[Lanes::samples], d_elapsed[Lanes::samples]{};
  for (Index b = 0; b < samples; ++b) elapsed[b] = head_elapsed(b);
  Buffer<double> x_lanes(extent<Lanes>(inputs)), d_x(extent<Lanes>(inputs)), f1(size), f2(size), a(size), t(size),
      h(size), d_z[4];
  for (auto& values : d_z) values.resize(size);
  to_lanes<Lanes>(inputs, samples, x_lanes.data(), [&](Index b, Index f) { return x(f, b); });
  const CfCHeadValues<double*> own{f1.data(), f2.data(), a.data(), t.data(), h.data()};
  heads.template forward<Lanes>(x_lanes.data(), elapsed, own);

  HeadSums sums{Buffer<double>(size), Buffer<double>(size), Buffer<double>(size)};
  to_lanes<Lanes>(units, samples, sums.d_h.data(), [&](Index b, Index i) { return d_h(i, b); });
  heads.template backward<Lanes>(
      elapsed, CfCHeadValues<const double*>{f1.data(), f2.data(), a.data(), t.data(), h.data()},
      {d_z[0].data(), d_z[1].data(), d_z[2].data(), d_z[3].data()}, sums, d_elapsed, d_x.data());

  constexpr double change = 1e-6;
  const auto slope = [&](Index b, auto heads_at) {
    return (d_h.col(b) * (heads_at(change) - heads_at(-change))).sum() / (2 * change);
  };
  for (Index b = 0; b < samples; ++b) {
    const Eigen::ArrayXd now = x.col(b);
    const Eigen::ArrayXd wanted = some.heads(now, elapsed[b]);
    for (Index i = 0; i < units; ++i) {
      CHECK(h[Lanes::index(i, b)] == Approx(wanted[i]).margin(1e-14));
      for (int m = 0; m < (mode == CfCMode::pure ? 1 : 4); ++m) {
        CHECK(d_z[m][Lanes::index(i, b)] ==
              Approx(slope(b, [&](double c) { return some.heads(now, elapsed[b], i, m, c); })).margin(1e-8));
      }
    }
    for (Index j = 0; j < inputs; ++j) {
      const auto moved = [&](double c) {
        Eigen::ArrayXd at = now;
        at[j] += c;
        return some.heads(at, elapsed[b]);
      };
      CHECK(d_x[Lanes::index(j, b)] == Approx(slope(b, moved)).margin(1e-8));
    }
    CHECK(d_elapsed[b] == Approx(slope(b, [&](double c) { return some.heads(now, elapsed[b] + c); })).margin(1e-8));
    for (Index i = 0; mode == CfCMode::pure && i < units; ++i) {
      const auto with = [&](auto member, double c) {
        SomeHeads other = some;
        (other.*member)[i] += c;
        return other.heads(now, elapsed[b]);
      };
      CHECK(sums.A[Lanes::index(i, b)] ==
            Approx(slope(b, [&](double c) { return with(&SomeHeads::A, c); })).margin(1e-8));
      CHECK(sums.w_tau[Lanes::index(i, b)] ==
            Approx(slope(b, [&](double c) { return with(&SomeHeads::w_tau, c); })).margin(1e-8));
    }
  }
}

}  // namespace

TEST_CASE("The heads of a CfC are their formula, and so are their adjoints", "[cell][cfc][heads]") {
  for (const CfCMode mode : {CfCMode::standard, CfCMode::no_gate, CfCMode::pure}) {
    for (const auto& [units, inputs] : {std::pair<Index, Index>{1, 1}, {5, 3}, {18, 7}}) {
      for (const Activation g : {Activation::tanh, Activation::lecun_tanh}) {
        check_heads<BatchLanes<double, full_lanes<double>>>(mode, g, units, inputs);
        check_heads<BatchLanes<double, fewest_lanes<double>>>(mode, g, units, inputs);
        check_heads<NeuronLanes<double, full_lanes<double>>>(mode, g, units, inputs);
        check_heads<NeuronLanes<double, fewest_lanes<double>>>(mode, g, units, inputs);
      }
    }
  }
}
