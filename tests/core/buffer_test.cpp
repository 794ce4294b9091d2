// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/buffer.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Buffer;
using elegans::Dynamic;
using elegans::Index;
using support::refusal_of;

TEMPLATE_TEST_CASE("A new buffer is empty, and resize fills it with zeros", "[core][buffer]", (Buffer<int, Dynamic>),
                   (Buffer<int, 8>), (Buffer<double, Dynamic>), (Buffer<double, 8>)) {
  TestType buffer;
  CHECK(buffer.size() == 0);
  CHECK(buffer.begin() == buffer.end());
  buffer.resize(8);
  CHECK(buffer.size() == 8);
  for (const auto& value : buffer) CHECK(value == 0);
}

TEMPLATE_TEST_CASE("A buffer that is made with a size has that many zeros", "[core][buffer]", (Buffer<float, Dynamic>),
                   (Buffer<float, 5>)) {
  const TestType buffer(3);
  CHECK(buffer.size() == 3);
  CHECK(std::all_of(buffer.begin(), buffer.end(), [](float value) { return value == 0.0f; }));
}

TEMPLATE_TEST_CASE("A buffer that grows again has zeros where it had shrunk", "[core][buffer]", (Buffer<int, Dynamic>),
                   (Buffer<int, 4>)) {
  TestType buffer(4);
  for (Index i = 0; i < 4; ++i) buffer[i] = static_cast<int>(i) + 1;
  buffer.resize(2);
  buffer.resize(4);
  CHECK(std::vector<int>(buffer.begin(), buffer.end()) == std::vector<int>{1, 2, 0, 0});
}

TEMPLATE_TEST_CASE("A buffer is contiguous, and its copy is independent", "[core][buffer]", (Buffer<int, Dynamic>),
                   (Buffer<int, 4>)) {
  TestType buffer(3);
  buffer[0] = 7;
  buffer[2] = 9;
  CHECK(&buffer[0] == buffer.data());
  CHECK(&buffer[2] == buffer.data() + 2);
  CHECK(buffer.end() - buffer.begin() == 3);

  TestType copy = buffer;
  copy[0] = 1;
  CHECK(buffer[0] == 7);
  CHECK(copy[2] == 9);

  const TestType moved = std::move(copy);
  CHECK(moved.size() == 3);
  CHECK(moved[0] == 1);
}

TEMPLATE_TEST_CASE("A buffer on the heap starts on a cache line", "[core][buffer]", char, float, double) {
  for (Index size : {1, 3, 17, 1000}) {
    const Buffer<TestType> buffer(size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
  }
}

TEST_CASE("A fixed buffer lies inside the object, and refuses sizes that do not fit", "[core][buffer]") {
  Buffer<int, 3> buffer(3);
  const auto* begin = reinterpret_cast<const char*>(&buffer);
  const auto* data = reinterpret_cast<const char*>(buffer.data());
  CHECK(data >= begin);
  CHECK(data + 3 * sizeof(int) <= begin + sizeof(buffer));
  CHECK(refusal_of([&] { buffer.resize(4); }) == "Buffer: size must be in [0, 3], got 4");
  CHECK(refusal_of([&] { buffer.resize(-1); }) == "Buffer: size must be in [0, 3], got -1");
  CHECK(buffer.size() == 3);
}

TEST_CASE("A dynamic buffer allocates only beyond the largest size there ever was", "[core][buffer]") {
  Buffer<double> buffer(100);
  const double* before = buffer.data();
  buffer.resize(10);
  buffer.resize(100);
  CHECK(buffer.data() == before);
}

TEST_CASE("A buffer of capacity 0 holds nothing", "[core][buffer]") {
  Buffer<double, 0> buffer;
  buffer.resize(0);
  CHECK(buffer.begin() == buffer.end());
  CHECK_THROWS_AS(buffer.resize(1), elegans::InvalidArgument);
}

TEST_CASE("A dynamic buffer refuses a size that is negative or beyond the address space, and keeps its values",
          "[core][buffer]") {
  Buffer<double> buffer(2);
  buffer[1] = 5;
  const std::string most = std::to_string((std::numeric_limits<std::ptrdiff_t>::max)() / sizeof(double));
  CHECK(refusal_of([&] { buffer.resize(-1); }) == "Buffer: size must be in [0, " + most + "], got -1");
  CHECK(refusal_of([] { Buffer<double> none(-7); }) == "Buffer: size must be in [0, " + most + "], got -7");
  constexpr Index huge = (std::numeric_limits<Index>::max)();
  if (sizeof(Index) == sizeof(std::ptrdiff_t)) {
    CHECK(refusal_of([&] { buffer.resize(huge); }) ==
          "Buffer: size must be in [0, " + most + "], got " + std::to_string(huge));
  }
  CHECK(buffer.size() == 2);
  CHECK(buffer[1] == 5);
}

TEST_CASE("A dynamic buffer that was moved from is empty, and can be used again", "[core][buffer]") {
  Buffer<int> buffer(3);
  buffer[2] = 9;
  Buffer<int> other = std::move(buffer);
  CHECK(buffer.size() == 0);
  buffer.resize(2);
  CHECK(buffer[1] == 0);
  buffer = std::move(other);
  CHECK(other.size() == 0);
  REQUIRE(buffer.size() == 3);
  CHECK(buffer[2] == 9);
}

TEMPLATE_TEST_CASE("A buffer that is moved to itself keeps its values", "[core][buffer]", (Buffer<int, Dynamic>),
                   (Buffer<int, 4>)) {
  TestType buffer(3);
  buffer[2] = 9;
  TestType& itself = buffer;
  buffer = std::move(itself);
  REQUIRE(buffer.size() == 3);
  CHECK(buffer[2] == 9);
}

TEST_CASE("A fixed buffer that was moved from keeps its values", "[core][buffer]") {
  Buffer<std::string, 2> buffer(1);
  buffer[0] = "a text that is too long for the string object itself";
  const Buffer<std::string, 2> other = std::move(buffer);
  CHECK(buffer.size() == 1);
  CHECK(buffer[0] == other[0]);
  static_assert(std::is_trivially_copyable_v<Buffer<float, 2>>);
}

namespace {

template <typename B>
concept GivesPointers = requires(B&& buffer) { std::forward<B>(buffer).data(); } || requires(B&& buffer) {
  std::forward<B>(buffer)[0];
} || requires(B&& buffer) { std::forward<B>(buffer).begin(); };

}  // namespace

TEST_CASE("A temporary buffer gives no pointer into itself", "[core][buffer]") {
  static_assert(GivesPointers<Buffer<int>&> && GivesPointers<const Buffer<int, 3>&>);
  static_assert(!GivesPointers<Buffer<int>> && !GivesPointers<const Buffer<int>>);
  static_assert(!GivesPointers<Buffer<int, 3>> && !GivesPointers<const Buffer<int, 3>>);
}
