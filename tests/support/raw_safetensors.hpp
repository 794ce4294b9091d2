// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/io/safetensors.hpp>

namespace support {

/// A tensor that a test can change in any way.
struct RawTensor {
  std::string type;
  std::vector<std::uint64_t> shape;
  std::string bytes;

  template <typename T>
  static RawTensor of(const std::string& type, std::vector<std::uint64_t> shape, const std::vector<T>& values) {
    return {type, std::move(shape),
            std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T))};
  }
  /// Sets value i of a F64 tensor.
  void set(std::size_t i, double value) { std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value); }
};

/// A safetensors file that a test takes apart and puts together again.
struct RawFile {
  std::map<std::string, RawTensor> tensors;
  std::map<std::string, std::string> metadata;

  RawFile() = default;
  /// The tensors whose names begin with `prefix`, without it.
  explicit RawFile(const elegans::SafeTensors& file, const std::string& prefix = {}) : metadata(file.metadata()) {
    for (const elegans::Tensor& tensor : file.tensors()) {
      if (!tensor.name.starts_with(prefix)) continue;
      const auto& type = elegans::detail::describe(tensor.type);
      tensors[tensor.name.substr(prefix.size())] = {
          std::string(type.name), tensor.shape,
          std::string(reinterpret_cast<const char*>(tensor.bytes),
                      elegans::detail::byte_count(tensor.type, tensor.size()))};
    }
  }

  /// The same tensors under other names.
  template <typename Rename>
  [[nodiscard]] RawFile renamed(Rename&& rename) const {
    RawFile result;
    result.metadata = metadata;
    for (const auto& [name, tensor] : tensors) result.tensors[rename(name)] = tensor;
    return result;
  }

  [[nodiscard]] std::string bytes() const {
    nlohmann::json header = nlohmann::json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      const std::size_t begin = data.size();
      data += tensor.bytes;
      header[name] = {{"dtype", tensor.type}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    return with_header(header.dump(), data);
  }

  /// A file with that header, whatever it says.
  static std::string with_header(const std::string& header, const std::string& data = {}) {
    const std::uint64_t size = header.size();
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + header + data;
  }
};

}  // namespace support
