// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/session.hpp>
#include <elegans/layer/stack.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/problem.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::problem_of;

namespace {

/// Calls visit(model) for models of every kind of packed weights.
template <typename Visit>
void for_each_session_model(Visit visit) {
  visit(LTC<float>(FullyConnected(9, 2), 3));
  visit(LTC<double>(AutoNCP(40, 2), 3));
  visit(LTC<float, FullyConnected<5, 2>, 3>(FullyConnected<5, 2>{}));
  visit(CfC<float>(7, 3, {.backbone_units = 6}));
  visit(CfC<double>(AutoNCP(12, 2), 3, {.return_sequences = false}));
  visit(MixedLTC<float>(AutoNCP(12, 2), 3));
  visit(LSTM<double>(3, 3));
}

/// The same, and layers without memory and stacks, whose sessions do not go back.
template <typename Visit>
void for_each_running_model(Visit visit) {
  for_each_session_model(visit);
  const Dense<float> dense(4, 3, {.activation = Activation::tanh});
  const LTC<float> ltc(AutoNCP(9, 2), 4);
  visit(dense);
  visit(Dense<double, 5, 3>());
  visit(LayerNorm<float>(3));
  visit(Sequential(dense, Dropout<float>(4), ltc, LayerNorm<float>(2), Dense<float>(1, 2)));
  visit(Sequential(Sequential(dense, MixedLTC<float>(AutoNCP(9, 2), 4)), LSTM<float>(5, 2, {.return_sequences = false}),
                   Dense<float>(2, 5)));
  visit(Sequential(Dense<float, 4, 3>(), LTC<float, AutoNCP<9, 2, 4>>(AutoNCP<9, 2, 4>{})));
  visit(Stack(std::vector{LTC<double>(FullyConnected(3), 3), LTC<double>(FullyConnected(3), 3, {.seed = 2})}));
  visit(Bidirectional(LTC<float>(AutoNCP(9, 2), 3), LTC<float>(AutoNCP(12, 2), 3, {.seed = 2})));
  visit(Sequential(dense, Bidirectional(ltc, ltc), Dense<float>(1, 4)));
}

/// Other parameters, which nobody has packed.
template <typename Model>
void change(Model& model, double factor) {
  model.update([&](auto all) { all *= static_cast<typename Model::Scalar>(factor); });
}

/// Starts so many threads at the same moment, and calls body(number) in each.
template <typename Body>
void in_threads(int count, Body body) {
  std::atomic<int> ready = 0;
  std::vector<std::jthread> threads;
  for (int k = 0; k < count; ++k) {
    threads.emplace_back([&, k] {
      ++ready;
      while (ready < count) std::this_thread::yield();
      body(k);
    });
  }
}

/// Steps of a session and of its model: the same outputs and states, to the bit.
template <typename Model>
void require_same_steps(Session<Model>& session, Model& model, const support::Problem<Model>& p) {
  const Index batch = p.x.batch();
  const auto first = support::steps_of(problem_of(std::as_const(model), 1, batch), 0, 1);
  const auto y_first = session(first.x, first.context());
  auto after_first = first.initial;
  const Eigen::ArrayXXd one_step =
      session.step(first.x.step(0), after_first, first.elapsed.row(0)).template cast<double>();
  CHECK((one_step == y_first.step(0).template cast<double>()).all());
  auto own = session.initial_state(batch), wanted = model.initial_state(batch);
  for (Index t = 0; t < p.x.time(); ++t) {
    const auto elapsed = p.elapsed.row(t);
    const Eigen::ArrayXXd stepped = session.step(p.x.step(t), own, elapsed).template cast<double>();
    CHECK((stepped == model.step(p.x.step(t), wanted, elapsed).template cast<double>()).all());
    session.step(p.x.step(t), own, 0.5);
    model.step(p.x.step(t), wanted, typename Model::Scalar(0.5));
  }
  CHECK((own.array() == wanted.array()).all());
}

}  // namespace

TEST_CASE("A session computes the model's outputs and states, to the bit", "[layer][session]") {
  for_each_running_model([]<typename Model>(Model model) {
    change(model, 0.9);
    const Model& constant = model;
    Session session(constant);
    CHECK(session.state_size() == model.state_size());
    CHECK(session.input_dim() == model.input_dim());
    CHECK(session.output_dim() == model.output_dim());
    CHECK(session.return_sequences() == model.return_sequences());
    for (const Index batch : {1, 3, 17}) {
      CAPTURE(batch);
      auto p = problem_of(model, 5, batch);
      p.exists(2, 0) = 0;
      const auto y = session(p.x, p.context());
      CHECK((y.values() == model(p.x, p.context()).values()).all());
      CHECK((session.final_state().array() == model.final_state().array()).all());
      if constexpr (LayerWithStep<Model>) require_same_steps(session, model, p);
    }
  });
}

