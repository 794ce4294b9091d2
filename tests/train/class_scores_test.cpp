// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <vector>

#include <elegans/train/class_scores.hpp>
#include <elegans/train/confusion_matrix.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/r2_score.hpp>
#include <elegans/train/sgd.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/tiny_model.hpp"

using namespace elegans;
using support::refusal_of;

namespace {

/// A model without parameters to learn, whose outputs are its inputs.
struct Echo {
  using Scalar = double;
  static constexpr int state_size_at_compile_time = Eigen::Dynamic;
  const Sequence<double>& forward(const Sequence<double>& x, const Context<double>& = {}) { return values = x; }
  Sequence<double> operator()(const Sequence<double>& x, const Context<double>& = {}) { return x; }
  void backward(const Sequence<double>&) {}
  [[nodiscard]] const State<double>& final_state() const { return state; }
  [[nodiscard]] ConstVectorView<double> parameters() const { return {&parameter, 1}; }
  [[nodiscard]] ConstVectorView<double> gradient() const { return {&zero, 1}; }
  void update(auto change) { change(VectorView<double>(&parameter, 1)); }

  Sequence<double> values;
  State<double> state{0, 1};
  double parameter = 0, zero = 0;
};

/// One step of each sample: the class that a model gives, of three, and the right one.
Dataset<double> answers(const std::vector<int>& given, const std::vector<int>& wanted) {
  const auto samples = static_cast<Index>(given.size());
  Dataset<double> data{.x = Sequence<double>(1, samples, 3), .y = Sequence<double>(1, samples, 1)};
  for (Index b = 0; b < samples; ++b) {
    data.x(0, b, given[static_cast<std::size_t>(b)]) = 1;
    data.y(0, b, 0) = wanted[static_cast<std::size_t>(b)];
  }
  return data;
}

/// The same for a yes-no question.
Dataset<double> yes_or_no(const std::vector<int>& given, const std::vector<int>& wanted) {
  const auto samples = static_cast<Index>(given.size());
  Dataset<double> data{.x = Sequence<double>(1, samples, 1), .y = Sequence<double>(1, samples, 1)};
  for (Index b = 0; b < samples; ++b) {
    data.x(0, b, 0) = given[static_cast<std::size_t>(b)] ? 0.1 : -3;
    data.y(0, b, 0) = wanted[static_cast<std::size_t>(b)];
  }
  return data;
}

// wanted 0: 3 times, taken for 0, 0, 1. wanted 1: twice, for 1, 2. wanted 2: once, for 0.
const std::vector<int> said_classes{0, 0, 1, 1, 2, 0}, wanted_classes{0, 0, 0, 1, 1, 2};

}  // namespace

TEST_CASE("Precision, recall and F1 follow scikit-learn's definitions", "[train][metric]") {
  Echo model;
  const Dataset<double> data = answers(said_classes, wanted_classes);
  for (const Index batch_size : {0, 1, 4}) {
    const auto scores = [&](ClassScoreOptions options) {
      return evaluate(model, data, {.batch_size = batch_size}, Precision(options), Recall(options), F1(options));
    };
    const auto close = [](const std::array<double, 3>& got, double precision, double recall, double f1) {
      CHECK(got[0] == Approx(precision).margin(1e-15));
      CHECK(got[1] == Approx(recall).margin(1e-15));
      CHECK(got[2] == Approx(f1).margin(1e-15));
    };
    close(scores({.of_class = 0}), 2. / 3, 2. / 3, 2. / 3);
    close(scores({.of_class = 1}), 1. / 2, 1. / 2, 1. / 2);
    close(scores({.of_class = 2}), 0, 0, 0);
    close(scores({}), (2. / 3 + 1. / 2) / 3, (2. / 3 + 1. / 2) / 3, (2. / 3 + 1. / 2) / 3);
  }
  // A class that is neither given nor wanted is not in the mean; precision and recall of class 1 differ.
  const auto two = evaluate(model, answers({0, 1, 1, 1}, {0, 0, 0, 1}), {}, Precision(), Recall(), F1());
  CHECK(two[0] == Approx((1 + 1. / 3) / 2));
  CHECK(two[1] == Approx((1. / 3 + 1) / 2));
  CHECK(two[2] == Approx((1. / 2 + 1. / 2) / 2));
}

