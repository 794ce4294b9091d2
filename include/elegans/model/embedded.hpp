// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/cfc/cell_view.hpp>
#include <elegans/cell/gated/cell_view.hpp>
#include <elegans/cell/ltc/cell_view.hpp>
#include <elegans/cell/memory/cell_view.hpp>
#include <elegans/core/activation.hpp>
#include <elegans/layer/dense_view.hpp>
#include <elegans/layer/layer_norm_view.hpp>
#include <elegans/layer/normalization.hpp>
#include <elegans/layer/stream.hpp>
#include <elegans/layer/stream_chain.hpp>

/// The names that exported headers use: those that `export_header` writes. These names stay even if the library behind
/// them changes, so that a header that was exported today compiles with a later elegans.
namespace elegans::embedded {

using elegans::Activation;
using elegans::CfCCellView;
using elegans::CfCMode;
using elegans::DenseView;
using elegans::GRUCellView;
using elegans::LayerNormView;
using elegans::LSTMCellView;
using elegans::LTCCellView;
using elegans::MemoryCellView;
using elegans::ODESolver;
using elegans::Stream;
using elegans::StreamChain;
using elegans::detail::CfCBlockView;
using elegans::detail::LinearView;
using elegans::detail::LTCConstants;
using elegans::detail::Normalization;
using elegans::detail::SynapseConstant;

}  // namespace elegans::embedded
