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
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/io/tensor_type.hpp>

namespace elegans {

/// Free text that travels with the tensors of a file: key -> value.
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
  std::uint64_t begin = 0, end = 0;  ///< the first byte and the one behind the last, counted from the end of the header
};

// mutate all: safetensors.header
/// Collects the tensors of a header while a parser reads it, without a document in memory. The first value that is out
/// of place ends the parsing.
///
/// Takes and refuses the same headers as the Python package `safetensors`. Of two tensors with one name, the last one
/// counts, and so it is with the keys of the metadata. `__metadata__` may be null. A tensor may have keys that the
/// format does not know, but none of the three that it knows twice.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<TensorEntry> entries;
  Metadata metadata;
  std::string problem;  ///< why the parsing ended early

  bool null() override {
    if (is_skipped()) return true;
    if (state_ == State::metadata_value) return go(State::top);
    return refuse_value("null");
  }
  bool boolean(bool) override { return is_skipped() || refuse_value("a boolean"); }
  bool number_integer(number_integer_t) override { return is_skipped() || refuse_value("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return is_skipped() || refuse_value("a number that is not whole");
  }
  bool binary(binary_t&) override { return refuse_value("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (is_skipped()) return true;
    if (state_ == State::shape) {
      entry_.shape.push_back(value);
      return true;
    }
    if (state_ != State::offsets) return refuse_value("a number");
    if (offsets_ == 2) return stop("more than two data_offsets");
    (offsets_++ == 0 ? entry_.begin : entry_.end) = value;
    return true;
  }

  bool string(string_t& value) override {
    if (is_skipped()) return true;
    if (state_ == State::metadata) {
      metadata.insert_or_assign(key_, value);
      return true;
    }
    if (state_ != State::type) return refuse_value("text");
    const TensorTypeName* const type = find_tensor_type(value);
    if (!type) {
      std::string names;
      for (const TensorTypeName& entry : tensor_types) names.append(names.empty() ? "" : ", ").append(entry.name);
      return stop(concatenate("type must be one of ", names, ", got ", printable(value)));
    }
    entry_.type = type->type;
    return go(State::tensor);
  }

  bool start_object(std::size_t) override {
    if (is_skipped()) return enter_skipped();
    if (state_ == State::start) return go(State::top);
    if (state_ == State::tensor_value) return go(State::tensor);
    if (state_ == State::metadata_value) return go(State::metadata);
    return refuse_value("an object");
  }
  bool key(string_t& key) override {
    if (skipped_depth_ > 0) return true;
    if (state_ == State::top) return start_entry(key);
    if (state_ == State::metadata) {
      key_ = key;
      return true;
    }
    state_ = State::skipped_value;
    unsigned field = 0;
    if (key == "dtype") state_ = State::type, field = 1;
    if (key == "shape") state_ = State::shape_value, field = 2;
    if (key == "data_offsets") state_ = State::offsets_value, field = 4;
    if (fields_ & field) return stop(concatenate("the key '", printable(key), "' twice"));
    fields_ |= field;
    return true;
  }
  bool end_object() override {
    if (skipped_depth_ > 0) return leave_skipped();
    if (state_ == State::tensor) {
      if (fields_ != 7 || offsets_ != 2) return stop("dtype, shape and two data_offsets are needed");
      // Of two tensors with one name, the last one counts.
      const auto [place, is_new] = index_of_.emplace(entry_.name, entries.size());
      if (is_new) {
        entries.push_back(std::move(entry_));
      } else {
        entries[place->second] = std::move(entry_);
      }
    }
    return go(state_ == State::top ? State::start : State::top);
  }
  bool start_array(std::size_t) override {
    if (is_skipped()) return enter_skipped();
    if (state_ == State::shape_value) return go(State::shape);
    if (state_ == State::offsets_value) return go(State::offsets);
    return refuse_value("an array");
  }
  bool end_array() override { return skipped_depth_ > 0 ? leave_skipped() : go(State::tensor); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    // The parser's own names and numbers stand before these words.
    const std::string_view text = error.what();
    const std::size_t start = text.find("syntax error");
    problem = concatenate("the header is no JSON: at byte ", position, ", ",
                          printable(start == std::string_view::npos ? text : text.substr(start)));
    return false;
  }

 private:
  /// What the parser reads next, or is in the middle of.
  enum class State {
    start,
    top,
    tensor_value,
    tensor,
    type,
    shape_value,
    shape,
    offsets_value,
    offsets,
    skipped_value,
    metadata_value,
    metadata
  };

  bool go(State state) {
    state_ = state;
    return true;
  }
  bool start_entry(const std::string& name) {
    fields_ = 0;
    offsets_ = 0;
    if (name == "__metadata__") {
      if (has_metadata_) return stop("__metadata__ twice");
      has_metadata_ = true;
      return go(State::metadata_value);
    }
    entry_ = {name, {}, {}, 0, 0};
    return go(State::tensor_value);
  }

  /// True for a value that belongs to a key which the format does not know. Such a value alone ends the skipping.
  bool is_skipped() {
    if (skipped_depth_ > 0) return true;
    if (state_ != State::skipped_value) return false;
    state_ = State::tensor;
    return true;
  }
  /// The format's own reader takes 127 levels of which the header and the tensor are two.
  bool enter_skipped() { return ++skipped_depth_ <= 125 || stop("values that are nested too deeply"); }
  bool leave_skipped() {
    --skipped_depth_;
    return true;
  }

  bool refuse_value(const char* what) { return stop(std::string(what) + " where none belongs"); }
  bool stop(const std::string& what) {
    const bool in_metadata = state_ == State::metadata || state_ == State::metadata_value;
    const bool in_tensor = !in_metadata && state_ != State::start && state_ != State::top;
    problem = in_metadata ? "__metadata__: " : in_tensor ? printable(entry_.name) + ": " : "the header: ";
    problem += what;
    return false;
  }

  State state_ = State::start;
  TensorEntry entry_;                                      // the tensor that is being read
  std::unordered_map<std::string, std::size_t> index_of_;  // into entries, by name
  std::string key_;                                        // of the metadata
  unsigned fields_ = 0;                                    // of the tensor: dtype 1, shape 2, data_offsets 4
  unsigned offsets_ = 0;                                   // of the tensor
  unsigned skipped_depth_ = 0;
  bool has_metadata_ = false;
};

/// Number of values, or the largest number there is if it does not fit.
inline std::uint64_t value_count(const std::vector<std::uint64_t>& shape) noexcept {
  constexpr std::uint64_t most = (std::numeric_limits<std::uint64_t>::max)();
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) {
    if (size != 0 && count > most / size) return most;
    count *= size;
  }
  return count;
}