TEST_CASE("With one output, the scores are those of yes", "[train][metric]") {
  Echo model;
  Dataset<double> data = yes_or_no({1, 1, 1, 0, 0}, {1, 0, 0, 1, 0});
  CHECK(evaluate(model, data, {}, Precision(), Recall(), F1()) ==
        std::array<double, 3>{1. / 3, 1. / 2, 2. / (2 + 2 + 1)});
  // Each sample counts by its weight.
  data.weights = {3, 1, 0, 0.5, 1};
  CHECK(evaluate(model, data, {}, Precision(), Recall(), F1({.of_class = 1})) ==
        std::array<double, 3>{3. / 4, 3. / 3.5, 6. / (6 + 1 + 0.5)});
  CHECK(evaluate(model, yes_or_no({0, 0}, {0, 0}), {}, F1())[0] == 0);
  CHECK(refusal_of([&] { evaluate(model, data, {}, F1({.of_class = 0})); }) ==
        "F1: with one output, of_class must be 1, got 0");
  CHECK(refusal_of([&] { evaluate(model, data, {}, Recall({.of_class = 2})); }) ==
        "Recall: of_class must be below 2, the number of classes, got 2");
  CHECK(refusal_of([&] { evaluate(model, answers(said_classes, wanted_classes), {}, Precision({.of_class = 3})); }) ==
        "Precision: of_class must be below 3, the number of classes, got 3");
  CHECK(refusal_of([] { F1({.of_class = -2}); }) == "F1: of_class must be at least 0, or -1 for all, got -2");
}

TEST_CASE("The confusion matrix counts what was taken for what", "[train][metric]") {
  Echo model;
  Eigen::ArrayXXd counts(3, 3);
  counts << 2, 1, 0,  //
      0, 1, 1,        //
      1, 0, 0;
  for (const Index batch_size : {0, 2}) {
    CHECK((confusion_matrix(model, answers(said_classes, wanted_classes), {.batch_size = batch_size}) == counts).all());
  }
  Eigen::ArrayXXd two(2, 2);
  two << 1, 2,  //
      1, 1;
  CHECK((confusion_matrix(model, yes_or_no({1, 1, 1, 0, 0}, {1, 0, 0, 1, 0})) == two).all());
}

TEST_CASE("R2 is scikit-learn's, also far from 0", "[train][metric]") {
  Echo model;
  for (const double shift : {0., 1e8}) {
    Dataset<double> data{.x = Sequence<double>(2, 4, 2), .y = Sequence<double>(2, 4, 2)};
    data.weights = {1, 2, 0.5, 0};
    for (Index t = 0; t < 2; ++t) {
      for (Index b = 0; b < 4; ++b) {
        for (Index f = 0; f < 2; ++f) {
          data.y(t, b, f) = shift + static_cast<double>((3 * t + 5 * b + 7 * f) % 8);
          data.x(t, b, f) = data.y(t, b, f) + 0.25 * static_cast<double>(t - b + f);
        }
      }
    }
    double r2 = 0;
    for (Index f = 0; f < 2; ++f) {
      double weight = 0, mean = 0, errors = 0, scatter = 0;
      const auto each = [&](auto body) {
        for (Index t = 0; t < 2; ++t) {
          for (Index b = 0; b < 4; ++b)
            body(data.weights[static_cast<std::size_t>(b)], data.x(t, b, f), data.y(t, b, f));
        }
      };
      each([&](double w, double, double y) { weight += w, mean += w * (y - shift); });
      mean = shift + mean / weight;
      each([&](double w, double p, double y) {
        errors += w * (y - p) * (y - p), scatter += w * (y - mean) * (y - mean);
      });
      r2 += (1 - errors / scatter) / 2;
    }
    for (const Index batch_size : {0, 3}) {
      CHECK(evaluate(model, data, {.batch_size = batch_size}, R2{})[0] ==
            Approx(r2).epsilon(shift == 0 ? 1e-13 : 1e-7));
    }
  }
  Dataset<double> same{.x = Sequence<double>(1, 3, 1), .y = Sequence<double>(1, 3, 1)};
  CHECK(evaluate(model, same, {}, R2{})[0] == 1);
  same.x(0, 1, 0) = 1;
  CHECK(evaluate(model, same, {}, R2{})[0] == 0);
}

TEST_CASE("fit reports metrics that are no means, over the whole epoch and over validation data", "[train][metric]") {
  Echo model;
  const Dataset<double> data = yes_or_no({1, 1, 1, 0, 0, 1}, {1, 0, 0, 1, 0, 1});
  const auto history =
      fit(model, data, SGD<double>({.learning_rate = 0}), {.epochs = 2, .batch_size = 2, .validation = data},
          loss(BinaryCrossEntropy{}), F1(), Accuracy{});
  REQUIRE(history.metrics.size() == 2);
  CHECK(history.metrics[0].name == "f1");
  CHECK(history.metrics[0].training == std::vector<double>{4. / 7, 4. / 7});
  CHECK(history.metrics[0].validation == history.metrics[0].training);
  CHECK(history.metrics[1].training[1] == Approx(0.5));
}
