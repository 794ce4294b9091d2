// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// What holds for every cell. A new cell gets a line in cells.hpp and is held to all of it.

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <type_traits>

#include <elegans/layer/rnn.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "cell/cells.hpp"
#include "support/catch.hpp"
#include "support/gradients.hpp"
#include "support/problem.hpp"

using namespace elegans;
using cell_test::for_each_cell;
using support::Problem;
using support::problem_of;
using support::Results;
using support::Samples;
using support::samples_of;
using support::steps_of;

namespace {

/// A model away from its initial values, many of which are 0 or 1, and from the kink where constraints clip. The
/// parameters are floats, so that they mean the same in float and in double.
template <typename Model>
Model off_initial(Model model) {
  using Scalar = typename Model::Scalar;
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
  model.update([&](auto p) {
    for (Index i = 0; i < p.size(); ++i) p[i] = static_cast<Scalar>(static_cast<float>(p[i]) + uniform(random));
  });
  model.update([](auto p) { p += (p == Scalar(0)).template cast<Scalar>() * Scalar(0.0078125); });
  return model;
}

/// Calls law(model) with a model of every cell.
template <typename Law>
void for_every_cell(Law law) {
  for_each_cell([&](const std::string& name, const auto& make) {
    INFO(name);
    law(off_initial(Rnn(make.template operator()<double>())));
  });
}

constexpr Index every_kind_of_tile[] = {1, 2, 3, 5, 8, 9, 16, 17, 33};

Samples all_samples(Index batch) {
  Samples samples(static_cast<std::size_t>(batch));
  std::iota(samples.begin(), samples.end(), Index{0});
  return samples;
}

template <typename Cell>
constexpr bool is_ltc = false;
template <typename Scalar, int... Sizes>
constexpr bool is_ltc<LTCCell<Scalar, Sizes...>> = true;

}  // namespace

TEST_CASE("Gradients of every cell are those of finite differences", "[cell][laws][gradient]") {
  for_every_cell([](const auto& model) {
    support::require_gradients(model, 3, 1);
    if (model.parameters().size() < 1000) support::require_gradients(model, 2, 3);
  });
}

TEST_CASE("Gradients go through the masked steps of every cell", "[cell][laws][mask][gradient]") {
  for_every_cell([](const auto& model) {
    if (model.parameters().size() > 1000) return;  // would take long, and tell nothing more
    Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(4, 3);
    exists(0, 0) = exists(2, 0) = exists(3, 1) = 0;
    exists.row(1) = 0;
    support::require_gradients(model, 4, 3, exists);
    support::require_gradients(model, 4, 1, exists.col(0));
  });
}

TEST_CASE("The outputs of the last step alone have gradients of their own", "[cell][laws][gradient]") {
  for_every_cell([]<typename Model>(const Model& model) {
    Model last(model.cell(), false);
    last.set_parameters(model.parameters());
    const auto p = problem_of(last, 4, 3);
    Model all = model;
    auto of_all = problem_of(all, 4, 3);
    of_all.x = p.x;
    of_all.elapsed = p.elapsed;
    of_all.initial = p.initial;
    of_all.d_final = p.d_final;
    of_all.d_y.values().setZero();
    of_all.d_y.step(3) = p.d_y.step(0);
    Results wanted = support::run(all, of_all);
    wanted.y = steps_of(wanted.y, 3, 1);
    support::require_same(support::run(last, p), wanted);
  });
}

TEST_CASE("Permuting a batch permutes what every cell makes of it", "[cell][laws]") {
  for_every_cell([](auto model) {
    for (const Index batch : {3, 9, 17}) {
      const auto p = problem_of(model, 3, batch);
      Samples permuted = all_samples(batch);
      std::shuffle(permuted.begin(), permuted.end(), std::mt19937(3));
      const Results wanted = samples_of(support::run(model, p), permuted);
      support::require_close(support::run(model, samples_of(p, permuted)), wanted, 1e-13);
    }
  });
}

TEST_CASE("A batch of n is n single sequences to every cell", "[cell][laws]") {
  for_every_cell([](auto model) {
    for (const Index batch : every_kind_of_tile) {
      CAPTURE(batch);
      const auto p = problem_of(model, 3, batch);
      const Results together = support::run(model, p);
      Eigen::ArrayXd gradient = Eigen::ArrayXd::Zero(together.gradient.size());
      for (Index b = 0; b < batch; ++b) {
        Results alone = support::run(model, samples_of(p, {b}));
        gradient += alone.gradient;
        alone.gradient = together.gradient;
        support::require_close(samples_of(together, {b}), alone, 1e-13);
      }
      CHECK((gradient - together.gradient).abs().maxCoeff() <
            1e-12 * (std::max)(1.0, together.gradient.abs().maxCoeff()));
    }
  });
}

