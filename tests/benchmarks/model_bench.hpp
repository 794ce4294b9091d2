// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

#include "bench.hpp"

// The benchmarks of any model. `make()` returns a new one, so that all of its memory is counted.

namespace elegans::bench {

struct Shape {
  Index time, batch;
};

template <typename Model>
[[nodiscard]] double bound_of(const Model& model, const Shape& shape) {
  if constexpr (requires { model.wiring().synapse_count(); }) return sigmoids(model, shape.time, shape.batch);
  return 0;
}

/// A forward pass that keeps its tape.
template <typename Make>
void forward(benchmark::State& state, Make make, Shape shape) {
  auto model = make();
  const auto x = signal(shape.time, shape.batch, model.input_dim());
  measure(state, bound_of(model, shape), [&] { benchmark::DoNotOptimize(model.forward(x).values().data()); });
}

/// Forward, loss, backward and Adam. `peak_bytes` is what model, tape and workspace take, without the data;
/// `tape_bytes` what the states alone do.
template <typename Make>
void training(benchmark::State& state, Make make, Shape shape) {
  const std::size_t before = live_bytes();
  auto model = make();
  const auto x = signal(shape.time, shape.batch, model.input_dim());
  Sequence<float> y(shape.time, shape.batch, model.output_dim());
  TrainStepWorkspace<float> workspace;
  Adam<float> adam;
  const std::size_t data = sizeof(float) * static_cast<std::size_t>(x.values().size() + y.values().size());
  const auto step = [&] { benchmark::DoNotOptimize(train_step(model, x, y, adam, workspace)); };
  forget_peak();
  step();
  const std::size_t peak = peak_bytes() - before - data;
  measure(state, bound_of(model, shape), step);
  state.counters["peak_bytes"] = static_cast<double>(peak);
  state.counters["tape_bytes"] =
      static_cast<double>(sizeof(float)) *
      static_cast<double>(shape.time * shape.batch * model.state_size() * model.cell().states_per_step());
}

/// The 99.9th percentile of the times of single steps, over their median.
template <typename Step>
[[nodiscard]] double tail_of(Step&& step, std::size_t steps) {
  std::vector<double> times(steps);
  for (double& time : times) time = seconds(step);
  const double middle = median(times);
  const auto late = times.begin() + static_cast<std::ptrdiff_t>(steps * 999 / 1000);
  std::nth_element(times.begin(), late, times.end());
  return *late / middle;
}

/// A step of a single stream; `p999` is the tail of 5000 steps: the median of 21 such tails, as a machine that is not
/// ours alone takes the core away for a while in some of them; `p999_worst` is the largest.
template <typename Make>
void stream(benchmark::State& state, Make make) {
  auto model = make();
  auto v = model.initial_state();
  Eigen::ArrayXf x = Eigen::ArrayXf::LinSpaced(model.input_dim(), -0.5f, 0.5f);
  const auto step = [&] { benchmark::DoNotOptimize(model.step(x, v)(0, 0)); };
  measure(state, bound_of(model, {1, 1}), step, 256);
  std::vector<double> tails(21);
  for (double& tail : tails) tail = tail_of(step, 5000);
  state.counters["p999"] = median(tails);
  state.counters["p999_worst"] = *std::max_element(tails.begin(), tails.end());
}

}  // namespace elegans::bench
