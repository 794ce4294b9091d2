// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <cstdio>
#include <functional>
#include <string>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {
const Eigen::ArrayXXd x = Eigen::ArrayXXd::Constant(5, 2, 0.4);
const Eigen::ArrayXXd y = Eigen::ArrayXXd::Constant(5, 1, 0.1);
}  // namespace

TEST_CASE("fit calls back after each epoch and stops when told to", "[train][fit]") {
  LTC<double> model(AutoNCP(8, 1), 2);
  int calls = 0;
  const auto history = fit(
      model, x, y, Adam<double>(), {.epochs = 10}, [&](const Epoch<double>& epoch) { calls += epoch.of; },
      [](const Epoch<double>& epoch) { return epoch.number < 4; });
  CHECK(history.loss.size() == 4);
  CHECK(calls == 40);
  CHECK(history.stopped_by == StopReason::callback);
  CHECK(history.loss.front() > history.loss.back());
}

TEST_CASE("No epochs are no training", "[train][fit]") {
  LTC<double> model(AutoNCP(8, 1), 2);
  const Eigen::ArrayXd before = model.parameters();
  CHECK(fit(model, x, y, Adam<double>(), {.epochs = 0}).loss.empty());
  CHECK((model.parameters() == before).all());
  CHECK_THROWS_WITH(fit(model, x, y, Adam<double>(), {.epochs = -1}), "fit: epochs must be at least 0, got -1");
  CHECK_THROWS_WITH(fit(model, x, x, Adam<double>(), {.epochs = 1}),
                    "train: y must be (time, batch, outputs) = (5, 1, 1), got (5, 1, 2)");
}

TEST_CASE("An optimizer by reference goes on where it was", "[train][fit]") {
  LTC<double> once(AutoNCP(8, 1), 2);
  LTC<double> twice(AutoNCP(8, 1), 2);
  fit(once, x, y, Adam<double>(), {.epochs = 10});
  Adam<double> adam;
  fit(twice, x, y, std::ref(adam), {.epochs = 5});
  fit(twice, x, y, std::ref(adam), {.epochs = 5});
  CHECK((once.parameters() == twice.parameters()).all());
}

TEST_CASE("A loss that is no longer finite is an error that leaves the last good parameters", "[train][fit]") {
  struct Explode {
    int steps = 0;
    void step(VectorView<double> parameters, ConstVectorView<double>) {
      if (++steps == 3) {
        parameters.setConstant(std::nan(""));
      } else {
        parameters += 0.01;
      }
    }
  };
  LTC<double> model(AutoNCP(8, 1), 2, {.implicit_param_constraints = true});
  const Eigen::ArrayXd start = model.parameters();
  CHECK_THROWS_WITH(fit(model, x, y, Explode{}, {.epochs = 10}), Catch::Contains("in epoch 4 of 10"));
  CHECK((model.parameters() - start - 0.02).abs().maxCoeff() < 1e-12);
}

TEST_CASE("Adam takes the steps that its equations say", "[train][adam]") {
  Eigen::ArrayXd p = Eigen::Array2d(1.0, -2.0);
  const Eigen::ArrayXd g = Eigen::Array2d(0.5, -1e-3);
  Adam<double> adam({.learning_rate = 0.1, .epsilon = torch_epsilon});
  adam.step({p.data(), 2}, {g.data(), 2});
  // The first step is learning_rate g / (|g| + epsilon).
  CHECK(p[0] == Approx(1.0 - 0.1 * 0.5 / (0.5 + 1e-8)).epsilon(1e-14));
  CHECK(p[1] == Approx(-2.0 + 0.1 * 1e-3 / (1e-3 + 1e-8)).epsilon(1e-14));
  const Eigen::ArrayXd none = Eigen::Array2d(0, 0);
  adam.step({p.data(), 2}, {none.data(), 2});
  const double mean = 0.9 * 0.1 * 0.5 / (1 - 0.81);
  const double square = 0.999 * 0.001 * 0.25 / (1 - 0.998001);
  CHECK(p[0] == Approx(1.0 - 0.1 * 0.5 / (0.5 + 1e-8) - 0.1 * mean / (std::sqrt(square) + 1e-8)).epsilon(1e-12));
  CHECK_THROWS_WITH(Adam<double>({.beta1 = 1.0}), "Adam: beta1 must be in [0, 1), got 1");
}

TEST_CASE("The progress bar says epoch, loss and time left", "[train][progress_bar]") {
  std::FILE* const file = std::tmpfile();
  ProgressBar bar(file);
  bar(Epoch<double>{400, 400, 0.125});
  bar.finish();
  std::rewind(file);
  std::string text(500, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  CHECK(text.find("Epoch 400/400 [==============================] loss 0.125000, 0 s left") != std::string::npos);
  CHECK(text.back() == '\n');
}
