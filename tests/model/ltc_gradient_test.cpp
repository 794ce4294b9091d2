// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <random>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/gradients.hpp"

using namespace elegans;

namespace {

/// A model whose parameters are off their initial values, and away from where clipping has its kink.
template <typename Model>
void check_off_initial(Model model, Index time, Index batch) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-0.1, 0.1);
  model.update([&](auto p) {
    for (Index i = 0; i < p.size(); ++i) p[i] += uniform(random);
  });
  model.update([](auto p) { p += (p == 0.0).template cast<double>() * 0.01; });
  support::require_gradients(model, time, batch);
}

/// True if a single sample stores its synapses in columns: in less than half the slots that rows would need. These are
/// 16 for each source and 16 destinations with a synapse.
template <typename Model>
bool takes_columns(const Model& model) {
  const auto polarity = model.wiring().adjacency_matrix();
  Index in_rows = 0;
  for (Index source = 0; source < polarity.rows(); ++source) {
    for (Index first = 0; first < polarity.cols(); first += 16) {
      const Index width = std::min<Index>(16, polarity.cols() - first);
      if ((polarity.block(source, first, 1, width).array() != 0).any()) in_rows += 16;
    }
  }
  const Index slots = model.cell().template record_size<detail::NeuronLanes<typename Model::Scalar, 1>>() /
                          model.options().ode_unfolds -
                      2 * detail::pad_neurons(polarity.cols());
  return slots < in_rows / 2;
}

}  // namespace

TEST_CASE("Gradients are those of finite differences if a single sample stores its synapses in columns",
          "[layer][ltc][gradient]") {
  for (const bool implicit : {false, true}) {
    const LTC<double> model(Random(20, 2, {.sparsity = 0.94}), 20,
                            {.ode_unfolds = 2, .implicit_param_constraints = implicit});
    REQUIRE(takes_columns(model));
    check_off_initial(model, 2, 1);
  }
}

TEMPLATE_TEST_CASE("A single sample gives the same as a batch, whether its synapses are in rows or in columns",
                   "[layer][ltc]", float, double) {
  const auto exact = std::is_same_v<TestType, double>;
  const auto compare = [&](LTC<TestType> model, Index inputs, bool columns, Index time = 5) {
    REQUIRE(takes_columns(model) == columns);
    LTC<TestType> of_batch = model;
    Sequence<TestType> x(time, 1, inputs), twice(time, 2, inputs);
    x.values().setLinSpaced(-1, 1);
    for (Index t = 0; t < time; ++t) {
      for (Index b = 0; b < 2; ++b) twice.step(t).row(b) = x.step(t).row(0);
    }
    const Sequence<TestType> y = model.forward(x);
    const Sequence<TestType> both = of_batch.forward(twice);
    for (Index t = 0; t < time; ++t) {
      CHECK((both.step(t).row(1) - y.step(t).row(0)).abs().maxCoeff() < (exact ? 1e-13 : 1e-6));
    }
    model.backward(y);
    of_batch.backward(both);
    const auto largest = model.gradient().abs().maxCoeff();
    CHECK(largest > 1e-3);
    CHECK((of_batch.gradient() / 2 - model.gradient()).abs().maxCoeff() < (exact ? 1e-12 : 1e-5) * largest);
  };
  compare(LTC<TestType>(FullyConnected(8, 1), 2), 2, false);
  compare(LTC<TestType>(FullyConnected(7, 1), 3), 3, false);
  compare(LTC<TestType>(AutoNCP(8, 1), 2), 2, false);
  compare(LTC<TestType>(FullyConnected(20, 2), 5), 5, false);
  compare(LTC<TestType>(AutoNCP(64, 8), 20), 20, true);
  compare(LTC<TestType>(Random(64, 4, {.sparsity = 0.97}), 40), 40, true);
  compare(LTC<TestType>(Random(100, 4, {.sparsity = 0.97}), 40), 40, true);
  // The sequence is so long that only its last steps are recorded.
  compare(LTC<TestType>(FullyConnected(20, 2), 5), 5, false, 120);
  compare(LTC<TestType>(AutoNCP(64, 8), 20), 20, true, 90);
}

TEST_CASE("A synapse that does not exist has no gradient and no influence", "[layer][ltc]") {
  for (const Index batch : {1, 4}) {
    LTC<double> model(AutoNCP(8, 1), 2);
    Sequence<double> x(6, batch, 2);
    x.values().setLinSpaced(-1, 1);
    const Sequence<double> y = model.forward(x);
    model.backward(y);
    for (const char* name : {"w", "sigma", "mu", "erev"}) {
      Eigen::ArrayXXd changed = model.parameter(name);
      for (int s = 0; s < 8; ++s) {
        for (int d = 0; d < 8; ++d) {
          if (model.wiring().adjacency_matrix()(s, d) != 0) continue;
          CHECK(model.gradient(name)(s, d) == 0);
          changed(s, d) = 123;
        }
      }
      model.set_parameter(name, changed);
    }
    CHECK((model(x).values() == y.values()).all());
  }
}

TEST_CASE("A single sample has the same outputs and gradients as in a batch, for every way to store its synapses",
          "[layer][ltc]") {
  // From rows of all pairs to columns of the few that exist; some of more sources than a table has in registers, and
  // sequences whose gates are too many to be recorded.
  const auto compare = [](const auto& wiring, Index time, auto scalar, double tolerance) {
    using Scalar = decltype(scalar);
    LTC<Scalar> model(wiring, 5);
    CAPTURE(model.units(), model.wiring().synapse_count(), time);
    Sequence<Scalar> x(time, 1, 5), pair(time, 2, 5);
    for (Index i = 0; i < x.values().size(); ++i) x.values()[i] = static_cast<Scalar>(std::sin(0.37 * double(i)));
    for (Index t = 0; t < time; ++t) {
      for (Index f = 0; f < 5; ++f) pair(t, 0, f) = pair(t, 1, f) = x(t, 0, f);
    }
    const Sequence<Scalar> y = model.forward(x);
    model.backward(y);
    const Eigen::Array<Scalar, Eigen::Dynamic, 1> gradient = model.gradient();
    const Sequence<Scalar> d_x = model.input_gradient();
    const Sequence<Scalar> y_pair = model.forward(pair);
    model.backward(y_pair);
    const double largest = static_cast<double>(model.gradient().abs().maxCoeff());
    CHECK(static_cast<double>((model.gradient() - Scalar(2) * gradient).abs().maxCoeff()) < tolerance * largest);
    for (Index t = 0; t < time; ++t) {
      for (Index o = 0; o < y.features(); ++o) CHECK(std::abs(double(y(t, 0, o) - y_pair(t, 1, o))) < tolerance);
      for (Index f = 0; f < 5; ++f) {
        CHECK(std::abs(double(d_x(t, 0, f) - model.input_gradient()(t, 1, f))) < tolerance * largest);
      }
    }
  };
  for (const Index time : {3, 60}) {
    for (const double sparsity : {0.3, 0.7, 0.9, 0.98}) {
      compare(Random(50, 3, {.sparsity = sparsity}), time, 0.0, 1e-12);
      compare(Random(100, 3, {.sparsity = sparsity}), time, 0.0, 1e-12);
      compare(Random(100, 3, {.sparsity = sparsity}), time, 0.0f, 2e-5);
    }
    compare(AutoNCP(64, 8), time, 0.0, 1e-12);
    compare(AutoNCP(64, 8), time, 0.0f, 2e-5);
  }
}
