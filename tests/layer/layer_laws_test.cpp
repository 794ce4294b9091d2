// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// What holds for every layer. A new layer gets a line in for_each_layer and is held to all of it.

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/layer_variant.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/stack.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/gradients.hpp"
#include "support/problem.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::Problem;
using support::problem_of;
using support::refusal_of;
using support::Results;
using support::steps_of;

namespace {

/// A user's layer, with a state and without a step or timespans: the sum of all inputs so far, times a gain each.
class RunningSum : public Parameterized<RunningSum, double> {
 public:
  using Scalar = double;
  static constexpr int state_size_at_compile_time = Dynamic;

  explicit RunningSum(Index features) : features_(features) {
    list_.add("gain", static_cast<int>(features), 1);
    parameters_.resize(features);
    gradient_.resize(features);
    for (Index f = 0; f < features; ++f) parameters_[f] = 0.5 + static_cast<double>(f);
  }
  [[nodiscard]] Index input_dim() const { return features_; }
  [[nodiscard]] Index output_dim() const { return features_; }
  [[nodiscard]] Index state_size() const { return features_; }
  [[nodiscard]] bool return_sequences() const { return true; }
  [[nodiscard]] const ParameterList<>& parameter_list() const { return list_; }
  void parameters_changed() {}
  [[nodiscard]] State<double> initial_state(Index batch) const { return {batch, features_}; }
  [[nodiscard]] const State<double>& final_state() const { return state_; }

  [[nodiscard]] Sequence<double> operator()(const Sequence<double>& x, const Context<double>& context = {}) {
    return forward(x, context);
  }
  const Sequence<double>& forward(const Sequence<double>& x, const Context<double>& context = {}) {
    State<double> sum = context.initial_state ? *context.initial_state : initial_state(x.batch());
    Sequence<double> y(x.time(), x.batch(), features_);
    x_ = x;
    mask_ = context.mask;
    for_each([&](Index t, Index b, Index f) {
      if (mask_(t, b)) sum(b, f) += parameters_[f] * x_(t, b, f);
      y(t, b, f) = sum(b, f);
    });
    y_ = y;
    state_ = sum;
    return y_;
  }
  void backward(const Sequence<double>& d_y, const State<double>* d_final_state = nullptr) {
    d_x_.resize(x_.time(), x_.batch(), features_);
    d_state_ = d_final_state ? *d_final_state : initial_state(x_.batch());
    for (double& value : gradient_values()) value = 0;
    for_each([&](Index forward_t, Index b, Index f) {
      const Index t = x_.time() - 1 - forward_t;
      d_state_(b, f) += d_y(t, b, f);
      d_x_(t, b, f) = mask_(t, b) ? parameters_[f] * d_state_(b, f) : 0;
      if (mask_(t, b)) gradient_[f] += x_(t, b, f) * d_state_(b, f);
    });
  }
  [[nodiscard]] const Sequence<double>& input_gradient() const { return d_x_; }
  [[nodiscard]] const State<double>& initial_state_gradient() const { return d_state_; }

 private:
  template <typename Visit>
  void for_each(Visit visit) const {
    for (Index t = 0; t < x_.time(); ++t) {
      for (Index b = 0; b < x_.batch(); ++b) {
        for (Index f = 0; f < features_; ++f) visit(t, b, f);
      }
    }
  }
  [[nodiscard]] VectorView<double> gradient_values() { return {gradient_.data(), gradient_.size()}; }

