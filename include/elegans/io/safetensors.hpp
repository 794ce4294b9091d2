// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/safetensors_header.hpp>
#include <elegans/io/tensor_type.hpp>
#include <elegans/system/file.hpp>

namespace elegans {

/// One tensor of a safetensors file. Its bytes are those of its `SafeTensors`, and live as long.
struct Tensor {
  std::string name;
  TensorType type = TensorType::f64;
  std::vector<std::uint64_t> shape;  ///< row-major, as in Python
  const std::byte* bytes = nullptr;  ///< need not be aligned

  /// Number of values.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t count = 1;
    for (const std::uint64_t extent : shape) count *= static_cast<std::size_t>(extent);
    return count;
  }
};

/// A safetensors file in memory, checked: 8 bytes with the length of a header, the header in JSON, the values.
///
///     const elegans::SafeTensors file("model.safetensors");
///     for (const elegans::Tensor& tensor : file.tensors()) std::cout << tensor.name << "\n";
///     Eigen::ArrayXXd w = file.matrix<double>("rnn_cell.w");
///
/// Reads all values at once, into memory of its own. Believes nothing: if the file is cut off, or if its header does
/// not fit the bytes behind it, that is an error before it allocates anything of that size. Takes the same files as the
/// Python package `safetensors`. The format: https://github.com/huggingface/safetensors.
class SafeTensors {
 public:
  /// Reads a file.
  /// \throws RuntimeError if the file cannot be read; InvalidArgument if it is not a safetensors file. Both say why,
  ///         and of which file and tensor
  explicit SafeTensors(const std::filesystem::path& file_path);

  /// The same from bytes in memory, which are copied. \param name  stands for the path in messages
  SafeTensors(std::string_view bytes, std::string name);

  /// The file's name, for messages.
  [[nodiscard]] const std::string& name() const& noexcept { return name_; }
  [[nodiscard]] std::string name() const&& { return name(); }
  /// All tensors, in the order in which they lie in the file.
  [[nodiscard]] const std::vector<Tensor>& tensors() const& noexcept { return tensors_; }
  void tensors() const&& = delete;  // a tensor's bytes are the file's
  [[nodiscard]] const Metadata& metadata() const& noexcept { return metadata_; }
  [[nodiscard]] Metadata metadata() const&& { return metadata(); }

  /// The tensor of a name; null if there is none.
  [[nodiscard]] const Tensor* find(std::string_view name) const& noexcept {
    const auto found =
        std::lower_bound(by_name_.begin(), by_name_.end(), name,
                         [&](std::size_t i, std::string_view wanted) { return tensors_[i].name < wanted; });
    return found != by_name_.end() && tensors_[*found].name == name ? &tensors_[*found] : nullptr;
  }
  /// The tensor of a name. \throws InvalidArgument if there is none
  [[nodiscard]] const Tensor& at(std::string_view name) const& {
    const Tensor* const tensor = find(name);
    if (!tensor) refuse("there is no tensor '", detail::printable(name), "'");
    return *tensor;
  }
  void find(std::string_view name) const&& = delete;
  void at(std::string_view name) const&& = delete;

  /// The values of a tensor of at most two dimensions, (rows, columns); a vector is a column.
  /// \throws InvalidArgument if there is no such tensor, if it has more dimensions, if a value is not finite, or if
  ///         elegans cannot read values of its type
  template <typename Scalar>
  [[nodiscard]] Eigen::Array<Scalar, Dynamic, Dynamic> matrix(std::string_view name) const {
    const Tensor& tensor = at(name);
    if (tensor.shape.size() > 2) {
      refuse(detail::printable(name), ": must have at most two dimensions, got ", detail::shape_text(tensor.shape));
    }
    const auto extent = [&](std::size_t i) {
      return tensor.shape.size() > i ? static_cast<Index>(tensor.shape[i]) : 1;
    };
    Eigen::Array<Scalar, Dynamic, Dynamic> values(extent(0), extent(1));
    copy(tensor, values.rows(), values.cols(), values.data());
    return values;
  }

  /// Copies a tensor of rows * columns values, row by row in the file, into column-major storage.
  /// \throws InvalidArgument if the tensor has another number of values, if a value is not finite or too large for a
  ///         float, or if elegans cannot read values of its type
  template <typename Scalar>
  void copy(const Tensor& tensor, Index rows, Index columns, Scalar* values) const;

  /// Throws InvalidArgument with the file's name in front.
  template <typename... Parts>
  ELEGANS_COLD [[noreturn]] void refuse(const Parts&... parts) const {
    detail::refuse(name_, ": ", parts...);
  }

 private:
  /// Reads a header in JSON, behind which the file has `size` bytes of data.
  void parse(std::string_view header, std::uint64_t size);
  /// The size of the data behind the header. \throws InvalidArgument if the file is too short for the header
  [[nodiscard]] std::size_t data_size(std::uint64_t file_size, const unsigned char (&prefix)[8],
                                      std::size_t& header_size) const;
  /// Gives each tensor its bytes.
  void assign_bytes(const std::byte* data) {
    for (Tensor& tensor : tensors_) {
      tensor.bytes = data;
      data += detail::byte_count(tensor.type, tensor.size());
    }
  }

  std::string name_;
  std::vector<Tensor> tensors_;
  std::vector<std::size_t> by_name_;  // indices of the tensors, sorted by name
  Metadata metadata_;
  std::unique_ptr<std::byte[]> data_;
};

