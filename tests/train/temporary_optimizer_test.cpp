// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/train/adam.hpp>

#include "support/catch.hpp"

using namespace elegans;

TEST_CASE("The memory and the options of a temporary optimizer outlive it", "[train][lifetime]") {
  const auto stepped = [] {
    Adam<double> adam({.learning_rate = 0.25, .beta1 = 0.5});
    Eigen::ArrayXd parameters = Eigen::ArrayXd::Zero(1), gradient = Eigen::ArrayXd::Constant(1, 4);
    adam.step(VectorView<double>(parameters.data(), 1), ConstVectorView<double>(gradient.data(), 1));
    return adam;
  };
  const auto memory = stepped().memory();
  REQUIRE(memory.size() == 2);
  CHECK(memory[0] == Approx((1 - 0.5) * 4));
  CHECK(memory[1] == Approx((1 - 0.999) * 16));
  const auto& options = stepped().options();
  CHECK(options.beta1 == 0.5);
}