  Index features_;
  ParameterList<> list_;
  Sequence<double> x_, y_, d_x_;
  Mask mask_;
  State<double> state_, d_state_;
};

static_assert(AnyLayer<RunningSum>);

constexpr Activation every_activation[] = {Activation::linear, Activation::lecun_tanh, Activation::relu,
                                           Activation::tanh,   Activation::gelu,       Activation::silu,
                                           Activation::sigmoid};

/// Calls visit(name, layer) for every kind of layer that the library has, and for stacks of them.
template <typename Visit>
void for_each_layer_of_ours(Visit visit) {
  const LTC<double> ltc(AutoNCP(6, 2), 3, {.ode_unfolds = 2});
  const LTC<double> other(FullyConnected(4, 2), 3, {.ode_unfolds = 2, .seed = 2});
  const LTC<double> last_only(AutoNCP(6, 2), 3, {.ode_unfolds = 2, .return_sequences = false});
  const LTC<double> last_only_of_two(FullyConnected(3, 2), 2, {.ode_unfolds = 2, .return_sequences = false});
  const CfC<double> cfc(4, 3, {.backbone_units = 5});
  visit("LTC", ltc);
  visit("LTC of fixed sizes", LTC<double, FullyConnected<4, 2>, 3>(FullyConnected<4, 2>{}, {.ode_unfolds = 2}));
  visit("LTC, last output only", last_only);
  visit("CfC", cfc);
  visit("CfC of an NCP", CfC<double>(AutoNCP(7, 2), 3));
  visit("MixedLTC", MixedLTC<double>(AutoNCP(6, 2), 3, {.ode_unfolds = 2}));
  visit("MixedCfC", MixedCfC<double>(4, 3, {.backbone_units = 5}));
  for (const Activation activation : every_activation) {
    visit("Dense, activation " + std::to_string(static_cast<int>(activation)),
          Dense<double>(4, 3, {.activation = activation, .seed = 4}));
  }
  visit("LSTM", LSTM<double>(4, 3));
  visit("GRU, last output only", GRU<double>(4, 3, {.return_sequences = false}));
  visit("LayerNorm", LayerNorm<double>(3));
  visit("Dropout of nothing", Dropout<double>(3, {.share = 0}));
  visit("Dense of fixed sizes", Dense<double, 4, 3>({.activation = Activation::tanh}));
  visit("Sequential of one", Sequential(ltc));
  visit("Sequential of fixed sizes",
        Sequential(Dense<double, 3, 2>(), LTC<double, FullyConnected<4, 2>, 3>(FullyConnected<4, 2>{})));
  visit("Sequential", Sequential(Dense<double>(3, 2, {.activation = Activation::tanh}), other, Dense<double>(3, 2)));
  visit("Sequential behind a last output", Sequential(last_only, Dense<double>(3, 2), CfC<double>(3, 3)));
  visit("Sequential with normalization", Sequential(LSTM<double>(4, 3), LayerNorm<double>(4), Dense<double>(2, 4)));
  visit("Bidirectional", Bidirectional(ltc, other));
  visit("Bidirectional, last outputs only", Bidirectional(last_only, last_only));
  visit("Bidirectional of Dense", Bidirectional(Dense<double>(2, 3), Dense<double>(1, 3)));
  visit("nested stacks", Sequential(Bidirectional(cfc, cfc), Sequential(Dense<double>(3, 8), other),
                                    MixedCfC<double>(3, 2, {.backbone_units = 4})));
  visit("Bidirectional of stacks",
        Bidirectional(Sequential(Dense<double>(3, 2), ltc), Sequential(Dense<double>(3, 2), ltc)));
  using Layer = LayerVariant<LTC<double>, CfC<double>, Dense<double>>;
  visit("Stack", Stack(std::vector{Dense<double>(4, 3), Dense<double>(2, 4, {.activation = Activation::tanh})}));
  visit("LayerVariant", Layer(ltc));
  visit("LayerVariant of no state", Layer(Dense<double>(2, 3)));
  visit("LayerVariant of a stack", Layer({Dense<double>(3, 2), other, last_only_of_two, Dense<double>(1, 2)}));
}

/// The same, with a user's layer alone and in stacks.
template <typename Visit>
void for_each_layer(Visit visit) {
  for_each_layer_of_ours(visit);
  visit("user's layer", RunningSum(3));
  visit("user's layer in a stack",
        Sequential(Dense<double>(3, 2), RunningSum(3), LTC<double>(FullyConnected(3, 1), 3)));
  visit("user's layers in both directions", Bidirectional(RunningSum(2), RunningSum(2)));
}

/// Layers that need the whole sequence: they have no steps.
template <typename Layer>
constexpr bool is_bidirectional = false;
template <typename Layer>
constexpr bool is_bidirectional<Bidirectional<Layer>> = true;
template <typename... Layers>
constexpr bool is_bidirectional<Sequential<Layers...>> = (is_bidirectional<Layers> || ...);

/// Runs a call of a layer that may have been moved from: it works or throws an Error.
void require_error_or_nothing(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(std::string(error.what()) != "");
  }
}

}  // namespace

