// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <string>

#include <elegans/elegans.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;

namespace {

/// Steps, sequences and a training step of both: the same to the bit, and the steps of the fixed one use no heap.
template <typename Fixed, typename Scalar>
void require_as_dynamic(Fixed fixed, CfC<Scalar> dynamic) {
  REQUIRE((fixed.parameters() == dynamic.parameters()).all());
  const Index inputs = dynamic.input_dim();
  auto state = fixed.initial_state();
  auto expected = dynamic.initial_state();
  Eigen::Array<Scalar, 4, 1> x;
  REQUIRE(x.size() == inputs);
  for (int t = 0; t < 10; ++t) {
    for (Index f = 0; f < inputs; ++f) x[f] = std::sin(Scalar(t) * Scalar(f + 1));
    const Scalar elapsed = Scalar(t % 3) / 2;
    const long before = allocations;
    const ConstArrayView<Scalar> y = fixed.step(x, state, elapsed);
    const long after = allocations;
    CHECK(after == before);
    REQUIRE((y == dynamic.step(x, expected, elapsed)).all());
    REQUIRE((state.array() == expected.array()).all());
  }
  for (const Index batch : {1, 5, 19}) {
    Sequence<Scalar> xs(6, batch, inputs), target(6, batch, dynamic.output_dim());
    xs.values().setLinSpaced(-1, 1);
    TrainStepWorkspace<Scalar> own, other;
    Adam<Scalar> adam, other_adam;
    const auto loss = train_step(fixed, xs, target, adam, own);
    REQUIRE(loss == train_step(dynamic, xs, target, other_adam, other));
    REQUIRE((fixed.parameters() == dynamic.parameters()).all());
  }
}

}  // namespace

TEMPLATE_TEST_CASE("A CfC of fixed sizes computes what one of any size does, and its steps use no heap",
                   "[cfc][allocation]", float, double) {
  using elegans::CfC;
  for (const CfCMode mode : {CfCMode::standard, CfCMode::pure, CfCMode::no_gate}) {
    require_as_dynamic(CfC<TestType, CfCSizes{.units = 19, .inputs = 4}>({.mode = mode}),
                       CfC<TestType>(19, 4, {.mode = mode}));
    const CfCOptions bare{.mode = mode, .backbone_layers = 0, .proj_size = 2};
    require_as_dynamic(CfC<TestType, CfCSizes{.units = 7, .inputs = 4, .outputs = 2, .backbone_layers = 0}>(7, 4, bare),
                       CfC<TestType>(7, 4, bare));
    const CfCOptions deep{.mode = mode, .backbone_units = 33, .backbone_layers = 3, .backbone_dropout = 0.25};
    require_as_dynamic(
        CfC<TestType, CfCSizes{.units = 7, .inputs = 4, .backbone_units = 33, .backbone_layers = 3}>(deep),
        CfC<TestType>(7, 4, deep));
    using Wired = CfC<TestType, CfCSizes{.units = 20, .inputs = 4, .outputs = 3, .blocks = 3, .backbone_layers = 0}>;
    require_as_dynamic(Wired(AutoNCP(20, 3), 4, {.mode = mode}), CfC<TestType>(AutoNCP(20, 3), 4, {.mode = mode}));
  }
}

TEST_CASE("With fixed sizes, construction and steps of a CfC without a backbone use no heap", "[cfc][allocation]") {
  const long before = allocations;
  Sequential model(Dense<float, 4, 2>(),
                   CfC<float, CfCSizes{.units = 8, .inputs = 4, .backbone_layers = 0}>({.backbone_layers = 0}),
                   Dense<float, 1, 8>());
  auto state = model.initial_state();
  float sum = 0;
  for (int i = 0; i < 10; ++i) sum += model.step(Eigen::Array2f(0.5f, -0.5f), state, 0.5f)(0, 0);
  const long after = allocations;
  CHECK(after == before);
  CHECK(sum != 0);
}

TEST_CASE("Copies and moves of a CfC of fixed sizes go their own way", "[cfc]") {
  CfC<float, CfCSizes{.units = 5, .inputs = 2, .backbone_units = 6}> model({.backbone_units = 6});
  auto copy = model;
  auto moved = std::move(copy);
  moved.update([](auto all) { all *= 2.0f; });
  auto state = model.initial_state(), other = model.initial_state();
  const Eigen::Array2f x(0.5f, -0.5f);
  CHECK((model.step(x, state) != moved.step(x, other)).any());
  moved = model;
  other = moved.initial_state();
  state = model.initial_state();
  CHECK((model.step(x, state) == moved.step(x, other)).all());
}

TEST_CASE("A CfC of fixed sizes refuses other sizes", "[cfc]") {
  using support::refusal_of;
  using Fixed = CfC<float, CfCSizes{.units = 5, .inputs = 2}>;
  CHECK(refusal_of([] { Fixed model(6, 2); }) == "CfC: units must be 5, as the type says, got 6");
  CHECK(refusal_of([] { Fixed model(5, 3); }) == "CfC: input_dim must be 2, as the type says, got 3");
  CHECK(refusal_of([] { Fixed model({.backbone_units = 64}); }) ==
        "CfC: backbone_units must be 128, as the type says, got 64");
  CHECK(refusal_of([] { Fixed model({.backbone_layers = 0}); }) ==
        "CfC: backbone_layers must be 1, as the type says, got 0");
  CHECK(refusal_of([] { Fixed model({.proj_size = 2}); }) ==
        "CfC: the number of outputs must be 5, as the type says, got 2");
  using Wired = CfC<float, CfCSizes{.units = 20, .inputs = 4, .outputs = 3, .blocks = 2, .backbone_layers = 0}>;
  CHECK(refusal_of([] { Wired model(AutoNCP(20, 3), 4); }) ==
        "CfC: the wiring must have 2 layers, the blocks of the type, got 3");
}