TEST_CASE("Splitting a sequence in two and carrying the state over changes nothing", "[cell][laws]") {
  for_every_cell([](auto model) {
    for (const Index batch : {1, 3, 9}) {
      const auto whole = problem_of(model, 7, batch);
      const Results wanted = support::run(model, whole);

      auto first = steps_of(whole, 0, 4), second = steps_of(whole, 4, 3);
      const auto y_first = model(first.x, first.context());
      second.initial = model.final_state();
      const Results of_second = support::run(model, second);
      first.d_final = model.initial_state_gradient();
      const Results of_first = support::run(model, first);

      Results joined = wanted;
      for (Index t = 0; t < 7; ++t) {
        joined.y.step(t) = t < 4 ? of_first.y.step(t) : of_second.y.step(t - 4);
        joined.d_x.step(t) = t < 4 ? of_first.d_x.step(t) : of_second.d_x.step(t - 4);
      }
      joined.final_state = of_second.final_state;
      joined.d_initial = of_first.d_initial;
      joined.gradient = of_first.gradient + of_second.gradient;
      joined.d_elapsed << of_first.d_elapsed, of_second.d_elapsed;
      CHECK((y_first.values() == of_first.y.values()).all());
      CHECK((joined.y.values() == wanted.y.values()).all());
      CHECK((joined.final_state == wanted.final_state).all());
      support::require_close(joined, wanted, 1e-13);
    }
  });
}

TEST_CASE("A step is a sequence of one step", "[cell][laws]") {
  for_every_cell([](auto model) {
    for (const Index batch : every_kind_of_tile) {
      CAPTURE(batch);
      const auto p = problem_of(model, 1, batch);
      const auto y = model(p.x, p.context());
      const Eigen::ArrayXXd state_after = model.final_state().array();
      auto state = p.initial;
      const Eigen::ArrayXXd stepped = model.step(p.x.step(0), state, p.elapsed.row(0));
      REQUIRE((stepped == y.step(0)).all());
      REQUIRE((state.array() == state_after).all());
    }
  });
}

TEST_CASE("An LTC of fixed sizes is one of dynamic sizes, with every solver", "[cell][laws][ltc]") {
  for (const ODESolver solver :
       {ODESolver::semi_implicit, ODESolver::explicit_euler, ODESolver::heun, ODESolver::runge_kutta}) {
    INFO("solver " << static_cast<int>(solver));
    auto dynamic = off_initial(Rnn(LTC<double>(FullyConnected(5, 2), 3, {.solver = solver}).cell()));
    Rnn fixed(LTC<double, FullyConnected<5, 2>, 3>(FullyConnected<5, 2>{}, {.solver = solver}).cell());
    fixed.set_parameters(dynamic.parameters());
    for (const Index batch : every_kind_of_tile) {
      const auto p = problem_of(dynamic, 3, batch);
      auto of_fixed = problem_of(fixed, 3, batch);
      REQUIRE((of_fixed.initial.array() == p.initial.array()).all());
      support::require_close(support::run(fixed, of_fixed), support::run(dynamic, p), 1e-13);
    }
    auto state = fixed.initial_state();
    auto of_dynamic = dynamic.initial_state();
    const Eigen::Array3d x(0.5, -1, 0.25);
    const Eigen::ArrayXXd stepped = fixed.step(x, state, 0.5);
    CHECK((stepped - dynamic.step(x, of_dynamic, 0.5)).abs().maxCoeff() < 1e-14);
  }
}

TEST_CASE("A masked step leaves the state alone, whatever its input", "[cell][laws][mask]") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for_every_cell([&](auto model) {
    for (const Index batch : {1, 3, 9}) {
      auto p = problem_of(model, 5, batch);
      p.exists(1, 0) = 0;
      p.exists(3, batch - 1) = 0;
      p.exists.row(2) = 0;
      p.exists.row(4) = 0;
      const Results wanted = support::run(model, p);
      for (const double anything : {nan, std::numeric_limits<double>::infinity(), -1e300}) {
        for (Index t = 0; t < 5; ++t) {
          for (Index b = 0; b < batch; ++b) {
            if (!p.exists(t, b)) p.x.step(t).row(b).setConstant(anything);
          }
        }
        support::require_same(support::run(model, p), wanted);
      }
      for (Index t = 0; t < 5; ++t) {
        for (Index b = 0; b < batch; ++b) {
          if (p.exists(t, b)) continue;
          REQUIRE((wanted.d_x.step(t).row(b) == 0).all());
          REQUIRE(wanted.d_elapsed(t, b) == 0);
        }
      }
      // The first sample steps at 0 and, unless it is the last too, at 3.
      auto alone = samples_of(p, {0});
      alone = steps_of(alone, 0, 1);
      if (batch > 1) {
        alone = samples_of(p, {0});
        Problem<decltype(model)> two = steps_of(alone, 0, 2);
        two.x.step(1) = alone.x.step(3);
        two.elapsed.row(1) = alone.elapsed.row(3);
        two.exists.setOnes();
        alone = two;
      }
      (void)model(alone.x, alone.context());
      REQUIRE((model.final_state().array().row(0) - wanted.final_state.row(0)).abs().maxCoeff() < 1e-14);
    }
  });
}

