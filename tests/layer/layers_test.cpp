// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/ramp.hpp"

using namespace elegans;
using support::ramp;

TEST_CASE("A dense layer is a matrix product and an activation, at every step", "[layer][dense]") {
  for (const Index batch : {1, 3, 9, 33}) {
    for (const Activation activation : {Activation::linear, Activation::tanh, Activation::relu, Activation::gelu}) {
      Dense<double> model(5, 3, {.activation = activation, .seed = 4});
      const Sequence<double> x = ramp(4, batch, 3);
      const Sequence<double> y = model(x);
      for (Index t = 0; t < 4; ++t) {
        Eigen::ArrayXXd z = (x.step(t).matrix() * model.parameter("weight").matrix().transpose()).rowwise() +
                            model.parameter("bias").matrix().col(0).transpose();
        if (activation == Activation::tanh) z = z.tanh();
        if (activation == Activation::relu) z = z.max(0.0);
        if (activation == Activation::gelu)
          z = z * 0.5 * (1 + (z / std::sqrt(2.0)).unaryExpr([](double v) { return std::erf(v); }));
        CHECK((y.step(t) - z).abs().maxCoeff() < 1e-14);
      }
    }
  }
}

TEST_CASE("A dense layer starts as PyTorch's does from the same seed, to the bit", "[layer][dense]") {
  // torch.manual_seed(3); torch.nn.Linear(3, 2) with PyTorch 1.13.1's default type set to double, printed with repr.
  const Dense<double> model(2, 3, {.seed = 3});
  CHECK(model.parameter("weight")(0, 0) == -0.5379655173088249);
  CHECK(model.parameter("weight")(0, 1) == -0.24625117501954397);
  CHECK(model.parameter("weight")(1, 2) == 0.12499705718522952);
  CHECK(model.parameter("bias")(1, 0) == -0.07688512208053898);
}

TEST_CASE("The outputs of each layer in a Sequential are the inputs of the next", "[layer][sequential]") {
  Dense<double> first(4, 3, {.activation = Activation::tanh});
  LTC<double> second(AutoNCP(8, 2), 4);
  CfC<double> third(5, 2, {.backbone_units = 6});
  Dense<double> last(1, 5);
  Sequential model(first, second, third, last);
  CHECK(model.parameters().size() ==
        first.parameters().size() + second.parameters().size() + third.parameters().size() + last.parameters().size());
  CHECK(model.state_size() == 13);
  CHECK((model.parameter("1.gleak") == second.parameter("gleak")).all());
  const Sequence<double> x = ramp(6, 3, 3);
  Context<double> context;
  Eigen::ArrayXXd spans(6, 3);
  spans.reshaped().setLinSpaced(0.1, 2);
  context.timespans = spans;
  const Sequence<double> expected = last(third(second(first(x), context), context));
  CHECK((model(x, context).values() == expected.values()).all());
  CHECK((model.forward(x, context).values() == expected.values()).all());
  CHECK((model.final_state().array().leftCols(8) == second.final_state().array()).all());
  CHECK((model.final_state().array().rightCols(5) == third.final_state().array()).all());

  auto state = model.initial_state(3);
  for (Index t = 0; t < 6; ++t) {
    const Eigen::ArrayXXd y = model.step(x.step(t), state, Eigen::ArrayXd(spans.row(t)));
    CHECK((y - expected.step(t)).abs().maxCoeff() < 1e-14);
  }
  CHECK((state.array() - model.final_state().array()).abs().maxCoeff() < 1e-14);
}

TEST_CASE("The backward layer of a Bidirectional gives the outputs of the reversed sequence",
          "[layer][bidirectional]") {
  LTC<double> ahead(AutoNCP(8, 2), 3, {.seed = 1});
  LTC<double> behind(AutoNCP(8, 2), 3, {.seed = 2});
  Bidirectional model(ahead, behind);
  const Sequence<double> x = ramp(5, 2, 3);
  Sequence<double> backwards = x;
  for (Index t = 0; t < 5; ++t) backwards.step(t) = x.step(4 - t);
  const Sequence<double> y = model(x);
  const Sequence<double> of_ahead = ahead(x);
  const Sequence<double> of_behind = behind(backwards);
  for (Index t = 0; t < 5; ++t) {
    CHECK((y.step(t).leftCols(2) == of_ahead.step(t)).all());
    CHECK((y.step(t).rightCols(2) == of_behind.step(4 - t)).all());
  }
  CHECK(model.parameter_list().find("backward_layer.gleak") != nullptr);
}

TEST_CASE("The backward layer starts a padded sequence at its last step", "[layer][bidirectional][mask]") {
  const LTC<double> layer(AutoNCP(8, 2), 3);
  Bidirectional model(layer, layer);
  const Sequence<double> whole = ramp(3, 1, 3);
  Sequence<double> padded(5, 1, 3);
  padded.values().setConstant(std::numeric_limits<double>::quiet_NaN());
  for (Index t = 0; t < 3; ++t) padded.step(t) = whole.step(t);
  Context<double> context;
  const std::array<Index, 1> lengths{3};
  context.mask = Mask::of_lengths(lengths, 5);
  const Sequence<double> expected = model(whole);
  const Sequence<double> y = model(padded, context);
  for (Index t = 0; t < 3; ++t) CHECK((y.step(t) == expected.step(t)).all());
}

