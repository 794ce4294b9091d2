// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/cell/dropout.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/simd/layout.hpp>

#include "support/catch.hpp"

using namespace elegans;

TEST_CASE("Dropout zeroes its share and scales up the rest, so that the mean stays", "[cell][dropout]") {
  constexpr Index neurons = 5000;
  using Lanes = detail::BatchLanes<float, detail::fewest_lanes<float>>;
  for (const double share : {0.25, 0.5}) {
    Eigen::ArrayXXf values = Eigen::ArrayXXf::Constant(Lanes::samples, neurons, 3);  // (samples, neurons)
    detail::drop<Lanes>(share, 7, {.training = true, .run = 1, .time = 2, .first_sample = 3}, 1, neurons,
                        values.data());
    const auto scaled = static_cast<float>(3 / (1 - share));
    CHECK((values == 0 || (values - scaled).abs() < 1e-6f).all());
    CHECK((values == 0).cast<double>().mean() == Approx(share).margin(0.02));
    CHECK(values.mean() == Approx(3).epsilon(0.03));
    if (Lanes::samples > 1) CHECK((values.row(0) != values.row(Lanes::samples - 1)).any());
  }
}

TEST_CASE("Behind the first layer of a backbone nothing is dropped, as in ncps", "[cell][dropout][cfc]") {
  Sequence<double> x(3, 4, 2);
  x.values().setLinSpaced(-1, 1);
  for (const int layers : {1, 2}) {
    CfC<double> model(4, 2, {.backbone_units = 16, .backbone_layers = layers, .backbone_dropout = 0.5});
    const Sequence<double> without = model(x);
    CHECK((model.forward(x).values() == without.values()).all() == (layers == 1));
  }
}

TEST_CASE("The first layer of a backbone drops values, too, if it is asked for", "[cell][dropout][cfc]") {
  Sequence<double> x(3, 4, 2);
  x.values().setLinSpaced(-1, 1);
  CfC<double> model(4, 2, {.backbone_units = 16, .backbone_dropout = 0.5, .dropout_behind_first_layer = true});
  const Sequence<double> without = model(x);
  CHECK((model.forward(x).values() != without.values()).any());
  CHECK((model(x).values() == without.values()).all());
}
