// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// An exported model, as a small device runs it: compiled without exceptions and RTTI. It is linked so that it counts
// every allocation of this file. It reads rows of numbers, of which the last is the elapsed time, and prints the
// outputs of the network.

#include <cstdio>
#include <cstdlib>
#include <new>

#include "model.hpp"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "to be compiled with -fno-exceptions -fno-rtti"
#endif

static long allocations = 0;

extern "C" void* __real_malloc(std::size_t);
extern "C" void* __wrap_malloc(std::size_t size) {
  ++allocations;
  return __real_malloc(size);
}
void* operator new(std::size_t size) { return std::malloc(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto unit = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(unit, (size + unit - 1) / unit * unit);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

bool read(model::Scalar& value) {
  double number = 0;
  // Convert to double first, as run_model does with the same text. Every float is a double.
  if (std::scanf("%lf%*[,\n]", &number) != 1) return false;
  value = static_cast<model::Scalar>(number);
  return true;
}

}  // namespace

int main() {
  // Through a volatile pointer, because a compiler may leave out a new and delete without effect.
  int* volatile counted = new int(1);
  delete counted;
  if (allocations == 0) {
    std::puts("the counter does not count");
    return 1;
  }
  long before = allocations;
  static model::Model network;
  auto state = network.initial_state();
  long used = allocations - before;
  Eigen::Array<model::Scalar, model::inputs, 1> x;
  model::Scalar elapsed{};
  while (read(x[0])) {
    for (int i = 1; i < model::inputs; ++i) {
      if (!read(x[i])) return 1;
    }
    if (!read(elapsed)) return 1;
    before = allocations;
    const auto y = network.step(x, state, elapsed);
    used += allocations - before;
    for (int o = 0; o < model::outputs; ++o) {
      std::printf("%s%.*g", o ? "," : "", sizeof(model::Scalar) == 4 ? 9 : 17, static_cast<double>(y(0, o)));
    }
    std::puts("");
  }
  if (used != 0) std::fprintf(stderr, "%ld allocations\n", used);
  return used == 0 ? 0 : 1;
}
