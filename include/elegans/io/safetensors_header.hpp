// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/io/tensor_type.hpp>

namespace elegans {

/// Free text that travels with a file's tensors: key -> value.
using Metadata = std::map<std::string, std::string>;

namespace detail {

/// A name from a file, fit for one line of an error message.
inline std::string printable(std::string_view name) {
  constexpr std::size_t longest = 100;
  std::string text;
  for (const char c : name.substr(0, longest)) {
    const auto code = static_cast<unsigned char>(c);
    text += code < 0x20 || code == 0x7f ? '?' : c;
  }
  return name.size() > longest ? text + "..." : text;
}

/// A tensor as a header declares it.
struct TensorEntry {
  std::string name;
  TensorType type = TensorType::f64;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes, counted from the end of the header
};

/// Reads a header without a document in between: what does not belong where it stands is refused there and then, so
/// that neither depth nor length costs more than the header has bytes. Keys that come twice are refused, too.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<TensorEntry> entries;
  Metadata metadata;
  std::string problem;  ///< why parsing stopped

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a number that is not whole"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      if (entries.back().shape.size() == 64) return stop("more than 64 dimensions");
      entries.back().shape.push_back(value);
      return true;
    }
    if (place_ != Place::offsets) return unexpected("a number");
    if (offsets_ == 2) return stop("more than two data_offsets");
    (offsets_++ == 0 ? entries.back().begin : entries.back().end) = value;
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) return add_metadata(value);
    if (place_ != Place::type) return unexpected("text");
    const TensorTypeName* const type = find_tensor_type(value);
    if (!type) {
      return stop(
          concatenate("type must be F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL, got ", printable(value)));
    }
    entries.back().type = type->type;
    place_ = Place::tensor;
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) return go(Place::top);
    if (place_ == Place::tensor_value) return go(Place::tensor);
    if (place_ == Place::metadata_value) return go(Place::metadata);
    return unexpected("an object");
  }
  bool key(string_t& key) override {
    if (place_ == Place::top) return start_entry(key);
    if (place_ == Place::metadata) {
      key_ = key;
      if (metadata.contains(key)) return stop(concatenate("the key '", printable(key), "' twice"));
      return true;
    }
    unsigned field = 0;
    if (key == "dtype") place_ = Place::type, field = 1;
    if (key == "shape") place_ = Place::shape_value, field = 2;
    if (key == "data_offsets") place_ = Place::offsets_value, field = 4;
    if (field == 0) return stop(concatenate("the unknown key '", printable(key), "'"));
    if (fields_ & field) return stop(concatenate("the key '", printable(key), "' twice"));
    fields_ |= field;
    return true;
  }
  bool end_object() override {
    if (place_ == Place::tensor && (fields_ != 7 || offsets_ != 2)) {
      return stop("dtype, shape and two data_offsets are needed");
    }
    return go(place_ == Place::top ? Place::start : Place::top);
  }
  bool start_array(std::size_t) override {
    if (place_ == Place::shape_value) return go(Place::shape);
    if (place_ == Place::offsets_value) return go(Place::offsets);
    return unexpected("an array");
  }
  bool end_array() override { return go(Place::tensor); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    // What comes before it are the parser's own names and numbers.
    const std::string_view text = error.what();
    const std::size_t start = text.find("syntax error");
    problem = concatenate("the header is no JSON: at byte ", position, ", ",
                          printable(start == std::string_view::npos ? text : text.substr(start)));
    return false;
  }

 private:
  enum class Place {
    start,
    top,
    tensor_value,
    tensor,
    type,
    shape_value,
    shape,
    offsets_value,
    offsets,
    metadata_value,
    metadata
  };

  bool go(Place place) {
    place_ = place;
    return true;
  }
  bool start_entry(const std::string& name) {
    fields_ = 0;
    offsets_ = 0;
    if (name == "__metadata__") {
      if (has_metadata_) return stop("__metadata__ twice");
      has_metadata_ = true;
      return go(Place::metadata_value);
    }
    entries.push_back({name, {}, {}, 0, 0});
    return go(Place::tensor_value);
  }
  bool add_metadata(const std::string& value) {
    metadata.emplace(key_, value);
    return true;
  }
  bool unexpected(const char* what) { return stop(std::string(what) + " where none belongs"); }
  bool stop(const std::string& what) {
    const bool in_metadata = place_ == Place::metadata || place_ == Place::metadata_value;
    const bool in_tensor = !in_metadata && place_ != Place::start && place_ != Place::top;
    problem = in_metadata ? "__metadata__: " : in_tensor ? printable(entries.back().name) + ": " : "the header: ";
    problem += what;
    return false;
  }

  Place place_ = Place::start;
  std::string key_;
  unsigned fields_ = 0;   // of a tensor, seen so far: dtype 1, shape 2, data_offsets 4
  unsigned offsets_ = 0;  // of a tensor, seen so far
  bool has_metadata_ = false;
};

/// Number of values, or the largest number there is if it does not fit.
inline std::uint64_t value_count(const std::vector<std::uint64_t>& shape) noexcept {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / 8;
    if (size != 0 && count > most / size) return std::numeric_limits<std::uint64_t>::max();
    count *= size;
  }
  return count;
}

/// "(3, 4)"
inline std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text.append(i ? ", " : "").append(std::to_string(shape[i]));
  return text + ")";
}

/// What is wrong with where the tensors say they lie: they must fill `size` bytes without a gap and without an overlap.
/// Empty if nothing is. Sorts them by place.
inline std::string check_places(std::vector<TensorEntry>& entries, std::uint64_t size) {
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].name == entries[i - 1].name) return printable(entries[i].name) + ": the name comes twice";
  }
  std::stable_sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t at = 0;
  for (const TensorEntry& entry : entries) {
    const auto says = [&](const auto&... parts) { return concatenate(printable(entry.name), ": ", parts...); };
    const std::uint64_t count = value_count(entry.shape);
    if (count == std::numeric_limits<std::uint64_t>::max()) {
      return says("the shape ", shape_text(entry.shape), " has more values than can be counted");
    }
    if (entry.begin > entry.end || entry.end > size) {
      return says("data_offsets must be within the file's ", size, " bytes of data, got [", entry.begin, ", ",
                  entry.end, "]");
    }
    if (entry.end - entry.begin != count * describe(entry.type).size) {
      return says("the shape ", shape_text(entry.shape), " of ", describe(entry.type).name, " needs ",
                  count * describe(entry.type).size, " bytes, got data_offsets [", entry.begin, ", ", entry.end, "]");
    }
    if (entry.begin != at) {
      return says(entry.begin < at ? "overlaps another tensor" : "leaves a gap before it", ": begins at byte ",
                  entry.begin, " of the data, not ", at);
    }
    at = entry.end;
  }
  if (at != size) return concatenate("the tensors end at byte ", at, " of ", size, " bytes of data");
  return {};
}

}  // namespace detail
}  // namespace elegans
