// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <vector>

#include <elegans/elegans.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

using namespace elegans;

namespace {

template <typename Model>
void require_steps_without_heap(Model model) {
  auto state = model.initial_state();
  const Eigen::Array3f x(0.1f, 0.2f, 0.3f);
  const long before = allocations;
  for (int i = 0; i < 5; ++i) model.step(x, state, 0.5f);
  const long after = allocations;
  CHECK(after == before);

  auto states = model.initial_state(5);
  const Eigen::ArrayXXf xs = Eigen::ArrayXXf::Constant(5, 3, 0.2f);
  model.step(xs, states);
  const long before_batch = allocations;
  for (int i = 0; i < 5; ++i) model.step(xs, states, 0.3f);
  const long after_batch = allocations;
  CHECK(after_batch == before_batch);
}

}  // namespace

TEST_CASE("A step of one sample of a stack allocates nothing, not even the first", "[layer][stack][allocation]") {
  const Dense<float> dense(4, 3, {.activation = Activation::tanh});
  const LTC<float> ltc(AutoNCP(8, 2), 4);
  require_steps_without_heap(dense);
  require_steps_without_heap(Sequential(dense, ltc, Dense<float>(1, 2)));
  require_steps_without_heap(Sequential(Sequential(dense, ltc), CfC<float>(6, 2)));
  require_steps_without_heap(Sequential(dense, LayerNorm<float>(4), Dropout<float>(4), GRU<float>(5, 4)));
  require_steps_without_heap(Sequential(LayerNorm<float>(3), LSTM<float>(5, 3)));
  require_steps_without_heap(Stack(std::vector{Dense<float>(3, 3), Dense<float>(2, 3)}));
  using Layer = LayerVariant<LTC<float>, Dense<float>>;
  require_steps_without_heap(Layer({dense, ltc, Dense<float>(1, 2)}));
}

TEST_CASE("No training step of a stack but the first allocates", "[layer][stack][allocation]") {
  const auto require_no_heap = [](auto model) {
    Sequence<float> x(7, 9, 3), y(7, 9, 1);
    x.values().setLinSpaced(-1, 1);
    TrainStepWorkspace<float> workspace;
    Adam<float> adam;
    train_step(model, x, y, adam, workspace);
    const long before = allocations;
    for (int i = 0; i < 3; ++i) train_step(model, x, y, adam, workspace);
    const long after = allocations;
    CHECK(after == before);
  };
  const Dense<float> first(4, 3), last(1, 2);
  const LTC<float> ltc(AutoNCP(8, 2), 4);
  require_no_heap(Sequential(first, ltc, last));
  using Layer = LayerVariant<LTC<float>, Dense<float>>;
  require_no_heap(Layer({first, ltc, last}));
  Sequential changed(first, ltc, last);
  changed.layer<0>().set_parameter("bias", Eigen::ArrayXf::Ones(4));
  require_no_heap(changed);
}

TEST_CASE("With fixed sizes, construction and steps of a stack use no heap", "[layer][stack][allocation]") {
  const long before = allocations;
  Sequential model(Dense<float, 4, 2>({.activation = Activation::tanh}),
                   LTC<float, AutoNCP<8, 2, 4>>(AutoNCP<8, 2, 4>{}), Dense<float, 1, 2>());
  auto state = model.initial_state();
  const Eigen::Array2f x(0.5f, -0.5f);
  float sum = 0;
  for (int i = 0; i < 10; ++i) sum += model.step(x, state, 0.5f)(0, 0);
  const long after = allocations;
  CHECK(after == before);
  // The numbers are those of the same stack of any size.
  Sequential dynamic(Dense<float>(4, 2, {.activation = Activation::tanh}), LTC<float>(AutoNCP(8, 2), 4),
                     Dense<float>(1, 2));
  auto dynamic_state = dynamic.initial_state();
  float dynamic_sum = 0;
  for (int i = 0; i < 10; ++i) dynamic_sum += dynamic.step(x, dynamic_state, 0.5f)(0, 0);
  CHECK(std::abs(sum - dynamic_sum) < 1e-5f);
  CHECK((model.parameters() == dynamic.parameters()).all());
}
