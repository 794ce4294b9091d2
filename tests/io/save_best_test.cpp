// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

#include <elegans/io/model_file.hpp>
#include <elegans/io/save_best.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/sgd.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace elegans;

namespace {

LTC<double> best_model() { return LTC<double>(AutoNCP(4, 1), 2); }

/// A training whose loss goes up and down, with callbacks.
template <typename... Extras>
History<double> jumpy(LTC<double>& model, Extras&&... extras) {
  Dataset<double> data{.x = Sequence<double>(6, 4, 2), .y = Sequence<double>(6, 4, 1)};
  data.x.values().setLinSpaced(-1, 1);
  data.y.values() = Eigen::ArrayXd::LinSpaced(24, 0, 6).sin();
  return fit(model, data, SGD<double>({.learning_rate = 0.6}), {.epochs = 12, .show_progress = false}, extras...);
}

}  // namespace

TEST_CASE("The file has the model of the best epoch so far", "[io][save_best]") {
  const support::Folder folder;
  const auto path = folder.path / "best.safetensors";
  LTC<double> model = best_model(), loaded = best_model();
  SaveBest best(path);
  std::map<int, Eigen::ArrayXd> after;
  Eigen::ArrayXd wanted;
  double least = INFINITY;
  int times = 0;
  const auto history = jumpy(model, best, on_epoch_end([&](auto& m, const Epoch<double>& epoch) {
                               if (epoch.loss < least) {
                                 least = epoch.loss;
                                 wanted = m.parameters();
                                 ++times;
                               }
                               load(loaded, path);
                               CHECK((loaded.parameters() == wanted).all());
                             }));
  CHECK(times > 1);
  CHECK(times < 12);  // some epochs were not the best
  CHECK(folder.entries() == 1);
}

TEST_CASE("If the epoch fails, the file is what it was before", "[io][save_best]") {
  for (const int failing : {1, 2}) {
    const support::Folder folder;
    const auto path = folder.path / "best.safetensors";
    for (const bool had_file : {false, true}) {
      if (had_file) std::ofstream(path) << "of an earlier run";
      LTC<double> model = best_model();
      SaveBest best(path);
      std::string before = had_file ? "of an earlier run" : "";
      CHECK_THROWS_AS(jumpy(model, best,
                            [&](const Epoch<double>& epoch) {
                              if (epoch.number == failing) throw std::runtime_error("a callback");
                              before = support::read(path);
                            }),
                      std::runtime_error);
      CHECK(std::filesystem::exists(path) == (had_file || failing == 2));
      if (!before.empty()) CHECK(support::read(path) == before);
      std::filesystem::remove(path);
    }
  }
}
