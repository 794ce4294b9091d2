// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/gradients.hpp"
#include "support/ramp.hpp"

using namespace elegans;
using support::require_gradients;

TEST_CASE("Gradients of a CfC are those of finite differences", "[layer][cfc][gradient]") {
  for (const Activation activation : {Activation::lecun_tanh, Activation::relu, Activation::tanh, Activation::gelu,
                                      Activation::silu, Activation::sigmoid, Activation::linear}) {
    INFO("activation " << static_cast<int>(activation));
    for (const Index batch : {1, 3}) {
      require_gradients(CfC<double>(3, 2, {.activation = activation, .backbone_units = 5, .backbone_layers = 1}), 3,
                        batch);
    }
  }
}

TEST_CASE("Gradients of a CfC with the heads of the paper's code are those of finite differences",
          "[layer][cfc][gradient]") {
  for (const CfCMode mode : {CfCMode::standard, CfCMode::no_gate}) {
    for (const Index batch : {1, 3}) {
      const CfCOptions options{.mode = mode,
                               .activation = Activation::silu,
                               .backbone_units = 5,
                               .head_activation = Activation::lecun_tanh,
                               .initial_values = InitialValues::keras};
      require_gradients(CfC<double>(3, 2, options), 3, batch);
      require_gradients(MixedCfC<double>(3, 2, options, {.forget_bias = 2.1}), 3, batch);
    }
  }
}

TEST_CASE("Dropout drops its share of values in training, the same ones forward and backward, and none afterwards",
          "[layer][cfc]") {
  CfCOptions options{.backbone_units = 32, .backbone_layers = 2, .backbone_dropout = 0.5};
  for (const Index batch : {1, 5}) {
    options.dropout_behind_first_layer = batch == 1;
    CfC<double> model(4, 2, options);
    Sequence<double> x(3, batch, 2);
    x.values().setLinSpaced(-1, 1);
    const Sequence<double> without = model(x);
    CHECK((model(x).values() == without.values()).all());

    // Each forward pass drops other values. Two models with the same history drop the same ones.
    CfC<double> twin = model;
    const Sequence<double> first = model.forward(x);
    CHECK((first.values() != without.values()).any());
    CHECK((twin.forward(x).values() == first.values()).all());
    const CfC<double> before = model;
    const Sequence<double> second = model.forward(x);
    CHECK((second.values() != first.values()).any());

    // The backward pass drops the values that the forward pass dropped: compare with differences of that pass.
    Sequence<double> ones = second;
    ones.values().setOnes();
    model.backward(ones);
    for (const char* name : {"backbone.0.weight", "backbone.2.weight", "ff2.weight"}) {
      const Parameter& entry = model.parameter_list().at(name);
      for (const Index i : {entry.offset, entry.offset + entry.size() / 2}) {
        double difference = 0;
        for (const double sign : {1.0, -1.0}) {
          CfC<double> moved = before;
          moved.update([&](auto p) { p[i] += sign * 1e-6; });
          difference += sign * moved.forward(x).values().sum() / 2e-6;
        }
        CHECK(model.gradient()[i] == Approx(difference).margin(1e-7));
      }
    }
  }
}

TEST_CASE("Dropout drops the same values however the batch is cut into tiles", "[layer][cfc]") {
  const CfCOptions options{.backbone_units = 8, .backbone_layers = 3, .backbone_dropout = 0.25};
  CfC<double> model(4, 2, options);
  CfC<double> narrow = model;
  Sequence<double> x(2, 19, 2);
  x.values().setLinSpaced(-1, 1);
  Sequence<double> first_three(2, 3, 2);
  for (Index t = 0; t < 2; ++t) first_three.step(t) = x.step(t).topRows(3);
  const Sequence<double> all = model.forward(x);
  const Sequence<double> some = narrow.forward(first_three);
  for (Index t = 0; t < 2; ++t) CHECK((all.step(t).topRows(3) - some.step(t)).abs().maxCoeff() < 1e-14);
}

TEST_CASE("Gradients do not depend on which steps are recorded", "[layer][cfc][ltc][gradient]") {
  // Of so large a batch, not all steps are recorded; of one sample, all are.
  const auto compare = [](auto model, Index time) {
    const Index batch = 64;
    const Sequence<double> x = support::ramp(time, batch, 2);
    const Sequence<double> y = model.forward(x);
    model.backward(y);
    const Eigen::ArrayXd together = model.gradient();
    Eigen::ArrayXd one_by_one = Eigen::ArrayXd::Zero(together.size());
    for (Index b = 0; b < batch; ++b) {
      Sequence<double> own(time, 1, 2);
      for (Index t = 0; t < time; ++t) own.step(t).row(0) = x.step(t).row(b);
      const Sequence<double> own_y = model.forward(own);
      model.backward(own_y);
      one_by_one += model.gradient();
    }
    CHECK((together - one_by_one).abs().maxCoeff() < 1e-11 * together.abs().maxCoeff());
  };
  compare(CfC<double>(10, 2), 60);
  compare(CfC<double>(12, 2, {.mode = CfCMode::pure, .backbone_units = 20, .backbone_layers = 2}), 40);
  compare(CfC<double>(AutoNCP(14, 2), 2), 60);
}
