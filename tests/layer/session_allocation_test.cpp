// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <vector>

#include <elegans/layer/dense.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/session.hpp>
#include <elegans/layer/stack.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

using namespace elegans;

TEST_CASE("A session steps without allocating", "[session][allocation]") {
  const auto check = [](const auto& model) {
    Session session(model);
    auto state = session.initial_state();
    const Eigen::Array3f x(0.5f, -1, 0.25f);
    const long before = allocations;
    for (int t = 0; t < 5; ++t) session.step(x, state, 0.1f);
    const long after = allocations;
    CHECK(after == before);
  };
  check(LTC<float>(AutoNCP(20, 2), 3));
  check(LSTM<float>(20, 3));
  const Dense<float> dense(4, 3);
  check(dense);
  check(LayerNorm<float>(3));
  check(Sequential(dense, LTC<float>(AutoNCP(20, 2), 4), LayerNorm<float>(2), Dense<float>(1, 2)));
  check(Stack(std::vector{Dense<float>(3, 3), Dense<float>(2, 3)}));
}
