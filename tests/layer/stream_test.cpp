// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <elegans/cell/cfc/cell_view.hpp>
#include <elegans/cell/gated/cell_view.hpp>
#include <elegans/cell/ltc/cell_view.hpp>
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

/// The parameters of an LTC as they would be in a program's constant memory.
template <typename Scalar>
struct ConstantsOfLTC {
  std::vector<detail::SynapseConstant<Scalar>> synapses, sensory_synapses;
  std::vector<Scalar> cm, leak_numerator, leak_denominator, input_w, input_b, output_w, output_b;

  /// \param positive  stored value of w, cm or gleak -> the value it stands for
  template <typename Cell, typename Positive>
  ConstantsOfLTC(const Cell& cell, const Scalar* parameters, Scalar epsilon, const Positive& positive) {
    const detail::LTCTensors<const Scalar*> tensors(cell.parameters(), parameters);
    const auto list = [&](const auto& polarity, const detail::SynapseTensors<const Scalar*>& of, auto& to) {
      for (Index d = 0; d < polarity.cols(); ++d) {
        for (Index s = 0; s < polarity.rows(); ++s) {
          const Index i = s + polarity.rows() * d;
          if (polarity(s, d) == 0) continue;
          const Scalar w = positive(of.w[i]);
          to.push_back({static_cast<std::uint16_t>(s), static_cast<std::uint16_t>(d),
                        detail::sigmoid_scale<Scalar> * of.sigma[i], of.mu[i], w, w * of.erev[i]});
        }
      }
    };
    list(cell.wiring().adjacency_matrix(), tensors.synapse, synapses);
    list(cell.wiring().sensory_adjacency_matrix(), tensors.sensory, sensory_synapses);
    const auto padded = [](Index count, Scalar behind, const auto& value) {
      std::vector<Scalar> values(static_cast<std::size_t>(detail::pad_neurons(count)), behind);
      for (Index i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = value(i);
      return values;
    };
    cm = padded(cell.units(), 1, [&](Index i) { return positive(tensors.cm[i]); });
    leak_numerator = padded(cell.units(), 0, [&](Index i) { return positive(tensors.gleak[i]) * tensors.vleak[i]; });
    leak_denominator = padded(cell.units(), 0, [&](Index i) { return positive(tensors.gleak[i]) + epsilon; });
    const auto mapping = [&](Index count, const Scalar* values, Scalar otherwise) {
      return padded(count, 0, [=](Index i) { return values ? values[i] : otherwise; });
    };
    input_w = mapping(cell.input_dim(), tensors.input_w, 1);
    input_b = mapping(cell.input_dim(), tensors.input_b, 0);
    output_w = mapping(cell.output_dim(), tensors.output_w, 1);
    output_b = mapping(cell.output_dim(), tensors.output_b, 0);
  }
  [[nodiscard]] detail::LTCConstants<Scalar> view() const {
    return {.cm = cm.data(),
            .leak_numerator = leak_numerator.data(),
            .leak_denominator = leak_denominator.data(),
            .input_w = input_w.data(),
            .input_b = input_b.data(),
            .output_w = output_w.data(),
            .output_b = output_b.data(),
            .synapses = {synapses.data(), static_cast<Index>(synapses.size())},
            .sensory_synapses = {sensory_synapses.data(), static_cast<Index>(sensory_synapses.size())}};
  }
};

/// Changes the parameters, so that no mapping is the identity.
template <typename Model>
void stir(Model& model) {
  using Scalar = typename Model::Scalar;
  Eigen::Array<Scalar, Eigen::Dynamic, 1> values = model.parameters();
  for (Index i = 0; i < values.size(); ++i) values[i] += Scalar(0.01) * Scalar(i % 7);
  model.set_parameters(values);
}

template <typename Scalar, int Units, int Outputs, ODESolver Solver>
void check_constant_ltc(Mapping mapping, bool implicit) {
  CAPTURE(Units, Solver, mapping, implicit);
  const bool is_fused = Solver == ODESolver::semi_implicit;
  LTC<Scalar> model(AutoNCP(Units, Outputs), 3,
                    {.input_mapping = mapping,
                     .output_mapping = mapping,
                     .solver = Solver,
                     .ode_unfolds = 4,
                     .epsilon = 0.25,
                     .implicit_param_constraints = implicit});
  stir(model);
  const ConstantsOfLTC<Scalar> constants(model.cell(), model.parameters().data(), is_fused ? Scalar(0.25) : Scalar(0),
                                         [=](Scalar value) { return implicit ? detail::softplus(value) : value; });
  const auto view = constants.view();
  require_same(model, LTCCellView<Scalar, Units, 3, Outputs, Solver, 4>(view));
}

}  // namespace

TEMPLATE_TEST_CASE("An LTC on constant parameters steps as the layer does", "[stream]", float, double) {
  for (const bool implicit : {false, true}) {
    for (const Mapping mapping : {Mapping::affine, Mapping::linear, Mapping::none}) {
      check_constant_ltc<TestType, 12, 2, ODESolver::semi_implicit>(mapping, implicit);
    }
    check_constant_ltc<TestType, 64, 8, ODESolver::semi_implicit>(Mapping::affine, implicit);
    check_constant_ltc<TestType, 12, 2, ODESolver::explicit_euler>(Mapping::affine, implicit);
    check_constant_ltc<TestType, 12, 2, ODESolver::heun>(Mapping::affine, implicit);
    check_constant_ltc<TestType, 12, 2, ODESolver::runge_kutta>(Mapping::affine, implicit);
  }
}

TEST_CASE("An input that is not finite reaches the neurons of a stream that it reaches in the layer", "[stream]") {
  LTC<float> model(AutoNCP(12, 2), 3);
  const ConstantsOfLTC<float> constants(model.cell(), model.parameters().data(), 1e-8f, [](float w) { return w; });
  const auto view = constants.view();
  Stream<LTCCellView<float, 12, 3, 2, ODESolver::semi_implicit, 6>> stream(view);
  auto expected = model.initial_state();
  auto state = stream.initial_state();
  const Eigen::Array3f x(0.5f, std::numeric_limits<float>::quiet_NaN(), -0.5f);
  for (int t = 0; t < 2; ++t) {
    model.step(x, expected);
    stream.step(x, state);
    Index strange = 0;
    for (Index i = 0; i < 12; ++i) {
      CHECK(std::isnan(state(0, i)) == std::isnan(expected(0, i)));
      strange += std::isnan(state(0, i));
    }
    CHECK(strange > 0);
  }
}

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

  MixedLTC<TestType> ltc(AutoNCP(12, 2), 3);
  const auto ltc_cell = packed_cell(ltc);
  const ConstantsOfLTC<TestType> ltc_constants(ltc_cell.inner(), ltc.parameters().data(), TestType(1e-8),
                                               [](TestType w) { return w; });
  const auto view = ltc_constants.view();
  const LTCCellView<TestType, 12, 3, 2, ODESolver::semi_implicit, 6> inner(view);
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
