// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <elegans/model/cfc.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "model_bench.hpp"

// Closed-form networks: a wired one that trains, and unwired ones on a stream, without backbone and with ncps' default.

namespace {

using namespace elegans;
using namespace elegans::bench;

const auto wired_64 = [] { return CfC<float>(AutoNCP(64, 8), 20); };

BENCHMARK_CAPTURE(forward, wired_auto_ncp_64_batch_32, wired_64, Shape{48, 32})->UseManualTime();
BENCHMARK_CAPTURE(training, wired_auto_ncp_64_batch_32, wired_64, Shape{48, 32})->UseManualTime();
BENCHMARK_CAPTURE(stream, wired_auto_ncp_64, wired_64)->UseManualTime();

/// One input, and as many neurons as the LSTM of RTNeural has units.
void cfc_step(benchmark::State& state, int backbone_layers) {
  stream(state, [&] { return CfC<float>(static_cast<int>(state.range(0)), 1, {.backbone_layers = backbone_layers}); });
}
BENCHMARK_CAPTURE(cfc_step, no_backbone, 0)->RangeMultiplier(2)->Range(8, 64)->UseManualTime();
BENCHMARK_CAPTURE(cfc_step, backbone, 1)->RangeMultiplier(2)->Range(8, 64)->UseManualTime();

}  // namespace
