// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <elegans/cell/array_cell.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/tiling.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/system/thread_pool.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/problem.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

namespace {

/// Works in one thread, from the last task to the first, as an unlucky schedule might.
class LastFirst : public Executor {
 public:
  [[nodiscard]] int workers() const noexcept override { return 3; }

 protected:
  void run_tasks(Index count, Function task, void* context) override {
    for (Index i = count - 1; i >= 0; --i) task(context, i, static_cast<int>(i % 3));
  }
};

/// Works in one thread, each time as another worker, as the threads of a pool might.
class TakesTurns : public Executor {
 public:
  [[nodiscard]] int workers() const noexcept override { return 3; }

 protected:
  void run_tasks(Index count, Function task, void* context) override {
    worker_ = (worker_ + 1) % workers();
    for (Index i = 0; i < count; ++i) task(context, i, worker_);
  }

 private:
  int worker_ = 0;
};

/// v <- v + k x, which refuses an input above 1, and a gradient above 5.
struct Touchy {
  using Scalar = double;
  [[nodiscard]] Index units() const { return 1; }
  [[nodiscard]] Index input_dim() const { return 1; }
  [[nodiscard]] ParameterList<> parameters() const {
    ParameterList<> list;
    list.add("k", 1, 1);
    return list;
  }
  void initialize(Tensors<double> p) const { p("k") = 0.25; }
  void step(Tensors<const double> p, const ArrayStep<double>& now, ArrayView<double> next) const {
    refuse_above(1, now.x, "");
    next = now.state + p("k")(0, 0) * now.x;
  }
  void step_backward(Tensors<const double> p, const ArrayStep<double>& now, ConstArrayView<double> d_next,
                     ArrayStepAdjoint<double>& d_now, Tensors<double> d_p) const {
    refuse_above(5, d_next, " to go back");
    d_now.state += d_next;
    d_now.x += p("k")(0, 0) * d_next;
    d_p("k") += (d_next * now.x).sum();
  }
  static void refuse_above(double most, ConstArrayView<double> values, const char* where) {
    if (values.maxCoeff() <= most) return;
    std::ostringstream text;
    text << values.maxCoeff() << " is too much" << where;
    throw std::domain_error(text.str());
  }
};

struct Result {
  Eigen::ArrayXf output, gradient, input_gradient;
};

template <typename Model>
Result run(Model model, const std::shared_ptr<Executor>& executor, Index batch, float scale = 1) {
  model.set_executor(executor);
  Sequence<float> x(9, batch, 3);
  x.values().setLinSpaced(-1.0f, 1.0f);
  const auto& y = model.forward(x);
  Sequence<float> d = y;
  d.values() *= scale;
  model.backward(d);
  return {y.values(), model.gradient(), model.input_gradient().values()};
}

/// The number of tiles that workers can share.
template <typename Scalar>
Index count_tiles(Index batch) {
  Index count = 0;
  detail::Tiling<Scalar>(batch, 32, false).for_each_tile([&]<LaneLayout Lanes>(Index, Index) { ++count; });
  return count;
}

}  // namespace

TEST_CASE("The results are the same to the bit for any number of threads", "[layer][executor]") {
  const LTC<float> model(AutoNCP(12, 2), 3);
  for (const Index batch : {1, 2, 16, 17, 39, 64}) {
    INFO("batch " << batch);
    const Result alone = run(model, nullptr, batch);
    CHECK(alone.gradient.abs().maxCoeff() > 0);
    for (const auto& executor : {std::shared_ptr<Executor>(std::make_shared<LastFirst>()),
                                 std::shared_ptr<Executor>(std::make_shared<ThreadPool>(1)),
                                 std::shared_ptr<Executor>(std::make_shared<ThreadPool>(2)),
                                 std::shared_ptr<Executor>(std::make_shared<ThreadPool>(5))}) {
      INFO("workers " << executor->workers());
      const Result spread = run(model, executor, batch);
      CHECK((alone.output == spread.output).all());
      CHECK((alone.gradient == spread.gradient).all());
      CHECK((alone.input_gradient == spread.input_gradient).all());
    }
  }
}

TEST_CASE("So are gradients that are too small for normal numbers", "[layer][executor]") {
  const LTC<float> model(AutoNCP(12, 2), 3);
  // Normal gradients of two tiles may cancel to a denormal sum.
  for (int exponent = -140; exponent < -90; ++exponent) {
    INFO("exponent " << exponent);
    const float scale = std::ldexp(1.0f, exponent);
    const Result alone = run(model, nullptr, 39, scale);
    const Result spread = run(model, std::make_shared<ThreadPool>(2), 39, scale);
    CHECK((alone.gradient == spread.gradient).all());
    CHECK((alone.input_gradient == spread.input_gradient).all());
  }
}

TEST_CASE("A worker goes back through masked steps of tiles that another worker went forward through",
          "[layer][executor][mask]") {
  const LTC<float> model(AutoNCP(12, 2), 3);
  const auto p = [&] {
    auto problem = support::problem_of(model, 5, 39);
    problem.exists(1, 0) = problem.exists(2, 20) = problem.exists(4, 38) = 0;
    return problem;
  }();
  LTC<float> alone = model, spread = model;
  spread.set_executor(std::make_shared<TakesTurns>());
  support::require_same(support::run(spread, p), support::run(alone, p));
}

TEST_CASE("Layers in sequence share an executor", "[layer][executor]") {
  const Sequential model(LTC<float>(AutoNCP(12, 2), 3), Dense<float>(2, 2));
  const Result alone = run(model, nullptr, 33);
  const Result spread = run(model, std::make_shared<ThreadPool>(3), 33);
  CHECK((alone.gradient == spread.gradient).all());
  CHECK((alone.input_gradient == spread.input_gradient).all());
}

TEST_CASE("A batch of 16 is cut into at least two tiles on every target", "[layer][executor]") {
  CHECK(count_tiles<float>(16) >= 2);
  CHECK(count_tiles<double>(16) >= 2);
  CHECK(count_tiles<float>(2 * detail::full_lanes<float>) == 2);
}

TEST_CASE("An exception of a user's cell in a worker reaches the caller", "[layer][executor]") {
  Rnn<ArrayCell<Touchy>> model(ArrayCell(Touchy{}));
  Sequence<double> x(3, 40, 1);
  for (const auto& executor : {std::shared_ptr<Executor>(), std::shared_ptr<Executor>(std::make_shared<LastFirst>()),
                               std::shared_ptr<Executor>(std::make_shared<ThreadPool>(4))}) {
    INFO("workers " << (executor ? executor->workers() : 1));
    model.set_executor(executor);
    x.values().setConstant(0.5);
    const Sequence<double> y = model.forward(x);
    Sequence<double> d = y;
    model.backward(d);
    const Eigen::ArrayXd gradient = model.gradient();

    // Several tiles throw. The exception of the first sample comes out, as with one thread.
    x(1, 39, 0) = 2;
    x(2, 7, 0) = 3;
    CHECK(refusal_of<std::domain_error>([&] { model.forward(x); }) == "3 is too much");
    CHECK(refusal_of([&] { model.backward(d); }) == "backward: call forward() first");
    x.values().setConstant(0.5);
    model.forward(x);
    d(2, 0, 0) = 7;
    CHECK(refusal_of<std::domain_error>([&] { model.backward(d); }) == "7 is too much to go back");

    // The model still works.
    d(2, 0, 0) = y(2, 0, 0);
    CHECK((model.forward(x).values() == y.values()).all());
    model.backward(d);
    CHECK((model.gradient() == gradient).all());
  }
}
