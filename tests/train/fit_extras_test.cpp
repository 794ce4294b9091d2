// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <elegans/model/cfc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/csv_log.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/metric.hpp>
#include <elegans/train/progress_bar.hpp>

#include "support/catch.hpp"
#include "support/decimal_comma.hpp"
#include "support/folder.hpp"
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

/// A checkpointer that stores the state of each epoch. `at` is the epoch to resume from, if any.
struct InMemory {
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

TEST_CASE("A run resumed after any epoch ends bit for bit as one that never stopped", "[train][checkpoint]") {
  InMemory memory;
  CfC<double> whole = classifier();
  const auto expected = fit(whole, bits(), Adam<double>({.learning_rate = 0.05}), six_epochs,
                            loss(BinaryCrossEntropy{}), Accuracy{}, memory);
  REQUIRE(memory.states.size() == 6);
  CHECK(expected.loss.back() != expected.loss.front());
  for (int after = 1; after <= 6; ++after) {
    INFO("after epoch " << after);
    InMemory second = memory;
    second.at = after;
    CfC<double> resumed = classifier();
    resumed.update([](auto all) { all.setZero(); });
    const auto history = fit(resumed, bits(), Adam<double>({.learning_rate = 0.05}), six_epochs,
                             loss(BinaryCrossEntropy{}), Accuracy{}, second);
    CHECK(history.loss == expected.loss);
    CHECK(history.validation_loss == expected.validation_loss);
    CHECK(history.learning_rate == expected.learning_rate);
    CHECK(history.metrics[0].validation == expected.metrics[0].validation);
    CHECK((resumed.parameters() == whole.parameters()).all());
  }
}

TEST_CASE("A state with another number of parameters is refused", "[train][checkpoint]") {
  InMemory memory;
  CfC<double> model = classifier();
  fit(model, bits(), Adam<double>(), {}, memory);
  memory.at = 1;
  memory.states.at(1).parameters.resize(1);
  const std::string refusal = support::refusal_of([&] { fit(model, bits(), Adam<double>(), {}, memory); });
  CHECK(refusal.starts_with("fit: the checkpoint has 1 parameters, 0 best parameters and 0 metrics"));
}

TEST_CASE("The learning rate follows the schedule, and returns to its first value", "[train][schedule]") {
  CfC<double> model = classifier();
  Adam<double> adam({.learning_rate = 0.05});
  InMemory memory;
  const auto history = fit(model, bits(), std::ref(adam), six_epochs, loss(BinaryCrossEntropy{}), Accuracy{}, memory);
  for (int epoch = 0; epoch < 6; ++epoch) {
    CHECK(history.learning_rate[static_cast<std::size_t>(epoch)] == Approx(0.05 * std::pow(0.9, epoch)).epsilon(1e-14));
  }
  CHECK(adam.learning_rate() == 0.05);
}

TEST_CASE("CsvLog forgets an epoch that failed, in the file, too", "[train][csv_log]") {
  const support::Folder folder;
  const auto path = folder.path / "log.csv";
  const std::string header = "epoch,loss\n";
  std::ofstream(path) << "of an earlier run";
  CsvLog log(path);
  log(Epoch<double>{1, 9, 0.5});
  log.finish();
  CHECK(content_of(path) == header + "1,0.5\n");
  log(Epoch<double>{2, 9, 0.25});
  log.finish();
  CHECK(content_of(path) == header + "1,0.5\n2,0.25\n");
  log.roll_back();
  log.finish();
  CHECK(content_of(path) == "of an earlier run");
  log(Epoch<double>{1, 9, 0.5});
  log.commit();
  log(Epoch<double>{2, 9, 0.25});
  log.finish();
  log.roll_back();
  log.finish();
  CHECK(content_of(path) == header + "1,0.5\n");
  CsvLog first(folder.path / "first.csv");
  first(Epoch<double>{1, 9, 0.5});
  first.finish();
  first.roll_back();
  CHECK_FALSE(std::filesystem::exists(folder.path / "first.csv"));
}

TEST_CASE("CsvLog resumes with a row for each epoch of the history", "[train][csv_log]") {
  const support::Folder folder;
  History<double> history;
  history.loss = {3, 2};
  history.validation_loss = {4, 3.5};
  history.learning_rate = {0.5, 0.25};
  history.metrics = {{"m", {1, 0.75}, {0.5, 0.125}}};
  CsvLog log(folder.path / "log.csv");
  log.resume(history);
  log.finish();
  CHECK(content_of(folder.path / "log.csv") ==
        "epoch,loss,validation_loss,learning_rate,m,validation_m\n1,3,4,0.5,1,0.5\n2,2,3.5,0.25,0.75,0.125\n");
}

TEST_CASE("CsvLog puts a name with a comma or a quote in quotes", "[train][csv_log]") {
  const support::Folder folder;
  History<double> history;
  history.loss = {3};
  history.validation_loss = {4};
  history.metrics = {{"F1, \"macro\"", {1}, {0.5}}};
  CsvLog log(folder.path / "log.csv");
  log.resume(history);
  log.finish();
  CHECK(content_of(folder.path / "log.csv") ==
        "epoch,loss,validation_loss,\"F1, \"\"macro\"\"\",\"validation_F1, \"\"macro\"\"\"\n1,3,4,1,0.5\n");
}

TEST_CASE("CsvLog writes losses and metrics", "[train][csv_log][metric]") {
  const auto path = std::filesystem::temp_directory_path() / "elegans_csv_log_test.csv";
  CfC<double> model = classifier();
  CsvLog log(path);
  const auto history = fit(model, bits(), Adam<double>(), {.epochs = 2, .validation_split = 0.25},
                           loss(BinaryCrossEntropy{}), Accuracy{}, MeanSquaredError{}, log);
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
  nowhere.finish();  // nothing to write yet
  nowhere(Epoch<double>{1, 1, 0.5});
  CHECK_THROWS_AS(nowhere.finish(), RuntimeError);
}

namespace {

/// What a progress bar draws on a terminal of so many columns, without carriage return and escape sequence.
std::string drawn(int columns, const Epoch<double>& epoch) {
  const int controller = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(controller >= 0);
  REQUIRE((::grantpt(controller) == 0 && ::unlockpt(controller) == 0));
  std::FILE* const terminal = std::fopen(::ptsname(controller), "w");
  REQUIRE(terminal);
  REQUIRE(is_terminal(terminal));
  ProgressBar bar(terminal);
  std::string text;
  for (const int width : {120, columns}) {  // the second time after a resize
    winsize size{};
    size.ws_col = static_cast<unsigned short>(width);
    REQUIRE(::ioctl(controller, TIOCSWINSZ, &size) == 0);
    bar(epoch);
    char buffer[512];
    text.assign(buffer, static_cast<std::size_t>(::read(controller, buffer, sizeof buffer)));
  }
  std::fclose(terminal);
  ::close(controller);
  REQUIRE(text.starts_with("\r"));
  REQUIRE(text.ends_with("\x1b[K"));
  return text.substr(1, text.size() - 4);
}

}  // namespace

TEST_CASE("The progress bar fits the terminal, and follows a resize", "[train][progress_bar]") {
  const Epoch<double> epoch{400, 400, 0.125, 0.25};
  CHECK(drawn(120, epoch) ==
        "Epoch 400/400 [==============================] loss 0.125000, validation loss 0.250000, 0 s left");
  CHECK(drawn(80, epoch) == "Epoch 400/400 [=============] loss 0.125000, validation loss 0.250000, 0 s left");
  CHECK(drawn(60, epoch) == "Epoch 400/400 [===================] loss 0.125000, 0 s left");
  CHECK(drawn(20, epoch) == "400/400 loss 0.125");
  CHECK(drawn(20, {1000000, 1000000, 0.125}) == "1000000/1000000");
  CHECK(drawn(20, {4000, 4000, 0.00001234}) == "4000/4000 1.23e-05");
  for (int columns = 20; columns <= 130; ++columns) {
    CHECK(drawn(columns, epoch).size() < static_cast<std::size_t>(columns));
    CHECK(drawn(columns, {123456, 123456, 1e300, 1e300}).size() < static_cast<std::size_t>(columns));
  }
}

TEST_CASE("The progress bar does not depend on the locale", "[train][progress_bar]") {
  const support::DecimalComma comma;
  const Epoch<double> epoch{4000, 4000, 0.125, 0.25};
  CHECK(drawn(70, epoch) == "Epoch 4000/4000 loss 0.125000, validation loss 0.250000, 0 s left");
  CHECK(drawn(24, epoch) == "4000/4000 loss 0.125");
}

TEST_CASE("The progress bar ends its line", "[train][progress_bar]") {
  std::FILE* const file = std::tmpfile();
  ProgressBar bar(file);
  bar(Epoch<double>{400, 400, 0.125});
  bar.finish();
  bar.finish();
  std::rewind(file);
  std::string text(500, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  CHECK(text.starts_with("\rEpoch 400/400 ["));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.back() == '\n');
}
