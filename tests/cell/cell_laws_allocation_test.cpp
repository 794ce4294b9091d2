// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include <elegans/layer/rnn.hpp>

#include "cell/cells.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problem.hpp"

using namespace elegans;

TEST_CASE("A pass or a step allocates nothing once its shape has been seen", "[cell][laws][allocation]") {
  cell_test::for_each_cell([](const std::string& name, const auto& make) {
    INFO(name);
    Rnn model(make.template operator()<float>());
    for (const Index batch : {1, 3, 21}) {
      CAPTURE(batch);
      auto p = support::problem_of(model, 4, batch);
      p.exists(1, 0) = 0;
      const auto context = p.context();
      const Eigen::ArrayXf elapsed = p.elapsed.row(0);
      const auto pass_and_step = [&] {
        model.forward(p.x, context);
        model.backward(p.d_y, &p.d_final);
        model.step(p.x.step(0), p.initial, elapsed);
        model.step(p.x.step(1), p.initial, 0.5f);
      };
      pass_and_step();
      const long before = allocations;
      pass_and_step();
      const long after = allocations;
      CHECK(after == before);
      // New parameters are packed anew.
      model.update([](auto all) { all *= 0.5f; });
      pass_and_step();
      const long at_last = allocations;
      CHECK(at_last == after);
    }
  });
}
