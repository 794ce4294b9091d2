// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Stacks whose layers change in place, and stacks that are known at run time only. What holds for every layer is in
// layer_laws_test.cpp.

#include <string>
#include <utility>
#include <vector>

#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/layer_variant.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/stack.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/problem.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::problem_of;
using support::refusal_of;

namespace {

using Ltc = LTC<double>;
using Both = Bidirectional<Ltc>;

Ltc small_ltc(int inputs, std::uint64_t seed = 1) {
  return {FullyConnected(4, 2), inputs, {.ode_unfolds = 2, .seed = seed}};
}

}  // namespace

TEST_CASE("A stack has a step if all of its layers have one", "[layer][stack]") {
  STATIC_REQUIRE(LayerWithStep<Sequential<Dense<double>, Ltc>>);
  STATIC_REQUIRE(LayerWithStep<Sequential<Sequential<Ltc>, Dense<double>>>);
  STATIC_REQUIRE(LayerWithStep<Stack<Ltc>>);
  STATIC_REQUIRE(!LayerWithStep<Both>);
  STATIC_REQUIRE(!LayerWithStep<Sequential<Both>>);
  STATIC_REQUIRE(!LayerWithStep<Sequential<Sequential<Dense<double>, Both>, Dense<double>>>);
  STATIC_REQUIRE(!LayerWithStep<Stack<Both>>);
}

TEST_CASE("A layer that changes in place changes the stack", "[layer][stack]") {
  Sequential model(Dense<double>(3, 2), Sequential(small_ltc(3), Dense<double>(1, 2)));
  const auto p = problem_of(model, 4, 3);
  auto expected = model;
  const Eigen::ArrayXXd weight = Eigen::ArrayXXd::Constant(3, 2, 0.25);
  expected.set_parameter("0.weight", weight);
  expected.set_parameter("1.0.gleak", Eigen::ArrayXd::Constant(4, 0.75));
  expected.set_parameter("1.1.bias", Eigen::ArrayXd::Constant(1, -2));

  auto& first = model.layer<0>();
  first.set_parameter("weight", weight);
  CHECK((model.parameter("0.weight") == 0.25).all());
  model.layer<1>().layer<0>().update([&](auto all) { all.head(4) = 0.75; });
  model.layer<1>().layer<1>().set_parameter("bias", Eigen::ArrayXd::Constant(1, -2));
  CHECK((model.parameters() == expected.parameters()).all());
  CHECK((model.layer<1>().parameters() == expected.layer<1>().parameters()).all());
  support::require_same(support::run(model, p), support::run(expected, p));

  // A reference goes on working, and a change of the whole stack keeps what was changed in a layer.
  first.set_parameter("weight", weight * 2);
  model.update([&](auto all) { all.tail(1) = 5; });
  CHECK((model.parameter("0.weight") == 0.5).all());
  CHECK((first.parameter("weight") == 0.5).all());
  CHECK(model.layer<1>().layer<1>().parameter("bias")(0, 0) == 5);
  // Copies of a layer and of a stack go their own way.
  auto copy = model;
  auto trained = model.layer<0>();
  copy.layer<0>().update([](auto all) { all = 1; });
  trained.update([](auto all) { all = 2; });
  CHECK((model.parameter("0.weight") == 0.5).all());
  CHECK((copy.parameter("0.weight") == 1).all());
  // After a change, backward asks for another pass.
  model.forward(p.x, p.context());
  first.update([](auto) {});
  CHECK(refusal_of([&] { model.backward(p.d_y); }) == "backward: call forward() first");
}

