// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/torch_layers.hpp"

using namespace elegans;

namespace {

/// Calls check(case, model) for each golden LSTM and GRU.
template <typename Scalar, typename Check>
void for_each_gated(Check check) {
  for (const nlohmann::json& golden : support::torch_layers()) {
    const int units = golden.at("units"), inputs = golden.at("inputs");
    const GatedOptions options{.seed = golden.at("seed")};
    INFO(golden.at("kind") << " of " << units << " neurons");
    if (golden.at("kind") == "LSTM") check(golden, LSTM<Scalar>(units, inputs, options));
    if (golden.at("kind") == "GRU") check(golden, GRU<Scalar>(units, inputs, options));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("Names and initial values of LSTM and GRU are PyTorch's, to the bit", "[model][gated][golden]",
                   float, double) {
  int checked = 0;
  for_each_gated<TestType>([&](const nlohmann::json& golden, const auto& model) {
    const auto& initial = golden.at(std::is_same_v<TestType, float> ? "initial_float" : "initial_double");
    REQUIRE(static_cast<std::size_t>(model.parameter_list().size()) == initial.size());
    for (const Parameter& entry : model.parameter_list()) {
      INFO(entry.name);
      const auto wanted = support::rows_of(initial.at(entry.name), entry.rows);
      REQUIRE(wanted.cols() == entry.columns);
      CHECK((model.parameter(entry.name).template cast<double>() == wanted).all());
    }
    ++checked;
  });
  CHECK(checked == 4);
}

TEMPLATE_TEST_CASE("Outputs, states and gradients of LSTM and GRU are PyTorch's", "[model][gated][golden]", float,
                   double) {
  for_each_gated<TestType>([](const nlohmann::json& golden, auto model) { support::require_as_torch(golden, model); });
}

TEST_CASE("LSTM and GRU start with Keras' values if asked", "[model][gated]") {
  const GatedOptions options{.initial_values = InitialValues::keras};
  const auto check = [](const auto& model, Index gates) {
    const Index units = 6, inputs = 3;
    // Glorot's bound for a kernel of (inputs, gates units), and an orthogonal recurrent kernel.
    const auto weight = model.parameter("weight_ih_l0");
    const double bound = std::sqrt(6.0 / static_cast<double>(inputs + gates * units));
    CHECK(weight.abs().maxCoeff() <= bound);
    CHECK(weight.abs().maxCoeff() > 0.9 * bound);
    const Eigen::MatrixXd recurrent = model.parameter("weight_hh_l0").matrix();
    CHECK((recurrent.transpose() * recurrent - Eigen::MatrixXd::Identity(units, units)).cwiseAbs().maxCoeff() < 1e-14);
    CHECK((model.parameter("bias_ih_l0") == 0).all());
    CHECK((model.parameter("bias_hh_l0") == 0).all());
  };
  check(LSTM<double>(6, 3, options), 4);
  check(GRU<double>(6, 3, options), 3);

  // PyTorch's gates are i, f, g, o; the forget gate is the second.
  const LSTM<double> forgets(6, 3, {.forget_bias = 1}), plain(6, 3);
  const Eigen::ArrayXd change = forgets.parameters() - plain.parameters();
  const Index first = plain.parameter_list().at("bias_ih_l0").offset + 6;
  CHECK((change.segment(first, 6) - 1).abs().maxCoeff() < 1e-15);
  CHECK(change.abs().sum() == Approx(6));
}

TEST_CASE("A forget bias that makes no sense is refused", "[model][gated]") {
  CHECK(support::refusal_of([] { GRU<float>(2, 1, {.forget_bias = 1}); }) ==
        "GRU: has no forget gate, so forget_bias must be 0, got 1");
  CHECK(support::refusal_of([] { LSTM<float>(2, 1, {.forget_bias = std::numeric_limits<double>::infinity()}); }) ==
        "LSTM: forget_bias must be finite, got inf");
}

TEST_CASE("LSTM and GRU refuse sizes below 1, and say what they got", "[model][gated]") {
  CHECK(support::refusal_of([] { LSTM<float>(0, 3); }) == "LSTM: units must be at least 1, got 0");
  CHECK(support::refusal_of([] { GRU<float>(2, -1); }) == "GRU: input_dim must be at least 1, got -1");
}

TEST_CASE("LSTM and GRU return the last output alone if asked, and have a summary", "[model][gated]") {
  Sequence<double> x(5, 2, 3);
  x.values().setLinSpaced(-1, 1);
  LSTM<double> all(4, 3), last(4, 3, {.return_sequences = false});
  CHECK((last(x).step(0) == all(x).step(4)).all());
  CHECK(last.summary().find("lstm (LSTM)") != std::string::npos);
  CHECK(GRU<float>(4, 3).summary().find("gru (GRU)") != std::string::npos);
  CHECK(LSTM<float>(4, 3).parameters().size() == 4 * 4 * (3 + 4 + 2));
  CHECK(GRU<float>(4, 3).parameters().size() == 3 * 4 * (3 + 4 + 2));
}

TEMPLATE_TEST_CASE("An infinite input drives the gates to their bounds, in a stream and in a batch", "[model][gated]",
                   float, double) {
  const auto check = [](auto model) {
    for (const Index batch : {1, 3}) {
      Sequence<TestType> x(2, batch, 2);
      x.values().setConstant(std::numeric_limits<TestType>::infinity());
      for (Index t = 0; t < 2; ++t) x.step(t).col(1) = 0;
      const Sequence<TestType> y = model(x);
      CHECK(y.values().isFinite().all());
      CHECK((y.values().abs() <= 1).all());
    }
  };
  check(LSTM<TestType>(5, 2));
  check(GRU<TestType>(5, 2));
}
