// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/functions.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

// The power 2^-r is the polynomial with the least relative error on [0, 1]: of degree 4, within 3e-6; of degree 7,
// within 5e-11. Two steps of Newton's method from 48/17 - 32/17 d give 1 / d on [1/2, 1] within 2e-5; a quotient of 32
// bits and one step give 31 bits.

/// Functions of the C in q15 and int8.
inline constexpr CFunction c_functions_q15[] = {
    {"times", "", R"(/* value factor / 2^16 */
static inline int32_t @times(int32_t value, int32_t factor) {
  return (value >> 16) * factor + ((int32_t)((uint32_t)value & 0xffffu) * factor >> 16);
}
)"},
    {"gate", "", R"(/* 2^15 / (1 + 2^(s / 2^16)) */
static inline int32_t @gate(int32_t s) {
  const uint32_t size = s < 0 ? 0u - (uint32_t)s : (uint32_t)s;
  const uint32_t rest = size & 0xffffu;
  uint32_t power = 3478u - (rest * 443u >> 16);
  power = 15685u - (rest * power >> 16);
  power = 45418u - (rest * power >> 16);
  power = 65536u - (rest * power >> 16);
  if (size >= 17u << 16) return s < 0 ? 32768 : 0;
  power >>= size >> 16;
  {
    const uint32_t numerator = s < 0 ? 65536u : power;
#ifdef __ARM_ARCH_6M__ /* has no instruction that divides */
    const uint32_t sum = (65536u + power) >> 1;
    uint32_t inverse = 92522u - (sum * 61681u >> 16);
    inverse = inverse * (65536u - (sum * inverse >> 16)) >> 15;
    inverse = inverse * (65536u - (sum * inverse >> 16)) >> 15;
    return (int32_t)((numerator >> 1) * inverse >> 16);
#else
    return (int32_t)((numerator << 15) / (65536u + power));
#endif
  }
}
)"},
    {"gate_table", "", R"(/* 2^15 / (1 + 2^(s / 2^16)), between the entries of a table */
static inline int32_t @gate(int32_t s) {
  const uint32_t size = s < 0 ? 0u - (uint32_t)s : (uint32_t)s;
  const uint16_t *entry;
  int32_t gate;
  if (size >= 16u << 16) return s < 0 ? 32768 : 0;
  entry = @gates + (size >> 12);
  gate = (int32_t)((entry[0] - ((uint32_t)(entry[0] - entry[1]) * (size & 4095u) >> 12)) >> 1);
  return s < 0 ? 32768 - gate : gate;
}
)"},
    {"part", "", R"(/* The part of a number, and of the difference of two, that a gate lets through. */
static inline int32_t @part(int32_t number, int32_t gate) { return number * gate >> 15; }
)"},
    {"bend", "", R"(/* 2^14 tanh(-s ln(2) / 2^17) */
static inline int32_t @bend(int32_t s) { return @gate(s) - 16384; }
)"},
    {"synapse", "", R"(/* A gate of slope and offset drives the numerator and the denominator of a neuron. */
typedef struct {
  int32_t offset;
  int16_t slope, drive, w;
  uint16_t source;
} @synapse;
)"},
    {"neuron", "", R"(/* N and D of the leak, the capacitance, how many synapses there are, and the scales of a step. */
typedef struct {
  int32_t leak_n, leak_d;
  uint32_t cm;
  uint16_t sensory, recurrent;
  uint8_t shift, power, left, right;
} @neuron;
)"},
    {"rate", "neuron", R"(/* 2^power / (cm + D) */
static inline int32_t @rate(int32_t d, const @neuron *neuron) {
  return (int32_t)((1u << neuron->power) / (neuron->cm + ((uint32_t)d >> neuron->shift)));
}
)"},
    {"sum", "", R"(/* A sum of products, as a value. */
static inline int32_t @sum(int32_t sum) { return sum; }
)"},
};

