// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

/// The two random streams of numpy from which ncps draws its wirings, equal to the last bit.
namespace elegans::numpy {

/// `numpy.random.RandomState(seed)`: the Mersenne Twister. To draw a number up to a limit, it masks 32 random bits, and
/// draws again while the result is too large.
class RandomState {
 public:
  explicit RandomState(std::uint32_t seed) : engine_(seed) {}

  /// 32 random bits.
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

  /// A uniform number in [0, limit]. Draws no bits if limit is 0.
  std::uint32_t below_or_equal(std::uint32_t limit) {
    if (limit == 0) return 0;
    std::uint32_t mask = limit;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    std::uint32_t value = 0;
    do value = (*this)() & mask;
    while (value > limit);
    return value;
  }

  /// One of `values`, which must not be empty.
  int choice(std::initializer_list<int> values) {
    return values.begin()[below_or_equal(static_cast<std::uint32_t>(values.size() - 1))];
  }

  /// Chooses `count` different numbers of 0 … population - 1: it shuffles all of them, even for a count of 0, and
  /// returns the first ones.
  /// \throws InvalidArgument unless 0 <= count <= population
  template <int Capacity>
  void choice(int population, int count, Buffer<int, Capacity>& chosen);

 private:
  std::mt19937 engine_;
};

/// `numpy.random.default_rng(seed)`: PCG64 (O'Neill 2014, XSL-RR 128/64), seeded through a SeedSequence. Bounded
/// numbers come from Lemire's multiplication (ACM TOMACS 2019).
class Generator {
 public:
  explicit constexpr Generator(std::uint64_t seed) noexcept;

  /// 64 random bits.
  constexpr std::uint64_t operator()() noexcept {
    step();
    const std::uint64_t value = state_.high ^ state_.low;
    const auto rotation = static_cast<unsigned>(state_.high >> 58);
    return (value >> rotation) | (value << ((64 - rotation) % 64));
  }

  /// 32 random bits: the low half of 64 bits, and at the next call their high half.
  constexpr std::uint32_t draw32() noexcept {
    if (has_spare_half_) {
      has_spare_half_ = false;
      return spare_half_;
    }
    const std::uint64_t value = (*this)();
    has_spare_half_ = true;
    spare_half_ = static_cast<std::uint32_t>(value >> 32);
    return static_cast<std::uint32_t>(value);
  }

