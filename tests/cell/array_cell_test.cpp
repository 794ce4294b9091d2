// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <vector>

#include <elegans/cell/array_cell.hpp>
#include <elegans/inspect/check_gradients.hpp>
#include <elegans/inspect/hidden_states.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/sequential.hpp>

#include "support/catch.hpp"
#include "support/ramp.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::ramp;

namespace {

/// Driven oscillators: positions and velocities, (p, q) side by side, of which the positions are the outputs.
///
///     p' = p + dt q,   q' = q + dt (W x - k p)
struct Oscillators {
  using Scalar = double;
  int count = 3;
  int inputs = 2;
  int outputs = 3;

  [[nodiscard]] Index units() const { return count; }
  [[nodiscard]] Index input_dim() const { return inputs; }
  [[nodiscard]] Index state_size() const { return 2 * count; }
  [[nodiscard]] Index output_dim() const { return outputs; }
  [[nodiscard]] ParameterList<> parameters() const {
    ParameterList<> list;
    list.add("W", count, inputs);
    list.add("k", count, 1);
    return list;
  }
  void initialize(Tensors<double> p) const {
    p("W").reshaped().setLinSpaced(-0.5, 0.7);
    p("k").reshaped().setLinSpaced(0.3, 2);
  }
  void apply_constraints(Tensors<double> p) const { p("k") = p("k").max(0.1); }

  void step(Tensors<const double> p, const ArrayStep<double>& now, ArrayView<double> next) const {
    const auto position = now.state.leftCols(count);
    const auto velocity = now.state.rightCols(count);
    next.leftCols(count) = position + velocity.colwise() * now.elapsed;
    next.rightCols(count) = velocity + force(p, now).colwise() * now.elapsed;
  }
  void step_backward(Tensors<const double> p, const ArrayStep<double>& now, ConstArrayView<double> d_next,
                     ArrayStepAdjoint<double>& d_now, Tensors<double> d_p) const {
    const auto d_position = d_next.leftCols(count);
    const auto d_velocity = d_next.rightCols(count);
    const Eigen::ArrayXXd d_force = d_velocity.colwise() * now.elapsed;
    d_now.state.leftCols(count) += d_position - d_force.rowwise() * p("k").col(0).transpose();
    d_now.state.rightCols(count) += d_velocity + d_position.colwise() * now.elapsed;
    d_now.elapsed += (d_position * now.state.rightCols(count) + d_velocity * force(p, now)).rowwise().sum();
    d_now.x.matrix() += d_force.matrix() * p("W").matrix();
    d_p("W").matrix() += d_force.matrix().transpose() * now.x.matrix();
    d_p("k") -= (d_force * now.state.leftCols(count)).colwise().sum().transpose();
  }
  [[nodiscard]] Eigen::ArrayXXd force(Tensors<const double> p, const ArrayStep<double>& now) const {
    const Eigen::ArrayXXd drive = (now.x.matrix() * p("W").matrix().transpose()).array();
    return drive - now.state.leftCols(count).rowwise() * p("k").col(0).transpose();
  }
};

using Model = Rnn<ArrayCell<Oscillators>>;

}  // namespace

TEST_CASE("A cell on plain arrays steps as its equations say, for any batch", "[cell][array_cell]") {
  Model model(ArrayCell(Oscillators{}));
  const auto w = model.parameter("W");
  const auto k = model.parameter("k");
  for (const Index batch : {1, 2, 3, 17}) {
    const Sequence<double> x = ramp(4, batch, 2);
    Eigen::ArrayXXd spans(4, batch);
    spans.reshaped().setLinSpaced(0.1, 0.9);
    Context<double> context;
    context.timespans = spans;
    const Sequence<double> y = model(x, context);
    const Sequence<double> states = hidden_states(model, x, context);
    REQUIRE(y.features() == 3);
    REQUIRE(states.features() == 6);
    for (Index b = 0; b < batch; ++b) {
      for (Index i = 0; i < 3; ++i) {
        double p = 0;
        double q = 0;
        for (Index t = 0; t < 4; ++t) {
          const double force = w(i, 0) * x(t, b, 0) + w(i, 1) * x(t, b, 1) - k(i, 0) * p;
          p += spans(t, b) * q;
          q += spans(t, b) * force;
          CHECK(y(t, b, i) == Approx(p).margin(1e-14));
          CHECK(states(t, b, 3 + i) == Approx(q).margin(1e-14));
        }
      }
    }
  }
}

TEST_CASE("Its gradients go through time, masks, and the layers around it", "[cell][array_cell][gradient]") {
  for (const Index batch : {1, 3, 9}) {
    Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(4, batch);
    exists(1, 0) = exists(3, batch - 1) = 0;
    for (const Mask& mask : {Mask(), Mask(exists)}) {
      for (const auto& check :
           {check_gradients(Model(ArrayCell(Oscillators{})), {.time = 4, .batch = batch}, mask),
            check_gradients(Model(ArrayCell(Oscillators{.outputs = 1}), false), {.time = 4, .batch = batch}, mask),
            check_gradients(Sequential(Dense<double>(2, 3), Model(ArrayCell(Oscillators{})), Dense<double>(1, 3)),
                            {.time = 4, .batch = batch}, mask)}) {
        INFO("batch " << batch << ": " << check.where << " is off by " << check.largest_error);
        CHECK(check.ok());
      }
    }
  }
}

TEST_CASE("Constraints hold, and a copy is a model of its own", "[cell][array_cell]") {
  Model model(ArrayCell(Oscillators{}));
  const Sequence<double> x = ramp(3, 2, 2);
  const Sequence<double> y = model(x);
  Model copy = model;
  copy.update([](auto all) { all = -1; });
  CHECK((copy.parameter("k") == 0.1).all());
  CHECK((copy.parameter("W") == -1.0).all());
  CHECK((model(x).values() == y.values()).all());
  CHECK((copy(x).values() != y.values()).any());
}

TEST_CASE("A cell on plain arrays whose sizes make no sense is refused", "[cell][array_cell]") {
  CHECK(support::refusal_of([] { ArrayCell cell(Oscillators{.count = 0}); }) ==
        "ArrayCell: units must be at least 1, got 0");
  CHECK(support::refusal_of([] { ArrayCell cell(Oscillators{.inputs = 0}); }) ==
        "ArrayCell: input_dim must be at least 1, got 0");
  CHECK(support::refusal_of([] { ArrayCell cell(Oscillators{.outputs = 7}); }) ==
        "ArrayCell: output_dim must be at most state_size = 6, got 7");
  const ParameterList<> list = Oscillators{}.parameters();
  std::vector<double> values(9);
  CHECK(support::refusal_of([&] { (void)Tensors<double>(list, values.data())("tau"); }) ==
        "no parameter named 'tau'; there are W, k");
}
