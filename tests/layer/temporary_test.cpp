// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <type_traits>

#include <elegans/core/sequence.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// A copy of a model, so that each use of it below is a use of a temporary.
template <typename Model>
Model copy_of(const Model& model) {
  return model;
}

/// All that a temporary layer gives, after it is gone. AddressSanitizer sees what still points to it.
template <typename Model>
void check_temporary(Model model) {
  Sequence<double> x(4, 3, model.input_dim());
  x.values().setLinSpaced(-1, 1);
  const Sequence<double> y = copy_of(model)(x);
  CHECK((y.values() == model.forward(x).values()).all());
  model.backward(y);

  const auto parameters = copy_of(model).parameters();
  CHECK((parameters == model.parameters()).all());
  const auto gradient = copy_of(model).gradient();
  CHECK(gradient.abs().maxCoeff() > 0);
  CHECK((gradient == model.gradient()).all());
  const auto& list = copy_of(model).parameter_list();
  CHECK(list.count() == parameters.size());
  for (const Parameter& entry : list) {
    const auto values = copy_of(model).parameter(entry.name);
    CHECK((values == model.parameter(entry.name)).all());
    const auto d_values = copy_of(model).gradient(entry.name);
    CHECK((d_values == model.gradient(entry.name)).all());
  }
  const auto& final_state = copy_of(model).final_state();
  CHECK((final_state.array() == model.final_state().array()).all());
  const auto& input_gradient = copy_of(model).input_gradient();
  CHECK((input_gradient.values() == model.input_gradient().values()).all());
  const auto& initial_state_gradient = copy_of(model).initial_state_gradient();
  CHECK((initial_state_gradient.array() == model.initial_state_gradient().array()).all());
  if constexpr (requires { model.timespans_gradient(); }) {
    const auto timespans_gradient = copy_of(model).timespans_gradient();
    CHECK((timespans_gradient == model.timespans_gradient()).all());
  }
}

}  // namespace

TEST_CASE("What a temporary layer gives outlives it", "[layer][lifetime]") {
  const LTC<double> ltc(AutoNCP(8, 2), 3);
  const Dense<double> dense(2, 3, {.activation = Activation::tanh});
  check_temporary(ltc);
  check_temporary(MixedLTC<double>(AutoNCP(8, 2), 3));
  check_temporary(dense);
  check_temporary(Sequential(Dense<double>(3, 2), ltc));
  check_temporary(Bidirectional(ltc, ltc));
}

TEST_CASE("The wiring, the options and the layers of a temporary model outlive it", "[layer][lifetime]") {
  const LTC<double> ltc(AutoNCP(8, 2), 3, {.ode_unfolds = 5});
  const auto& wiring = copy_of(ltc).wiring();
  CHECK(wiring.adjacency_matrix() == ltc.wiring().adjacency_matrix());
  const auto& cell_wiring = copy_of(ltc).cell().wiring();
  CHECK(cell_wiring.adjacency_matrix() == ltc.wiring().adjacency_matrix());
  const auto& options = copy_of(ltc).options();
  CHECK(options.ode_unfolds == 5);
  const auto& layer = Sequential(Dense<double>(3, 2), ltc).layer<1>();
  CHECK((layer.parameters() == ltc.parameters()).all());
}

TEST_CASE("A layer that lives on gives views, without a copy", "[layer][lifetime]") {
  LTC<double> ltc(AutoNCP(8, 2), 3);
  CHECK(std::is_same_v<decltype(ltc.parameters()), ConstVectorView<double>>);
  CHECK(ltc.parameter("gleak").data() >= ltc.parameters().data());
  CHECK(&ltc.final_state() == &ltc.final_state());
  CHECK(&ltc.wiring() == &ltc.cell().wiring());
}
