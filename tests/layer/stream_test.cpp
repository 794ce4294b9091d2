// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <vector>

#include <elegans/cell/cfc/cell_view.hpp>
#include <elegans/cell/gated/cell_view.hpp>
#include <elegans/cell/memory/cell_view.hpp>
#include <elegans/layer/stream.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// A model's packed cell, as a Stream wants it.
template <typename Model>
auto packed_cell(const Model& model) {
  auto cell = model.cell();
  cell.pack(model.parameters().data(), true);
  return cell;
}

/// 20 irregular steps of both: the same outputs and states, to the bit.
template <typename Model, typename Cell>
void require_same(Model& model, const Cell& cell) {
  using Scalar = typename Model::Scalar;
  Stream<Cell> stream(cell);
  REQUIRE(stream.state_size() == model.state_size());
  REQUIRE(stream.output_dim() == model.output_dim());
  auto expected = model.initial_state();
  auto state = stream.initial_state();
  Eigen::Array<Scalar, Eigen::Dynamic, 1> x(model.input_dim());
  for (int t = 0; t < 20; ++t) {
    for (Index f = 0; f < x.size(); ++f) x[f] = std::sin(Scalar(t) * Scalar(f + 1));
    const Scalar elapsed = Scalar(t % 4) / 2;
    const Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> wanted = model.step(x, expected, elapsed);
    const Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> got = stream.step(x, state, elapsed);
    REQUIRE((got == wanted).all());
    REQUIRE((state.array() == expected.array()).all());
  }
}

/// The blocks of a CfC as they would be in a program's constant memory.
template <typename Scalar>
struct Constants {
  std::vector<std::vector<detail::LinearView<Scalar>>> backbones;
  std::vector<detail::CfCBlockView<Scalar>> blocks;

  explicit Constants(const CfCCell<Scalar>& cell) {
    for (const auto& block : cell.blocks()) {
      auto& views = backbones.emplace_back();
      for (const auto& map : block.backbone()) views.push_back(map.view());
      blocks.push_back(
          {block.inputs(), cell.options().activation, static_cast<int>(views.size()), nullptr, block.heads()});
    }
    for (std::size_t k = 0; k < blocks.size(); ++k) blocks[k].backbone = backbones[k].data();
  }
  template <int Units, int Inputs, int Outputs, int Widest>
  [[nodiscard]] auto cell(const CfCCell<Scalar>& of) const {
    return CfCCellView<Scalar, Units, Inputs, Outputs, Widest>(blocks.data(), static_cast<Index>(blocks.size()),
                                                               of.projection().view());
  }
};

}  // namespace

TEMPLATE_TEST_CASE("A stream steps as the layer of the same cell does", "[stream]", float, double) {
  LTC<TestType> ltc(AutoNCP(12, 2), 3);
  require_same(ltc, packed_cell(ltc));
  MixedLTC<TestType> mixed(AutoNCP(12, 2), 3);
  require_same(mixed, packed_cell(mixed));
}

TEMPLATE_TEST_CASE("A CfC on constant weights steps as the layer does", "[stream]", float, double) {
  for (const CfCMode mode : {CfCMode::standard, CfCMode::pure, CfCMode::no_gate}) {
    CfC<TestType> dense(10, 3, {.mode = mode, .backbone_units = 21, .backbone_layers = 2, .proj_size = 2});
    const auto cell = packed_cell(dense);
    const Constants<TestType> constants(cell);
    require_same(dense, constants.template cell<10, 3, 2, 21>(cell));

    CfC<TestType> wired(AutoNCP(20, 3), 4, {.mode = mode});
    const auto wired_cell = packed_cell(wired);
    const Constants<TestType> wired_constants(wired_cell);
    require_same(wired, wired_constants.template cell<20, 4, 3, 24>(wired_cell));
  }
}

TEMPLATE_TEST_CASE("Mixed memory on constant weights steps as the layer does", "[stream]", float, double) {
  MixedCfC<TestType> cfc(9, 2, {.backbone_units = 5});
  const auto cell = packed_cell(cfc);
  const Constants<TestType> constants(cell.inner());
  require_same(cfc, MemoryCellView(cell.gate_maps().view(), constants.template cell<9, 2, 9, 11>(cell.inner())));

  using Fixed = LTCCell<TestType, 12, 2, 3>;
  MixedLTC<TestType> ltc(AutoNCP(12, 2), 3);
  const auto ltc_cell = packed_cell(ltc);
  Fixed inner(detail::built<typename Fixed::WiringType>(AutoNCP(12, 2), 3), ltc.options());
  inner.pack(ltc.parameters().data(), true);
  require_same(ltc, MemoryCellView(ltc_cell.gate_maps().view(), inner));
}

TEMPLATE_TEST_CASE("An LSTM and a GRU on constant weights step as the layers do", "[stream]", float, double) {
  // More and fewer neurons than a packet has lanes.
  LSTM<TestType> lstm(19, 3);
  const auto lstm_cell = packed_cell(lstm);
  require_same(lstm, LSTMCellView<TestType, 19, 3>(lstm_cell.gate_maps().view()));
  GRU<TestType> gru(7, 2);
  const auto gru_cell = packed_cell(gru);
  require_same(gru, GRUCellView<TestType, 7, 2>(gru_cell.maps_of_x().view(), gru_cell.maps_of_h().view()));
}

TEST_CASE("A stream refuses wrong shapes and times", "[stream]") {
  LTC<float> ltc(AutoNCP(12, 2), 3);
  Stream stream(packed_cell(ltc));
  auto state = stream.initial_state();
  REQUIRE_THROWS_AS(stream.step(Eigen::ArrayXf::Zero(2), state), InvalidArgument);
  REQUIRE_THROWS_AS(stream.step(Eigen::ArrayXf::Zero(3), state, -1.0f), InvalidArgument);
  REQUIRE_THROWS_AS(stream.step(Eigen::ArrayXf::Zero(3), state, std::numeric_limits<float>::infinity()),
                    InvalidArgument);
}
