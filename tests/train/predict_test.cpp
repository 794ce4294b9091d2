// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>
#include <utility>

#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/session.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/predict.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/problem.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

TEST_CASE("A prediction in batches is that of all samples", "[train][predict]") {
  const auto check = [](auto model) {
    auto p = support::problem_of(model, 6, 11);
    p.exists(2, 3) = p.exists(5, 10) = 0;
    const Sequence<double> wanted = model(p.x, p.context());
    for (const Index batch_size : {1, 4, 11, 100}) {
      CAPTURE(batch_size);
      const auto y = predict(model, p.x, batch_size, p.context());
      REQUIRE(y.time() == wanted.time());
      REQUIRE(y.batch() == 11);
      CHECK((y.values() - wanted.values()).abs().maxCoeff() < 1e-13);
    }
    const Sequence<double> plain = model(p.x);
    CHECK((predict(model, p.x, 3).values() - plain.values()).abs().maxCoeff() < 1e-13);
  };
  check(LTC<double>(AutoNCP(9, 2), 3));
  check(GRU<double>(4, 3, {.return_sequences = false}));
  check(Sequential(LTC<double>(AutoNCP(9, 2), 3), Dense<double>(2, 2)));
}

TEST_CASE("A forecast is the loop of a model that reads its own outputs", "[train][forecast]") {
  const auto check = [](auto model) {
    for (const Index batch : {1, 3}) {
      auto p = support::problem_of(model, 6, batch);
      p.exists(2, 0) = 0;
      const auto future = forecast(model, p.x, 5, p.context(), 0.25);
      REQUIRE(future.time() == 5);
      REQUIRE(future.batch() == batch);
      const Sequence<double> read = model(p.x, p.context());
      auto state = model.final_state();
      Eigen::ArrayXXd value = read.step(read.time() - 1);
      for (Index t = 0; t < 5; ++t) {
        CHECK((future.step(t) - value).abs().maxCoeff() < 1e-13);
        value = Eigen::ArrayXXd(model.step(value, state, 0.25));
      }
      // By default, time 1 passes.
      const auto by_default = forecast(model, p.x, 5, p.context());
      CHECK((by_default.values() == forecast(model, p.x, 5, p.context(), 1).values()).all());
      CHECK((forecast(model, p.x, 1, p.context()).values() == by_default.step(0).reshaped()).all());
    }
  };
  check(LTC<double>(AutoNCP(9, 2), 2));
  check(LTC<double>(AutoNCP(9, 2), 2, {.return_sequences = false}));
  check(Sequential(GRU<double>(5, 2), Dense<double>(2, 5)));
}

TEST_CASE("Sessions predict and forecast as their model does", "[train][predict][forecast]") {
  LTC<double> model(AutoNCP(9, 2), 2);
  const auto p = support::problem_of(model, 6, 5);
  Session session(std::as_const(model));
  CHECK((predict(session, p.x, 2).values() == predict(model, p.x, 2).values()).all());
  CHECK((forecast(session, p.x, 4).values() == forecast(model, p.x, 4).values()).all());
}

TEST_CASE("Predictions and forecasts that make no sense are refused", "[train][predict][forecast]") {
  LTC<double> model(AutoNCP(9, 2), 2);
  auto p = support::problem_of(model, 6, 3);
  CHECK(refusal_of([&] { (void)predict(model, p.x, 0); }) == "predict: batch_size must be at least 1, got 0");
  CHECK(refusal_of([&] { (void)predict(model, Sequence<double>(4, 0, 2), 2); }) ==
        "predict: x must have at least one sample, got none");
  CHECK(refusal_of([&] { (void)predict(model, p.x, 2, {.initial_state = model.initial_state(2)}); }) ==
        "predict: the initial state must have 3 samples, got 2");
  CHECK(refusal_of([&] { (void)forecast(model, p.x, 0); }) == "forecast: steps must be at least 1, got 0");
  CHECK(refusal_of([&] { (void)forecast(model, p.x, 2, {}, -1); }).find("got -1") != std::string::npos);
  p.exists(5, 1) = 0;
  CHECK(refusal_of([&] { (void)forecast(model, p.x, 2, p.context()); }) ==
        "forecast: the mask hides the last step of sample 1");
  LTC<double> other(AutoNCP(9, 2), 3);
  CHECK(refusal_of([&] { (void)forecast(other, Sequence<double>(4, 1, 3), 2); }) ==
        "forecast: the model must have as many outputs as inputs, got 2 outputs and 3 inputs");
}