TEST_CASE("Gradients of every layer are those of finite differences", "[layer][laws][gradient]") {
  for_each_layer([](const std::string& name, const auto& layer) {
    INFO(name);
    for (const Index batch : {1, 3}) {
      support::require_gradients(layer, 3, batch);
      Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(4, batch);
      exists(0, 0) = exists(3, 0) = exists(2, batch - 1) = 0;
      support::require_gradients(layer, 4, batch, exists);
    }
  });
}

TEST_CASE("No layer looks at the input of a masked step", "[layer][laws][mask]") {
  for_each_layer([](const std::string& name, auto layer) {
    INFO(name);
    for (const Index batch : {1, 3, 9}) {
      auto p = problem_of(layer, 4, batch);
      p.exists(0, batch - 1) = p.exists(3, 0) = 0;
      p.exists.row(2) = 0;
      const Results wanted = support::run(layer, p);
      p.x.step(0).row(batch - 1).setConstant(std::numeric_limits<double>::quiet_NaN());
      p.x.step(3).row(0).setConstant(std::numeric_limits<double>::infinity());
      p.x.step(2).setConstant(std::numeric_limits<double>::quiet_NaN());
      support::require_same(support::run(layer, p), wanted);
      CHECK((wanted.d_x.step(2) == 0).all());
    }
  });
}

TEST_CASE("With a tape and without one, every layer gives the same bits, and its final state", "[layer][laws]") {
  for_each_layer([](const std::string& name, auto layer) {
    INFO(name);
    for (const Index batch : {1, 3, 9}) {
      auto p = problem_of(layer, 4, batch);
      p.exists(2, 0) = 0;
      const auto y = layer(p.x, p.context());
      const auto final_state = layer.final_state();
      REQUIRE(y.time() == (layer.return_sequences() ? 4 : 1));
      REQUIRE(y.batch() == batch);
      REQUIRE(y.features() == layer.output_dim());
      REQUIRE(final_state.batch() == batch);
      REQUIRE(final_state.units() == layer.state_size());
      REQUIRE((layer.forward(p.x, p.context()).values() == y.values()).all());
      REQUIRE((layer.final_state().array() == final_state.array()).all());
      // By default a state starts at 0, and time 1 passes.
      p.initial.set_zero();
      p.elapsed.setOnes();
      p.exists.setOnes();
      const auto by_default = layer(p.x);
      REQUIRE((layer(p.x, p.context()).values() == by_default.values()).all());
    }
  });
}

TEST_CASE("The final state of every layer that reads forwards continues its sequence", "[layer][laws]") {
  for_each_layer([]<typename Layer>(const std::string& name, Layer layer) {
    if (is_bidirectional<Layer> || !layer.return_sequences()) return;
    INFO(name);
    const auto whole = problem_of(layer, 7, 3);
    const Results wanted = support::run(layer, whole);
    auto first = steps_of(whole, 0, 4), second = steps_of(whole, 4, 3);
    const auto y = layer(first.x, first.context());
    second.initial = layer.final_state();
    const Results of_second = support::run(layer, second);
    first.d_final = layer.initial_state_gradient();
    const Results of_first = support::run(layer, first);
    for (Index t = 0; t < 7; ++t) CHECK((wanted.y.step(t) == (t < 4 ? y.step(t) : of_second.y.step(t - 4))).all());
    CHECK((of_second.final_state == wanted.final_state).all());
    CHECK(((of_first.gradient + of_second.gradient - wanted.gradient).abs() < 1e-12).all());
    if (layer.state_size() > 0) CHECK((of_first.d_initial - wanted.d_initial).abs().maxCoeff() < 1e-13);
  });
}

