// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace elegans {

/// What the values of a tensor in a safetensors file are.
enum class TensorType {
  f64,
  f32,
  f16,   ///< IEEE 754 binary16
  bf16,  ///< the upper half of a float
  i64,
  i32,
  i16,
  i8,
  u8,
  boolean
};

namespace detail {

static_assert(std::endian::native == std::endian::little,
              "elegans/io: safetensors are little-endian, and so must the machine be");

struct TensorTypeName {
  TensorType type{};
  std::string_view name;
  std::size_t size = 0;  ///< of a value, in bytes
};

inline constexpr std::array<TensorTypeName, 10> tensor_types{{{TensorType::f64, "F64", 8},
                                                              {TensorType::f32, "F32", 4},
                                                              {TensorType::f16, "F16", 2},
                                                              {TensorType::bf16, "BF16", 2},
                                                              {TensorType::i64, "I64", 8},
                                                              {TensorType::i32, "I32", 4},
                                                              {TensorType::i16, "I16", 2},
                                                              {TensorType::i8, "I8", 1},
                                                              {TensorType::u8, "U8", 1},
                                                              {TensorType::boolean, "BOOL", 1}}};

/// Null if there is no such type, or none that is of use here.
constexpr const TensorTypeName* find_tensor_type(std::string_view name) noexcept {
  for (const TensorTypeName& entry : tensor_types) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

constexpr const TensorTypeName& describe(TensorType type) noexcept {
  return tensor_types[static_cast<std::size_t>(type)];
}

/// Every binary16 is a float: sign, five bits of exponent, ten of fraction.
inline float from_binary16(std::uint16_t bits) noexcept {
  const std::uint32_t sign = std::uint32_t{bits} >> 15 << 31;
  const int exponent = (bits >> 10) & 31;
  const std::uint32_t fraction = bits & 1023U;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000U | fraction << 13);
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 112) << 23 | fraction << 13);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
}

inline float from_bfloat16(std::uint16_t bits) noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

/// Calls body(value_at), where value_at(i) is the i-th value at `bytes`, which need not be aligned.
template <typename Body>
void with_values(TensorType type, const std::byte* bytes, Body&& body) {
  const auto raw = [bytes]<typename T>(std::size_t i, T value) {
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    return value;
  };
  switch (type) {
    case TensorType::f64:
      return body([raw](std::size_t i) { return raw(i, double{}); });
    case TensorType::f32:
      return body([raw](std::size_t i) { return raw(i, float{}); });
    case TensorType::f16:
      return body([raw](std::size_t i) { return from_binary16(raw(i, std::uint16_t{})); });
    case TensorType::bf16:
      return body([raw](std::size_t i) { return from_bfloat16(raw(i, std::uint16_t{})); });
    case TensorType::i64:
      return body([raw](std::size_t i) { return raw(i, std::int64_t{}); });
    case TensorType::i32:
      return body([raw](std::size_t i) { return raw(i, std::int32_t{}); });
    case TensorType::i16:
      return body([raw](std::size_t i) { return raw(i, std::int16_t{}); });
    case TensorType::i8:
      return body([raw](std::size_t i) { return raw(i, std::int8_t{}); });
    case TensorType::u8:
    case TensorType::boolean:
      return body([raw](std::size_t i) { return raw(i, std::uint8_t{}); });
  }
}

}  // namespace detail
}  // namespace elegans
