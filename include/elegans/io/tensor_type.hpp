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

/// The type of the values of a tensor in a safetensors file. elegans reads the values of the types up to `boolean`;
/// tensors of the others may lie in a file beside a model.
enum class TensorType {
  f64,
  f32,
  f16,   ///< IEEE 754 binary16
  bf16,  ///< the upper half of a float
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean,
  c64,          ///< complex: two floats
  f8_e5m2,      ///< 8 bits, of which 5 of exponent
  f8_e4m3,      ///< 8 bits, of which 4 of exponent
  f8_e8m0,      ///< 8 bits of exponent
  f8_e4m3fnuz,  ///< as `f8_e4m3`, without infinities and negative zero
  f8_e5m2fnuz,  ///< as `f8_e5m2`, without infinities and negative zero
  f6_e2m3,      ///< 6 bits, packed
  f6_e3m2,      ///< 6 bits, packed
  f4            ///< 4 bits, packed
};

namespace detail {

static_assert(std::endian::native == std::endian::little,
              "elegans/io: safetensors are little-endian, and so must the machine be");

struct TensorTypeName {
  TensorType type{};
  std::string_view name;
  unsigned bits = 0;  ///< per value
};

/// The types that version 0.8 of the Python package `safetensors` knows, in the order of the enumeration.
inline constexpr std::array<TensorTypeName, 22> tensor_types{{{TensorType::f64, "F64", 64},
                                                              {TensorType::f32, "F32", 32},
                                                              {TensorType::f16, "F16", 16},
                                                              {TensorType::bf16, "BF16", 16},
                                                              {TensorType::i64, "I64", 64},
                                                              {TensorType::i32, "I32", 32},
                                                              {TensorType::i16, "I16", 16},
                                                              {TensorType::i8, "I8", 8},
                                                              {TensorType::u64, "U64", 64},
                                                              {TensorType::u32, "U32", 32},
                                                              {TensorType::u16, "U16", 16},
                                                              {TensorType::u8, "U8", 8},
                                                              {TensorType::boolean, "BOOL", 8},
                                                              {TensorType::c64, "C64", 64},
                                                              {TensorType::f8_e5m2, "F8_E5M2", 8},
                                                              {TensorType::f8_e4m3, "F8_E4M3", 8},
                                                              {TensorType::f8_e8m0, "F8_E8M0", 8},
                                                              {TensorType::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
                                                              {TensorType::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
                                                              {TensorType::f6_e2m3, "F6_E2M3", 6},
                                                              {TensorType::f6_e3m2, "F6_E3M2", 6},
                                                              {TensorType::f4, "F4", 4}}};

/// The type of a name; null if there is none.
constexpr const TensorTypeName* find_tensor_type(std::string_view name) noexcept {
  for (const TensorTypeName& entry : tensor_types) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

constexpr const TensorTypeName& describe(TensorType type) noexcept {
  return tensor_types[static_cast<std::size_t>(type)];
}

/// True for the types that the parameters of a model may have.
constexpr bool is_real(TensorType type) noexcept { return type <= TensorType::bf16; }

// mutate all: safetensors.types
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

/// Calls body(value_of), where value_of(i) is the value number i at `bytes`, which need not be aligned.
/// \return false, without a call, if elegans does not read values of that type
template <typename Body>
bool with_values(TensorType type, const std::byte* bytes, Body&& body) {
  const auto read = [&]<typename T>(T, auto convert) {
    body([bytes, convert](std::size_t i) {
      T value;
      std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
      return convert(value);
    });
    return true;
  };
  const auto as_it_is = [](auto value) { return value; };
  switch (type) {
    case TensorType::f64:
      return read(double{}, as_it_is);
    case TensorType::f32:
      return read(float{}, as_it_is);
    case TensorType::f16:
      return read(std::uint16_t{}, from_binary16);
    case TensorType::bf16:
      return read(std::uint16_t{}, from_bfloat16);
    case TensorType::i64:
      return read(std::int64_t{}, as_it_is);
    case TensorType::i32:
      return read(std::int32_t{}, as_it_is);
    case TensorType::i16:
      return read(std::int16_t{}, as_it_is);
    case TensorType::i8:
      return read(std::int8_t{}, as_it_is);
    case TensorType::u64:
      return read(std::uint64_t{}, as_it_is);
    case TensorType::u32:
      return read(std::uint32_t{}, as_it_is);
    case TensorType::u16:
      return read(std::uint16_t{}, as_it_is);
    case TensorType::u8:
    case TensorType::boolean:
      return read(std::uint8_t{}, as_it_is);
    default:
      return false;
  }
}

}  // namespace detail
}  // namespace elegans
