// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>
#include <string>

#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/metric.hpp>
#include <elegans/train/weighted_loss.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/training_kit.hpp"

using namespace elegans;
using support::array_of;

namespace {

template <typename Loss>
void check_loss_against_torch(const Loss& loss, const std::string& name) {
  INFO(name);
  const auto golden = support::training_kit()["losses"][name];
  const Eigen::ArrayXXd prediction = array_of(golden["prediction"]);
  const Eigen::ArrayXXd target = array_of(golden["target"]);
  const Eigen::ArrayXd weight = array_of(golden["weight"]);
  Eigen::ArrayXXd d(prediction.rows(), prediction.cols());
  const ConstArrayView<double> p(prediction.data(), prediction.rows(), prediction.cols());
  const ConstArrayView<double> y(target.data(), target.rows(), target.cols());
  const ConstVectorView<double> w(weight.data(), weight.size());
  const double value = loss(p, y, w, ArrayView<double>(d.data(), d.rows(), d.cols()));
  CHECK(value == Approx(golden["loss"].get<double>()).epsilon(1e-14));
  CHECK((d - array_of(golden["d_prediction"])).abs().maxCoeff() < 1e-15);
}

Sequence<double> ramp(Index time, Index batch, Index features, double low, double high) {
  Sequence<double> result(time, batch, features);
  result.values().setLinSpaced(low, high);
  return result;
}

}  // namespace

TEST_CASE("Losses and their gradients equal PyTorch's", "[train][loss]") {
  check_loss_against_torch(MeanSquaredError{}, "mean_squared_error");
  check_loss_against_torch(MeanAbsoluteError{}, "mean_absolute_error");
  check_loss_against_torch(Huber(0.7), "huber");
  check_loss_against_torch(BinaryCrossEntropy{}, "binary_cross_entropy");
  check_loss_against_torch(SoftmaxCrossEntropy{}, "softmax_cross_entropy_numbers");
  check_loss_against_torch(SoftmaxCrossEntropy{}, "softmax_cross_entropy_probabilities");
}

TEST_CASE("Cross entropies are finite for logits far from 0", "[train][cross_entropy]") {
  const Sequence<double> logits = Sequence<double>(Eigen::ArrayXXd((Eigen::ArrayXXd(2, 1) << 1000, -1000).finished()));
  const Sequence<double> wrong = Sequence<double>(Eigen::ArrayXXd((Eigen::ArrayXXd(2, 1) << 0, 1).finished()));
  Sequence<double> d;
  CHECK(weighted_loss(BinaryCrossEntropy{}, logits, wrong, StepWeights<double>(), d).mean == 1000);
  CHECK(d(0, 0, 0) == 0.5);
  CHECK(d(1, 0, 0) == -0.5);
  const Sequence<double> classes = Sequence<double>(Eigen::ArrayXXd((Eigen::ArrayXXd(1, 2) << 1000, -1000).finished()));
  const Sequence<double> second = Sequence<double>(Eigen::ArrayXXd(Eigen::ArrayXXd::Ones(1, 1)));
  CHECK(weighted_loss(SoftmaxCrossEntropy{}, classes, second, StepWeights<double>(), d).mean == 2000);
}

TEST_CASE("A loss is the mean over steps, samples and outputs", "[train][loss]") {
  Sequence<double> d;
  for (const Index outputs : {1, 3}) {
    const auto prediction = ramp(4, 2, outputs, -1, 1);
    const auto target = ramp(4, 2, outputs, 0, 3);
    const Eigen::ArrayXd error = prediction.values() - target.values();
    const double loss = weighted_loss(MeanSquaredError{}, prediction, target, StepWeights<double>(), d).mean;
    CHECK(loss == Approx(error.square().mean()).epsilon(1e-14));
    CHECK((d.values() - 2 * error / static_cast<double>(error.size())).abs().maxCoeff() < 1e-15);
  }
}