TEST_CASE("A layer can be replaced by one of the same sizes only", "[layer][stack][error]") {
  Sequential model(Dense<double>(3, 2), small_ltc(3));
  Bidirectional both(small_ltc(3), small_ltc(3));
  const Dense<double> another(3, 2, {.activation = Activation::tanh, .seed = 9});
  model.layer<0>() = another;
  CHECK((model.parameter("0.weight") == another.parameter("weight")).all());
  both.layer<1>() = small_ltc(3, 5);
  CHECK((both.parameter("backward_layer.w") == small_ltc(3, 5).parameter("w")).all());

  auto x = problem_of(model, 2, 1).x;
  auto state = model.initial_state();
  model.layer<0>() = Dense<double>(4, 2);
  const std::string message = "Sequential: the layer '0' was replaced by one of other sizes: make a new stack of it";
  CHECK(refusal_of([&] { model.forward(x); }) == message);
  CHECK(refusal_of([&] { static_cast<void>(model(x)); }) == message);
  CHECK(refusal_of([&] { model.step(x.step(0), state); }) == message);
  CHECK(refusal_of([&] { static_cast<void>(model.parameters()); }) == message);
  CHECK(refusal_of([&] { model.update([](auto) {}); }) == message);
  both.layer<1>() = Ltc(FullyConnected(4, 2), 3, {.return_sequences = false});
  CHECK(refusal_of([&] {
          both.forward(Sequence<double>(2, 1, 3));
        }).starts_with("Bidirectional: the layer 'backward_layer' was replaced"));
}

TEST_CASE("A Stack of any number of layers is the Sequential of them", "[layer][stack]") {
  const Ltc first = small_ltc(3, 1), second = small_ltc(2, 2), third = small_ltc(2, 3);
  Sequential sequential(first, second, third);
  Stack stack(std::vector{first, second, third});
  CHECK(stack.size() == 3);
  for (const Index batch : {1, 5}) {
    const auto p = problem_of(sequential, 4, batch);
    support::require_same(support::run(stack, problem_of(stack, 4, batch)), support::run(sequential, p));
    auto state = p.initial, own = p.initial;
    CHECK((stack.step(p.x.step(0), own) == sequential.step(p.x.step(0), state)).all());
    CHECK((own.array() == state.array()).all());
  }
  stack.layer(1).update([](auto all) { all *= 0.5; });
  sequential.layer<1>().update([](auto all) { all *= 0.5; });
  CHECK((stack.parameters() == sequential.parameters()).all());
  CHECK(stack.summary() == sequential.summary());
  CHECK(refusal_of([&] { static_cast<void>(stack.layer(3)); }) == "Stack: there are 3 layers, got number 3");
  CHECK(refusal_of([&] { Stack<Ltc> none(std::vector<Ltc>{}); }) == "Stack: must have a layer, got none");
  CHECK(refusal_of([&] { Stack wrong(std::vector{second, first}); }) ==
        "Sequential: layer 1 must have input_dim 2, the outputs of layer 0, got 3");
}

TEST_CASE("A LayerVariant is the layer that it holds", "[layer][stack][layer_variant]") {
  using Layer = LayerVariant<Ltc, Dense<double>>;
  const Dense<double> dense(3, 2);
  Sequential sequential(dense, Bidirectional(small_ltc(3, 1), small_ltc(3, 2)), Dense<double>(1, 4));
  Layer layer({dense, Layer(small_ltc(3, 1), small_ltc(3, 2)), Dense<double>(1, 4)});
  const auto p = problem_of(sequential, 4, 3);
  support::require_same(support::run(layer, problem_of(layer, 4, 3)), support::run(sequential, p));
  CHECK(layer.acausal_layer() == "bidirectional (Bidirectional)");
  CHECK(sequential.acausal_layer() == "bidirectional (Bidirectional)");
  CHECK(Layer(dense).acausal_layer().empty());
  auto state = layer.initial_state();
  CHECK(refusal_of([&] { layer.step(p.x.step(0).row(0), state); }) ==
        "step: bidirectional (Bidirectional) needs the whole sequence");
  // What a visitor changes is changed in the stack.
  layer.visit([]<typename Own>(Own& own) {
    if constexpr (requires { own.size(); }) {
      own.layer(0).visit([](auto& first) { first.update([](auto all) { all = 0.125; }); });
    }
  });
  CHECK((layer.parameter("0.weight") == 0.125).all());
  Layer copy = layer;
  copy.update([](auto all) { all = 0.5; });
  CHECK((layer.parameter("0.weight") == 0.125).all());
  const Layer moved = std::move(layer);
  CHECK((moved.parameter("0.weight") == 0.125).all());
  CHECK(refusal_of([&] { static_cast<void>(layer.parameters()); }) ==  // NOLINT(bugprone-use-after-move)
        "the model was moved from: it has no layers");
}
