// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace elegans::bench {

namespace {

std::atomic<std::size_t> live{0};
std::atomic<std::size_t> peak{0};

void* allocate(std::size_t size, std::size_t alignment) {
  const std::size_t rounded = (std::max(size, std::size_t{1}) + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, rounded);
  if (!memory) throw std::bad_alloc();
  const std::size_t now = live += malloc_usable_size(memory);
  std::size_t most = peak;
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
  return memory;
}

void release(void* memory) noexcept {
  if (memory) live -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

std::size_t live_bytes() noexcept { return live; }
std::size_t peak_bytes() noexcept { return peak; }
void forget_peak() noexcept { peak = live.load(); }

double seconds_per_sigmoid() {
  constexpr int size = 2048;
  constexpr int repeats = 8;
  // Not a multiple of 4096 bytes apart: a processor might then mistake a load for one of the value stored just before.
  constexpr int gap = 256;
  alignas(64) static float memory[size + gap + size];
  using Values = Eigen::Map<Eigen::ArrayXf, Eigen::Aligned64>;
  static Values x(memory, size);
  static Values y(memory + size + gap, size);
  x.setLinSpaced(-6.0f, 6.0f);
  y = x.logistic();
  return seconds([] {
           for (int i = 0; i < repeats; ++i) {
             y = x.logistic();
             benchmark::DoNotOptimize(y.data());
             benchmark::ClobberMemory();
           }
         }) /
         (size * repeats);
}

Sequence<float> signal(Index time, Index batch, Index features) {
  Sequence<float> x(time, batch, features);
  for (Index t = 0; t < time; ++t) {
    for (Index b = 0; b < batch; ++b) {
      for (Index f = 0; f < features; ++f) {
        x(t, b, f) = static_cast<float>(std::sin(0.2 * static_cast<double>(t) + 0.7 * static_cast<double>(b + 3 * f)));
      }
    }
  }
  return x;
}

}  // namespace elegans::bench

void* operator new(std::size_t size) { return elegans::bench::allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return elegans::bench::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { elegans::bench::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { elegans::bench::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { elegans::bench::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { elegans::bench::release(memory); }
