// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The result of `check_gradients`.
struct GradientCheck {
  double largest_error = 0;  ///< the largest |backward - difference| / max(1, |difference|)
  std::string where;         ///< the value with that error, as "w[3]", "input[0]", "initial_state[1]" or "timespans[2]"
  Index compared = 0;        ///< number of values that were compared

  /// True if every error is below the tolerance, and at least one value was compared.
  [[nodiscard]] bool ok(double tolerance = 1e-6) const noexcept { return compared > 0 && largest_error < tolerance; }
};

/// The options of `check_gradients`.
struct GradientCheckOptions {
  Index time = 3;           ///< steps of the random sequence, at least 1
  Index batch = 2;          ///< samples of it, at least 1
  double step_size = 1e-6;  ///< of the central differences
  std::uint64_t seed = 1;   ///< of the random values
};

/// Compares the gradients of `backward` with central differences, for every parameter, input, initial state and elapsed
/// time. The loss is a random linear function of all outputs and the final state. Sequences and elapsed times are
/// random, too.
///
///     elegans::LTC<double> model(wiring, 2);
///     const auto check = elegans::check_gradients(model);
///     if (!check.ok()) std::cerr << check.where << " is off by " << check.largest_error << '\n';
/// \param model  a model of doubles, because differences of floats are too inexact; it is copied
/// \param mask   (time, batch), to mask some steps
/// \throws InvalidArgument if a shape differs
template <typename Model>
GradientCheck check_gradients(Model model, const GradientCheckOptions& options = {}, const Mask& mask = {}) {
  static_assert(std::is_same_v<typename Model::Scalar, double>,
                "elegans::check_gradients: the model must be of double");
  using StateType = State<double, Model::state_size_at_compile_time>;
  if (options.time < 1 || options.batch < 1) {
    detail::refuse("check_gradients: time and batch must be at least 1, got ", options.time, " and ", options.batch);
  }
  std::mt19937_64 random(options.seed);
  const auto fill = [&](auto&& values, double low, double high) {
    std::uniform_real_distribution<double> uniform(low, high);
    for (Index i = 0; i < values.size(); ++i) values.data()[i] = uniform(random);
  };
  Sequence<double> x(options.time, options.batch, model.input_dim());
  fill(x.values(), -1, 1);
  Eigen::ArrayXXd spans(options.time, options.batch);
  fill(spans, 0.1, 1.1);
  Context<double, Model::state_size_at_compile_time> context{spans, StateType(options.batch, model.state_size()), mask};
  fill(context.initial_state->array(), -1, 1);
  Sequence<double> d_output = model(x, context);
  fill(d_output.values(), -1, 1);
  StateType d_final(options.batch, model.state_size());
  fill(d_final.array(), -1, 1);

  const auto value = [&] {
    const double of_outputs = (model(x, context).values() * d_output.values()).sum();
    return of_outputs + (model.final_state().array() * d_final.array()).sum();
  };
  GradientCheck result;
  // `set(change)` sets one value to its original plus a change.
  const auto compare = [&](double gradient, const auto& describe, const auto& set) {
    set(options.step_size);
    const double up = value();
    set(-options.step_size);
    const double down = value();
    set(0.0);
    const double difference = (up - down) / (2 * options.step_size);
    double error = (std::abs)(gradient - difference) / (std::max)(1.0, (std::abs)(difference));
    ++result.compared;
    if (detail::is_nan(error)) error = std::numeric_limits<double>::infinity();
    if (result.compared == 1 || error > result.largest_error) {
      result.largest_error = error;
      result.where = describe();
    }
  };

  model.forward(x, context);
  model.backward(d_output, &d_final);
  const Eigen::ArrayXd gradient = model.gradient();
  const Sequence<double> d_x = model.input_gradient();
  const StateType d_initial = model.initial_state_gradient();
  Eigen::ArrayXXd d_spans;
  if constexpr (requires { model.timespans_gradient(); }) d_spans = model.timespans_gradient();

  const Eigen::ArrayXd parameters = model.parameters();
  for (const Parameter& entry : model.parameter_list()) {
    for (Index i = 0; i < entry.size(); ++i) {
      const Index index = entry.offset + i;
      compare(
          gradient[index], [&] { return detail::concatenate(entry.name, "[", i, "]"); },
          [&](double change) {
            model.update([&](auto all) {
              all = parameters;
              all[index] += change;
            });
          });
    }
  }
  for (Index i = 0; i < x.values().size(); ++i) {
    const double original = x.values()[i];
    compare(
        d_x.values()[i], [&] { return detail::concatenate("input[", i, "]"); },
        [&](double change) { x.values()[i] = original + change; });
  }
  for (Index i = 0; i < d_initial.array().size(); ++i) {
    const double original = context.initial_state->data()[i];
    compare(
        d_initial.data()[i], [&] { return detail::concatenate("initial_state[", i, "]"); },
        [&](double change) { context.initial_state->data()[i] = original + change; });
  }
  for (Index i = 0; i < d_spans.size(); ++i) {
    const double original = spans.data()[i];
    compare(
        d_spans.data()[i], [&] { return detail::concatenate("timespans[", i, "]"); },
        [&](double change) {
          spans.data()[i] = original + change;
          context.timespans = Timespans<double>(spans);
        });
  }
  return result;
}

}  // namespace elegans
