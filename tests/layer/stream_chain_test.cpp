// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <type_traits>

#include <elegans/layer/dense.hpp>
#include <elegans/layer/dense_view.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/layer_norm_view.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/stream.hpp>
#include <elegans/layer/stream_chain.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

using Liquid = LTC<double, FullyConnected<4, 2>, 3>;

const Dense<double> chain_head(3, 2, {.activation = Activation::tanh, .seed = 4});
const Dense<double> chain_tail(1, 2, {.seed = 5});

Liquid chain_ltc() { return Liquid(FullyConnected<4, 2>{}); }

/// The weights of a dense layer as they would be in a program's constant memory.
detail::Linear<double> packed_dense(const Dense<double>& dense) {
  detail::Linear<double> map(dense.units(), dense.input_dim());
  map.pack_weight(0, dense.parameters().data(), dense.units(), 0, dense.input_dim());
  map.pack_bias(0, dense.parameters().data() + dense.units() * dense.input_dim());
  return map;
}
const detail::Linear<double> head_weights = packed_dense(chain_head), tail_weights = packed_dense(chain_tail);

struct HeadLayer : DenseView<double, 3, 2> {
  HeadLayer() : DenseView(head_weights.view(), Activation::tanh) {}
};
struct TailLayer : DenseView<double, 1, 2> {
  TailLayer() : DenseView(tail_weights.view(), Activation::linear) {}
};
using LiquidCell = std::remove_cvref_t<decltype(chain_ltc().cell())>;
struct LiquidLayer : Stream<LiquidCell> {
  LiquidLayer() : Stream(make()) {}
  static LiquidCell make() {
    const Liquid model = chain_ltc();
    LiquidCell cell = model.cell();
    cell.pack(model.parameters().data(), true);
    return cell;
  }
};
using Chained = StreamChain<HeadLayer, LiquidLayer, TailLayer>;

}  // namespace

TEST_CASE("A chain of streams computes what the Sequential of its layers does, to the bit", "[layer][stream]") {
  Sequential model(chain_head, chain_ltc(), chain_tail);
  Chained chain;
  REQUIRE(chain.state_size() == model.state_size());
  REQUIRE(chain.input_dim() == 2);
  REQUIRE(chain.output_dim() == 1);
  auto expected = model.initial_state();
  auto state = chain.initial_state();
  for (int t = 0; t < 20; ++t) {
    const Eigen::Array2d x(std::sin(0.3 * t), std::cos(0.7 * t));
    const double elapsed = 0.25 * (t % 4);
    const double wanted = model.step(x, expected, elapsed)(0, 0);
    // A row is as good as a column.
    const double got = t % 2 ? chain.step(x, state, elapsed)(0, 0) : chain.step(x.transpose(), state, elapsed)(0, 0);
    REQUIRE(got == wanted);
    REQUIRE((state.array() == expected.array()).all());
  }
}

namespace {

LayerNorm<double> scaled_norm() {
  LayerNorm<double> norm(3, {.epsilon = 1e-3});
  norm.set_parameter("weight", Eigen::Array3d(0.5, -1, 2));
  norm.set_parameter("bias", Eigen::Array3d(0.1, 0.2, 0.3));
  return norm;
}
const LayerNorm<double> chain_norm = scaled_norm();
struct NormLayer : LayerNormView<double, 3> {
  NormLayer() : LayerNormView(chain_norm.normalization()) {}
};

}  // namespace

TEST_CASE("A chain of streams normalizes as the Sequential of its layers does, to the bit", "[layer][stream]") {
  Sequential model(chain_head, chain_norm, chain_ltc());
  StreamChain<HeadLayer, NormLayer, LiquidLayer> chain;
  auto expected = model.initial_state();
  auto state = chain.initial_state();
  for (int t = 0; t < 20; ++t) {
    const Eigen::Array2d x(std::sin(0.3 * t), std::cos(0.7 * t));
    const Eigen::ArrayXXd wanted = model.step(x, expected, 0.5);
    REQUIRE((chain.step(x, state, 0.5) == wanted).all());
  }
}

TEST_CASE("A chain of streams refuses inputs and times that do not fit, and keeps the state", "[layer][stream]") {
  Chained chain;
  auto state = chain.initial_state();
  chain.step(Eigen::Array2d(0.5, -0.5), state);
  const Eigen::Array<double, 1, 4> before = state.array();
  CHECK_THROWS_AS(chain.step(Eigen::Array3d(1, 2, 3), state), InvalidArgument);
  CHECK_THROWS_AS(chain.step(Eigen::Array2d(1, 2), state, -1.0), InvalidArgument);
  CHECK_THROWS_AS(chain.step(Eigen::Array2d(1, 2), state, std::numeric_limits<double>::quiet_NaN()), InvalidArgument);
  CHECK((state.array() == before).all());
}
