// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdio>
#include <sstream>
#include <string>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/io/checkpoint.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/csv_log.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/decimal_comma.hpp"
#include "support/folder.hpp"

using namespace elegans;

namespace {

TrainingState<double> state_of_training() {
  TrainingState<double> state;
  state.epochs = 1;
  state.parameters = {1.5};
  state.learning_rate = 0.02;
  state.best_loss = 1234.5;
  state.history.loss = {1234.5};
  return state;
}

/// All that elegans writes, in one text.
std::string everything(const std::filesystem::path& folder) {
  const LTC<double> model(FullyConnected(40, 1), 2, {.epsilon = 1.5e-8});  // thousands of parameters
  save(model, folder / "model");
  Checkpoint(folder / "checkpoint").save(state_of_training());
  CsvLog log(folder / "log.csv");
  Epoch<double> epoch{};
  epoch.number = 1000;
  epoch.loss = 1234.5;
  log(epoch);
  log.finish();
  std::string text = model.summary() + detail::concatenate(1.5, ' ', 1000000, ' ', 2.5f);
  for (const char* name : {"model", "checkpoint", "log.csv"}) text += support::read(folder / name);
  return text;
}

}  // namespace

TEST_CASE("No file, table or message depends on the locale, and each reads what the other wrote", "[io][locale]") {
  const support::Folder here, there;
  const std::string expected = everything(here.path);
  CHECK(expected.find("1.5 1000000 2.5") != std::string::npos);
  const support::DecimalComma comma;
  std::ostringstream proof;
  proof << 1.5 << ' ' << 1000;
  REQUIRE(proof.str() == "1,5 1.000");
  CHECK(everything(there.path) == expected);
  for (const support::Folder* folder : {&here, &there}) {
    TrainingState<double> state;
    REQUIRE(Checkpoint(folder->path / "checkpoint").load(state));
    CHECK(state.learning_rate == 0.02);
    CHECK(state.best_loss == 1234.5);
    LTC<double> model(FullyConnected(40, 1), 2, {.epsilon = 1.5e-8});
    load(model, folder->path / "model");
    CHECK(describe_model(SafeTensors(folder->path / "model")).stated["epsilon"] == 1.5e-8);
  }
  CHECK(detail::number_text(1234.5, 17) == "1234.5");
  CHECK(detail::exact_text(0.1) == "0x1.999999999999ap-4");
  CHECK(detail::read_number<double>("1.5") == 1.5);
}
