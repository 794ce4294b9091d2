// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <limits>
#include <vector>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

constexpr Index time_steps = 6;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Padded sequences of these lengths; the padding is NaN.
Sequence<double> padded(const std::vector<Index>& lengths, Index features) {
  Sequence<double> x(time_steps, static_cast<Index>(lengths.size()), features);
  for (Index t = 0; t < time_steps; ++t) {
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index f = 0; f < features; ++f) {
        const bool exists = t < lengths[static_cast<std::size_t>(b)];
        x(t, b, f) = exists ? 0.1 * static_cast<double>(t + 1) - 0.05 * static_cast<double>(b * f) : nan;
      }
    }
  }
  return x;
}

}  // namespace

TEST_CASE("Padded sequences in a batch give the same results as each sequence alone", "[layer][mask]") {
  for (const bool return_sequences : {true, false}) {
    LTC<double> model(AutoNCP(8, 2), 3, {.return_sequences = return_sequences});
    const std::vector<Index> lengths{3, 6, 1, 4, 2};
    const Sequence<double> x = padded(lengths, 3);
    Context<double> context;
    context.mask = Mask::of_lengths(lengths, time_steps);
    const Sequence<double> y = model.forward(x, context);
    const State<double> final_state = model.final_state();
    // The loss is the sum of all outputs that exist.
    Sequence<double> d_y(y.time(), y.batch(), y.features());
    for (Index t = 0; t < y.time(); ++t) {
      for (Index b = 0; b < y.batch(); ++b) {
        for (Index f = 0; f < y.features(); ++f) {
          d_y(t, b, f) = !return_sequences || context.mask(t, b) ? 1.0 : 0.0;
        }
      }
    }
    model.backward(d_y);
    const Eigen::ArrayXd gradient = model.gradient();
    const Sequence<double> d_x = model.input_gradient();
    const Eigen::ArrayXXd d_spans = model.timespans_gradient();
    CHECK((model(x, context).values() == y.values()).all());

    Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(gradient.size());
    for (Index b = 0; b < x.batch(); ++b) {
      INFO("sample " << b);
      const Index length = lengths[static_cast<std::size_t>(b)];
      Sequence<double> alone(length, 1, 3);
      for (Index t = 0; t < length; ++t) alone.step(t) = x.step(t).row(b);
      const Sequence<double> expected = model.forward(alone);
      for (Index t = 0; t < expected.time(); ++t) {
        CHECK((y.step(t).row(b) - expected.step(t)).abs().maxCoeff() < 1e-14);
      }
      CHECK((final_state.array().row(b) - model.final_state().array()).abs().maxCoeff() < 1e-14);
      Sequence<double> ones(expected.time(), 1, 2);
      ones.values().setOnes();
      model.backward(ones);
      sum += model.gradient();
      for (Index t = 0; t < time_steps; ++t) {
        if (t < length) {
          CHECK((d_x.step(t).row(b) - model.input_gradient().step(t)).abs().maxCoeff() < 1e-14);
          CHECK(d_spans(t, b) == Approx(model.timespans_gradient()(t, 0)).margin(1e-14));
        } else {
          CHECK((d_x.step(t).row(b) == 0).all());
          CHECK(d_spans(t, b) == 0);
        }
      }
    }
    CHECK((gradient - sum).abs().maxCoeff() < 1e-12);
  }
}
