// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// models FOLDER: writes the models whose needs tests/embedded/run measures, besides those in tests/data. Their weights
// are initial ones: what a network costs does not depend on what it has learned.
#include <filesystem>

#include <elegans/io/model_file.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : ".";
  elegans::save(elegans::LTC<double>(elegans::AutoNCP(64, 8), 20), folder / "auto_ncp_64.safetensors");
  elegans::save(elegans::Sequential(elegans::GRU<double>(16, 4), elegans::LayerNorm<double>(16),
                                    elegans::LTC<double>(elegans::AutoNCP(12, 4), 16), elegans::Dense<double>(2, 4)),
                folder / "stack.safetensors");
  elegans::save(elegans::Sequential(elegans::Dense<double>(8, 4, {.activation = elegans::Activation::tanh}),
                                    elegans::LTC<double>(elegans::AutoNCP(12, 4), 8), elegans::Dense<double>(2, 4)),
                folder / "dense_stack.safetensors");
  elegans::save(elegans::CfC<double>(32, 4, {.backbone_layers = 0}), folder / "cfc_32.safetensors");
  elegans::save(elegans::LSTM<double>(32, 4), folder / "lstm_32.safetensors");
}