// mutate all: safetensors.read
inline std::size_t SafeTensors::data_size(std::uint64_t file_size, const unsigned char (&prefix)[8],
                                          std::size_t& header_size) const {
  std::uint64_t size = 0;
  for (int i = 7; i >= 0; --i) size = size << 8 | prefix[i];
  // The format's own reader has the same limit.
  constexpr std::uint64_t longest = 100'000'000;
  if (size > file_size - 8 || size > longest) {
    refuse("no safetensors file: the header is said to have ", size, " bytes, the file has ", file_size);
  }
  constexpr std::uint64_t most = (std::numeric_limits<std::ptrdiff_t>::max)();
  if (file_size > most) refuse("the file has ", file_size, " bytes, more than memory can hold");
  header_size = static_cast<std::size_t>(size);
  return static_cast<std::size_t>(file_size) - 8 - header_size;
}

inline void SafeTensors::parse(std::string_view header, std::uint64_t size) {
  detail::HeaderReader reader;
  detail::parse_header(header, reader);
  if (!reader.problem.empty()) refuse(reader.problem);
  const std::string problem = detail::check_offsets(reader.entries, size);
  if (!problem.empty()) refuse(problem);
  metadata_ = std::move(reader.metadata);
  tensors_.reserve(reader.entries.size());
  by_name_.reserve(reader.entries.size());
  for (detail::TensorEntry& entry : reader.entries) {
    by_name_.push_back(tensors_.size());
    tensors_.push_back({std::move(entry.name), entry.type, std::move(entry.shape), nullptr});
  }
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::size_t a, std::size_t b) { return tensors_[a].name < tensors_[b].name; });
}

inline SafeTensors::SafeTensors(std::string_view bytes, std::string name) : name_(std::move(name)) {
  unsigned char prefix[8];
  if (bytes.size() < 8) refuse("no safetensors file: it has ", bytes.size(), " bytes, and a header needs 8");
  std::memcpy(prefix, bytes.data(), 8);
  std::size_t header_size = 0;
  const std::size_t size = data_size(bytes.size(), prefix, header_size);
  parse(bytes.substr(8, header_size), size);
  data_ = std::make_unique_for_overwrite<std::byte[]>(size);
  std::memcpy(data_.get(), bytes.data() + 8 + header_size, size);
  assign_bytes(data_.get());
}

inline SafeTensors::SafeTensors(const std::filesystem::path& file_path) : name_(file_path.string()) {
  const auto fail_for = [&](int reason) { detail::fail("cannot read ", name_, ": ", detail::system_reason(reason)); };
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(file_path, failure);
  if (std::filesystem::is_directory(status)) fail_for(EISDIR);
  // To open a pipe would mean to wait for another program.
  if (std::filesystem::is_other(status)) detail::fail("cannot read ", name_, ": it is not a regular file");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(file_path.string().c_str(), "rb"),
                                                             &std::fclose);
  if (!file) fail_for(errno);
  const std::uint64_t file_size = std::filesystem::file_size(file_path, failure);
  if (failure) fail_for(failure.value());
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  const auto read = [&](void* to, std::size_t size) {
    errno = 0;
    if (size > 0 && std::fread(to, 1, size, file.get()) != size) {
      if (errno != 0) fail_for(errno);
      detail::fail("cannot read ", name_, ": it became shorter while it was read");
    }
  };
  if (file_size < 8) refuse("no safetensors file: it has ", file_size, " bytes, and a header needs 8");
  unsigned char prefix[8];
  read(prefix, 8);
  std::size_t header_size = 0;
  const std::size_t size = data_size(file_size, prefix, header_size);
  {
    // Do not read a large header before its first byte fits.
    std::string header(1, '\0');
    if (header_size > 0) read(header.data(), 1);
    if (std::string_view("{ \t\r\n").find(header[0]) == std::string_view::npos) {
      refuse("no safetensors file: the header does not begin with '{'");
    }
    header.resize(header_size);
    read(header.data() + 1, header_size - 1);
    parse(header, size);
  }
  data_ = std::make_unique_for_overwrite<std::byte[]>(size);
  read(data_.get(), size);
  assign_bytes(data_.get());
}

template <typename Scalar>
void SafeTensors::copy(const Tensor& tensor, Index rows, Index columns, Scalar* values) const {
  if (rows < 0 || columns < 0 ||
      detail::value_count(tensor.shape) != static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns)) {
    refuse(detail::printable(tensor.name), ": (", rows, ", ", columns, ") values are to be copied, the shape is ",
           detail::shape_text(tensor.shape));
  }
  // Copy in tiles, so that neither side walks through memory in large strides.
  constexpr Index tile = 16;
  const bool is_read = detail::with_values(tensor.type, tensor.bytes, [&](auto&& value_of) {
    for (Index first_row = 0; first_row < rows; first_row += tile) {
      for (Index first_column = 0; first_column < columns; first_column += tile) {
        for (Index c = first_column; c < (std::min)(first_column + tile, columns); ++c) {
          for (Index r = first_row; r < (std::min)(first_row + tile, rows); ++r) {
            values[r + rows * c] = static_cast<Scalar>(value_of(static_cast<std::size_t>(r * columns + c)));
          }
        }
      }
    }
  });
  if (!is_read) {
    refuse(detail::printable(tensor.name), ": values of type ", detail::describe(tensor.type).name, " cannot be read");
  }
  if (detail::all_finite(values, rows * columns)) return;
  for (Index i = 0; i < rows * columns; ++i) {
    const Scalar value = values[i % columns * rows + i / columns];
    if (!detail::is_finite(value)) {
      refuse(detail::printable(tensor.name), ": value ", i, " (counted row by row) must be finite",
             sizeof(Scalar) == 4 ? " and within float's range" : "", ", got ", value);
    }
  }
}

}  // namespace elegans
