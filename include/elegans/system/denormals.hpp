// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#if (defined(__SSE2__) && !defined(__wasm__)) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace elegans::detail {

/// While an object of this class lives, this thread rounds results to zero that are too small for a normal number.
///
/// Otherwise a gradient that fades over a long sequence stays denormal for thousands of steps. On many processors each
/// operation on a denormal number costs a hundred cycles.
class FlushDenormals {
 public:
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

#if (defined(__SSE2__) && !defined(__wasm__)) || defined(_M_X64)
  FlushDenormals() noexcept : control_(_mm_getcsr()) { _mm_setcsr(control_ | flush_to_zero | denormals_are_zero); }
  ~FlushDenormals() { _mm_setcsr(control_); }

 private:
  static constexpr unsigned flush_to_zero = 0x8000;
  static constexpr unsigned denormals_are_zero = 0x0040;
  unsigned control_;
#elif defined(__aarch64__) && defined(__GNUC__)
  FlushDenormals() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(control_));
    asm volatile("msr fpcr, %0" ::"r"(control_ | flush_to_zero));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(control_)); }

 private:
  static constexpr unsigned long long flush_to_zero = 1ULL << 24;
  unsigned long long control_ = 0;
#elif defined(__arm__) && defined(__ARM_FP) && defined(__GNUC__)
  // For plain values. NEON's packets always do so.
  FlushDenormals() noexcept {
    asm volatile("vmrs %0, fpscr" : "=r"(control_));
    asm volatile("vmsr fpscr, %0" ::"r"(control_ | flush_to_zero));
  }
  ~FlushDenormals() { asm volatile("vmsr fpscr, %0" ::"r"(control_)); }

 private:
  static constexpr unsigned flush_to_zero = 1U << 24;
  unsigned control_ = 0;
#else
  FlushDenormals() noexcept {}
  ~FlushDenormals() {}
#endif
};

}  // namespace elegans::detail
