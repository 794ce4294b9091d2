// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <random>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

constexpr double step_size = 1e-6;
constexpr double tolerance = 2e-7;

/// Compares all gradients of sum(c y) + sum(f final_state) with central differences.
template <typename Model>
void check_all(Model& model, Index time, Index batch) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  const auto fill = [&](auto&& values) {
    for (Index i = 0; i < values.size(); ++i) values.data()[i] = uniform(random);
  };
  model.update([&](auto p) {
    for (Index i = 0; i < p.size(); ++i) p[i] += 0.1 * uniform(random);
  });
  // Away from where clipping has its kink.
  model.update([](auto p) { p += (p == 0.0).template cast<double>() * 0.01; });

  Sequence<double> x(time, batch, model.input_dim());
  fill(x.values());
  Eigen::ArrayXXd spans = Eigen::ArrayXXd::Ones(time, batch);
  fill(spans);
  spans = spans.abs() + 0.1;
  Context<double, Model::state_size_at_compile_time> context{
      spans, State<double, Model::state_size_at_compile_time>(batch, model.state_size())};
  fill(context.initial_state->array());
  Sequence<double> c = model(x, context);
  fill(c.values());
  State<double, Model::state_size_at_compile_time> f(batch, model.state_size());
  fill(f.array());

  const auto value = [&] {
    const double of_outputs = (model(x, context).values() * c.values()).sum();
    return of_outputs + (model.final_state().array() * f.array()).sum();
  };
  const auto difference = [&](double& at) {
    const double kept = at;
    at = kept + step_size;
    const double up = value();
    at = kept - step_size;
    const double down = value();
    at = kept;
    return (up - down) / (2 * step_size);
  };
  const auto close = [](double got, double expected) {
    return std::abs(got - expected) <= tolerance * std::max(1.0, std::abs(expected));
  };

  model.forward(x, context);
  model.backward(c, &f);
  const Eigen::ArrayXd gradient = model.gradient();
  const Sequence<double> d_x = model.input_gradient();
  const auto d_initial = model.initial_state_gradient();
  const Eigen::ArrayXXd d_spans = model.timespans_gradient();

  for (const Parameter& entry : model.parameter_list()) {
    for (Index i = entry.offset; i < entry.offset + entry.size(); ++i) {
      double sum = 0;
      for (double sign : {1.0, -1.0}) {
        model.update([&](auto p) { p[i] += sign * step_size; });
        sum += sign * value();
        model.update([&](auto p) { p[i] -= sign * step_size; });
      }
      INFO("parameter " << entry.name << " [" << i - entry.offset << "]");
      CHECK(close(gradient[i], sum / (2 * step_size)));
    }
  }
  for (Index i = 0; i < x.values().size(); ++i) CHECK(close(d_x.values()[i], difference(x.values()[i])));
  for (Index i = 0; i < d_initial.array().size(); ++i) {
    CHECK(close(d_initial.data()[i], difference(context.initial_state->data()[i])));
  }
  for (Index t = 0; t < time; ++t) {
    for (Index b = 0; b < batch; ++b) {
      const double kept = spans(t, b);
      double sum = 0;
      for (double sign : {1.0, -1.0}) {
        spans(t, b) = kept + sign * step_size;
        context.timespans = Timespans<double>(spans);
        sum += sign * value();
      }
      spans(t, b) = kept;
      context.timespans = Timespans<double>(spans);
      CHECK(close(d_spans(t, b), sum / (2 * step_size)));
    }
  }
}

}  // namespace

TEST_CASE("Gradients are those of finite differences, for every option", "[layer][ltc][gradient]") {
  for (const Index batch : {1, 3}) {
    for (const bool implicit : {false, true}) {
      for (const Mapping mapping : {Mapping::affine, Mapping::linear, Mapping::none}) {
        INFO("batch " << batch << ", implicit " << implicit << ", mapping " << static_cast<int>(mapping));
        LTC<double> model(
            AutoNCP(6, 1), 2,
            {.input_mapping = mapping, .output_mapping = mapping, .implicit_param_constraints = implicit});
        check_all(model, 3, batch);
      }
    }
  }
}

TEST_CASE("Gradients are those of finite differences, for every size class", "[layer][ltc][gradient]") {
  const auto check = [](auto model, Index batch) {
    INFO("batch " << batch);
    check_all(model, 2, batch);
  };
  for (const Index batch : {1, 2, 5, 17}) {
    check(LTC<double>(FullyConnected(5, 2), 3, {.ode_unfolds = 2, .epsilon = 1e-3}), batch);
    check(LTC<double>(Random(7, 2, {.sparsity = 0.6}), 2, {.ode_unfolds = 1, .return_sequences = false}), batch);
    check(LTC<double, FullyConnected<4, 1>, 2>(FullyConnected<4, 1>{}), batch);
  }
}

TEST_CASE("A synapse that does not exist has no gradient and no influence", "[layer][ltc]") {
  for (const Index batch : {1, 4}) {
    LTC<double> model(AutoNCP(8, 1), 2);
    Sequence<double> x(6, batch, 2);
    x.values().setLinSpaced(-1, 1);
    const Sequence<double> y = model.forward(x);
    model.backward(y);
    for (const char* name : {"w", "sigma", "mu", "erev"}) {
      Eigen::ArrayXXd changed = model.parameter(name);
      for (int s = 0; s < 8; ++s) {
        for (int d = 0; d < 8; ++d) {
          if (model.wiring().adjacency_matrix()(s, d) != 0) continue;
          CHECK(model.gradient(name)(s, d) == 0);
          changed(s, d) = 123;
        }
      }
      model.set_parameter(name, changed);
    }
    CHECK((model(x).values() == y.values()).all());
  }
}