TEST_CASE("Where no time passes, an LTC keeps its state, and every cell stays finite", "[cell][laws]") {
  for_every_cell([](auto model) {
    using Cell = typename decltype(model)::Cell;
    for (const Index batch : {1, 3, 9}) {
      auto p = problem_of(model, 3, batch);
      p.elapsed.col(0) = 0;
      p.elapsed(1, batch - 1) = 0;
      const Results r = support::run(model, p);
      r.for_each([](const char* name, const auto& values) {
        INFO(name);
        REQUIRE(values.isFinite().all());
      });
      if constexpr (is_ltc<Cell>) {
        REQUIRE((r.final_state.row(0) == p.initial.array().row(0)).all());
        REQUIRE((r.d_x.step(0).row(0) == 0).all());
      }
    }
  });
}

TEST_CASE("With a tape and without one, every cell gives the same bits", "[cell][laws]") {
  for_every_cell([](auto model) {
    for (const Index batch : every_kind_of_tile) {
      auto p = problem_of(model, 4, batch);
      p.exists(2, 0) = 0;
      const auto y = model(p.x, p.context());
      const Eigen::ArrayXXd final_state = model.final_state().array();
      REQUIRE((model.forward(p.x, p.context()).values() == y.values()).all());
      REQUIRE((model.final_state().array() == final_state).all());
    }
  });
}

TEST_CASE("What went forward may change or die before the way back", "[cell][laws][lifetime]") {
  int with_own_outputs = 0;
  for_every_cell([&]<typename Model>(Model model) {
    for (const Index batch : {1, 3, 9}) {
      auto p = problem_of(model, 3, batch);
      p.exists(1, 0) = 0;
      const Results wanted = support::run(model, p);

      // Inputs and context are gone.
      auto dying = std::make_unique<Problem<Model>>(p);
      const auto y = model.forward(dying->x, dying->context());
      dying.reset();
      model.backward(p.d_y, &p.d_final);
      support::require_same(support::results_of(model, y), wanted);

      // The inputs have another shape and other values.
      auto changing = p;
      model.forward(changing.x, changing.context());
      changing.x.resize(1, 1, 1);
      changing.x.values().setConstant(1e9);
      model.backward(p.d_y, &p.d_final);
      support::require_same(support::results_of(model, y), wanted);

      // The inputs were a matrix, of which a temporary Sequence was made.
      if (batch == 1) {
        auto context = p.context();
        Eigen::ArrayXXd matrix(3, model.input_dim());
        for (Index t = 0; t < 3; ++t) matrix.row(t) = p.x.step(t).row(0);
        model.forward(matrix, context);
        matrix.setZero();
        context = {};
        model.backward(p.d_y, &p.d_final);
        support::require_same(support::results_of(model, y), wanted);
      }

      // The inputs are the model's own outputs, which the same pass overwrites.
      if (model.input_dim() != model.output_dim()) continue;
      ++with_own_outputs;
      auto next = p;
      next.x = y;
      Model other = model;
      const Results of_outputs = support::run(other, next);
      const auto& own = model.forward(p.x, p.context());
      const auto again = model.forward(own, next.context());
      model.backward(next.d_y, &next.d_final);
      support::require_same(support::results_of(model, again), of_outputs);
    }
  });
  CHECK(with_own_outputs > 50);
}

TEST_CASE("A copy gives the same bits, and goes its own way", "[cell][laws]") {
  for_every_cell([](auto model) {
    const auto p = problem_of(model, 3, 9);
    const Results wanted = support::run(model, p);
    auto copy = model;
    model.forward(p.x, p.context());
    auto halfway = model;  // between forward and backward
    auto assigned = copy;
    assigned.update([](auto all) { all = 0.5; });
    assigned = model;
    model.update([](auto all) { all *= 0.5; });
    halfway.backward(p.d_y, &p.d_final);
    support::require_same(support::results_of(halfway, halfway.forward(p.x, p.context())), wanted);
    support::require_same(support::run(copy, p), wanted);
    support::require_same(support::run(assigned, p), wanted);
    const Results others = support::run(model, p);
    CHECK((others.y.values() != wanted.y.values()).any());
  });
}

TEST_CASE("In float, every cell is as close to double as its digits allow", "[cell][laws][accuracy]") {
  for_each_cell([](const std::string& name, const auto& make) {
    INFO(name);
    auto single = off_initial(Rnn(make.template operator()<float>()));
    auto exact = Rnn(make.template operator()<double>());
    exact.set_parameters(single.parameters().template cast<double>());
    for (const Index batch : {1, 3, 17}) {
      CAPTURE(batch);
      const auto p = problem_of(single, 5, batch);
      const auto of_exact = problem_of(exact, 5, batch);
      REQUIRE((p.x.values().template cast<double>() == of_exact.x.values()).all());
      support::require_close(support::run(single, p), support::run(exact, of_exact), 1e-5);
    }
  });
}