/// Number of bytes of so many values, or the largest number there is if it does not fit or if the last byte is not
/// full.
inline std::uint64_t byte_count(TensorType type, std::uint64_t values) noexcept {
  constexpr std::uint64_t most = (std::numeric_limits<std::uint64_t>::max)();
  const std::uint64_t bits = describe(type).bits;
  if (values > most / bits || values * bits % 8 != 0) return most;
  return values * bits / 8;
}

/// "(3, 4)"
inline std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text.append(i ? ", " : "").append(std::to_string(shape[i]));
  return text + ")";
}

/// Checks the offsets of all tensors: together, the tensors must fill `size` bytes without a gap or an overlap. Sorts
/// the tensors by offset.
/// \return the problem, or an empty string
inline std::string check_offsets(std::vector<TensorEntry>& entries, std::uint64_t size) {
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end != b.end ? a.end < b.end : a.name < b.name;
  });
  std::uint64_t next = 0;
  for (const TensorEntry& entry : entries) {
    const auto says = [&](const auto&... parts) { return concatenate(printable(entry.name), ": ", parts...); };
    const std::uint64_t bytes = byte_count(entry.type, value_count(entry.shape));
    if (value_count(entry.shape) == (std::numeric_limits<std::uint64_t>::max)()) {
      return says("the shape ", shape_text(entry.shape), " has more values than can be counted");
    }
    if (bytes == (std::numeric_limits<std::uint64_t>::max)()) {
      return says("the shape ", shape_text(entry.shape), " of ", describe(entry.type).name,
                  " does not need a whole number of bytes that can be counted");
    }
    if (entry.begin > entry.end || entry.end > size) {
      return says("data_offsets must be within the file's ", size, " bytes of data, got [", entry.begin, ", ",
                  entry.end, "]");
    }
    if (entry.end - entry.begin != bytes) {
      return says("the shape ", shape_text(entry.shape), " of ", describe(entry.type).name, " needs ", bytes,
                  " bytes, got data_offsets [", entry.begin, ", ", entry.end, "]");
    }
    if (entry.begin != next) {
      return says(entry.begin < next ? "overlaps another tensor" : "leaves a gap before it", ": begins at byte ",
                  entry.begin, " of the data, not ", next);
    }
    next = entry.end;
  }
  if (next != size) return concatenate("the tensors end at byte ", next, " of ", size, " bytes of data");
  return {};
}

/// Parses a header in JSON into a reader.
inline void parse_header(std::string_view header, HeaderReader& reader) {
  // The parser takes a NUL for the end of the text, and skips a byte order mark. Neither is JSON.
  if (const std::size_t nul = header.find('\0'); nul != std::string_view::npos) {
    reader.problem = concatenate("the header is no JSON: a NUL at byte ", nul + 1);
  } else if (header.starts_with('\xef')) {
    reader.problem = "the header is no JSON: it begins with a byte order mark";
  } else if (!nlohmann::json::sax_parse(header.begin(), header.end(), &reader) && reader.problem.empty()) {
    reader.problem = "the header is no JSON";
  }
}

}  // namespace detail
}  // namespace elegans
