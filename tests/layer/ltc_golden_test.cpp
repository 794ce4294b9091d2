// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <string>

#include <elegans/layer/ltc.hpp>

#include "support/catch.hpp"
#include "support/golden_ltc.hpp"

using namespace elegans_test;

namespace {

constexpr std::array golden_names{"ltc_sine_fully_connected",
                                  "ltc_sine_random",
                                  "ltc_sine_auto_ncp",
                                  "ltc_implicit",
                                  "ltc_ncp3_batch",
                                  "ltc_unfolds1",
                                  "ltc_unfolds12_eps",
                                  "ltc_linear",
                                  "ltc_nomap",
                                  "ltc_timespans",
                                  "ltc_timespans_explicit",
                                  "ltc_last",
                                  "ltc_units_int"};

/// What outputs, states and gradients may differ by, relative to the largest value of their tensor.
template <typename Scalar>
struct Tolerance;
template <>
struct Tolerance<double> {
  static constexpr double value = 1e-10;
  static constexpr double gradient = 1e-10;
};
template <>
struct Tolerance<float> {
  static constexpr double value = 2e-6;
  static constexpr double gradient = 1e-4;
};

}  // namespace

TEMPLATE_TEST_CASE("Outputs, states and gradients are ncps'", "[layer][ltc][golden]", double, float) {
  for (const char* name : golden_names) {
    INFO("golden file " << name);
    const GoldenFile file(std::string(name) + ".safetensors");
    const std::string prefix = "param.rnn_cell.";
    elegans::LTC<TestType> model(wiring_of(file, prefix), static_cast<int>(file["x"].shape[2]),
                                 options_of(file.metadata));
    load_parameters(model, file, prefix);
    const auto x = sequence_of<TestType>(file["x"]);
    const auto context = context_of<TestType>(file);

    const auto& output = model.forward(x, context);
    const auto expected = sequence_of<double>(file["output"]);
    CHECK(relative_difference(output.values(), expected.values()) < Tolerance<TestType>::value);
    CHECK(relative_difference(model.final_state().array(), file["final_state"].array()) < Tolerance<TestType>::value);

    model.backward(sequence_of<TestType>(file["cotangent"]));
    for (const elegans::Parameter& entry : model.parameter_list()) {
      INFO("gradient of " << entry.name);
      const auto gradient = file["grad.rnn_cell." + std::string(entry.name)].array();
      CHECK(relative_difference(model.gradient(entry.name), gradient) < Tolerance<TestType>::gradient);
    }
    CHECK(relative_difference(model.input_gradient().values(), sequence_of<double>(file["grad_x"]).values()) <
          Tolerance<TestType>::gradient);
    if (file.has("h0")) {
      CHECK(relative_difference(model.initial_state_gradient().array(), file["grad_h0"].array()) <
            Tolerance<TestType>::gradient);
    }
    if (file.has("timespans")) {
      CHECK(relative_difference(model.timespans_gradient(), file["grad_timespans"].array().transpose()) <
            Tolerance<TestType>::gradient);
    }
  }
}

TEMPLATE_TEST_CASE("Inference without a tape gives the same outputs", "[layer][ltc][golden]", double, float) {
  for (const char* name : golden_names) {
    INFO("golden file " << name);
    const GoldenFile file(std::string(name) + ".safetensors");
    elegans::LTC<TestType> model(wiring_of(file, "param.rnn_cell."), static_cast<int>(file["x"].shape[2]),
                                 options_of(file.metadata));
    load_parameters(model, file, "param.rnn_cell.");
    const auto x = sequence_of<TestType>(file["x"]);
    const auto context = context_of<TestType>(file);
    const auto kept = model.forward(x, context);
    const auto final_state = model.final_state();
    CHECK((model(x, context).values() == kept.values()).all());
    CHECK((model.final_state().array() == final_state.array()).all());
  }
}

TEST_CASE("Steps over a stream give the outputs of the sequence", "[layer][ltc][golden]") {
  for (const char* name : {"ltc_ncp3_batch", "ltc_timespans", "ltc_sine_fully_connected", "ltc_sine_auto_ncp"}) {
    INFO("golden file " << name);
    const GoldenFile file(std::string(name) + ".safetensors");
    elegans::LTC<double> model(wiring_of(file, "param.rnn_cell."), static_cast<int>(file["x"].shape[2]),
                               options_of(file.metadata));
    load_parameters(model, file, "param.rnn_cell.");
    const auto x = sequence_of<double>(file["x"]);
    const auto context = context_of<double>(file);
    auto state = context.initial_state ? *context.initial_state : model.initial_state(x.batch());
    const auto expected = sequence_of<double>(file["output"]);
    for (elegans::Index t = 0; t < x.time(); ++t) {
      Eigen::ArrayXd elapsed(x.batch());
      for (elegans::Index b = 0; b < x.batch(); ++b) elapsed[b] = context.timespans(t, b);
      const Eigen::ArrayXXd y = model.step(x.step(t), state, elapsed);
      CHECK(relative_difference(y, expected.step(t)) < 1e-10);
    }
    CHECK(relative_difference(state.array(), file["final_state"].array()) < 1e-10);
  }
}
