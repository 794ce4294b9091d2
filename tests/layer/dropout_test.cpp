// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>

#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/sequential.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;

namespace {

/// Inputs none of which is 0.
Sequence<double> dropout_inputs(Index time, Index batch, Index features) {
  Sequence<double> x(time, batch, features);
  x.values().setLinSpaced(1, 2);
  return x;
}

}  // namespace

TEST_CASE("In training, dropout zeroes its share and scales up the rest; otherwise it does nothing",
          "[layer][dropout]") {
  for (const double share : {0.2, 0.5}) {
    for (const Index batch : {1, 3, 40}) {
      CAPTURE(share, batch);
      Dropout<double> layer(60, {.share = share});
      const auto x = dropout_inputs(30, batch, 60);
      CHECK((layer(x).values() == x.values()).all());
      const Sequence<double> y = layer.forward(x);
      const Eigen::ArrayXd dropped = (y.values() == 0).cast<double>();
      CHECK(dropped.mean() == Approx(share).margin(0.05));
      CHECK((y.values() - (1 - dropped) * x.values() / (1 - share)).abs().maxCoeff() < 1e-12);
      for (Index b = 1; b < batch; ++b) CHECK(((y.step(0).row(b) == 0) != (y.step(0).row(0) == 0)).any());
      auto state = layer.initial_state(batch);
      const Eigen::ArrayXXd stepped = layer.step(x.step(0), state);
      CHECK((stepped == x.step(0)).all());
    }
  }
}

TEST_CASE("Going back, dropout drops the same values", "[layer][dropout]") {
  for (const Index batch : {1, 3, 40}) {
    Dropout<double> layer(9, {.share = 0.3});
    const auto x = dropout_inputs(7, batch, 9);
    Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(7, batch);
    exists(2, 0) = 0;
    const Sequence<double> y = layer.forward(x, {.mask = Mask(exists)});
    auto d_y = dropout_inputs(7, batch, 9);
    layer.backward(d_y);
    for (Index t = 0; t < 7; ++t) {
      for (Index b = 0; b < batch; ++b) {
        for (Index f = 0; f < 9; ++f) {
          const double kept = y(t, b, f) == 0 ? 0 : 1 / 0.7;
          REQUIRE(layer.input_gradient()(t, b, f) == Approx(d_y(t, b, f) * kept));
        }
      }
    }
    CHECK(layer.gradient().size() == 0);
  }
}

TEST_CASE("What is dropped follows from seed, epoch, pass, step and sample alone", "[layer][dropout]") {
  const auto x = dropout_inputs(5, 20, 16);
  Dropout<double> layer(16), same(16), other(16, {.seed = 2});
  const Sequence<double> first = layer.forward(x);
  const Sequence<double> second = layer.forward(x);
  CHECK((first.values() != second.values()).any());
  CHECK((same.forward(x).values() == first.values()).all());
  CHECK((other.forward(x).values() != first.values()).any());
  CHECK((first.step(0) != 0).select(1, Eigen::ArrayXXi::Zero(20, 16)).sum() !=
        (first.step(1) != 0).select(1, Eigen::ArrayXXi::Zero(20, 16)).sum());

  layer.begin_pass(3, 0);
  const Sequence<double> in_epoch = layer.forward(x);
  CHECK((in_epoch.values() != first.values()).any());
  layer.begin_pass(3, 0);
  CHECK((layer.forward(x).values() == in_epoch.values()).all());
  // A part of a batch drops what the batch does.
  layer.begin_pass(3, 0, 7);
  const Sequence<double> later = layer.forward(dropout_inputs(5, 4, 16));
  for (Index t = 0; t < 5; ++t) {
    CHECK(((later.step(t) == 0) == (in_epoch.step(t).middleRows(7, 4) == 0)).all());
  }
  layer.begin_pass(3, 1);
  const Sequence<double> next = layer.forward(x);
  layer.begin_pass(3, 0, 7);
  static_cast<void>(layer.forward(dropout_inputs(5, 4, 16)));
  CHECK((layer.forward(x).values() == next.values()).all());  // begins with sample 0
  // A smaller batch is cut into other tiles, and its samples drop the same.
  layer.begin_pass(3, 0);
  const Sequence<double> of_three = layer.forward(dropout_inputs(5, 3, 16));
  for (Index t = 0; t < 5; ++t) {
    CHECK(((of_three.step(t) == 0) == (in_epoch.step(t).topRows(3) == 0)).all());
  }
}

TEST_CASE("A stack drops in training only, and begins epochs in its layers", "[layer][dropout]") {
  Sequential model(Dense<double>(8, 3), Dropout<double>(8, {.share = 0.4}), Dense<double>(2, 8));
  const auto x = dropout_inputs(4, 6, 3);
  const Sequence<double> plain = model(x);
  model.begin_pass(1, 0);
  const Sequence<double> trained = model.forward(x);
  CHECK((trained.values() != plain.values()).any());
  model.begin_pass(1, 0);
  CHECK((model.forward(x).values() == trained.values()).all());
  CHECK((model(x).values() == plain.values()).all());
  CHECK(model.summary().find("dropout (Dropout)") != std::string::npos);
}

TEST_CASE("Dropout refuses no features and a share outside of [0, 1)", "[layer][dropout]") {
  CHECK(support::refusal_of([] { Dropout<float>(0); }) == "Dropout: features must be at least 1, got 0");
  CHECK(support::refusal_of([] { Dropout<float>(2, {.share = 1}); }) == "Dropout: share must be in [0, 1), got 1");
  CHECK(support::refusal_of([] { Dropout<float>(2, {.share = -0.1}); }) ==
        "Dropout: share must be in [0, 1), got -0.1");
  CHECK(support::refusal_of([] { Dropout<float>(2, {.share = std::numeric_limits<double>::quiet_NaN()}); }) ==
        "Dropout: share must be in [0, 1), got nan");
}
