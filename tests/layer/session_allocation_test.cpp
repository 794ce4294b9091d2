// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/layer/session.hpp>
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
}
