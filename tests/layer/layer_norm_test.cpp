// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>

#include <elegans/layer/layer_norm.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/torch_layers.hpp"

using namespace elegans;

TEMPLATE_TEST_CASE("Outputs and gradients of a layer normalization are PyTorch's", "[layer][layer_norm][golden]", float,
                   double) {
  int checked = 0;
  for (const nlohmann::json& golden : support::torch_layers()) {
    if (golden.at("kind") != "LayerNorm") continue;
    LayerNorm<TestType> layer(golden.at("inputs"));
    for (const Parameter& entry : layer.parameter_list()) {
      const auto wanted = support::rows_of(golden.at("initial_double").at(entry.name), entry.rows);
      CHECK((layer.parameter(entry.name).template cast<double>() == wanted).all());
    }
    support::require_as_torch(golden, layer);
    ++checked;
  }
  CHECK(checked == 3);
}

TEST_CASE("A layer normalization gives mean 0 and variance 1, whatever the batch", "[layer][layer_norm]") {
  for (const Index batch : {1, 2, 5, 17}) {
    CAPTURE(batch);
    LayerNorm<double> layer(7, {.epsilon = 1e-12});
    Sequence<double> x(3, batch, 7);
    for (Index i = 0; i < x.values().size(); ++i) x.values()[i] = 100 + 5 * std::sin(1.7 * static_cast<double>(i));
    const Sequence<double> y = layer(x);
    layer.forward(x);
    layer.backward(y);
    const Eigen::ArrayXd gradient = layer.gradient();
    layer.backward(y);
    CHECK((layer.gradient() == gradient).all());
    auto state = layer.initial_state(batch);
    for (Index t = 0; t < 3; ++t) {
      CHECK(y.step(t).rowwise().mean().abs().maxCoeff() < 1e-12);
      CHECK((y.step(t).square().rowwise().mean() - 1).abs().maxCoeff() < 1e-9);
      const Eigen::ArrayXXd stepped = layer.step(x.step(t), state);
      CHECK((stepped == y.step(t)).all());
      if (batch > 1) continue;
      const Eigen::ArrayXd column = x.step(t).row(0).transpose();
      const Eigen::ArrayXXd of_column = layer.step(column, state);
      CHECK((of_column == stepped).all());
    }
  }
}

TEST_CASE("A layer normalization refuses no features and an epsilon that is not above 0", "[layer][layer_norm]") {
  CHECK(support::refusal_of([] { LayerNorm<float>(0); }) == "LayerNorm: features must be at least 1, got 0");
  CHECK(support::refusal_of([] { LayerNorm<float>(2, {.epsilon = 0}); }) ==
        "LayerNorm: epsilon must be finite and above 0, got 0");
  CHECK(support::refusal_of([] { LayerNorm<float>(2, {.epsilon = std::numeric_limits<double>::quiet_NaN()}); }) ==
        "LayerNorm: epsilon must be finite and above 0, got nan");
  LayerNorm<float> layer(3);
  CHECK(support::refusal_of([&] { (void)layer(Sequence<float>(2, 1, 4)); }) ==
        "forward: x must be (time >= 1, batch >= 1, input_dim = 3), got (2, 1, 4)");
}
