// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/any_loss.hpp>
#include <elegans/train/any_optimizer.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/rmsprop.hpp>
#include <elegans/train/sgd.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;

namespace {

/// A data set whose targets are all 0 or 1, so that every loss takes them. The model has two outputs.
template <typename Scalar>
Dataset<Scalar> any_loss_data() {
  Dataset<Scalar> data{.x = Sequence<Scalar>(6, 5, 2), .y = Sequence<Scalar>(6, 5, 2)};
  data.x.values().setLinSpaced(-1, 1);
  for (Index i = 0; i < data.y.values().size(); ++i) data.y.values()[i] = static_cast<Scalar>(i % 3 == 0);
  return data;
}

template <typename Scalar>
LTC<Scalar> any_loss_model() {
  return LTC<Scalar>(AutoNCP(9, 2), 2);
}

/// Trains with an optimizer and a loss in their own types, and behind the types that hold any, and compares all bits.
template <typename Scalar, typename Optimize, typename Loss>
void check_any(const Optimize& optimizer, const Loss& chosen) {
  const FitOptions<Scalar> options{
      .epochs = 4, .batch_size = 2, .schedule = ExponentialDecay{0.9}, .show_progress = false};
  const auto data = any_loss_data<Scalar>();
  auto own = any_loss_model<Scalar>(), any = any_loss_model<Scalar>();
  const auto wanted = fit(own, data, optimizer, options, loss(chosen));
  const auto got = fit(any, data, AnyOptimizer<Scalar>(optimizer), options, loss(AnyLoss(chosen)));
  CHECK(got.loss == wanted.loss);
  CHECK(got.learning_rate == wanted.learning_rate);
  CHECK((any.parameters() == own.parameters()).all());
  CHECK(AnyLoss(chosen).name == std::string(Loss::name));
}

}  // namespace

TEST_CASE("Any loss and any optimizer train as the ones that they hold", "[train][any_loss][any_optimizer]") {
  check_any<float>(Adam<float>({.learning_rate = 0.02}), MeanSquaredError{});
  check_any<double>(AdamW<double>({.learning_rate = 0.02}), MeanAbsoluteError{});
  check_any<float>(RMSprop<float>({.learning_rate = 0.02}), Huber{0.1});
  check_any<double>(SGD<double>({.learning_rate = 0.02, .momentum = 0.5}), BinaryCrossEntropy{});
  check_any<float>(SGD<float>(), SoftmaxCrossEntropy{});
}

TEST_CASE("Any loss accepts the targets of the one that it holds", "[train][any_loss]") {
  CHECK(AnyLoss(SoftmaxCrossEntropy{}).accepts(3, 1));
  CHECK_FALSE(AnyLoss(SoftmaxCrossEntropy{}).accepts(3, 2));
  CHECK_FALSE(AnyLoss(MeanSquaredError{}).accepts(3, 1));
  CHECK(AnyLoss(MeanSquaredError{}).wanted_target(7.0, 1, 1) == nullptr);
  CHECK(AnyLoss(BinaryCrossEntropy{}).wanted_target(7.0, 1, 1) == std::string("in [0, 1]"));
  auto model = any_loss_model<float>();
  auto data = any_loss_data<float>();
  data.y(2, 1, 0) = 7;
  CHECK(support::refusal_of([&] {
          fit(model, data, Adam<float>(), {.show_progress = false}, loss(AnyLoss(BinaryCrossEntropy{})));
        }) == "fit: binary_cross_entropy: a target must be in [0, 1], got 7 at step 2, sample 1, feature 0");
}

TEST_CASE("Any optimizer goes on where another of its kind was", "[train][any_optimizer]") {
  Eigen::Array<double, 3, 1> p(1, 2, 3), q = p;
  const Eigen::Array<double, 3, 1> g(0.5, -1, 2);
  const auto view = [](auto& values) { return VectorView<double>(values.data(), 3); };
  const ConstVectorView<double> gradient(g.data(), 3);
  AnyOptimizer<double> first = Adam<double>();
  first.step(view(p), gradient);
  AnyOptimizer<double> second = Adam<double>();
  CHECK(second.steps() == 0);
  second.resume(first.steps(), first.memory());
  q = p;
  first.step(view(p), gradient);
  second.step(view(q), gradient);
  CHECK((p == q).all());
  CHECK(second.steps() == 2);
  second.set_learning_rate(0.25);
  CHECK(second.learning_rate() == 0.25);
  AnyOptimizer<double> other = SGD<double>();
  CHECK(support::refusal_of([&] { other.set_learning_rate(-1); }).starts_with("SGD: learning_rate"));
}