TEST_CASE("What a layer went forward may change or die before the way back", "[layer][laws][lifetime]") {
  for_each_layer([]<typename Layer>(const std::string& name, Layer layer) {
    INFO(name);
    for (const Index batch : {1, 9}) {
      const auto p = problem_of(layer, 3, batch);
      const Results wanted = support::run(layer, p);
      auto dying = std::make_unique<Problem<Layer>>(p);
      const auto y = layer.forward(dying->x, dying->context());
      dying->x.resize(1, 1, 1);
      dying.reset();
      layer.backward(p.d_y, &p.d_final);
      support::require_same(support::results_of(layer, y), wanted);
    }
  });
}

TEST_CASE("A copy of a layer gives the same bits, and goes its own way", "[layer][laws]") {
  for_each_layer([]<typename Layer>(const std::string& name, const Layer& layer) {
    INFO(name);
    auto model = std::make_unique<Layer>(layer);
    const auto p = problem_of(layer, 3, 3);
    const Results wanted = support::run(*model, p);
    const auto y = model->forward(p.x, p.context());
    Layer copy = *model;
    Layer halfway = *model;
    Layer assigned = layer;
    assigned.update([](auto all) { all = 0.5; });
    assigned = *model;
    model->update([](auto all) { all *= 0.5; });
    CHECK((support::run(*model, p).y.values() != wanted.y.values()).any() == (layer.parameters().size() > 0));
    model.reset();
    // A copy goes back through what the original went forward, or asks for a pass of its own.
    const std::string refused = refusal_of([&] { halfway.backward(p.d_y, &p.d_final); });
    if (refused == "(not refused)") {
      support::require_same(support::results_of(halfway, y), wanted);
    } else {
      CHECK(refused == "backward: call forward() first");
    }
    support::require_same(support::run(halfway, p), wanted);
    support::require_same(support::run(copy, p), wanted);
    support::require_same(support::run(assigned, p), wanted);
  });
}

