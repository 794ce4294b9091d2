// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <vector>

#include <elegans/wiring/numpy_random.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Buffer;
using elegans::numpy::Generator;
using elegans::numpy::RandomState;

namespace {

template <typename Stream>
std::vector<int> choose(Stream stream, int population, int count) {
  Buffer<int> chosen;
  stream.choice(population, count, chosen);
  return {chosen.begin(), chosen.end()};
}

}  // namespace

TEST_CASE("RandomState gives the first outputs of numpy", "[wiring][numpy_random]") {
  RandomState stream(22222);
  for (const std::uint32_t expected : {294195201U, 1847582594U, 1342442730U, 288109640U}) CHECK(stream() == expected);
}

TEST_CASE("RandomState shuffles and picks as numpy does", "[wiring][numpy_random]") {
  CHECK(choose(RandomState(22222), 8, 8) == std::vector{7, 3, 4, 5, 0, 6, 2, 1});
  CHECK(choose(RandomState(22222), 8, 3) == std::vector{7, 3, 4});
  RandomState stream(22222);
  for (const int expected : {1, -1, -1, -1, -1, -1, -1, 1}) CHECK(stream.choice({-1, 1}) == expected);
}

TEST_CASE("RandomState draws no bits if there is one possibility, but draws bits for a choice of none",
          "[wiring][numpy_random]") {
  RandomState stream(22222);
  CHECK(stream.below_or_equal(0) == 0);
  CHECK(stream.choice({5}) == 5);
  CHECK(stream() == 294195201U);
  RandomState other(22222);
  Buffer<int> chosen;
  other.choice(2, 0, chosen);
  CHECK(chosen.size() == 0);
  CHECK(other() == 1847582594U);
}

TEST_CASE("SeedSequence and PCG64 agree with numpy, also at compile time", "[wiring][numpy_random]") {
  constexpr std::array<std::uint64_t, 4> words = elegans::numpy::detail::seed_sequence(1111);
  static_assert(words == std::array<std::uint64_t, 4>{0x1f5671633c99e30d, 0xc7f7b7ab441fba21, 0x9493d3c601717915,
                                                      0x2cf99a15dd269d68});
  constexpr auto first = [] {
    Generator stream(1111);
    return std::array<std::uint64_t, 3>{stream(), stream(), stream()};
  }();
  static_assert(first == std::array<std::uint64_t, 3>{0xdbfdfdd6d6fab48b, 0xa822a50efe888cab, 0x7b5641e27861ebb6});
  Generator stream(1111);
  for (const std::uint32_t expected : {3606754443U, 3690855894U, 4270361771U, 2820842766U}) {
    CHECK(stream.draw32() == expected);
  }
}

TEST_CASE("A Generator chooses by the algorithm of Floyd, and among many numbers by a shuffle of the tail",
          "[wiring][numpy_random]") {
  CHECK(choose(Generator(1111), 64, 16) == std::vector{3, 30, 58, 38, 41, 61, 37, 34, 26, 42, 54, 24, 50, 31, 32, 62});
  const std::vector<int> many = choose(Generator(1111), 16384, 400);
  REQUIRE(many.size() == 400);
  CHECK(std::vector(many.begin(), many.begin() + 5) == std::vector{1216, 8084, 872, 10912, 5012});
}

TEST_CASE("A Generator draws no bits if there is one possibility", "[wiring][numpy_random]") {
  Generator stream(1111);
  CHECK(stream.below_or_equal(0) == 0);
  CHECK(stream.choice({5}) == 5);
  CHECK(stream.draw32() == 3606754443U);
}

TEST_CASE("A choice is the same in fixed storage and on the heap", "[wiring][numpy_random]") {
  Buffer<int, 64> chosen;
  Generator(1111).choice(64, 16, chosen);
  CHECK(std::vector<int>(chosen.begin(), chosen.end()) == choose(Generator(1111), 64, 16));
}

TEMPLATE_TEST_CASE("A choice of too many or too few numbers is refused", "[wiring][numpy_random]", RandomState,
                   Generator) {
  CHECK(support::refusal_of([] { choose(TestType(1), 3, 4); }) ==
        "numpy: choice: count must be in [0, population = 3], got 4");
  CHECK(support::refusal_of([] { choose(TestType(1), 3, -1); }) ==
        "numpy: choice: count must be in [0, population = 3], got -1");
}
