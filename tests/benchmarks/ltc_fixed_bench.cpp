// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "model_bench.hpp"

// Sizes in the type: the tutorial's models.

namespace {

using namespace elegans;
using namespace elegans::bench;

const auto dense_8 = [] { return LTC<float, FullyConnected<8, 1, 2>>(FullyConnected<8, 1, 2>{}); };
const auto sparse_8 = [] { return LTC<float, AutoNCP<8, 1, 2>>(AutoNCP<8, 1, 2>{}); };

BENCHMARK_CAPTURE(forward, fully_connected_8_fixed, dense_8, Shape{48, 1})->UseManualTime();
BENCHMARK_CAPTURE(training, fully_connected_8_fixed, dense_8, Shape{48, 1})->UseManualTime();
BENCHMARK_CAPTURE(forward, auto_ncp_8_fixed, sparse_8, Shape{48, 1})->UseManualTime();
BENCHMARK_CAPTURE(training, auto_ncp_8_fixed, sparse_8, Shape{48, 1})->UseManualTime();
BENCHMARK_CAPTURE(stream, fully_connected_8_fixed, dense_8)->UseManualTime();
BENCHMARK_CAPTURE(stream, auto_ncp_8_fixed, sparse_8)->UseManualTime();

}  // namespace