TEST_CASE("Every layer refuses every wrong shape, and works as before", "[layer][laws][error]") {
  for_each_layer_of_ours([]<typename Layer>(const std::string& name, Layer layer) {
    INFO(name);
    constexpr Index time = 4, batch = 3;
    const auto p = problem_of(layer, time, batch);
    const std::string features = std::to_string(layer.input_dim());
    const std::string size = std::to_string(layer.state_size());
    CHECK(refusal_of([&] { layer.backward(p.d_y); }) == "backward: call forward() first");
    layer.forward(p.x, p.context());
    if constexpr (requires { layer.timespans_gradient(); }) CHECK(layer.timespans_gradient().size() == 0);
    const Results wanted = support::run(layer, p);

    struct WrongPass {
      const char* what;
      std::function<void(Problem<Layer>&)> spoil;
      std::string message;
    };
    const std::string x_message = "forward: x must be (time >= 1, batch >= 1, input_dim = " + features + "), got ";
    const std::string spans_message = "timespans must be (time, batch) = (4, 3) or (4, 1), got ";
    const std::string mask_message = "mask must be (time, batch) = (4, 3), got ";
    const std::string initial_message =
        "forward: the initial state must be (batch, state_size) = (3, " + size + "), got ";
    std::vector<WrongPass> passes{
        {"features of x", [&](auto& q) { q.x.resize(time, batch, layer.input_dim() + 1); },
         x_message + "(4, 3, " + std::to_string(layer.input_dim() + 1) + ")"},
        {"more time in timespans", [&](auto& q) { q.elapsed.setOnes(time + 1, batch); }, spans_message + "(5, 3)"},
        {"fewer samples in timespans", [&](auto& q) { q.elapsed.setOnes(time, 2); }, spans_message + "(4, 2)"},
        {"no timespans", [&](auto& q) { q.elapsed.resize(0, 0); }, spans_message + "(0, 0)"},
        {"less time in the mask", [&](auto& q) { q.exists.setOnes(time - 1, batch); }, mask_message + "(3, 3)"},
        {"one column in the mask", [&](auto& q) { q.exists.setOnes(time, 1); }, mask_message + "(4, 1)"},
        {"batch of the initial state", [&](auto& q) { q.initial.resize(batch + 1); },
         initial_message + "(4, " + size + ")"},
        {"an empty initial state", [&](auto& q) { q.initial.resize(0); }, initial_message + "(0, " + size + ")"},
    };
    if constexpr (Layer::state_size_at_compile_time == Dynamic) {
      passes.push_back({"size of the initial state",
                        [&](auto& q) { q.initial = State<double>(batch, layer.state_size() + 1); },
                        initial_message + "(3, " + std::to_string(layer.state_size() + 1) + ")"});
    }
    for (const WrongPass& wrong : passes) {
      INFO(wrong.what);
      Problem<Layer> q = p;
      wrong.spoil(q);
      CHECK(refusal_of([&] { layer.forward(q.x, q.context()); }) == wrong.message);
      CHECK(refusal_of([&] { static_cast<void>(layer(q.x, q.context())); }) == wrong.message);
      support::require_same(support::run(layer, p), wanted);
    }
    for (const auto& [no_time, no_batch] : {std::pair<Index, Index>{0, 3}, {4, 0}}) {
      const Sequence<double> empty(no_time, no_batch, layer.input_dim());
      CHECK(refusal_of([&] { layer.forward(empty); }).find(x_message) == 0);
      CHECK(refusal_of([&] { static_cast<void>(layer(empty)); }).find(x_message) == 0);
    }

    const Index steps = layer.return_sequences() ? time : 1;
    const auto shape = [](Index a, Index b, Index c) { return detail::concatenate("(", a, ", ", b, ", ", c, ")"); };
    const auto refuses_d_y = [&](Index t, Index b, Index f) {
      CAPTURE(t, b, f);
      layer.forward(p.x, p.context());
      CHECK(refusal_of([&] { layer.backward(Sequence<double>(t, b, f), &p.d_final); }) ==
            "backward: d_output must be " + shape(steps, batch, layer.output_dim()) + ", got " + shape(t, b, f));
    };
    refuses_d_y(steps + 1, batch, layer.output_dim());
    refuses_d_y(steps, batch - 1, layer.output_dim());
    refuses_d_y(steps, batch, layer.output_dim() + 1);
    refuses_d_y(0, 0, 0);
    const auto refuses_d_final = [&](const typename Problem<Layer>::StateType& d_final) {
      CAPTURE(d_final.batch(), d_final.units());
      layer.forward(p.x, p.context());
      CHECK(refusal_of([&] { layer.backward(p.d_y, &d_final); }) ==
            detail::concatenate("backward: d_final_state must be (batch, state_size) = (3, ", size, "), got (",
                                d_final.batch(), ", ", d_final.units(), ")"));
    };
    refuses_d_final(layer.initial_state(Index{batch - 1}));
    refuses_d_final(layer.initial_state(Index{batch + 1}));
    refuses_d_final(layer.initial_state(Index{0}));
    if constexpr (Layer::state_size_at_compile_time == Dynamic) {
      refuses_d_final({batch, layer.state_size() + 1});
      if (layer.state_size() > 0) refuses_d_final({batch, layer.state_size() - 1});
      if (layer.state_size() > 0) refuses_d_final({batch, 0});
    }
    support::require_same(support::run(layer, p), wanted);

    if constexpr (!is_bidirectional<Layer>) {
      auto state = p.initial;
      const auto refuses_step = [&](Index rows, Index columns) {
        CAPTURE(rows, columns);
        CHECK(refusal_of([&] {
                layer.step(Eigen::ArrayXXd::Zero(rows, columns), state);
              }).find("step: x must be (3, ") == 0);
      };
      refuses_step(batch, layer.input_dim() + 1);
      refuses_step(batch + 1, layer.input_dim());
      refuses_step(0, 0);
      if constexpr (Layer::state_size_at_compile_time == Dynamic) {
        State<double> larger(batch, layer.state_size() + 1);
        CHECK(refusal_of([&] { layer.step(p.x.step(0), larger); }).find("step: ") == 0);
      }
    }
    layer.forward(p.x, p.context());
    layer.update([](auto) {});
    CHECK(refusal_of([&] { layer.backward(p.d_y); }) == "backward: call forward() first");
  });
}

