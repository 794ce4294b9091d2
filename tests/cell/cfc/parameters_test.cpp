// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <string>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// The first two values of a tensor as PyTorch lays it out, row by row, and the last.
template <typename Model>
void check(const Model& model, const char* name, double first, double second, double last) {
  INFO("tensor " << name);
  const auto values = model.parameter(name);
  CHECK(values(0, 0) == first);
  CHECK((values.cols() > 1 ? values(0, 1) : values(1, 0)) == second);
  CHECK(values(values.rows() - 1, values.cols() - 1) == last);
}

}  // namespace

TEST_CASE("Initial values of a CfC are those that ncps draws from the same seed, to the bit", "[cell][cfc]") {
  // torch.manual_seed(5); ncps.torch.CfC(3, 4, mode="pure", backbone_units=6, backbone_layers=2, proj_size=2) with
  // PyTorch 1.13.1's default type set to double, printed with repr.
  const CfC<double> pure(4, 3,
                         {.mode = CfCMode::pure, .backbone_units = 6, .backbone_layers = 2, .proj_size = 2, .seed = 5});
  check(pure, "w_tau", 0.70571911712316, 0.29574350322650295, 0.613882501695473);
  check(pure, "A", -0.011694769264674174, -0.07070062418768282, -0.886223843287071);
  check(pure, "backbone.0.weight", 0.3853689373014108, 0.13138116363212782, -0.11308186611783524);
  check(pure, "backbone.0.bias", 0.18850686835230654, 0.22012832370659285, -0.34851126976330504);
  check(pure, "backbone.2.weight", 0.6498613575900256, -0.5893676862409183, 0.18448613382830115);
  check(pure, "ff1.weight", 0.25307306601826596, -0.17983902484151174, 0.44616210008145546);
  check(pure, "ff1.bias", 0.17764071213340507, -0.07405102186303322, 0.11647961829723338);
  check(pure, "fc.weight", 0.4179949864146654, 0.19770796819803424, -0.007521835278147647);
  check(pure, "fc.bias", 0.28600485566015044, -0.4145944136880009, -0.4145944136880009);

  // torch.manual_seed(9); ncps.torch.CfC(3, ncps.wirings.AutoNCP(8, 2)), likewise.
  const CfC<double> wired(AutoNCP(8, 2), 3, {.seed = 9});
  check(wired, "layer_0.ff1.weight", -0.35426968035082207, 0.57376559127321, 0.0385887530396694);
  check(wired, "layer_0.time_b.bias", 0.11502181833772292, -0.12365660231150959, 0.3525385444623847);
  check(wired, "layer_2.ff1.weight", 0.474933493266205, 0.2917167348800959, -0.3097593365234714);
  check(wired, "layer_2.time_b.weight", 0.6854506540507389, -0.730422280380607, -0.8996942346190601);
}

TEST_CASE("A backbone's tensors are named as PyTorch numbers its modules, dropouts included", "[cell][cfc]") {
  const CfC<float> plain(4, 3, {.backbone_units = 6, .backbone_layers = 3});
  for (const char* name : {"backbone.0.weight", "backbone.2.weight", "backbone.4.bias"}) {
    CHECK(plain.parameter_list().find(name) != nullptr);
  }
  const CfC<float> dropout(4, 3, {.backbone_units = 6, .backbone_layers = 3, .backbone_dropout = 0.1});
  for (const char* name : {"backbone.0.weight", "backbone.2.weight", "backbone.5.bias"}) {
    CHECK(dropout.parameter_list().find(name) != nullptr);
  }
}

