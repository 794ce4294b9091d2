// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/elegans.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

using namespace elegans;

TEST_CASE("The counter counts", "[allocation]") {
  const long before = allocations;
  // Through a volatile pointer, because a compiler may leave out a new and delete without effect.
  int* volatile seen = new int(1);
  delete seen;
  const long after = allocations;
  CHECK(after == before + 1);
}

TEST_CASE("With fixed sizes, construction and steps of a model use no heap", "[allocation]") {
  const long before = allocations;
  LTC<float, AutoNCP<8, 1, 2>> model(AutoNCP<8, 1, 2>{});
  auto state = model.initial_state();
  const Eigen::Array2f x(0.5f, -0.5f);
  float sum = 0;
  for (int i = 0; i < 10; ++i) sum += model.step(x, state, 0.5f)(0, 0);
  const long after = allocations;
  CHECK(after == before);
  CHECK(sum != 0);
}

TEMPLATE_TEST_CASE("A step of one sample allocates nothing, and a step of a batch nothing after the first",
                   "[allocation]", LTC<float>, MixedLTC<float>, CfC<float>, MixedCfC<float>) {
  TestType model(AutoNCP(12, 2), 3);
  auto state = model.initial_state();
  auto states = model.initial_state(5);
  const Eigen::Array3f x(0.1f, 0.2f, 0.3f);
  const Eigen::ArrayXXf xs = Eigen::ArrayXXf::Constant(5, 3, 0.2f);
  const long before_single = allocations;
  for (int i = 0; i < 5; ++i) model.step(x, state);
  const long after_single = allocations;
  CHECK(after_single == before_single);
  model.step(xs, states);
  const long before = allocations;
  for (int i = 0; i < 5; ++i) model.step(xs, states, 0.3f);
  const long after = allocations;
  CHECK(after == before);
}

TEMPLATE_TEST_CASE("No training step but the first allocates", "[allocation]", LTC<double>, MixedLTC<double>,
                   CfC<double>, MixedCfC<double>) {
  for (const Index batch : {1, 21}) {
    TestType model(AutoNCP(9, 2), 3);
    Sequence<double> x(7, batch, 3);
    Sequence<double> y(7, batch, 2);
    x.values().setLinSpaced(-1, 1);
    TrainStepWorkspace<double> workspace;
    Adam<double> adam;
    train_step(model, x, y, adam, workspace);
    const long before = allocations;
    for (int i = 0; i < 3; ++i) train_step(model, x, y, adam, workspace);
    const long after = allocations;
    CHECK(after == before);
  }
}