TEST_CASE("A layer that was moved from works or throws an Error, and can be assigned to", "[layer][laws][moved]") {
  for_each_layer_of_ours([]<typename Layer>(const std::string& name, const Layer& layer) {
    INFO(name);
    for (const Index batch : {1, 9}) {
      Layer from = layer;
      const auto p = problem_of(layer, 3, batch);
      const Results wanted = support::run(from, p);
      const auto y = from.forward(p.x, p.context());
      Layer to = std::move(from);
      // The tape moves too, or a pass is asked for.
      const std::string refused = refusal_of([&] { to.backward(p.d_y, &p.d_final); });
      if (refused == "(not refused)") {
        support::require_same(support::results_of(to, y), wanted);
      } else {
        CHECK(refused == "backward: call forward() first");
      }
      support::require_same(support::run(to, p), wanted);

      const auto every_call = [&](Layer& moved) {
        require_error_or_nothing([&] { static_cast<void>(moved(p.x, p.context())); });
        require_error_or_nothing([&] { static_cast<void>(moved(p.x)); });
        require_error_or_nothing([&] { moved.forward(p.x, p.context()); });
        require_error_or_nothing([&] { moved.backward(p.d_y, &p.d_final); });
        require_error_or_nothing([&] { moved.backward(p.d_y); });
        require_error_or_nothing([&] { moved.set_parameters(layer.parameters()); });
        require_error_or_nothing([&] { moved.update([](auto all) { all *= 0.5; }); });
        require_error_or_nothing([&] {
          for (const Parameter& entry : layer.parameter_list()) {
            static_cast<void>(moved.parameter(entry.name).sum());
            static_cast<void>(moved.gradient(entry.name).sum());
            moved.set_parameter(entry.name, layer.parameter(entry.name));
          }
        });
        require_error_or_nothing([&] { static_cast<void>(moved.parameters().sum() + moved.gradient().sum()); });
        require_error_or_nothing([&] { static_cast<void>(moved.initial_state(batch).array().sum()); });
        require_error_or_nothing([&] { static_cast<void>(moved.final_state().array().sum()); });
        require_error_or_nothing([&] { static_cast<void>(moved.input_gradient().values().sum()); });
        require_error_or_nothing([&] { static_cast<void>(moved.initial_state_gradient().array().sum()); });
        require_error_or_nothing([&] { static_cast<void>(summary_rows_of(moved)); });
        if constexpr (requires { moved.timespans_gradient(); }) {
          require_error_or_nothing([&] { static_cast<void>(moved.timespans_gradient().sum()); });
        }
        if constexpr (!is_bidirectional<Layer>) {
          require_error_or_nothing([&] {
            auto state = p.initial;
            static_cast<void>(moved.step(p.x.step(0), state).sum());
          });
          require_error_or_nothing([&] {
            auto state = moved.initial_state(Index{1});
            static_cast<void>(moved.step(p.x.step(0).row(0), state).sum());
          });
        }
      };
      every_call(from);  // NOLINT(bugprone-use-after-move)
      Layer copy = from;
      every_call(copy);
      Layer again = std::move(from);
      every_call(again);
      from = layer;
      support::require_same(support::run(from, p), wanted);
      copy = std::move(to);
      support::require_same(support::run(copy, p), wanted);
    }
  });
}

TEST_CASE("Moving a layer to itself changes nothing", "[layer][laws][moved]") {
  for_each_layer([](const std::string& name, auto layer) {
    INFO(name);
    const auto p = problem_of(layer, 3, 9);
    const Results wanted = support::run(layer, p);
    auto& same = layer;
    layer = std::move(same);
    support::require_same(support::run(layer, p), wanted);
    const auto y = layer.forward(p.x, p.context());
    layer = std::move(same);
    layer.backward(p.d_y, &p.d_final);
    support::require_same(support::results_of(layer, y), wanted);
    support::require_same(support::run(layer, p), wanted);
  });
}
