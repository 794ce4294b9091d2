// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/buffer.hpp>

#include "support/catch.hpp"

using elegans::Buffer;
using elegans::Dynamic;
using elegans::Index;

TEMPLATE_TEST_CASE("A new buffer is empty, and grows by zeros", "[core][buffer]", (Buffer<int, Dynamic>),
                   (Buffer<int, 8>), (Buffer<double, Dynamic>), (Buffer<double, 8>)) {
  TestType buffer;
  CHECK(buffer.size() == 0);
  CHECK(buffer.begin() == buffer.end());
  buffer.resize(8);
  CHECK(buffer.size() == 8);
  for (const auto& value : buffer) CHECK(value == 0);
}

TEMPLATE_TEST_CASE("A buffer made with a size has that many zeros", "[core][buffer]", (Buffer<float, Dynamic>),
                   (Buffer<float, 5>)) {
  const TestType buffer(3);
  CHECK(buffer.size() == 3);
  CHECK(std::all_of(buffer.begin(), buffer.end(), [](float value) { return value == 0.0f; }));
}

TEMPLATE_TEST_CASE("Resizing keeps what is there; what shrank away comes back as zeros", "[core][buffer]",
                   (Buffer<int, Dynamic>), (Buffer<int, 4>)) {
  TestType buffer(4);
  for (Index i = 0; i < 4; ++i) buffer[i] = static_cast<int>(i) + 1;
  buffer.resize(2);
  buffer.resize(4);
  CHECK(std::vector<int>(buffer.begin(), buffer.end()) == std::vector<int>{1, 2, 0, 0});
}

TEMPLATE_TEST_CASE("A buffer is one contiguous piece of memory, and a value", "[core][buffer]", (Buffer<int, Dynamic>),
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

TEMPLATE_TEST_CASE("Memory on the heap starts on a cache line", "[core][buffer]", char, float, double) {
  for (Index size : {1, 3, 17, 1000}) {
    const Buffer<TestType> buffer(size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
  }
}

TEST_CASE("A fixed buffer lies inside the object, and refuses to outgrow its capacity", "[core][buffer]") {
  Buffer<int, 3> buffer(3);
  const auto* begin = reinterpret_cast<const char*>(&buffer);
  const auto* data = reinterpret_cast<const char*>(buffer.data());
  CHECK(data >= begin);
  CHECK(data + 3 * sizeof(int) <= begin + sizeof(buffer));
  CHECK_THROWS_AS(buffer.resize(4), elegans::InvalidArgument);
  CHECK_THROWS_WITH(buffer.resize(4), "Buffer: size must be at most 3, got 4");
  CHECK(buffer.size() == 3);
}

TEST_CASE("A dynamic buffer allocates only beyond the largest size there ever was", "[core][buffer]") {
  Buffer<double> buffer(100);
  const double* before = buffer.data();
  buffer.resize(10);
  buffer.resize(100);
  CHECK(buffer.data() == before);
}

TEST_CASE("A buffer may have no capacity at all", "[core][buffer]") {
  Buffer<double, 0> buffer;
  buffer.resize(0);
  CHECK(buffer.begin() == buffer.end());
  CHECK_THROWS_AS(buffer.resize(1), elegans::InvalidArgument);
}