TEST_CASE("Softmax cross entropy over several steps is the mean over its rows", "[train][loss]") {
  Sequence<double> d;
  const auto logits = ramp(3, 2, 4, -2, 3);
  Sequence<double> classes(3, 2, 1), shares(3, 2, 4);
  double by_class = 0, by_share = 0;
  for (Index t = 0; t < 3; ++t) {
    for (Index b = 0; b < 2; ++b) {
      double sum = 0;
      for (Index f = 0; f < 4; ++f) sum += std::exp(logits(t, b, f));
      const Index chosen = (2 * t + b) % 4;
      classes(t, b, 0) = static_cast<double>(chosen);
      by_class += std::log(sum) - logits(t, b, chosen);
      // The shares of a row need not add up to 1.
      for (Index f = 0; f < 4; ++f) {
        shares(t, b, f) = 0.1 * static_cast<double>(t + f);
        by_share += shares(t, b, f) * (std::log(sum) - logits(t, b, f));
      }
    }
  }
  CHECK(weighted_loss(SoftmaxCrossEntropy{}, logits, classes, StepWeights<double>(), d).mean ==
        Approx(by_class / 6).epsilon(1e-14));
  CHECK(weighted_loss(SoftmaxCrossEntropy{}, logits, shares, StepWeights<double>(), d).mean ==
        Approx(by_share / 6).epsilon(1e-14));
  // The derivative by one logit, against a difference.
  const double slope = d(2, 1, 3), step = 1e-6;
  Sequence<double> more = logits, less = logits, unused;
  more(2, 1, 3) += step;
  less(2, 1, 3) -= step;
  const auto loss_of = [&](const Sequence<double>& x) {
    return weighted_loss(SoftmaxCrossEntropy{}, x, shares, StepWeights<double>(), unused).mean;
  };
  CHECK(slope == Approx((loss_of(more) - loss_of(less)) / (2 * step)).epsilon(1e-7));
  // With a single output, the target is a probability, and the only class is certain.
  CHECK(weighted_loss(SoftmaxCrossEntropy{}, ramp(1, 1, 1, 2, 2), ramp(1, 1, 1, 1, 1), StepWeights<double>(), d).mean ==
        0);
}

TEST_CASE("A batch whose weights are all 0 has a loss, a weight and a gradient of 0", "[train][loss]") {
  StepWeights<double> none;
  none.set(3, 2, [](Index, Index) { return 0.0; });
  Sequence<double> d = ramp(3, 2, 1, 4, 5);  // of a batch before
  const auto loss = weighted_loss(MeanSquaredError{}, ramp(3, 2, 1, 0, 1), ramp(3, 2, 1, 1, 2), none, d);
  CHECK(loss.mean == 0);
  CHECK(loss.weight == 0);
  CHECK((d.values() == 0).all());
}

TEST_CASE("A step or sample of weight 0 has no gradient", "[train][loss]") {
  Sequence<double> d;
  for (const Index outputs : {1, 2}) {
    const auto prediction = ramp(3, 2, outputs, -1, 1);
    const auto target = ramp(3, 2, outputs, 0, 3);
    const auto weight_of = [](Index t, Index b) { return t == 1 ? 0.0 : 1.0 + static_cast<double>(b); };
    StepWeights<double> weights;
    weights.set(3, 2, weight_of);
    double sum = 0, total = 0;
    for (Index t = 0; t < 3; ++t) {
      for (Index b = 0; b < 2; ++b) {
        total += weight_of(t, b);
        for (Index f = 0; f < outputs; ++f) {
          sum += weight_of(t, b) * std::abs(prediction(t, b, f) - target(t, b, f)) / static_cast<double>(outputs);
        }
      }
    }
    const auto loss = weighted_loss(MeanAbsoluteError{}, prediction, target, weights, d);
    CHECK(loss.mean == Approx(sum / total).epsilon(1e-14));
    CHECK(loss.weight == total);
    CHECK((d.step(1) == 0).all());
    CHECK((d.step(0) != 0).all());
  }
}

TEST_CASE("Accuracy counts right answers for one output, for class numbers and for probabilities", "[train][metric]") {
  Sequence<double> workspace;
  Eigen::ArrayXXd logits(4, 1), answers(4, 1);
  logits << 2, -1, 0.5, -3;
  answers << 1, 0, 0, 1;
  const StepWeights<double> all;
  CHECK(weighted_score(Accuracy{}, Sequence<double>(logits), Sequence<double>(answers), all, workspace) == 0.5);
  answers << 0.6, 0.4, 0.4, 0.4;  // probabilities: above 1/2 is yes
  CHECK(weighted_score(Accuracy{}, Sequence<double>(logits), Sequence<double>(answers), all, workspace) == 0.75);
  Eigen::ArrayXXd scores(3, 3), numbers(3, 1), probabilities(3, 3);
  scores << 1, 2, 0, 5, 1, 1, 0, 0, 1;
  numbers << 1, 0, 0;
  probabilities << 0, 1, 0, 0.2, 0.5, 0.3, 0, 0, 1;
  const Sequence<double> s(scores);
  CHECK(weighted_score(Accuracy{}, s, Sequence<double>(numbers), all, workspace) == Approx(2.0 / 3));
  CHECK(weighted_score(Accuracy{}, s, Sequence<double>(probabilities), all, workspace) == Approx(2.0 / 3));
}

