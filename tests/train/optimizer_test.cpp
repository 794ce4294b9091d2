// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <elegans/train/adam.hpp>
#include <elegans/train/adamw.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/rmsprop.hpp>
#include <elegans/train/schedule.hpp>
#include <elegans/train/sgd.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/training_kit.hpp"

using namespace elegans;
using support::array_of;
using support::refusal_of;

namespace {

/// Takes eight steps. After four of them, another optimizer resumes from the first one's memory.
template <typename Optimize>
void check_optimizer_against_torch(const Optimize& fresh, const std::string& name) {
  INFO(name);
  const auto golden = support::training_kit()["optimizers"];
  Eigen::ArrayXd p = array_of(golden["start"]);
  Eigen::ArrayXd resumed;
  Optimize optimizer = fresh;
  Optimize second = fresh;
  for (std::size_t k = 0; k < 8; ++k) {
    const Eigen::ArrayXd g = array_of(golden["gradients"][k]);
    if (k == 4) {
      second.resume(optimizer.steps(), optimizer.memory());
      resumed = p;
    }
    optimizer.step({p.data(), p.size()}, {g.data(), g.size()});
    if (k >= 4) second.step({resumed.data(), p.size()}, {g.data(), g.size()});
  }
  CHECK((p - array_of(golden["ends"][name])).abs().maxCoeff() < 1e-14);
  CHECK((resumed == p).all());
}

}  // namespace

TEST_CASE("Optimizers take PyTorch's steps, and resume from another optimizer's memory", "[train][optimizer]") {
  check_optimizer_against_torch(Adam<double>({.learning_rate = 0.02, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6}),
                                "adam");
  check_optimizer_against_torch(
      AdamW<double>({.learning_rate = 0.02, .weight_decay = 0.1, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6}),
      "adamw");
  check_optimizer_against_torch(RMSprop<double>({.learning_rate = 0.02, .rho = 0.8, .epsilon = 1e-6}), "rmsprop");
  check_optimizer_against_torch(RMSprop<double>({.learning_rate = 0.02, .rho = 0.8, .momentum = 0.7, .epsilon = 1e-6}),
                                "rmsprop_momentum");
  check_optimizer_against_torch(SGD<double>({.learning_rate = 0.02}), "sgd");
  check_optimizer_against_torch(SGD<double>({.learning_rate = 0.02, .momentum = 0.7}), "sgd_momentum");
  check_optimizer_against_torch(SGD<double>({.learning_rate = 0.02, .momentum = 0.7, .nesterov = true}),
                                "sgd_nesterov");
}

TEMPLATE_TEST_CASE("An optimizer that was moved from starts anew, one that is moved to itself goes on",
                   "[train][optimizer]", Adam<double>, AdamW<double>, RMSprop<double>, SGD<double>) {
  const Eigen::ArrayXd gradient = Eigen::ArrayXd::LinSpaced(5, -1, 2);
  const auto step = [&](TestType& optimizer) {
    Eigen::ArrayXd p = Eigen::ArrayXd::Ones(5);
    optimizer.step({p.data(), 5}, {gradient.data(), 5});
    return p;
  };
  TestType optimizer;
  const Eigen::ArrayXd first = step(optimizer);
  TestType& itself = optimizer;
  optimizer = std::move(itself);
  TestType copy = optimizer;
  CHECK(optimizer.steps() == 1);
  CHECK((step(optimizer) == step(copy)).all());
  TestType taken = std::move(optimizer);
  CHECK(taken.steps() == 2);
  CHECK(optimizer.steps() == 0);
  CHECK(optimizer.memory().size() == 0);
  CHECK((step(optimizer) == first).all());
  CHECK((step(taken) == step(copy)).all());
}

