// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// The numbers of nested lists, one after the other.
void flatten_into(const nlohmann::json& values, std::vector<double>& flat) {
  if (!values.is_array()) {
    flat.push_back(values.get<double>());
    return;
  }
  for (const auto& value : values) flatten_into(value, flat);
}
std::vector<double> flatten(const nlohmann::json& values) {
  std::vector<double> flat;
  flatten_into(values, flat);
  return flat;
}

Sequence<double> sequence_of(const nlohmann::json& values) {
  const std::vector<double> flat = flatten(values);
  Sequence<double> result(static_cast<Index>(values.size()), static_cast<Index>(values[0].size()),
                          static_cast<Index>(values[0][0].size()));
  for (Index t = 0, i = 0; t < result.time(); ++t) {
    for (Index b = 0; b < result.batch(); ++b) {
      for (Index f = 0; f < result.features(); ++f) result(t, b, f) = flat[static_cast<std::size_t>(i++)];
    }
  }
  return result;
}

/// Compares outputs, and the derivatives of their squares' sum by some weights.
///
/// \param convert  (tensor, value of the paper) -> the value here
/// \param sign_of  tensor -> sign of the derivative
template <typename Model, typename Convert, typename SignOf>
void check_paper_cell(Model model, const nlohmann::json& golden, const Timespans<double>& elapsed, Convert convert,
                      SignOf sign_of) {
  const auto& list = model.parameter_list();
  REQUIRE(static_cast<std::size_t>(list.size()) == golden["weights"].size());
  model.update([&](auto all) {
    for (const Parameter& entry : list) {
      const std::vector<double> values = flatten(golden["weights"].at(entry.name));
      REQUIRE(static_cast<Index>(values.size()) == entry.size());
      for (Index i = 0; i < entry.size(); ++i) {  // row by row there, column by column here
        all[entry.offset + i / entry.columns + entry.rows * (i % entry.columns)] =
            convert(entry.name, i, values[static_cast<std::size_t>(i)]);
      }
    }
  });
  const Sequence<double> wanted = sequence_of(golden["y"]);
  const Sequence<double> y = model.forward(sequence_of(golden["x"]), {.timespans = elapsed});
  CHECK((y.values() - wanted.values()).abs().maxCoeff() < 1e-13);
  Sequence<double> d_y = y;
  d_y.values() *= 2;
  model.backward(d_y);
  for (const Parameter& entry : list) {
    CAPTURE(entry.name);
    const auto i = golden["slopes"].at(entry.name)[0].template get<Index>();
    const Index at = entry.offset + i / entry.columns + entry.rows * (i % entry.columns);
    CHECK(sign_of(entry.name) * model.gradient()[at] ==
          Approx(golden["slopes"].at(entry.name)[1].template get<double>()).epsilon(1e-6).margin(1e-7));
  }
}

CfCOptions options_of_paper(const nlohmann::json& golden) {
  const std::string mode = golden["mode"];
  return {.mode = mode == "pure"      ? CfCMode::pure
                  : mode == "no_gate" ? CfCMode::no_gate
                                      : CfCMode::standard,
          .activation = golden["activation"] == "silu" ? Activation::silu : Activation::lecun_tanh,
          .backbone_units = 6,
          .backbone_layers = golden["layers"],
          .head_activation = mode == "pure" ? Activation::tanh : Activation::lecun_tanh};
}

}  // namespace

TEST_CASE("The cells of the papers' code are those of the library, with some options and values",
          "[model][cfc][ltc][mixed]") {
  std::ifstream file(std::string(ELEGANS_TEST_DATA) + "/paper_cells.json");
  const auto all = nlohmann::json::parse(file);
  REQUIRE(all.size() == 7);
  for (const auto& golden : all) {
    const std::string name = golden["name"];
    CAPTURE(name);
    const std::vector<double> flat = flatten(golden["elapsed"]);
    const Eigen::ArrayXXd spans =
        Eigen::Map<const Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(flat.data(), 5, 3);
    const auto same = [](const std::string&, Index, double value) { return value; };
    const auto positive = [](const std::string&) { return 1.0; };
    if (name.starts_with("ltc")) {
      FullyConnected wiring(4);
      const int unfolds = golden["unfolds"];
      const bool has_time = !golden["plus"].is_null();
      const LTC<double> model(wiring, 2, {.output_mapping = Mapping::none, .ode_unfolds = unfolds, .epsilon = 0});
      // Without elapsed times, cm stands for cm_t: one unit of time per sub-step.
      const Timespans<double> elapsed =
          has_time ? Timespans<double>(spans + golden["plus"].get<double>()) : Timespans<double>(unfolds);
      check_paper_cell(model, golden, elapsed, same, positive);
      continue;
    }
    // The paper's gate has -time_a, so its weights come with another sign. A forget bias other than 1 is a start value.
    const bool is_mixed = !golden["forget_bias"].is_null();
    const double bias = is_mixed ? golden["forget_bias"].get<double>() - 1 : 0;
    const auto convert = [&](const std::string& tensor, Index i, double value) {
      if (tensor.starts_with("time_a")) return -value;
      return tensor == "lstm.input_map.bias" && i >= 8 && i < 12 ? value + bias : value;
    };
    const auto sign_of = [](const std::string& tensor) { return tensor.starts_with("time_a") ? -1.0 : 1.0; };
    if (is_mixed) {
      check_paper_cell(MixedCfC<double>(4, 2, options_of_paper(golden)), golden, spans, convert, sign_of);
    } else {
      check_paper_cell(CfC<double>(4, 2, options_of_paper(golden)), golden, spans, convert, sign_of);
    }
  }
}
