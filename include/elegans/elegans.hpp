// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// All of elegans that needs Eigen alone.

#include <elegans/cell/activation.hpp>
#include <elegans/cell/cfc_cell.hpp>
#include <elegans/cell/cfc_options.hpp>
#include <elegans/cell/ltc_cell.hpp>
#include <elegans/cell/ltc_options.hpp>
#include <elegans/cell/memory_cell.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/config.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/executor.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/core/types.hpp>
#include <elegans/core/version.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/cfc.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/ltc.hpp>
#include <elegans/layer/mixed.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/check_gradients.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/progress_bar.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/concepts.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/random.hpp>
#include <elegans/wiring/wiring.hpp>
