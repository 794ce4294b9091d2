// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <elegans/model/ltc.hpp>
#include <elegans/system/thread_pool.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/random.hpp>

#include "model_bench.hpp"

// Sizes known at run time: the tutorial's models, larger ones on a batch, and how the cost grows.

namespace {

using namespace elegans;
using namespace elegans::bench;

const auto dense_8 = [] { return LTC<float>(FullyConnected(8, 1), 2); };
const auto sparse_8 = [] { return LTC<float>(AutoNCP(8, 1), 2); };
const auto dense_32 = [] { return LTC<float>(FullyConnected(32, 32), 17); };
const auto dense_64 = [] { return LTC<float>(FullyConnected(64, 8), 20); };
const auto sparse_64 = [] { return LTC<float>(AutoNCP(64, 8), 20); };

#define ELEGANS_BENCH_SEQUENCE(name, model, ...)                                \
  BENCHMARK_CAPTURE(forward, name, model, Shape{__VA_ARGS__})->UseManualTime(); \
  BENCHMARK_CAPTURE(training, name, model, Shape{__VA_ARGS__})->UseManualTime()

ELEGANS_BENCH_SEQUENCE(fully_connected_8_dynamic, dense_8, 48, 1);
ELEGANS_BENCH_SEQUENCE(auto_ncp_8_dynamic, sparse_8, 48, 1);
ELEGANS_BENCH_SEQUENCE(fully_connected_32_batch_16, dense_32, 32, 16);
ELEGANS_BENCH_SEQUENCE(fully_connected_64_batch_32, dense_64, 48, 32);
ELEGANS_BENCH_SEQUENCE(auto_ncp_64_batch_32, sparse_64, 48, 32);
ELEGANS_BENCH_SEQUENCE(auto_ncp_64_batch_1, sparse_64, 48, 1);

BENCHMARK_CAPTURE(stream, auto_ncp_8_dynamic, sparse_8)->UseManualTime();
BENCHMARK_CAPTURE(stream, auto_ncp_64_dynamic, sparse_64)->UseManualTime();

/// Training with a batch spread over so many threads; `median` of 1 over that of 2 is what the second one gains.
template <typename Make>
void workers(benchmark::State& state, Make make, Shape shape) {
  training(
      state,
      [&] {
        auto model = make();
        model.set_executor(std::make_shared<ThreadPool>(static_cast<int>(state.range(0))));
        return model;
      },
      shape);
}
BENCHMARK_CAPTURE(workers, fully_connected_32_batch_16, dense_32, Shape{32, 16})->Arg(1)->Arg(2)->UseManualTime();
BENCHMARK_CAPTURE(workers, fully_connected_64_batch_32, dense_64, Shape{48, 32})->Arg(1)->Arg(2)->UseManualTime();
BENCHMARK_CAPTURE(workers, auto_ncp_64_batch_32, sparse_64, Shape{48, 32})->Arg(1)->Arg(2)->UseManualTime();

// How the cost grows with synapses, steps, batch and unfolds: divide `median` by the size.
template <typename Make>
void training_of(benchmark::State& state, Make make) {
  training(state, make, {8, 32});
}
BENCHMARK_CAPTURE(training_of, fully_connected_256, [] {
  return LTC<float>(FullyConnected(256, 8), 20);
})->UseManualTime();
BENCHMARK_CAPTURE(training_of, random_256_sparsity_90, [] {
  return LTC<float>(Random(256, 8, {.sparsity = 0.9}), 20);
})->UseManualTime();
BENCHMARK_CAPTURE(training_of, random_256_sparsity_99, [] {
  return LTC<float>(Random(256, 8, {.sparsity = 0.99}), 20);
})->UseManualTime();

void steps(benchmark::State& state) { training(state, sparse_8, {state.range(0), 1}); }
BENCHMARK(steps)->RangeMultiplier(8)->Range(1, 4096)->UseManualTime();

void batch(benchmark::State& state) { training(state, sparse_64, {16, state.range(0)}); }
BENCHMARK(batch)->RangeMultiplier(4)->Range(1, 256)->UseManualTime();

void unfolds(benchmark::State& state) {
  const auto make = [&] { return LTC<float>(AutoNCP(64, 8), 20, {.ode_unfolds = static_cast<int>(state.range(0))}); };
  training(state, make, {16, 16});
}
BENCHMARK(unfolds)->RangeMultiplier(4)->Range(1, 64)->UseManualTime();

/// A backward pass over 4096 steps, with the loss everywhere (0) or on the last step alone (1).
void fading_gradient(benchmark::State& state) {
  auto model = dense_8();
  const auto x = signal(4096, 1, 2);
  Sequence<float> d(4096, 1, 1);
  for (Index t = state.range(0) == 0 ? 0 : 4095; t < 4096; ++t) d(t, 0, 0) = 1.0f;
  model.forward(x);
  measure(state, sigmoids(model, 4096, 1), [&] { model.backward(d); });
}
BENCHMARK(fading_gradient)->Arg(0)->Arg(1)->UseManualTime();

}  // namespace
