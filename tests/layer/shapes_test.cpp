// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <optional>

#include <elegans/layer/shapes.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

TEST_CASE("A state is (batch, state_size), or the message has both shapes", "[layer][shapes]") {
  CHECK_NOTHROW(detail::require_state_shape("f: s", State<double>(3, 5), 3, 5));
  CHECK_NOTHROW(detail::require_state_shape("f: s", State<double, 0>(3, 0), 3, 0));
  for (const auto& [batch, units] : {std::pair{3, 4}, {4, 5}, {5, 3}, {0, 0}}) {
    const State<double> wrong(batch, units);
    CHECK(refusal_of([&] { detail::require_state_shape("f: s", wrong, 3, 5); }) ==
          detail::concatenate("f: s must be (batch, state_size) = (3, 5), got (", batch, ", ", units, ")"));
  }
}

TEST_CASE("What goes forward has a step, a sample, and a context of its shape", "[layer][shapes]") {
  const auto refused = [](const Sequence<double>& x, const Context<double>& context) {
    return refusal_of([&] { detail::require_forward_shape(x, context, 2, 5); });
  };
  const Sequence<double> x(4, 3, 2);
  const Context<double> whole{.timespans = Eigen::ArrayXXd::Ones(4, 3),
                              .initial_state = State<double>(3, 5),
                              .mask = Eigen::ArrayXXi::Ones(4, 3)};
  CHECK(refused(x, {}) == "(not refused)");
  CHECK(refused(x, whole) == "(not refused)");
  CHECK(refused(Sequence<double>(1, 1, 2), {}) == "(not refused)");
  CHECK(refused(x, {.timespans = Eigen::ArrayXXd::Ones(4, 1)}) == "(not refused)");

  const std::string of_x = "forward: x must be (time >= 1, batch >= 1, input_dim = 2), got ";
  CHECK(refused({4, 3, 1}, {}) == of_x + "(4, 3, 1)");
  CHECK(refused({0, 3, 2}, {}) == of_x + "(0, 3, 2)");
  CHECK(refused({4, 0, 2}, {}) == of_x + "(4, 0, 2)");
  CHECK(refused({}, {}) == of_x + "(0, 0, 0)");
  CHECK(refused(x, {.timespans = Eigen::ArrayXXd::Ones(3, 1)}) ==
        "timespans must be (time, batch) = (4, 3) or (4, 1), got (3, 1)");
  CHECK(refused(x, {.timespans = 1.0, .mask = Eigen::ArrayXXi::Ones(3, 4)}) ==
        "mask must be (time, batch) = (4, 3), got (3, 4)");
  CHECK(refused(x, {.timespans = 1.0, .initial_state = State<double>(3, 4)}) ==
        "forward: the initial state must be (batch, state_size) = (3, 5), got (3, 4)");
}

TEST_CASE("What goes backward has the shapes of the outputs and of the state", "[layer][shapes]") {
  const Sequence<double> y(4, 3, 2);
  const auto refused = [&](const Sequence<double>& d_y, const std::optional<State<double>>& d_final) {
    return refusal_of([&] { detail::require_backward_shape(d_y, d_final ? &*d_final : nullptr, y, 5); });
  };
  CHECK(refused(y, std::nullopt) == "(not refused)");
  CHECK(refused(y, State<double>(3, 5)) == "(not refused)");
  for (const auto& [t, b, f] : {std::tuple{3, 3, 2}, {4, 2, 2}, {4, 3, 3}, {0, 0, 0}}) {
    CHECK(refused({t, b, f}, std::nullopt) ==
          detail::concatenate("backward: d_output must be (4, 3, 2), got (", t, ", ", b, ", ", f, ")"));
  }
  CHECK(refused(y, State<double>(3, 6)) == "backward: d_final_state must be (batch, state_size) = (3, 5), got (3, 6)");
  CHECK(refused(y, State<double>(1, 5)) == "backward: d_final_state must be (batch, state_size) = (3, 5), got (1, 5)");
}
