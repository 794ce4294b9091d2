// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace elegans::detail {

/// A function of the generated C, in float.
struct CFunction {
  std::string_view name;
  std::string_view needs;  ///< the function that it calls, if any; it stands further up
  std::string_view text;   ///< see `CWriter::filled`
};

// 2^s is 2^n p(r), with n the nearest whole number, r = s - n, and p the polynomial of degree 5 with the least relative
// error on [-1/2, 1/2] (see simd/sigmoid.hpp). n comes from the bits of s + 1.5 2^23, not from a second rounding sum,
// so that -ffast-math cannot cancel it.
inline constexpr CFunction c_functions[] = {
    {"float", "", R"(typedef union {
  float value;
  uint32_t bits;
} @float;
)"},
    {"synapse", "",
     R"(/* A gate is 1 / (1 + 2^(slope v + offset)). It drives the numerator and the denominator of a neuron. */
typedef struct {
  float slope, offset, drive, w;
} @synapse;
)"},
    {"neuron", "",
     R"(/* Leak conductance times leak potential, leak conductance, and what the solver makes of the capacitance. */
typedef struct {
  float leak_n, leak_d, cm;
} @neuron;
)"},
    {"magnitude", "float",
     R"(/* The bits of |value|, which are ordered as the values are. Those of infinity are 0x7f800000; NaN has more. */
static inline uint32_t @magnitude(float value) {
  @float word;
  word.value = value;
  return word.bits & 0x7fffffffu;
}
)"},
    {"exp2_near", "float", R"(/* 2^s for s in [-126, 126], within 2e-7 of its value. */
static inline float @exp2_near(float s) {
  @float whole, power;
  float r;
  whole.value = s + 12582912.0f; /* 1.5 2^23: the lowest bits are now s, rounded */
  power.bits = (whole.bits << 23) + 0x3f800000u;
  r = s - (float)(int32_t)(whole.bits - 0x4b400000u);
  return power.value * (1.00000007f + r * (0.693146967f + r * (0.240221197f + r * (0.0555071327f +
         r * (0.00967554133f + r * 0.00132764722f)))));
}
)"},
    {"exp2", "exp2_near", R"(/* 2^s, from 2^-126 to 2^126. */
static inline float @exp2(float s) { return @exp2_near(s > 126.0f ? 126.0f : s < -126.0f ? -126.0f : s); }
)"},
    {"gate_near", "exp2_near", R"(/* The sigmoid of -s / log2(e), for s in [-126, 126]. */
static inline float @gate_near(float s) { return 1.0f / (1.0f + @exp2_near(s)); }
)"},
    {"gate", "exp2", R"(/* The sigmoid of -s / log2(e). */
static inline float @gate(float s) { return 1.0f / (1.0f + @exp2(s)); }
)"},
    {"bend", "exp2", R"(/* tanh(-s / (2 log2(e))). */
static inline float @bend(float s) {
  const float power = @exp2(s);
  return (1.0f - power) / (1.0f + power);
}
)"},
    {"tanh", "bend", R"(static inline float @tanh(float z) { return @bend(-2.88539008f * z); }
)"},
    {"lecun_tanh", "bend", R"(static inline float @lecun_tanh(float z) { return 1.7159f * @bend(-1.92166979f * z); }
)"},
    {"relu", "", R"(static inline float @relu(float z) { return z < 0.0f ? 0.0f : z; }
)"},
    {"silu", "gate", R"(static inline float @silu(float z) { return z * @gate(-1.44269504f * z); }
)"},
    {"gelu", "exp2", R"(/* z times the normal distribution function: Abramowitz and Stegun, 7.1.26. */
static inline float @gelu(float z) {
  const float x = 0.707106781f * (z < 0.0f ? -z : z);
  const float t = 1.0f / (1.0f + 0.3275911f * x);
  const float series = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f +
                       t * 1.061405429f))));
  const float half = 0.5f * series * @exp2(-1.44269504f * x * x);
  return z < 0.0f ? z * half : z - z * half;
}
)"},
    {"copy", "", R"(/* Copies through a volatile pointer, so that no compiler makes a call of memcpy of it. */
static void @copy(int count, const float *from, float *to) {
  volatile float *target = to;
  for (; count > 0; --count) *target++ = *from++;
}
)"},
    {"add_one", "", R"(/* Adds a linear map of `count` values to a sum. Returns the weights behind it. */
static const float *@add_one(const float *w, const float *x, int count, float *sum) {
  float a = *sum;
  for (; count > 0; --count) a += *w++ * *x++;
  *sum = a;
  return w;
}
)"},
    {"add_three", "",
     R"(/* Adds three linear maps of the same `count` values to three sums. Returns the weights behind them. */
static const float *@add_three(const float *w, const float *x, int count, float *sum) {
  float a = sum[0], b = sum[1], c = sum[2];
  for (; count > 0; --count, w += 3) {
    const float value = *x++;
    a += w[0] * value;
    b += w[1] * value;
    c += w[2] * value;
  }
  sum[0] = a;
  sum[1] = b;
  sum[2] = c;
  return w;
}
)"},
    {"add_four", "",
     R"(/* Adds four linear maps of `count` values to four sums. Returns the weights behind them. */
static const float *@add_four(const float *w, const float *x, int count, float *sum) {
  float a = sum[0], b = sum[1], c = sum[2], d = sum[3];
  for (; count > 0; --count, w += 4) {
    const float value = *x++;
    a += w[0] * value;
    b += w[1] * value;
    c += w[2] * value;
    d += w[3] * value;
  }
  sum[0] = a;
  sum[1] = b;
  sum[2] = c;
  sum[3] = d;
  return w;
}
)"},
};

/// Adds what the functions of a set call.
inline void add_needs(std::set<std::string>& functions, std::span<const CFunction> list) {
  for (bool grows = true; grows;) {
    grows = false;
    for (const CFunction& function : list) {
      if (function.needs.empty() || !functions.contains(std::string(function.name))) continue;
      grows = functions.emplace(function.needs).second || grows;
    }
  }
}

}  // namespace elegans::detail