TEST_CASE("A copy of a stack goes back through the forward pass of the original", "[layer]") {
  const auto check_copies = [](auto model) {
    const Sequence<double> x = ramp(3, 2, 2);
    const Sequence<double> y = model.forward(x);
    model.backward(y);
    auto copy = model;
    (void)model.forward(ramp(5, 1, 2));  // the copy does not share memory with the original
    model.update([](auto p) { p *= 2; });
    const Eigen::ArrayXd expected = copy.gradient();
    copy.backward(y);
    CHECK((copy.gradient() == expected).all());
    CHECK((copy.forward(x).values() == y.values()).all());
    CHECK_THROWS_WITH(model.backward(y), "backward: call forward() first");
  };
  check_copies(Sequential(Dense<double>(3, 2), LTC<double>(FullyConnected(3, 1), 3), CfC<double>(3, 1)));
  check_copies(Bidirectional(LTC<double>(FullyConnected(3, 1), 2), LTC<double>(FullyConnected(3, 1), 2)));
}

TEST_CASE("A stack is causal if all of its layers are", "[layer][sequential][bidirectional]") {
  using Both = Bidirectional<LTC<double>>;
  static_assert(CausalLayer<LTC<double>> && CausalLayer<CfC<float>> && CausalLayer<Dense<double>>);
  static_assert(CausalLayer<Sequential<Dense<double>, LTC<double>>>);
  static_assert(!CausalLayer<Both>);
  static_assert(!CausalLayer<Sequential<Dense<double>, Both>>);
  static_assert(!CausalLayer<Sequential<Sequential<Both, Dense<double>>, Dense<double>>>);
  // The claim in numbers: does a change of the last step change an earlier output?
  const auto first_output_changes = [](auto model) {
    Sequence<double> x = ramp(4, 1, 2);
    const Sequence<double> before = model(x);
    x.step(3) += 1.0;
    return (model(x).step(0) != before.step(0)).any();
  };
  const LTC<double> layer(FullyConnected(3, 1), 2);
  CHECK(!first_output_changes(Sequential(layer, Dense<double>(2, 1))));
  CHECK(first_output_changes(Sequential(Bidirectional(layer, layer), Dense<double>(2, 2))));
}

TEST_CASE("A Sequential applies the constraints of its layers", "[layer][sequential]") {
  Sequential model(LTC<double>(FullyConnected(3, 1), 2), Dense<double>(1, 1));
  model.update([](auto p) { p = -1; });
  CHECK((model.parameter("0.w") == 0).all());
  CHECK((model.parameter("0.mu") == -1).all());
  CHECK((model.parameter("1.weight") == -1).all());
}

TEST_CASE("Layers that do not fit together are refused", "[layer][sequential][bidirectional]") {
  CHECK_THROWS_WITH(Sequential(Dense<float>(3, 2), Dense<float>(1, 4)),
                    "Sequential: layer 1 must have input_dim 3, the outputs of layer 0, got 4");
  CHECK_THROWS_WITH(Bidirectional(Dense<float>(3, 2), Dense<float>(1, 4)),
                    "Bidirectional: both layers must have as many inputs, got 2 and 4");
  CHECK_THROWS_WITH(Dense<float>(0, 1), "Dense: units must be at least 1, got 0");
}

TEST_CASE("A call with wrong shapes is refused, and the message has the shape that the layer got and the one it wanted",
          "[layer][dense][sequential][bidirectional]") {
  Dense<double> dense(3, 2);
  const auto x = ramp(4, 5, 2), wrong = ramp(4, 5, 3);
  auto of_dense = dense.initial_state(5);
  CHECK_THROWS_WITH(dense.step(wrong.step(0), of_dense), "step: x must be (5, 2), got (5, 3)");

  State<double> state(5, 3);
  Sequential sequential(LTC<double>(FullyConnected(4, 1), 2), Dense<double>(1, 1));
  CHECK_THROWS_WITH(sequential.step(x.step(0), state),
                    "step: x must be (5, 2) and the state (5, 4), got x (5, 2) and a state (5, 3)");
  CHECK_THROWS_WITH(Bidirectional(LTC<double>(FullyConnected(4, 1), 2),
                                  LTC<double>(FullyConnected(4, 1), 2, {.return_sequences = false})),
                    "Bidirectional: either both layers must return sequences or none");
  CHECK_THROWS_WITH(dense.set_parameters(Eigen::ArrayXd::Zero(8)), "set_parameters: the model has 9 parameters, got 8");
}

TEST_CASE("A dense layer takes the step of a single stream as a row or as a column", "[layer][dense]") {
  Dense<double> dense(2, 3);
  auto state = dense.initial_state();
  const Eigen::Array3d column(0.5, -1, 2);
  const Eigen::ArrayXXd of_column = dense.step(column, state);
  for (Index unit = 0; unit < 2; ++unit) {
    double wanted = dense.parameter("bias")(unit, 0);
    for (Index f = 0; f < 3; ++f) wanted += dense.parameter("weight")(unit, f) * column[f];
    CHECK(of_column(0, unit) == Approx(wanted).epsilon(1e-15));
  }
  CHECK((dense.step(column.transpose(), state) == of_column).all());
}
