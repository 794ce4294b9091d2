// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>

#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/random.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// Equal up to rounding, or both NaN, or the same infinity.
template <typename Scalar>
bool agree(Scalar a, Scalar b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  const Scalar tolerance = sizeof(Scalar) == 4 ? Scalar(1e-5) : Scalar(1e-13);
  return std::abs(a - b) <= tolerance * std::max(Scalar(1), std::abs(b));
}

// All batch sizes take minutes under the sanitizers, which compile without optimization.
#ifdef __OPTIMIZE__
inline constexpr Index batch_stride = 1;
#else
inline constexpr Index batch_stride = 8;
#endif

/// One sensor has a bad value in the second of four steps. Every sample of every batch must answer as a single stream.
template <typename Model>
void check_batches(Model model) {
  using Scalar = typename Model::Scalar;
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const Index inputs = model.input_dim();
  for (const Scalar bad : {Scalar(0), std::numeric_limits<Scalar>::denorm_min(), Scalar(1e30), Scalar(-1e30), infinity,
                           -infinity, std::numeric_limits<Scalar>::quiet_NaN()}) {
    const auto input = [&](Index batch) {
      Sequence<Scalar> x(4, batch, inputs);
      for (Index t = 0; t < 4; ++t) {
        for (Index b = 0; b < batch; ++b) {
          for (Index f = 0; f < inputs; ++f) {
            x(t, b, f) = t == 1 && f == 1 ? bad : static_cast<Scalar>(0.3 * double(f) - 0.1 * double(t));
          }
        }
      }
      return x;
    };
    Model single = model;
    const Sequence<Scalar> y = single.forward(input(1));
    single.backward(y);
    for (Index batch = 1; batch <= 33; batch += batch_stride) {
      CAPTURE(bad, batch);
      const Sequence<Scalar> many = model.forward(input(batch));
      model.backward(many);
      bool outputs_agree = true, gradients_agree = true;
      for (Index t = 0; t < 4; ++t) {
        for (Index b = 0; b < batch; ++b) {
          for (Index o = 0; o < y.features(); ++o) outputs_agree = outputs_agree && agree(many(t, b, o), y(t, 0, o));
          for (Index f = 0; f < inputs; ++f) {
            gradients_agree =
                gradients_agree && agree(model.input_gradient()(t, b, f), single.input_gradient()(t, 0, f));
          }
        }
      }
      REQUIRE(outputs_agree);
      REQUIRE(gradients_agree);
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("An LTC's numbers do not depend on the batch size, whatever its inputs are", "[model][ltc]", float,
                   double) {
  check_batches(LTC<TestType>(AutoNCP(8, 1), 3));
  check_batches(LTC<TestType>(FullyConnected(6, 2), 3));
  check_batches(LTC<TestType>(Random(64, 4, {.sparsity = 0.95}), 3));
  check_batches(LTC<TestType>(AutoNCP(20, 2), 3, {.solver = ODESolver::heun}));
}

TEST_CASE("An infinite sensor value leaves a single stream finite, as in ncps", "[model][ltc]") {
  LTC<float> model(AutoNCP(20, 2), 3);
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    auto state = model.initial_state();
    for (const float sensor : {0.2f, bad, 0.2f}) {
      const auto y = model.step(Eigen::Array3f(0.1f, sensor, 0.3f), state);
      CHECK(y.allFinite());
      CHECK(state.array().allFinite());
    }
  }
}

TEMPLATE_TEST_CASE("A CfC's numbers do not depend on the batch size, whatever its inputs are", "[model][cfc]", float,
                   double) {
  check_batches(CfC<TestType>(12, 3));
  check_batches(CfC<TestType>(AutoNCP(20, 2), 3));
  // The last packet of a single sample has lanes without a neuron.
  check_batches(CfC<TestType>(5, 3, {.activation = Activation::tanh, .backbone_units = 9}));
  check_batches(CfC<TestType>(1, 3, {.backbone_layers = 0, .seed = 3}));
}
