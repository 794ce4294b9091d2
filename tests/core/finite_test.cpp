// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;

namespace {

/// A value whose bits the compiler cannot know.
template <typename Scalar>
Scalar of_bits(BitsOf<Scalar> bits) {
  return std::bit_cast<Scalar>(hidden(bits));
}

/// The lowest bit of the exponent, and the sign.
template <typename Scalar>
constexpr BitsOf<Scalar> exponent_bit = BitsOf<Scalar>(1) << (std::numeric_limits<Scalar>::digits - 1);
template <typename Scalar>
constexpr BitsOf<Scalar> sign_bit = BitsOf<Scalar>(1) << (8 * sizeof(Scalar) - 1);
/// IEEE 754: an infinite value has an exponent of ones and nothing else.
template <typename Scalar>
constexpr BitsOf<Scalar> infinite =
    sizeof(Scalar) == 4 ? BitsOf<Scalar>(0x7f800000U) : BitsOf<Scalar>(0x7ff0000000000000ULL);

}  // namespace

TEMPLATE_TEST_CASE("Numbers are finite, infinite values and NaN are not", "[core][finite]", float, double) {
  using Bits = BitsOf<TestType>;
  const Bits one = std::bit_cast<Bits>(TestType(1));
  for (const Bits sign : {Bits(0), sign_bit<TestType>}) {
    for (const Bits bits : {Bits(0), Bits(1), exponent_bit<TestType>, one, Bits(infinite<TestType> - 1)}) {
      CHECK(is_finite(of_bits<TestType>(bits | sign)));
      CHECK_FALSE(is_nan(of_bits<TestType>(bits | sign)));
    }
    CHECK_FALSE(is_finite(of_bits<TestType>(infinite<TestType> | sign)));
    CHECK_FALSE(is_nan(of_bits<TestType>(infinite<TestType> | sign)));
    for (const Bits payload : {Bits(1), Bits(exponent_bit<TestType> >> 1), Bits(exponent_bit<TestType> - 1)}) {
      CHECK_FALSE(is_finite(of_bits<TestType>(infinite<TestType> | payload | sign)));
      CHECK(is_nan(of_bits<TestType>(infinite<TestType> | payload | sign)));
    }
  }
}

TEMPLATE_TEST_CASE("The results of operations are looked at, too", "[core][finite]", float, double) {
  volatile TestType zero = 0;
  volatile TestType large = std::numeric_limits<TestType>::max();
  CHECK(is_nan(static_cast<TestType>(zero / zero)));
  CHECK_FALSE(is_finite(static_cast<TestType>(zero / zero)));
  CHECK_FALSE(is_finite(static_cast<TestType>(large * large)));
  CHECK_FALSE(is_nan(static_cast<TestType>(large * large)));
}

TEMPLATE_TEST_CASE("An array is finite if every one of its values is", "[core][finite]", float, double) {
  for (int size = 0; size < 40; ++size) {
    std::vector<TestType> values(static_cast<std::size_t>(size), std::numeric_limits<TestType>::lowest());
    const elegans::ConstVectorView<TestType> view(values.data(), size);
    CHECK(all_finite(view));
    for (TestType& value : values) {
      const TestType kept = value;
      value = of_bits<TestType>(infinite<TestType>);
      CHECK_FALSE(all_finite(view));
      value = of_bits<TestType>(infinite<TestType> | sign_bit<TestType> | 1);
      CHECK_FALSE(all_finite(view));
      value = kept;
    }
  }
}