TEST_CASE("Threads run sessions of one const model at the same time", "[layer][session][threads]") {
  for_each_running_model([]<typename Model>(Model model) {
    for (int round = 0; round < 3; ++round) {
      change(model, 0.9);
      const Model& constant = model;  // its parameters are not packed yet
      constexpr int count = 4;
      std::vector<Sequence<typename Model::Scalar>> outputs(count);
      std::vector<Eigen::ArrayXXd> stepped(count);
      in_threads(count, [&](int k) {
        Session session(constant);
        const auto p = problem_of(constant, 6, k + 1);
        for (int again = 0; again < 3; ++again) {
          outputs[static_cast<std::size_t>(k)] = session(p.x, p.context());
          if constexpr (LayerWithStep<Model>) {
            auto state = session.initial_state();
            stepped[static_cast<std::size_t>(k)] = session.step(p.x.step(0).row(0), state).template cast<double>();
          }
        }
      });
      for (int k = 0; k < count; ++k) {
        const auto p = problem_of(model, 6, k + 1);
        CHECK((outputs[static_cast<std::size_t>(k)].values() == model(p.x, p.context()).values()).all());
        if constexpr (LayerWithStep<Model>) {
          auto state = model.initial_state();
          const Eigen::ArrayXXd wanted = model.step(p.x.step(0).row(0), state).template cast<double>();
          CHECK((stepped[static_cast<std::size_t>(k)] == wanted).all());
        }
      }
    }
  });
}

TEST_CASE("Sessions differentiate one const model, two forward passes before their backward passes",
          "[layer][session]") {
  for_each_session_model([]<typename Model>(Model model) {
    change(model, 0.9);
    const Model& constant = model;
    Session first(constant), second(constant);
    const auto a = problem_of(constant, 5, 3), b = problem_of(constant, 4, 1);
    CHECK(first.gradient().size() == 0);
    const Sequence<typename Model::Scalar> y_a = first.forward(a.x, a.context());
    second.forward(b.x, b.context());
    first.backward(a.d_y, &a.d_final);
    second.backward(b.d_y);
    const auto agrees = [&](const auto& session, const auto& p, const auto* d_final) {
      const Sequence<typename Model::Scalar> y = model.forward(p.x, p.context());
      model.backward(p.d_y, d_final);
      CHECK((session.gradient() == model.gradient()).all());
      CHECK((session.input_gradient().values() == model.input_gradient().values()).all());
      CHECK((session.initial_state_gradient().array() == model.initial_state_gradient().array()).all());
      CHECK((session.timespans_gradient() == model.timespans_gradient()).all());
      return y;
    };
    CHECK((agrees(first, a, &a.d_final).values() == y_a.values()).all());
    agrees(second, b, static_cast<decltype(&b.d_final)>(nullptr));
    // A session's own outputs may be its next inputs.
    if (model.output_dim() == model.input_dim() && model.return_sequences()) {
      const auto& y = first.forward(a.x);
      const Sequence<typename Model::Scalar> copy = y;
      CHECK((first.forward(y).values() == model(copy).values()).all());
    }
  });
}

TEST_CASE("A session drops the values that the model drops", "[layer][session]") {
  const CfCOptions options{.backbone_units = 6, .backbone_layers = 2, .backbone_dropout = 0.5};
  CfC<double> model(7, 3, options);
  Session session(std::as_const(model));
  const auto p = problem_of(model, 5, 3);
  for (const int epoch : {0, 3}) {
    model.begin_pass(epoch, 0);
    session.begin_pass(epoch, 0);
    for (int pass = 0; pass < 2; ++pass) {
      CHECK((session.forward(p.x).values() == model.forward(p.x).values()).all());
    }
  }
  const Sequence<double> dropped = session.forward(p.x);
  CHECK((dropped.values() != session(p.x).values()).any());
}

TEST_CASE("A session does not go back through a tape of other parameters", "[layer][session]") {
  LTC<float> model(FullyConnected(4, 1), 2);
  Session session(std::as_const(model));
  const auto p = problem_of(model, 4, 3);
  const std::string wanted = "backward: call forward() first";
  CHECK(support::refusal_of([&] { session.backward(p.d_y); }) == wanted);
  session.forward(p.x);
  session.backward(p.d_y);
  session.backward(p.d_y);
  change(model, 0.5);
  CHECK(support::refusal_of([&] { session.backward(p.d_y); }) == wanted);
  session.forward(p.x);
  model = LTC<float>(FullyConnected(4, 1), 2);
  CHECK(support::refusal_of([&] { session.backward(p.d_y); }) == wanted);
  session.forward(p.x);
  (void)session(p.x);
  CHECK(support::refusal_of([&] { session.backward(p.d_y); }) == wanted);
}

TEST_CASE("A const model is copied while sessions of it begin", "[layer][session][threads]") {
  for_each_running_model([]<typename Model>(Model model) {
    change(model, 0.9);
    const Model& constant = model;
    const auto p = problem_of(constant, 4, 2);
    std::vector<Sequence<typename Model::Scalar>> outputs(4);
    in_threads(4, [&](int k) {
      if (k % 2 == 0) {
        outputs[static_cast<std::size_t>(k)] = Session(constant)(p.x, p.context());
      } else {
        Model copy = constant;
        outputs[static_cast<std::size_t>(k)] = copy(p.x, p.context());
      }
    });
    for (const auto& y : outputs) CHECK((y.values() == model(p.x, p.context()).values()).all());
  });
}

