// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include <elegans/core/thread_pool.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/ltc.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"

using namespace elegans;

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

struct Result {
  Eigen::ArrayXf output, gradient, input_gradient;
};

template <typename Model>
Result run(Model model, const std::shared_ptr<Executor>& executor, Index batch) {
  model.set_executor(executor);
  Sequence<float> x(9, batch, 3);
  x.values().setLinSpaced(-1.0f, 1.0f);
  const auto& y = model.forward(x);
  Sequence<float> d = y;
  model.backward(d);
  return {y.values(), model.gradient(), model.input_gradient().values()};
}

}  // namespace

TEST_CASE("However many threads there are, the results are the same to the bit", "[layer][executor]") {
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

TEST_CASE("Layers in sequence share an executor", "[layer][executor]") {
  const Sequential model(LTC<float>(AutoNCP(12, 2), 3), Dense<float>(2, 2));
  const Result alone = run(model, nullptr, 33);
  const Result spread = run(model, std::make_shared<ThreadPool>(3), 33);
  CHECK((alone.gradient == spread.gradient).all());
  CHECK((alone.input_gradient == spread.input_gradient).all());
}

TEST_CASE("A pool does each task once, with no worker twice at a time", "[core][executor]") {
  ThreadPool pool(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<int> done(37);
    std::array<std::atomic<int>, 4> active{};
    std::atomic<bool> clash = false;
    pool.run(37, [&](Index i, int worker) {
      if (active[static_cast<std::size_t>(worker)]++ != 0) clash = true;
      ++done[static_cast<std::size_t>(i)];
      --active[static_cast<std::size_t>(worker)];
    });
    REQUIRE(done == std::vector<int>(37, 1));
    REQUIRE_FALSE(clash);
  }
  pool.run(0, [](Index, int) { FAIL(); });
}

TEST_CASE("A batch of 16 is work for two, whatever the packets", "[layer][executor]") {
  CHECK(16 / detail::tile_lanes<float>(16) >= 2);
  CHECK(16 / detail::tile_lanes<double>(16) >= 2);
  CHECK(detail::tile_lanes<float>(32) == detail::full_lanes<float>);
}

TEST_CASE("A pool has at least one worker", "[core][executor]") {
  CHECK_THROWS_WITH(ThreadPool(0), "ThreadPool: workers must be at least 1, got 0");
}
