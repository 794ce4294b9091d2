// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// models FOLDER: writes the stacks that run.sh exports, with initial weights.
#include <filesystem>

#include <elegans/io/model_file.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>

int main(int argc, char** argv) {
  using namespace elegans;
  const std::filesystem::path folder = argc > 1 ? argv[1] : ".";
  const Sequential inner(MixedCfC<float>(6, 3, {.backbone_units = 8}), Dropout<float>(6));
  save(Sequential(Dense<float>(5, 3, {.activation = Activation::tanh}), LTC<float>(AutoNCP(9, 3), 5), inner,
                  Dense<float>(2, 6)),
       folder / "stack.safetensors");
  save(Sequential(Bidirectional(Dense<float>(3, 3), Dense<float>(3, 3)), Dense<float>(2, 6)),
       folder / "bidirectional.safetensors");
  LayerNorm<float> norm(5);
  norm.set_parameter("weight", Eigen::ArrayXf::LinSpaced(5, 0.5f, 1.5f));
  norm.set_parameter("bias", Eigen::ArrayXf::LinSpaced(5, -0.2f, 0.3f));
  save(Sequential(GRU<float>(5, 3), norm, LSTM<float>(19, 5), LayerNorm<float>(19), Dense<float>(2, 19)),
       folder / "gated.safetensors");
  save(LSTM<float>(7, 3), folder / "lstm.safetensors");
  save(GRU<float>(7, 3), folder / "gru.safetensors");
}
