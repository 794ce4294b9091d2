// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Core>

#include <elegans/core/context.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/model/cfc.hpp>

#include "support/catch.hpp"

using namespace elegans;

TEST_CASE("Dropout drops other values in each pass and in each step, and the same ones in the same place",
          "[layer][dropout]") {
  CfC<double> model(8, 2, {.backbone_units = 32, .backbone_layers = 2, .backbone_dropout = 0.5});
  Sequence<double> one(1, 1, 2), two(2, 1, 2);
  one.values().setConstant(0.5);
  two.values().setConstant(0.5);
  const auto last_of = [&](const Sequence<double>& x, const Context<double>& context) {
    const Sequence<double>& y = model.forward(x, context);
    return Eigen::ArrayXXd(y.step(x.time() - 1));
  };
  model.begin_pass(0, 0);
  const Eigen::ArrayXXd first = last_of(one, {});
  CHECK((last_of(one, {}) != first).any());
  model.begin_pass(0, 0);
  CHECK((last_of(one, {}) == first).all());
  // The mask hides the first of two steps, so the second has the same inputs and state.
  Context<double> second_only;
  second_only.mask = Mask((Eigen::ArrayXXd(2, 1) << 0, 1).finished());
  model.begin_pass(0, 0);
  CHECK((last_of(two, second_only) != first).any());
}