TEST_CASE("A score does not look at a target of weight 0", "[train][metric]") {
  StepWeights<double> second;
  second.set(1, 2, [](Index, Index b) { return b == 1 ? 1.0 : 0.0; });
  Sequence<double> scores(1, 2, 3), target(1, 2, 1), d = ramp(1, 2, 3, 4, 5);
  scores(0, 1, 2) = 1;
  target(0, 0, 0) = std::numeric_limits<double>::quiet_NaN();
  target(0, 1, 0) = 2;
  CHECK(weighted_score(Accuracy{}, scores, target, second, d) == 1);
  CHECK(weighted_loss(SoftmaxCrossEntropy{}, scores, target, second, d).mean ==
        Approx(std::log(2 + std::exp(1)) - 1).epsilon(1e-14));
  CHECK((d.step(0).row(0) == 0).all());
}

TEST_CASE("Losses refuse targets of the wrong shape or out of range", "[train][loss]") {
  Sequence<double> d;
  const StepWeights<double> all;
  const auto logits = ramp(1, 1, 3, 0, 1);
  CHECK(support::refusal_of([&] { weighted_loss(MeanSquaredError{}, logits, ramp(1, 1, 1, 0, 0), all, d); }) ==
        "train: y must be (time, batch, outputs) = (1, 1, 3), got (1, 1, 1)");
  // A classifier's target is one number or one probability per class.
  const std::string two = "train: y must be (time, batch, outputs) = (1, 1, 3), got (1, 1, 2)";
  CHECK(support::refusal_of([&] { weighted_loss(SoftmaxCrossEntropy{}, logits, ramp(1, 1, 2, 0, 0), all, d); }) == two);
  CHECK(support::refusal_of([&] { weighted_score(Accuracy{}, logits, ramp(1, 1, 2, 0, 0), all, d); }) == two);
  for (const double target : {3.0, -1.0, 0.5, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(support::refusal_of(
              [&] { weighted_loss(SoftmaxCrossEntropy{}, logits, ramp(1, 1, 1, target, target), all, d); })
              .starts_with(
                  "train: softmax_cross_entropy: a target must be the number of a class, from 0 to the outputs less "
                  "1, got "));
  }
  Sequence<double> labels(2, 3, 1), logit(2, 3, 1);
  labels(1, 2, 0) = 255;
  CHECK(support::refusal_of([&] { weighted_loss(BinaryCrossEntropy{}, logit, labels, all, d); }) ==
        "train: binary_cross_entropy: a target must be in [0, 1], got 255 at step 1, sample 2, feature 0");
  StepWeights<double> without_it;
  without_it.set(2, 3, [](Index t, Index b) { return t == 1 && b == 2 ? 0.0 : 1.0; });
  CHECK(weighted_loss(BinaryCrossEntropy{}, logit, labels, without_it, d).weight == 5);
  CHECK(support::refusal_of([&] {
          weighted_score(Accuracy{}, logits, ramp(1, 1, 1, 3, 3), all, d);
        }).starts_with("train: accuracy: a target must be the number of a class"));
  CHECK(support::refusal_of([] { Huber(0); }) == "Huber: delta must be finite and above 0, got 0");
  CHECK(support::refusal_of([] { (void)Huber(std::numeric_limits<double>::infinity()); }) ==
        "Huber: delta must be finite and above 0, got inf");
  labels(1, 2, 0) = -0.5;
  CHECK(support::refusal_of([&] { weighted_loss(BinaryCrossEntropy{}, logit, labels, all, d); }) ==
        "train: binary_cross_entropy: a target must be in [0, 1], got -0.5 at step 1, sample 2, feature 0");
  CHECK(support::refusal_of([&] { weighted_loss(SoftmaxCrossEntropy{}, logits, ramp(1, 1, 3, 0.5, 1.5), all, d); }) ==
        "train: softmax_cross_entropy: a target must be a probability, in [0, 1], got 1.5 at step 0, sample 0, "
        "feature 2");
}
