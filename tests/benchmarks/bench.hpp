// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include <benchmark/benchmark.h>

#include <elegans/core/sequence.hpp>

// Shared by all benchmarks: the yardstick, the clock and the memory meter.

namespace elegans::bench {

/// Seconds that Eigen takes for one float `logistic()`, on a contiguous array that stays in the first-level cache.
[[nodiscard]] double seconds_per_sigmoid();

/// Bytes on the heap now, and the most there were since `forget_peak`.
[[nodiscard]] std::size_t live_bytes() noexcept;
[[nodiscard]] std::size_t peak_bytes() noexcept;
void forget_peak() noexcept;

[[nodiscard]] inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <typename Run>
[[nodiscard]] double seconds(Run&& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times `run()`, and in turn with it the sigmoid, so that what else the machine does slows both alike.
///
/// Counters: `sigmoids` that a forward pass must compute; `bound`, seconds that Eigen takes for them; `multiple`, the
/// median time over the median bound; `best`, the shortest time over the shortest bound; `median` and `fastest`,
/// seconds.
///
/// \param repeats  calls of run a measurement, for those too short for the clock
template <typename Run>
void measure(benchmark::State& state, double sigmoids, Run&& run, int repeats = 1) {
  std::vector<double> times, bounds;
  run();
  for (auto _ : state) {
    const double time = seconds([&] {
      for (int i = 0; i < repeats; ++i) run();
    });
    state.SetIterationTime(time);
    times.push_back(time / repeats);
    if (times.size() % 8 == 1) bounds.push_back(seconds_per_sigmoid());
  }
  state.SetItemsProcessed(state.iterations() * repeats);
  const auto least = [](const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); };
  state.counters["median"] = median(times);
  state.counters["fastest"] = least(times);
  if (sigmoids > 0) {
    state.counters["sigmoids"] = sigmoids;
    state.counters["bound"] = sigmoids * median(bounds);
    state.counters["multiple"] = median(times) / (sigmoids * median(bounds));
    state.counters["best"] = least(times) / (sigmoids * least(bounds));
  }
}

/// (time, batch, features), some smooth signal.
[[nodiscard]] Sequence<float> signal(Index time, Index batch, Index features);

/// Logistic evaluations that an LTC's forward pass must do.
template <typename Model>
[[nodiscard]] double sigmoids(const Model& model, Index time, Index batch) {
  return static_cast<double>(
      time * batch *
      (Index{model.options().ode_unfolds} * model.wiring().synapse_count() + model.wiring().sensory_synapse_count()));
}

}  // namespace elegans::bench
