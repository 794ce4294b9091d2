// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <benchmark/benchmark.h>

#include <elegans/elegans.hpp>

// The tutorial's models: a training step (48 time steps: forward, backward, Adam) and a step of a stream.

namespace {

using namespace elegans;

template <typename Model>
void training_step(benchmark::State& state, Model model) {
  Sequence<float> x(48, 1, 2);
  Sequence<float> y(48, 1, 1);
  x.values().setLinSpaced(-1.0f, 1.0f);
  Sequence<float> d;
  Adam<float> adam;
  for (auto _ : state) benchmark::DoNotOptimize(train_step(model, x, y, adam, d));
}

template <typename Model>
void stream_step(benchmark::State& state, Model model) {
  auto v = model.initial_state();
  const Eigen::Array2f x(0.3f, 0.1f);
  for (auto _ : state) benchmark::DoNotOptimize(model.step(x, v)(0, 0));
}

using Dense = FullyConnected<8, 1, 2>;
using Sparse = AutoNCP<8, 1, 2>;

BENCHMARK_CAPTURE(training_step, fully_connected_fixed, LTC<float, Dense>(Dense{}));
BENCHMARK_CAPTURE(training_step, fully_connected_dynamic, LTC<float>(FullyConnected(8, 1), 2));
BENCHMARK_CAPTURE(training_step, auto_ncp_dynamic, LTC<float>(AutoNCP(8, 1), 2));
BENCHMARK_CAPTURE(stream_step, fully_connected_fixed, LTC<float, Dense>(Dense{}));
BENCHMARK_CAPTURE(stream_step, auto_ncp_fixed, LTC<float, Sparse>(Sparse{}));

}  // namespace