  /// A uniform number in [0, limit], for limit < 2^32 - 1. Draws no bits if limit is 0.
  constexpr std::uint32_t below_or_equal(std::uint32_t limit) noexcept {
    if (limit == 0) return 0;
    const std::uint32_t range = limit + 1;
    std::uint64_t product = std::uint64_t{draw32()} * range;
    if (static_cast<std::uint32_t>(product) < range) {
      const std::uint32_t threshold = (0xffffffffU - limit) % range;
      while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{draw32()} * range;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// One of `values`, which must not be empty.
  constexpr int choice(std::initializer_list<int> values) noexcept {
    return values.begin()[below_or_equal(static_cast<std::uint32_t>(values.size() - 1))];
  }

  /// Chooses `count` different numbers of 0 … population - 1, in random order.
  /// \throws InvalidArgument unless 0 <= count <= population
  template <int Capacity>
  void choice(int population, int count, Buffer<int, Capacity>& chosen);

 private:
  // Not every compiler has 128-bit integers.
  struct Uint128 {
    std::uint64_t high;
    std::uint64_t low;
  };
  static constexpr Uint128 multiplier{2549297995355413924ULL, 4865540595714422341ULL};

  static constexpr Uint128 add(Uint128 a, Uint128 b) noexcept {
    const std::uint64_t low = a.low + b.low;
    return {a.high + b.high + (low < a.low ? 1 : 0), low};
  }
  static constexpr Uint128 multiply(Uint128 a, Uint128 b) noexcept {
    constexpr std::uint64_t half = 0xffffffffULL;
    const std::uint64_t low = (a.low & half) * (b.low & half);
    const std::uint64_t cross = (a.low >> 32) * (b.low & half) + (low >> 32);
    const std::uint64_t other_cross = (a.low & half) * (b.low >> 32) + (cross & half);
    const std::uint64_t carried = (a.low >> 32) * (b.low >> 32) + (cross >> 32) + (other_cross >> 32);
    return {carried + a.high * b.low + a.low * b.high, a.low * b.low};
  }
  constexpr void step() noexcept { state_ = add(multiply(state_, multiplier), increment_); }

  /// Swaps number i with a random one at or below it, for i from the last down to `first`.
  template <int Capacity>
  void shuffle_tail(Buffer<int, Capacity>& numbers, Index first) {
    for (Index i = numbers.size() - 1; i >= first; --i) {
      std::swap(numbers[i], numbers[below_or_equal(static_cast<std::uint32_t>(i))]);
    }
  }

  Uint128 state_{0, 0};
  Uint128 increment_{0, 0};
  bool has_spare_half_ = false;
  std::uint32_t spare_half_ = 0;
};

namespace detail {

inline void check_choice(int population, int count) {
  if (count < 0 || count > population) {
    elegans::detail::refuse("numpy: choice: count must be in [0, population = ", population, "], got ", count);
  }
}

/// The SeedSequence of numpy: four 64-bit words that depend on every bit of the seed.
constexpr std::array<std::uint64_t, 4> seed_sequence(std::uint64_t seed) noexcept {
  std::uint32_t constant = 0x43b0d7e5U;
  const auto hash = [&constant](std::uint32_t value, std::uint32_t factor) {
    value ^= constant;
    constant *= factor;
    value *= constant;
    return value ^ (value >> 16);
  };
  const auto mix = [](std::uint32_t x, std::uint32_t y) {
    const std::uint32_t mixed = 0xca01f9ddU * x - 0x4973f715U * y;
    return mixed ^ (mixed >> 16);
  };
  std::array<std::uint32_t, 4> pool{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), 0, 0};
  for (std::uint32_t& word : pool) word = hash(word, 0x931e8875U);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      if (j != i) pool[j] = mix(pool[j], hash(pool[i], 0x931e8875U));
    }
  }
  constant = 0x8b51f9ddU;
  std::array<std::uint64_t, 4> words{};
  for (std::size_t i = 0; i < 8; ++i) {
    words[i / 2] |= std::uint64_t{hash(pool[i % 4], 0x58f38dedU)} << (32 * (i % 2));
  }
  return words;
}

}  // namespace detail

constexpr Generator::Generator(std::uint64_t seed) noexcept {
  const std::array<std::uint64_t, 4> words = detail::seed_sequence(seed);
  increment_ = {words[2] << 1 | words[3] >> 63, words[3] << 1 | 1};
  step();
  state_ = add(state_, {words[0], words[1]});
  step();
}

template <int Capacity>
void RandomState::choice(int population, int count, Buffer<int, Capacity>& chosen) {
  detail::check_choice(population, count);
  chosen.resize(population);
  for (int i = 0; i < population; ++i) chosen[i] = i;
  // mutate: numpy.shuffle
  for (int i = population - 1; i >= 1; --i) {
    std::swap(chosen[i], chosen[below_or_equal(static_cast<std::uint32_t>(i))]);
  }
  chosen.resize(count);
}

template <int Capacity>
void Generator::choice(int population, int count, Buffer<int, Capacity>& chosen) {
  detail::check_choice(population, count);
  if (population > 10000 && count > population / 50) {
    chosen.resize(population);
    for (int i = 0; i < population; ++i) chosen[i] = i;
    shuffle_tail(chosen, (std::max)(population - count, 1));
    std::copy(chosen.data() + (population - count), chosen.data() + population, chosen.data());
    chosen.resize(count);
    return;
  }
  // Floyd's algorithm: each round admits one more number and draws among those admitted. If the drawn number was chosen
  // before, it chooses the newest instead.
  Buffer<unsigned char, Capacity> taken(population);
  chosen.resize(count);
  for (int i = 0; i < count; ++i) {
    // mutate: numpy.floyd.newest
    const int newest = population - count + i;
    const int drawn = static_cast<int>(below_or_equal(static_cast<std::uint32_t>(newest)));
    // mutate: numpy.floyd.choice
    chosen[i] = taken[drawn] ? newest : drawn;
    // mutate: numpy.floyd.taken
    taken[chosen[i]] = 1;
  }
  // mutate: numpy.floyd.order
  shuffle_tail(chosen, 1);
}

}  // namespace elegans::numpy