TEST_CASE("A session follows the model's parameters", "[layer][session]") {
  for_each_running_model([]<typename Model>(Model model) {
    Session session(std::as_const(model));
    const auto p = problem_of(model, 4, 3);
    const auto before = session(p.x, p.context());
    change(model, 0.5);
    const auto after = session(p.x, p.context());
    CHECK((after.values() != before.values()).any());
    CHECK((after.values() == model(p.x, p.context()).values()).all());
    model = Model(model);
    CHECK((session(p.x, p.context()).values() == after.values()).all());
  });
}

TEST_CASE("Threads evaluate one const model at the same time", "[layer][session][threads]") {
  LTC<float> model(AutoNCP(12, 2), 3);
  Dataset<float> data{.x = Sequence<float>(8, 10, 3), .y = Sequence<float>(8, 10, 2)};
  data.x.values().setLinSpaced(-1, 1);
  data.y.values().setLinSpaced(0, 1);
  std::vector<float> losses(3);
  const LTC<float>& constant = model;
  in_threads(3, [&](int k) {
    Session session(constant);
    losses[static_cast<std::size_t>(k)] = evaluate(session, data, {.batch_size = 4}, MeanSquaredError{})[0];
  });
  const float wanted = evaluate(model, data, {.batch_size = 4}, MeanSquaredError{})[0];
  for (const float loss : losses) CHECK(loss == wanted);
}

TEST_CASE("A session refuses what the model refuses", "[layer][session]") {
  const LTC<float> model(FullyConnected(4, 1), 2);
  Session session(model);
  auto state = session.initial_state(2);
  const Eigen::ArrayXXf x = Eigen::ArrayXXf::Zero(2, 2);
  CHECK(support::refusal_of([&] { (void)session(Sequence<float>(3, 1, 5)); }) ==
        "forward: x must be (time >= 1, batch >= 1, input_dim = 2), got (3, 1, 5)");
  CHECK(support::refusal_of([&] { session.step(Eigen::ArrayXXf::Zero(2, 3), state); }) ==
        "step: x must be (2, 2) and the state (2, 4), got x (2, 3) and a state (2, 4)");
  CHECK(support::refusal_of([&] { session.step(x, state, Eigen::Array3f::Ones()); }) ==
        "step: elapsed_times must be a vector with one value per stream, 2, got (3, 1)");
  CHECK(support::refusal_of([&] { session.step(x, state, -1.0f); }).find("-1") != std::string::npos);

  LTC<float> moved(FullyConnected(4, 1), 2);
  const LTC<float> taker = std::move(moved);
  CHECK(support::refusal_of([&] { (void)Session(moved)(Sequence<float>(3, 1, 2)); }) ==
        "the model was moved from: it has no parameters");
}

TEST_CASE("A session finds the layers of a stack where they are now, and refuses other sizes", "[layer][session]") {
  const std::string replaced = "Session: the model was replaced by one of other sizes: make a new session";
  using Layers = std::vector<Dense<float>>;
  const Sequence<float> x(2, 1, 3);
  Stack<Dense<float>> stack(Layers{Dense<float>(3, 3), Dense<float>(2, 3)});
  Session session(std::as_const(stack));
  stack = Stack<Dense<float>>(Layers{Dense<float>(3, 3, {.seed = 5}), Dense<float>(2, 3, {.seed = 6})});
  CHECK((session(x).values() == stack(x).values()).all());
  stack.layer(1).set_parameter("bias", Eigen::Array2f(3, 4));
  CHECK((session(x).values() == stack(x).values()).all());
  stack = Stack<Dense<float>>(Layers{Dense<float>(9, 3), Dense<float>(2, 9)});
  CHECK(support::refusal_of([&] { (void)session(x); }) == replaced);
  stack = Stack<Dense<float>>(Layers{Dense<float>(2, 3)});
  CHECK(support::refusal_of([&] { (void)session(x); }) ==
        "Session: the model has 1 layers and had 2: make a new session");
  const auto taker = std::move(stack);
  const std::string moved = "the model was moved from: it has no parameters";
  CHECK(support::refusal_of([&] { (void)session(x); }) == moved);
  CHECK(support::refusal_of([&] { (void)Session(std::as_const(stack)); }) == moved);

  Sequential sequential(Dense<float>(3, 3), LTC<float>(FullyConnected(4, 1), 3));
  Session of_sequential(std::as_const(sequential));
  sequential.layer<1>() = LTC<float>(FullyConnected(5, 1), 3);
  auto state = of_sequential.initial_state();
  CHECK(support::refusal_of([&] { of_sequential.step(Eigen::Array3f::Zero(), state); }) ==
        "Sequential: the layer '1' was replaced by one of other sizes: make a new stack of it");
  LTC<float> lone(FullyConnected(4, 1), 3);
  Session of_lone(std::as_const(lone));
  lone = LTC<float>(FullyConnected(40, 1), 3);
  auto larger = lone.initial_state();
  CHECK(support::refusal_of([&] { of_lone.step(Eigen::Array3f::Zero(), larger); }) == replaced);
}