TEST_CASE("Optimizers refuse options and vectors that are out of range", "[train][optimizer]") {
  CHECK(refusal_of([] { Adam<double>({.beta1 = 1.0}); }) == "Adam: beta1 must be in [0, 1), got 1");
  CHECK(refusal_of([] { Adam<double>({.beta2 = -0.5}); }) == "Adam: beta2 must be in [0, 1), got -0.5");
  CHECK(refusal_of([] { AdamW<double>({.weight_decay = -1}); }) ==
        "AdamW: weight_decay must be finite and at least 0, got -1");
  CHECK(refusal_of([] { RMSprop<double>({.rho = -0.5}); }) == "RMSprop: rho must be in [0, 1), got -0.5");
  CHECK(refusal_of([] { SGD<double>({.learning_rate = std::numeric_limits<double>::infinity()}); }) ==
        "SGD: learning_rate must be finite and at least 0, got inf");
  CHECK(refusal_of([] { Adam<float>({.epsilon = 0}); }) ==
        "Adam: epsilon must be finite, above 0 and not denormal, got 0");
  CHECK(
      refusal_of([] { RMSprop<double>({.epsilon = 1e-310}); }).starts_with("RMSprop: epsilon must be finite, above 0"));
  Eigen::ArrayXd p = Eigen::ArrayXd::Zero(3);
  Adam<double> adam;
  adam.step({p.data(), 3}, {p.data(), 3});
  CHECK(refusal_of([&] { adam.step({p.data(), 2}, {p.data(), 2}); }) ==
        "Adam: 3 parameters so far, got 2 and a gradient of 2");
  CHECK(refusal_of([&] { adam.step({p.data(), 3}, {p.data(), 2}); }) ==
        "Adam: 3 parameters so far, got 3 and a gradient of 2");
  CHECK(refusal_of([&] { adam.resume(-1, {p.data(), 2}); }) ==
        "Adam: cannot resume from step -1 with a memory of 2 values");
  CHECK(refusal_of([&] { adam.resume(2, {p.data(), 3}); }) ==
        "Adam: cannot resume from step 2 with a memory of 3 values");
  CHECK(refusal_of([&] { adam.resume(1, {p.data(), 0}); }) ==
        "Adam: cannot resume from step 1 with a memory of 0 values");
  CHECK(refusal_of([&] { adam.set_learning_rate(-1); }) == "Adam: learning_rate must be finite and at least 0, got -1");
}

TEST_CASE("Clip limits each derivative and the norm of the gradient", "[train][clipping]") {
  const auto golden = support::training_kit()["optimizers"];
  const Eigen::ArrayXd g = array_of(golden["gradients"][0]);
  for (const double norm : {0.5, 100.0}) {
    Eigen::ArrayXd clipped = g;
    Clip{.global_norm = norm}(VectorView<double>(clipped.data(), clipped.size()), 1);
    // PyTorch adds 1e-6 to the norm that it divides by.
    CHECK((clipped - array_of(golden["clipped"][norm == 0.5 ? "0.5" : "100.0"])).abs().maxCoeff() < 1e-6);
    CHECK(clipped.matrix().norm() == Approx(std::min(norm, g.matrix().norm())).epsilon(1e-14));
  }
  Eigen::ArrayXd values(4);
  values << 3, -3, 0.5, std::numeric_limits<double>::quiet_NaN();
  Clip{.value = 2}(VectorView<double>(values.data(), 4), 1);
  CHECK(values[0] == 2);
  CHECK(values[1] == -2);
  CHECK(values[2] == 0.5);
  CHECK(std::isnan(values[3]));
  const Eigen::ArrayXd before = g;
  Eigen::ArrayXd untouched = g;
  Clip()(VectorView<double>(untouched.data(), untouched.size()), 1);
  CHECK((untouched == before).all());
  CHECK(refusal_of([&] { Clip{.global_norm = -1}(VectorView<double>(values.data(), 4), 1); }) ==
        "clip: global_norm must be above 0, got -1");
  CHECK(refusal_of([&] { Clip{.global_norm = 0}(VectorView<double>(values.data(), 4), 1); }) ==
        "clip: global_norm must be above 0, got 0");
}

TEST_CASE("Schedules give PyTorch's learning rates", "[train][schedule]") {
  const auto golden = support::training_kit()["schedules"];
  const auto check = [&](const char* name, const Schedule& schedule) {
    INFO(name);
    for (int epoch = 0; epoch < 10; ++epoch) {
      CHECK(schedule(epoch, 10) == Approx(golden[name][static_cast<std::size_t>(epoch)].get<double>()).epsilon(1e-13));
    }
  };
  check("exponential", ExponentialDecay{.factor = 0.9});
  check("cosine", CosineDecay{.least = 0.05});
  check("step", StepDecay{.every = 3, .factor = 0.5});
  CHECK(refusal_of([] { StepDecay{.every = 0}(1, 1); }) == "StepDecay: every must be at least 1, got 0");
}
