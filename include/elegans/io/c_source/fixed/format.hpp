// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <elegans/core/error.hpp>
#include <elegans/io/c_source/arithmetic.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// The largest number of fraction bits f with bound 2^f <= largest.
inline int fraction_bits(double bound, double largest) {
  int bits = static_cast<int>(std::floor(std::log2(largest / (std::max)(bound, 1e-9))));
  while (std::ldexp(bound, bits) > largest) --bits;
  return bits;
}

/// A value as a whole number of `bits` fraction bits, rounded, and kept within [-largest, largest].
inline std::int64_t to_fixed(double value, int bits, std::int64_t largest) {
  const auto limit = static_cast<double>(largest);
  return static_cast<std::int64_t>((std::round)((std::clamp)(std::ldexp(value, bits), -limit, limit)));
}

/// A sum in C with a shift to the right; or, if that is negative, lifted to the left, as far as 31 bits reach.
inline std::string shifted(CWriter& out, const std::string& sum, int shift) {
  if (shift == 0) return sum;
  if (shift > 0) return sum + " >> " + CWriter::number(shift);
  out.need("lift");
  return out.filled("@lift($sum$, $bits$)", {{"sum", sum}, {"bits", CWriter::number(-shift)}});
}

/// The sizes of the whole numbers in a network.
///
/// A *number* is an input, an output, or a value that one linear map hands to the next. A *value* is a wider sum, of 32
/// bits: a potential, or what goes into a sigmoid. `times(value, weight)` is value weight / 2^(weight_bits + 1).
struct CFixedPoint {
  CArithmetic arithmetic = CArithmetic::q15;
  CSigmoid sigmoid = CSigmoid::exact;
  double input_range = 1;   ///< inputs are in [-input_range, input_range]
  double elapsed_time = 1;  ///< of every step

  [[nodiscard]] bool is_wide() const noexcept { return arithmetic == CArithmetic::q31; }
  [[nodiscard]] bool is_small() const noexcept { return arithmetic == CArithmetic::int8; }
  [[nodiscard]] const char* spoken() const noexcept { return is_wide() ? "q31" : is_small() ? "int8" : "q15"; }

  /// The function that computes a gate: see fixed/functions.hpp.
  [[nodiscard]] const char* gate() const noexcept { return sigmoid == CSigmoid::table ? "gate_table" : "gate"; }

  /// Bits of a number and of a factor in `times`, besides the sign.
  [[nodiscard]] int number_bits() const noexcept { return is_wide() ? 31 : 15; }
  /// Bits of a weight of a linear map, besides the sign.
  [[nodiscard]] int map_bits() const noexcept { return is_small() ? 7 : number_bits(); }
  /// Fraction bits of what goes into a sigmoid.
  [[nodiscard]] int exponent_bits() const noexcept { return is_wide() ? 22 : 16; }

  [[nodiscard]] static std::int64_t largest(int bits) noexcept { return (std::int64_t{1} << bits) - 1; }
  [[nodiscard]] static const char* type_of(int bits) noexcept {
    return bits == 7 ? "int8_t" : bits == 15 ? "int16_t" : "int32_t";
  }
  [[nodiscard]] const char* number_type() const noexcept { return type_of(number_bits()); }
  [[nodiscard]] const char* map_type() const noexcept { return type_of(map_bits()); }

  /// Fraction bits of a number that reaches up to a bound, with room for a rounding.
  [[nodiscard]] int bits_for(double bound) const {
    return fraction_bits(bound, static_cast<double>(largest(number_bits()) - 2));
  }
  [[nodiscard]] int input_bits() const { return bits_for(input_range); }
  /// The largest magnitude that an input of this format can have.
  [[nodiscard]] double input_bound() const { return std::ldexp(1.0, number_bits() - input_bits()); }

  /// The same, for a layer whose inputs are numbers of so many fraction bits.
  [[nodiscard]] CFixedPoint with_input_bits(int bits) const {
    CFixedPoint other = *this;
    other.input_range = std::ldexp(static_cast<double>(largest(number_bits()) - 2), -bits);
    return other;
  }

  [[nodiscard]] std::int64_t number(double real, int bits) const {
    return to_fixed(real, bits, largest(number_bits()));
  }
  [[nodiscard]] static std::int64_t value(double real, int bits) { return to_fixed(real, bits, largest(31)); }
};

/// A factor's format for `times`: what comes out has `shift` more bits than what is wanted.
struct CScaling {
  int bits = 0;   ///< fraction bits of the factor
  int shift = 0;  ///< of the sum: see `shifted`
  int sum = 0;    ///< fraction bits of the sum

  /// \param value_bits    fraction bits of the value
  /// \param largest       magnitude of all factors
  /// \param reach         magnitude of all sums
  /// \param wanted        fraction bits of the result
  /// \throws InvalidArgument if the result does not fit
  CScaling(const CFixedPoint& fixed, int value_bits, double largest, double reach, int wanted, const char* what) {
    const int lost = fixed.number_bits() + 1;
    bits = (std::min)({fraction_bits(largest, static_cast<double>(CFixedPoint::largest(fixed.number_bits()))),
                       fraction_bits(reach, std::ldexp(1.0, 30)) + lost - value_bits, 14 + wanted + lost - value_bits});
    sum = value_bits + bits - lost;
    shift = sum - wanted;
    if (shift < -12) {
      refuse("export to C: ", what, " reaches ", reach, ", which is too large for ", fixed.spoken());
    }
  }
};

}  // namespace elegans::detail
