// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/safetensors_header.hpp>
#include <elegans/io/tensor_type.hpp>
#include <elegans/system/file.hpp>

namespace elegans {

// mutate all: safetensors.write
/// Collects tensors by name, and writes them as a safetensors file: F64 from double, F32 from float.
///
///     elegans::SafeTensorsWriter file;
///     file.add("weights", weights);
///     file.write("weights.safetensors");
class SafeTensorsWriter {
 public:
  /// Free text for the file, key -> value.
  Metadata metadata;

  /// Adds a copy of a matrix.
  ///
  /// \param values  (rows, columns), written row by row
  /// \throws InvalidArgument if there is already a tensor of that name
  template <typename Derived>
  void add(const std::string& name, const Eigen::DenseBase<Derived>& values) {
    using Scalar = typename Derived::Scalar;
    const Index columns = values.cols();
    const auto evaluated = values.derived().eval();
    std::vector<Scalar> copy;
    copy.reserve(static_cast<std::size_t>(values.size()));
    for (Index row = 0; row < values.rows(); ++row) {
      for (Index column = 0; column < columns; ++column) copy.push_back(evaluated.coeff(row, column));
    }
    add<Scalar>(name, {static_cast<std::uint64_t>(values.rows()), static_cast<std::uint64_t>(columns)},
                [copy = std::move(copy), columns](Index row, Index column) {
                  return copy[static_cast<std::size_t>(row * columns + column)];
                });
  }

  /// Adds a tensor of any rank without a copy: `write` asks for its values.
  ///
  /// \param value_of  (row, column) -> value, of a matrix that has the last extent of the shape as columns. It must
  /// work
  ///                  until the writer is gone
  /// \throws InvalidArgument if there is already a tensor of that name
  template <typename Scalar>
  void add(const std::string& name, std::vector<std::uint64_t> shape, std::function<Scalar(Index, Index)> value_of) {
    static_assert(std::is_same_v<Scalar, double> || std::is_same_v<Scalar, float>,
                  "elegans::SafeTensorsWriter: values must be float or double");
    if (!names_.insert(name).second) {
      detail::refuse("SafeTensorsWriter: there is already a tensor '", detail::printable(name), "'");
    }
    const Index columns = shape.empty() ? 1 : static_cast<Index>(shape.back());
    const Index rows = columns == 0 ? 0 : static_cast<Index>(detail::value_count(shape)) / columns;
    items_.push_back({name, std::is_same_v<Scalar, double> ? TensorType::f64 : TensorType::f32, std::move(shape),
                      [rows, columns, value_of = std::move(value_of)](const Write& write) {
                        constexpr std::size_t capacity = 2048;
                        Scalar buffer[capacity];
                        std::size_t count = 0;
                        for (Index row = 0; row < rows; ++row) {
                          for (Index column = 0; column < columns; ++column) {
                            buffer[count++] = value_of(row, column);
                            if (count < capacity) continue;
                            write(buffer, sizeof buffer);
                            count = 0;
                          }
                        }
                        write(buffer, count * sizeof(Scalar));
                      }});
  }

  /// Writes the file whole or not at all. \throws RuntimeError as `write_file`; InvalidArgument if a name or the
  /// metadata is not UTF-8
  void write(const std::filesystem::path& path) const {
    const std::string header = make_header();
    write_file_in_pieces(path, [&](const auto& write) {
      unsigned char prefix[8];
      for (int i = 0; i < 8; ++i) prefix[i] = static_cast<unsigned char>(std::uint64_t{header.size()} >> (8 * i));
      write(prefix, sizeof prefix);
      write(header.data(), header.size());
      for (const Item* const item : in_order()) item->values(write);
    });
  }

 private:
  using Write = std::function<void(const void*, std::size_t)>;
  struct Item {
    std::string name;
    TensorType type{};
    std::vector<std::uint64_t> shape;
    std::function<void(const Write&)> values;
  };

  /// The items in the order of the file: doubles before floats, so that each value begins on a multiple of its size.
  [[nodiscard]] std::vector<const Item*> in_order() const {
    std::vector<const Item*> order;
    for (const Item& item : items_) order.push_back(&item);
    std::stable_sort(order.begin(), order.end(), [](const Item* a, const Item* b) {
      return detail::describe(a->type).bits > detail::describe(b->type).bits;
    });
    return order;
  }

  /// The destructor of a JSON array or object allocates, so only texts are JSON values here: memory may run out.
  [[nodiscard]] std::string make_header() const {
    std::string text = "{";
    const auto add = [&](const std::string& name) -> std::string& {
      return text.append(text.ends_with('{') ? "" : ",").append(nlohmann::json(name).dump()).append(":");
    };
    try {
      if (!metadata.empty()) {
        add("__metadata__") += '{';
        for (const auto& [key, value] : metadata) add(key) += nlohmann::json(value).dump();
        text += '}';
      }
      std::uint64_t begin = 0;
      for (const Item* const item : in_order()) {
        const std::uint64_t end = begin + detail::byte_count(item->type, detail::value_count(item->shape));
        add(item->name).append("{\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end));
        text.append(R"(],"dtype":")").append(detail::describe(item->type).name).append(R"(","shape":[)");
        for (std::size_t i = 0; i < item->shape.size(); ++i) {
          text.append(i == 0 ? "" : ",").append(std::to_string(item->shape[i]));
        }
        text += "]}";
        begin = end;
      }
    } catch (const nlohmann::json::exception&) {
      detail::refuse("SafeTensorsWriter: names and metadata must be UTF-8");
    }
    text += '}';
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
  }

  std::vector<Item> items_;
  std::set<std::string> names_;
};

}  // namespace elegans
