// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Our side of safetensors_test.py. Reads files from standard input, each behind its length in 8 bytes, and prints a
// line of JSON per file: {"error": message}, or {"metadata": {...}, "tensors": {name: [type, shape, bytes in
// hexadecimal]}}.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/io/safetensors.hpp>

namespace {

std::string hexadecimal(const std::byte* bytes, std::size_t size) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = std::to_integer<unsigned>(bytes[i]);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

nlohmann::json read(const std::string& bytes) {
  try {
    const elegans::SafeTensors file(bytes, "file");
    nlohmann::json tensors = nlohmann::json::object();
    for (const elegans::Tensor& tensor : file.tensors()) {
      const std::size_t size = elegans::detail::byte_count(tensor.type, tensor.size());
      tensors[tensor.name] = {elegans::detail::describe(tensor.type).name, tensor.shape,
                              hexadecimal(tensor.bytes, size)};
    }
    return {{"metadata", file.metadata()}, {"tensors", tensors}};
  } catch (const elegans::Error& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

int main() {
  try {
    std::uint64_t size = 0;
    while (std::cin.read(reinterpret_cast<char*>(&size), sizeof size)) {
      std::string bytes(size, '\0');
      if (!std::cin.read(bytes.data(), static_cast<std::streamsize>(size))) return 1;
      // A message may quote bytes that are not UTF-8.
      std::cout << read(bytes).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << "\n";
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