TEST_CASE("The memory's recurrent map starts with orthonormal columns", "[cell][mixed]") {
  const MixedCfC<double> model(5, 3, {.backbone_units = 4});
  const Eigen::MatrixXd map = model.parameter("lstm.recurrent_map.weight").matrix();
  CHECK((map.transpose() * map - Eigen::MatrixXd::Identity(5, 5)).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(model.parameter("lstm.input_map.bias").abs().maxCoeff() <= 0.1);
  CHECK(model.parameter("lstm.input_map.weight").abs().maxCoeff() <= std::sqrt(6.0 / 23.0));
  CHECK((MixedCfC<double>(5, 3, {.backbone_units = 4, .seed = 2}).parameter("lstm.recurrent_map.weight") != map.array())
            .any());
}

TEST_CASE("Keras' initial values: weights as ncps draws them, biases 0", "[cell][cfc][mixed]") {
  const CfCOptions options{.backbone_units = 6, .backbone_layers = 2, .proj_size = 2, .seed = 3};
  CfCOptions keras = options;
  keras.initial_values = InitialValues::keras;
  const CfC<double> model(4, 3, keras), of_ncps(4, 3, options);
  for (const Parameter& entry : model.parameter_list()) {
    CAPTURE(entry.name);
    const auto values = model.parameter(entry.name);
    if (entry.name.ends_with("bias")) {
      CHECK((values == 0).all());
    } else if (entry.name != "fc.weight") {
      CHECK((values == of_ncps.parameter(entry.name)).all());
    }
  }
  // Glorot: the bound is sqrt(6 / (inputs + outputs)), and PyTorch's is 1 / sqrt(inputs) = 0.5.
  CHECK(model.parameter("fc.weight").abs().maxCoeff() <= 1);
  CHECK(model.parameter("fc.weight").abs().maxCoeff() > 0.5);

  const MixedCfC<double> mixed(4, 3, keras, {.initial_values = InitialValues::keras, .forget_bias = 2.1});
  const auto bias = mixed.parameter("lstm.input_map.bias");
  CHECK((bias.topRows(8) == 0).all());
  CHECK((bias.middleRows(8, 4) - 1.1).abs().maxCoeff() < 1e-15);
  CHECK((bias.bottomRows(4) == 0).all());
  // ncps' own bias is random, and its forget gate adds 1 to it.
  const auto shifted = MixedCfC<double>(4, 3, options, {.forget_bias = 0.5}).parameter("lstm.input_map.bias");
  const auto own = MixedCfC<double>(4, 3, options).parameter("lstm.input_map.bias");
  CHECK((shifted - own).topRows(8).abs().maxCoeff() == 0);
  CHECK((shifted - own + 0.5).middleRows(8, 4).abs().maxCoeff() < 1e-15);
  CHECK_THROWS_WITH(MixedCfC<double>(4, 3, {}, {.forget_bias = NAN}), "memory: forget_bias must be finite, got nan");
}

TEST_CASE("Options of a CfC that make no sense are refused", "[cell][cfc]") {
  CHECK_THROWS_WITH(CfC<float>(1, 1, {.head_activation = Activation::relu}),
                    "CfC: head_activation must be tanh or lecun_tanh, got number 2");
  CHECK_THROWS_WITH(CfC<float>(1, 1, {.mode = CfCMode::pure, .head_activation = Activation::lecun_tanh}),
                    "CfC: head_activation has no meaning in a pure CfC, whose head has no activation");
  CHECK_THROWS_WITH(CfC<float>(0, 1), "CfC: units must be at least 1, got 0");
  CHECK_THROWS_WITH(CfC<float>(1, 0), "CfC: input_dim must be at least 1, got 0");
  CHECK_THROWS_WITH(CfC<float>(1, 1, {.backbone_units = 0}), "CfC: backbone_units must be at least 1, got 0");
  CHECK_THROWS_WITH(CfC<float>(1, 1, {.backbone_layers = -1}), "CfC: backbone_layers must be at least 0, got -1");
  CHECK_THROWS_WITH(CfC<float>(1, 1, {.proj_size = -2}), "CfC: proj_size must be at least 0, got -2");
  CHECK_THROWS_WITH(CfC<float>(1, 1, {.backbone_dropout = 1.0}), "CfC: backbone_dropout must be in [0, 1), got 1");
  Wiring<> gap(3, 1);
  gap.assign_neuron(0, NeuronType::motor, 2);
  CHECK_THROWS_WITH(CfC<float>(gap, 1), "CfC: layer 1 of the wiring has no neurons");
}
