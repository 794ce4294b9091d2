// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/golden_ltc.hpp"

using namespace elegans_test;

TEMPLATE_TEST_CASE("Initial values are those that ncps draws from the same seed, to the bit", "[cell][ltc]", double) {
  const auto compare = [](const char* name, const auto& wiring) {
    INFO("golden file " << name);
    const GoldenFile file(std::string(name) + ".safetensors");
    const elegans::LTC<TestType> model(wiring, 2, {.seed = file.metadata.at("seed").get<std::uint64_t>()});
    for (const elegans::Parameter& entry : model.parameter_list()) {
      INFO("tensor " << entry.name);
      const auto expected = file["initial.rnn_cell." + std::string(entry.name)].array();
      CHECK((model.parameter(entry.name).template cast<double>() == expected).all());
    }
  };
  compare("training_fully_connected", elegans::FullyConnected(8, 1));
  compare("training_random", elegans::Random(8, 1, {.sparsity = 0.75}));
  compare("training_auto_ncp", elegans::AutoNCP(8, 1));
}

TEST_CASE("Initial values in float are those that ncps draws in float", "[cell][ltc]") {
  // torch.manual_seed(1); LTC(2, AutoNCP(8, 1)) on PyTorch 1.13.1 with its default type, printed with repr(float).
  const elegans::LTC<float> model(elegans::AutoNCP(8, 1), 2, {.seed = 1});
  CHECK(double{model.parameter("gleak")(0, 0)} == 0.7578739523887634);
  CHECK(double{model.parameter("gleak")(7, 0)} == 0.7546175718307495);
  CHECK(double{model.parameter("vleak")(3, 0)} == 0.00986635684967041);
  CHECK(double{model.parameter("cm")(5, 0)} == 0.43960386514663696);
  CHECK(double{model.parameter("sigma")(0, 1)} == 5.619704246520996);
  CHECK(double{model.parameter("sigma")(1, 0)} == 7.150149345397949);
  CHECK(double{model.parameter("sigma")(7, 6)} == 3.277545213699341);
  CHECK(double{model.parameter("mu")(2, 5)} == 0.6018078327178955);
  CHECK(double{model.parameter("w")(6, 3)} == 0.30674079060554504);
  CHECK(double{model.parameter("w")(3, 6)} == 0.07018127292394638);
  CHECK(double{model.parameter("sensory_sigma")(1, 4)} == 7.480222225189209);
  CHECK(double{model.parameter("sensory_mu")(0, 7)} == 0.35162970423698425);
  CHECK(double{model.parameter("sensory_w")(1, 0)} == 0.7885808348655701);
  CHECK(double{model.parameter("sensory_w")(0, 1)} == 0.9118533730506897);
}

TEST_CASE("A range of one value draws nothing", "[cell][ltc]") {
  elegans::LTCOptions fixed{.seed = 1};
  fixed.initialization.gleak = {0.5, 0.5};
  const elegans::LTC<double> with(elegans::AutoNCP(8, 1), 2, fixed);
  const elegans::LTC<double> without(elegans::AutoNCP(8, 1), 2, {.seed = 1});
  CHECK((with.parameter("gleak") == 0.5).all());
  // vleak takes the draws that gleak would have taken.
  const auto draws_of_vleak = (with.parameter("vleak") + 0.2) / 0.4;
  const auto draws_of_gleak = (without.parameter("gleak") - 0.001) / 0.999;
  CHECK((draws_of_vleak - draws_of_gleak).abs().maxCoeff() < 1e-14);
}
