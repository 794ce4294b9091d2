// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The float sigmoid of all 2^32 inputs, in both orders of evaluation and in packets of every size that the target has:
// its error, by how many units in the last place it ever falls, and its values at infinity and NaN. Takes minutes.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include <elegans/core/finite.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

using namespace elegans::detail;

namespace {

constexpr double error_bound = 1.2e-7;
/// The rounding of the polynomial: a sigmoid that is nearly 1 may be one or two roundings below its neighbour.
constexpr int fall_bound = 2;
constexpr std::uint32_t sign = 0x80000000U;
constexpr std::uint32_t infinity = 0x7f800000U;
constexpr int chunk = 4096;

bool passed = true;

void report(const char* what, float x, float y) {
  std::printf("  FAILED: %s: sigmoid(%a) = %a\n", what, double{x}, double{y});
  passed = false;
}

/// The finite floats in rising order: number 0 is the lowest.
constexpr std::uint32_t finite_count = 2 * infinity;
float finite_number(std::uint32_t k) {
  return std::bit_cast<float>(k < infinity ? sign | (infinity - 1 - k) : k - infinity);
}

template <int Lanes, Evaluation evaluation>
void sigmoids(const float* x, float* y) {
  using P = Packet<float, Lanes>;
  for (int i = 0; i < chunk; i += Lanes) {
    store(y + i, sigmoid_of_scaled<evaluation>(load<P>(x + i) * P(sigmoid_scale<float>)));
  }
}

/// The truth is computed once for all kinds of packets.
struct Kind {
  const char* name;
  void (*sigmoids)(const float* x, float* y);
  double error = 0;
  float at = 0;
  float last = 0;  ///< of the number before
  int fall = 0;    ///< the largest from one number to the next, in units in the last place
};

template <int Lanes>
void add_kinds(Kind*& kind) {
  static char names[2][40];
  std::snprintf(names[0], sizeof names[0], "%2d lanes, Horner", Lanes);
  std::snprintf(names[1], sizeof names[1], "%2d lanes, Estrin", Lanes);
  *kind++ = {names[0], sigmoids<Lanes, Evaluation::fewest_operations>};
  *kind++ = {names[1], sigmoids<Lanes, Evaluation::shortest_chain>};
  if constexpr (Lanes < full_lanes<float>) add_kinds<std::max(2 * Lanes, fewest_lanes<float>)>(kind);
}

}  // namespace

int main() {
  Kind kinds[12];
  Kind* end = kinds;
  add_kinds<1>(end);
  static float x[chunk], y[chunk];
  static double expected[chunk];

  for (std::uint32_t first = 0; first < finite_count; first += chunk) {
    for (int i = 0; i < chunk; ++i) {
      x[i] = finite_number(std::min(first + static_cast<std::uint32_t>(i), finite_count - 1));
      expected[i] = 1 / (1 + std::exp(-double{x[i]}));
    }
    for (Kind* kind = kinds; kind != end; ++kind) {
      kind->sigmoids(x, y);
      for (int i = 0; i < chunk; ++i) {
        const double error = std::abs(double{y[i]} - expected[i]);
        if (!(error <= kind->error)) {
          kind->error = error;
          kind->at = x[i];
        }
        // Positive floats are ordered as their bits are.
        kind->fall = std::max(kind->fall, std::bit_cast<int>(kind->last) - std::bit_cast<int>(y[i]));
        kind->last = y[i];
      }
    }
  }
  for (Kind* kind = kinds; kind != end; ++kind) {
    std::printf("%s: largest error %.3g at %a, falls by up to %d units in the last place\n", kind->name, kind->error,
                double{kind->at}, kind->fall);
    if (!(kind->error <= error_bound)) report("error", kind->at, 0);
    if (kind->fall > fall_bound) report("fall", kind->at, 0);
    std::fill_n(x, chunk, std::bit_cast<float>(infinity));
    kind->sigmoids(x, y);
    if (y[0] != 1) report("infinity", x[0], y[0]);
    std::fill_n(x, chunk, std::bit_cast<float>(infinity | sign));
    kind->sigmoids(x, y);
    if (!(y[0] >= 0 && y[0] < 1.2e-38f)) report("minus infinity", x[0], y[0]);
    for (std::uint32_t payload = 1; payload < 0x800000U; payload += chunk) {
      for (const std::uint32_t s : {0U, sign}) {
        for (int i = 0; i < chunk; ++i) {
          x[i] = std::bit_cast<float>(infinity | s | std::min(payload + static_cast<std::uint32_t>(i), 0x7fffffU));
        }
        kind->sigmoids(x, y);
        for (int i = 0; i < chunk; ++i) {
          if (!is_nan(y[i])) report("NaN", x[i], y[i]);
        }
      }
    }
  }
  return passed ? 0 : 1;
}
