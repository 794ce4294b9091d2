// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>

namespace elegans::detail {

/// A function of the generated C, in float.
struct CFunction {
  std::string_view name;
  std::string_view needs;  ///< the function that it calls, if any; it stands further up
  std::string_view text;   ///< see `CWriter::filled`
};

// The exponents come times 2^23, so that their whole part is the exponent of a float. 2^r on [0, 1] is 1 + r q(r), with
// q the polynomial of degree 4 that has the least relative error.
inline constexpr CFunction c_functions[] = {
    {"float", "", R"(typedef union {
  float value;
  uint32_t bits;
} @float;
)"},
    {"synapse", "",
     R"(/* A gate is 1 / (1 + 2^((slope v + offset) / 2^23)). It drives N and D of a neuron. */
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
    {"exp2_near", "float", R"(/* 2^(s / 2^23) for s / 2^23 in [-100, 100], within 2e-7 of its value. */
static inline float @exp2_near(float s) {
  const int32_t whole = (int32_t)s & -8388608; /* 2^23: what is left is the exponent of a float */
  const float r = s - (float)whole;
  @float power;
  power.bits = (uint32_t)whole + 0x3f800000u;
  return power.value + power.value * r * (8.26300754e-08f + r * (3.41294211e-15f + r * (9.45287297e-23f +
         r * (1.82097477e-30f + r * 4.49495215e-38f))));
}
)"},
    {"exp2", "exp2_near", R"(/* 2^(s / 2^23), from 2^-100 to 2^100. NaN stays NaN. */
static inline float @exp2(float s) {
  if (@magnitude(s) <= 0x4e480000u) return @exp2_near(s); /* 100 2^23 */
  return s > 0.0f ? 1.26765060e+30f : s < 0.0f ? 7.88860905e-31f : s;
}
)"},
    {"gate_near", "exp2_near", R"(/* The sigmoid of -s / (2^23 log2(e)), for s / 2^23 in [-100, 100]. */
static inline float @gate_near(float s) { return 1.0f / (1.0f + @exp2_near(s)); }
)"},
    {"gate", "exp2", R"(/* The sigmoid of -s / (2^23 log2(e)). */
static inline float @gate(float s) { return 1.0f / (1.0f + @exp2(s)); }
)"},
    {"bend", "exp2", R"(/* tanh(-s / (2^24 log2(e))). */
static inline float @bend(float s) {
  const float power = @exp2(s);
  return (1.0f - power) / (1.0f + power);
}
)"},
    {"tanh", "bend", R"(static inline float @tanh(float z) { return @bend(-24204406.0f * z); }
)"},
    {"lecun_tanh", "bend", R"(static inline float @lecun_tanh(float z) { return 1.7159f * @bend(-16120135.0f * z); }
)"},
    {"sigmoid", "gate", R"(static inline float @sigmoid(float z) { return @gate(-12102203.0f * z); }
)"},
    {"inverse_root", "float", R"(/* 1 / sqrt(value), for a value above 0: three steps of Newton's method. */
static inline float @inverse_root(float value) {
  @float root;
  int i;
  root.value = value;
  root.bits = 0x5f3759dfu - (root.bits >> 1);
  for (i = 0; i < 3; ++i) root.value *= 1.5f - 0.5f * value * root.value * root.value;
  return root.value;
}
)"},
    {"relu", "", R"(static inline float @relu(float z) { return z < 0.0f ? 0.0f : z; }
)"},
    {"silu", "gate", R"(static inline float @silu(float z) { return z * @gate(-12102203.0f * z); }
)"},
    {"gelu", "exp2", R"(/* z times the normal distribution function: Abramowitz and Stegun, 7.1.26. */
static inline float @gelu(float z) {
  const float x = 0.707106781f * (z < 0.0f ? -z : z);
  const float t = 1.0f / (1.0f + 0.3275911f * x);
  const float series = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f +
                       t * 1.061405429f))));
  const float half = 0.5f * series * @exp2(-12102203.0f * x * x);
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

/// The function in C of an activation that is not linear.
inline const char* c_function_of(Activation activation) {
  switch (activation) {
    case Activation::lecun_tanh:
      return "lecun_tanh";
    case Activation::relu:
      return "relu";
    case Activation::tanh:
      return "tanh";
    case Activation::gelu:
      return "gelu";
    case Activation::silu:
      return "silu";
    case Activation::sigmoid:
      return "sigmoid";
    case Activation::linear:
      break;
  }
  refuse("export to C: there is no function of activation number ", static_cast<int>(activation));
}

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