/// Functions of the C in q31.
inline constexpr CFunction c_functions_q31[] = {
    {"times", "", R"(/* value factor / 2^32 */
static inline int32_t @times(int32_t value, int32_t factor) { return (int32_t)((int64_t)value * factor >> 32); }
)"},
    {"high", "", R"(/* a b / 2^32 */
static inline uint32_t @high(uint32_t a, uint32_t b) { return (uint32_t)((uint64_t)a * b >> 32); }
)"},
    {"gate", "high", R"(/* 2^31 / (1 + 2^(s / 2^22)) */
static int32_t @gate(int32_t s) {
  const uint32_t size = s < 0 ? 0u - (uint32_t)s : (uint32_t)s;
  const uint32_t rest = size << 10;
  uint32_t power, sum, inverse;
  int32_t gate;
  if (size >= 32u << 22) return s < 0 ? 2147483647 : 0;
  power = 315696u - @high(rest, 23084u);
  power = 2850652u - @high(rest, power);
  power = 20648741u - @high(rest, power);
  power = 119192589u - @high(rest, power);
  power = 515882291u - @high(rest, power);
  power = 1488522226u - @high(rest, power);
  power = (2147483648u - @high(rest, power)) >> (size >> 22);
  sum = (uint32_t)((2147483648u + (uint64_t)power) >> 1);
  inverse = (4294967295u / ((sum + 16384u) >> 15)) << 14;
  inverse = (uint32_t)((uint64_t)inverse * (2147483648u - (uint32_t)((uint64_t)sum * inverse >> 31)) >> 30);
  gate = (int32_t)((uint64_t)power * inverse >> 31);
  return s < 0 ? 2147483647 - gate : gate;
}
)"},
    {"part", "", R"(/* The part of a number, and of the difference of two, that a gate lets through. */
static inline int32_t @part(int64_t number, int32_t gate) { return (int32_t)(number * gate >> 31); }
)"},
    {"bend", "", R"(/* 2^30 tanh(-s ln(2) / 2^23) */
static inline int32_t @bend(int32_t s) { return @gate(s) - 1073741824; }
)"},
    {"synapse", "", R"(/* A gate of slope and offset drives the numerator and the denominator of a neuron. */
typedef struct {
  int32_t offset, slope, drive, w;
  uint16_t source;
} @synapse;
)"},
    {"neuron", "", R"(/* N and D of the leak, the capacitance, how many synapses there are, and the scales of a step. */
typedef struct {
  int32_t leak_n, leak_d;
  uint32_t cm;
  uint16_t sensory, recurrent;
  uint8_t shift, power, left, right;
} @neuron;
)"},
    {"rate", "neuron", R"(/* 2^power / (cm + D) */
static inline int32_t @rate(int32_t d, const @neuron *neuron) {
  return (int32_t)(((uint64_t)1 << neuron->power) / (neuron->cm + ((uint32_t)d >> neuron->shift)));
}
)"},
    {"sum", "", R"(/* A sum of products, as a value. */
static inline int32_t @sum(int64_t sum) { return (int32_t)(sum >> 31); }
)"},
};

/// Functions of the C in whole numbers of any size. @weight, @number and @total are types.
inline constexpr CFunction c_functions_fixed[] = {
    {"copy", "", R"(/* Copies through a volatile pointer, so that no compiler makes a call of memcpy of it. */
static void @copy(int count, const @number *from, @number *to) {
  volatile @number *target = to;
  for (; count > 0; --count) *target++ = *from++;
}
)"},
    {"lift", "", R"(/* value 2^bits, within +-2^30 */
static inline int32_t @lift(int32_t value, int bits) {
  const int32_t limit = (int32_t)1 << (30 - bits);
  return (value > limit ? limit : value < -limit ? -limit : value) * ((int32_t)1 << bits);
}
)"},
    {"row", "", R"(/* A sum of products times scale, plus bias, is what a linear map computes. */
typedef struct {
  int32_t bias, scale;
} @row;
)"},
    {"add_1", "", R"(/* Adds a linear map of `count` numbers to a sum. Returns the weights behind it. */
static const @weight *@add_1(const @weight *w, const @number *x, int count, @total *sum) {
  @total a = *sum;
  for (; count > 0; --count) a += (@total)*w++ * *x++;
  *sum = a;
  return w;
}
)"},
    {"add_3", "",
     R"(/* Adds three linear maps of the same `count` numbers to three sums. Returns the weights behind them. */
static const @weight *@add_3(const @weight *w, const @number *x, int count, @total *sum) {
  @total a = sum[0], b = sum[1], c = sum[2];
  for (; count > 0; --count, w += 3) {
    const @total value = *x++;
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
};

/// The entries of the table for `CSigmoid::table`: 2^16 / (1 + 2^s) at s = 0, 1/16, ..., 16.
inline std::vector<std::string> gate_table() {
  std::vector<std::string> entries;
  for (int i = 0; i <= 256; ++i) {
    entries.push_back(CWriter::number(static_cast<int>(std::lround(65536 / (1 + std::exp2(i / 16.0))))));
  }
  return entries;
}

}  // namespace elegans::detail
