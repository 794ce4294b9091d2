// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include <elegans/model/cfc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/csv_log.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/metric.hpp>
#include <elegans/train/progress_bar.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;

namespace {

/// Which of two streams of random bits has more ones: two classes.
Dataset<double> bits() {
  Dataset<double> data{.x = Sequence<double>(6, 12, 2), .y = Sequence<double>(1, 12, 1)};
  unsigned random = 1;
  for (Index b = 0; b < 12; ++b) {
    int difference = 0;
    for (Index t = 0; t < 6; ++t) {
      for (Index f = 0; f < 2; ++f) {
        random = random * 1664525U + 1013904223U;
        const int bit = static_cast<int>(random >> 31);
        data.x(t, b, f) = bit;
        difference += f == 0 ? bit : -bit;
      }
    }
    data.y(0, b, 0) = difference > 0;
  }
  return data;
}

CfC<double> classifier() {
  return CfC<double>(
      6, 2,
      {.backbone_units = 8, .backbone_layers = 2, .backbone_dropout = 0.3, .proj_size = 1, .return_sequences = false});
}

/// Keeps states in memory; `at` is the one to start from, if any.
struct Keeper {
  std::map<int, TrainingState<double>> states;
  int at = 0;
  bool load(TrainingState<double>& state) {
    if (at > 0) state = states.at(at);
    return at > 0;
  }
  bool is_due(int, bool) const { return true; }
  void save(const TrainingState<double>& state) { states[state.epochs] = state; }
};

const FitOptions<double> six_epochs{.epochs = 6,
                                    .batch_size = 4,
                                    .validation_split = 0.25,
                                    .restore_best_weights = true,
                                    .schedule = ExponentialDecay{.factor = 0.9},
                                    .clip = {.global_norm = 0.5}};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("A run that is resumed after any epoch ends as one that never stopped, to the bit", "[train][checkpoint]") {
  Keeper keeper;
  CfC<double> whole = classifier();
  const auto expected =
      fit(whole, bits(), Adam<double>({.learning_rate = 0.05}), six_epochs, BinaryCrossEntropy{}, Accuracy{}, keeper);
  REQUIRE(keeper.states.size() == 6);
  CHECK(expected.loss.back() != expected.loss.front());
  for (int after = 1; after <= 6; ++after) {
    INFO("after epoch " << after);
    Keeper second = keeper;
    second.at = after;
    CfC<double> resumed = classifier();
    resumed.update([](auto all) { all.setZero(); });
    const auto history = fit(resumed, bits(), Adam<double>({.learning_rate = 0.05}), six_epochs, BinaryCrossEntropy{},
                             Accuracy{}, second);
    CHECK(history.loss == expected.loss);
    CHECK(history.validation_loss == expected.validation_loss);
    CHECK(history.learning_rate == expected.learning_rate);
    CHECK(history.metrics[0].validation == expected.metrics[0].validation);
    CHECK((resumed.parameters() == whole.parameters()).all());
  }
  Keeper other = keeper;
  other.at = 1;
  CfC<double> larger(7, 2, {.proj_size = 1, .return_sequences = false});
  CHECK(support::refusal_of([&] {
          fit(larger, bits(), Adam<double>(), six_epochs, BinaryCrossEntropy{}, Accuracy{}, other);
        }).starts_with("fit: the checkpoint has "));
}

TEST_CASE("Learning rates follow the schedule, and the optimizer's own comes back", "[train][schedule]") {
  CfC<double> model = classifier();
  Adam<double> adam({.learning_rate = 0.05});
  Keeper keeper;
  const auto history = fit(model, bits(), std::ref(adam), six_epochs, BinaryCrossEntropy{}, Accuracy{}, keeper);
  for (int epoch = 0; epoch < 6; ++epoch) {
    CHECK(history.learning_rate[static_cast<std::size_t>(epoch)] == Approx(0.05 * std::pow(0.9, epoch)).epsilon(1e-14));
  }
  CHECK(adam.learning_rate() == 0.05);
}

TEST_CASE("Metrics and losses are logged", "[train][csv_log][metric]") {
  const auto path = std::filesystem::temp_directory_path() / "elegans_csv_log_test.csv";
  CfC<double> model = classifier();
  CsvLog log(path);
  const auto history = fit(model, bits(), Adam<double>(), {.epochs = 2, .validation_split = 0.25}, BinaryCrossEntropy{},
                           Accuracy{}, MeanSquaredError{}, log);
  CHECK(history.metrics.size() == 2);
  CHECK(history.metrics[1].name == "mean_squared_error");
  const std::string text = content_of(path);
  std::filesystem::remove(path);
  CHECK(
      text.starts_with("epoch,loss,validation_loss,learning_rate,accuracy,validation_accuracy,mean_squared_error,"
                       "validation_mean_squared_error\n1,"));
  double epoch = 0, loss = 0, validation = 0;
  REQUIRE(std::sscanf(text.c_str() + text.find("\n2,") + 1, "%lf,%lf,%lf", &epoch, &loss, &validation) == 3);
  CHECK(loss == history.loss[1]);
  CHECK(validation == history.validation_loss[1]);
  CsvLog nowhere("/nonexistent/log.csv");
  CHECK_THROWS_AS(nowhere.finish(), RuntimeError);
}

TEST_CASE("The progress bar says epoch, losses and time left", "[train][progress_bar]") {
  std::FILE* const file = std::tmpfile();
  ProgressBar bar(file);
  bar(Epoch<double>{400, 400, 0.125, 0.25});
  bar.finish();
  std::rewind(file);
  std::string text(500, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  CHECK(text.find("Epoch 400/400 [==============================] loss 0.125000, validation loss 0.250000, 0 s left") !=
        std::string::npos);
  CHECK(text.back() == '\n');
}
