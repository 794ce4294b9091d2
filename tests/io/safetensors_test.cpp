// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <elegans/io/safetensors.hpp>
#include <elegans/io/safetensors_writer.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/raw_safetensors.hpp"
#include "support/refusal.hpp"

using elegans::SafeTensors;
using elegans::SafeTensorsWriter;
using support::RawFile;
using support::RawTensor;

namespace {

/// The message with which a file of that header and data is refused.
std::string refusal(const std::string& header, const std::string& data = {}) {
  return support::refusal_of([&] { SafeTensors(RawFile::with_header(header, data), "f"); });
}

}  // namespace

TEST_CASE("The reader gives back every bit that the writer got", "[io][safetensors]") {
  const support::Folder folder;
  const Eigen::ArrayXXd a = Eigen::ArrayXXd::Random(37, 53) * 1e-300;
  Eigen::ArrayXXf b = Eigen::ArrayXXf::Random(3, 5);
  b(1, 2) = -0.0f;
  const Eigen::ArrayXXd none(0, 4);
  SafeTensorsWriter writer;
  writer.metadata = {{"format", "pt"}, {"Größe", "\"\n"}};
  writer.add("b \u03b2", b);
  writer.add("a", a);
  writer.add("none", none);
  writer.write(folder.path / "file");

  const SafeTensors file(folder.path / "file");
  CHECK(file.metadata() == writer.metadata);
  REQUIRE(file.tensors().size() == 3);
  CHECK((file.matrix<double>("a") == a).all());
  CHECK((file.matrix<float>("b \u03b2") == b).all());
  CHECK(std::signbit(file.matrix<double>("b \u03b2")(1, 2)));
  CHECK(file.matrix<double>("none").rows() == 0);
  // Doubles come first, and the header is filled up, so that every value is aligned.
  CHECK(static_cast<unsigned char>(support::read(folder.path / "file")[0]) % 8 == 0);
  CHECK(file.tensors().back().name == "b \u03b2");
  CHECK(file.find("c") == nullptr);
  CHECK(folder.entries() == 1);
}

TEST_CASE("Every binary16 is the number that IEEE 754 says", "[io][safetensors]") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float got = elegans::detail::from_binary16(static_cast<std::uint16_t>(bits));
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const double fraction = static_cast<double>(bits & 1023) / 1024.0;
    if (exponent == 31) {
      if (fraction == 0 ? !std::isinf(got) : !std::isnan(got)) FAIL(bits);
      continue;
    }
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1.0 + fraction, exponent - 15);
    if (static_cast<double>(std::fabs(got)) != magnitude || std::signbit(got) != (bits >> 15 != 0)) FAIL(bits);
  }
}

TEST_CASE("The reader reads every real and integer type", "[io][safetensors]") {
  RawFile raw;
  raw.tensors["f16"] = RawTensor::of<std::uint16_t>("F16", {2}, {0x3c00, 0xc100});
  raw.tensors["bf16"] = RawTensor::of<std::uint16_t>("BF16", {2}, {0x3f80, 0xc020});
  raw.tensors["f32"] = RawTensor::of<float>("F32", {2}, {1.0f, -2.5f});
  raw.tensors["f64"] = RawTensor::of<double>("F64", {2}, {1.0, -2.5});
  raw.tensors["i64"] = RawTensor::of<std::int64_t>("I64", {2}, {1, -2});
  raw.tensors["i32"] = RawTensor::of<std::int32_t>("I32", {2}, {1, -2});
  raw.tensors["i16"] = RawTensor::of<std::int16_t>("I16", {2}, {1, -2});
  raw.tensors["i8"] = RawTensor::of<std::int8_t>("I8", {2}, {1, -2});
  raw.tensors["u64"] = RawTensor::of<std::uint64_t>("U64", {2}, {1, 0xfe00000000000000});
  raw.tensors["u32"] = RawTensor::of<std::uint32_t>("U32", {2}, {1, 0xfe000000});
  raw.tensors["u16"] = RawTensor::of<std::uint16_t>("U16", {2}, {1, 0xfe00});
  raw.tensors["u8"] = RawTensor::of<std::uint8_t>("U8", {2}, {1, 254});
  raw.tensors["bool"] = RawTensor::of<std::uint8_t>("BOOL", {2}, {1, 0});
  const SafeTensors file(raw.bytes(), "f");
  for (const elegans::Tensor& tensor : file.tensors()) {
    // The largest bit of an unsigned number is set.
    const double large = std::ldexp(254, static_cast<int>(elegans::detail::describe(tensor.type).bits) - 8);
    const double second = tensor.name == "bool" ? 0 : tensor.name[0] == 'u' ? large : tensor.name[0] == 'i' ? -2 : -2.5;
    INFO(tensor.name);
    CHECK(file.matrix<double>(tensor.name)(0, 0) == 1);
    CHECK(file.matrix<float>(tensor.name)(1, 0) == static_cast<float>(second));
  }
}

TEST_CASE("The message names the first value that is not finite", "[io][safetensors]") {
  RawFile raw;
  raw.tensors["w"] = RawTensor::of<double>("F64", {2, 2}, {1, 2, std::nan(""), 4});
  raw.tensors["large"] = RawTensor::of<double>("F64", {1}, {1e300});
  raw.tensors["deep"] = RawTensor::of<double>("F64", {1, 1, 1}, {1});
  const SafeTensors file(raw.bytes(), "f");
  CHECK(support::refusal_of([&] { static_cast<void>(file.matrix<double>("w")); }) ==
        "f: w: value 2 (counted row by row) must be finite, got nan");
  CHECK(file.matrix<double>("large")(0, 0) == 1e300);
  CHECK(support::refusal_of([&] { static_cast<void>(file.matrix<float>("large")); }) ==
        "f: large: value 0 (counted row by row) must be finite and within float's range, got inf");
  CHECK(support::refusal_of([&] { static_cast<void>(file.matrix<float>("deep")); }) ==
        "f: deep: must have at most two dimensions, got (1, 1, 1)");
  CHECK(support::refusal_of([&] { static_cast<void>(file.matrix<float>("x\ny")); }) == "f: there is no tensor 'x?y'");
}

TEST_CASE("A file that is cut off is refused, wherever", "[io][safetensors]") {
  const support::Folder folder;
  RawFile raw;
  raw.metadata["key"] = "value";
  raw.tensors["a"] = RawTensor::of<double>("F64", {3}, {1, 2, 3});
  raw.tensors["b"] = RawTensor::of<float>("F32", {1}, {1});
  const std::string whole = raw.bytes();
  const SafeTensors uncut(whole, "f");
  REQUIRE(uncut.tensors().size() == 2);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size << " of " << whole.size() << " bytes");
    CHECK(support::refusal_of([&] { SafeTensors(whole.substr(0, size), "f"); }).starts_with("f: "));
    const auto path = folder.path / "cut";
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    CHECK(support::refusal_of([&] { SafeTensors{path}; }).starts_with(path.string() + ": "));
  }
}

TEST_CASE("A malformed header is refused with the cause", "[io][safetensors]") {
  const auto entry = [](const std::string& name, const std::string& shape, const std::string& offsets,
                        const std::string& type = "F64") {
    return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  };
  const auto one = [&](const auto&... parts) { return "{" + entry("a", parts...) + "}"; };
  const std::string data(8, '\0');
  CHECK(refusal("{}") == "(not refused)");
  CHECK(refusal(one("[1]", "[0,8]"), data) == "(not refused)");
  CHECK(refusal(one("[]", "[0,8]") + "   ", data) == "(not refused)");

  CHECK(refusal("{").find("f: the header is no JSON: at byte") == 0);
  CHECK(refusal("{}x").find("f: the header is no JSON: at byte 3") == 0);
  CHECK(refusal("{\"\xff\":1}").find("ill-formed UTF-8") != std::string::npos);
  CHECK(refusal("[1]") == "f: the header: an array where none belongs");
  CHECK(refusal("{\"a\":1}") == "f: a: a number where none belongs");
  CHECK(refusal("{\"a\":null}") == "f: a: null where none belongs");
  CHECK(refusal("{\"a\":" + std::string(100000, '[')) == "f: a: an array where none belongs");
  CHECK(refusal("{\"__metadata__\":{\"a\":{}}}") == "f: __metadata__: an object where none belongs");
  CHECK(refusal("{\"__metadata__\":{},\"__metadata__\":{}}") == "f: the header: __metadata__ twice");
  CHECK(refusal("{\"a\":{\"dtype\":\"F64\"}}") == "f: a: dtype, shape and two data_offsets are needed");
  CHECK(refusal(R"({"a":{"dtype":"F64","data_offsets":[0,8]}})", data) ==
        "f: a: dtype, shape and two data_offsets are needed");
  CHECK(refusal(R"({"a":{"dtype":"F64","dtype":"F32"}})") == "f: a: the key 'dtype' twice");
  CHECK(refusal(one("[1]", "[0,8]", "Q4")).find("f: a: type must be one of F64, F32, F16") == 0);
  CHECK(refusal("{}" + std::string(1, '\0')) == "f: the header is no JSON: a NUL at byte 3");
  CHECK(refusal("\xef\xbb\xbf{}") == "f: the header is no JSON: it begins with a byte order mark");
  CHECK(refusal(one("[3]", "[0,1]", "F4"), "x") ==
        "f: a: the shape (3) of F4 does not need a whole number of bytes that can be counted");
  CHECK(refusal(one("[-1]", "[0,8]")) == "f: a: a negative number where none belongs");
  CHECK(refusal(one("[1.0]", "[0,8]")) == "f: a: a number that is not whole where none belongs");
  CHECK(refusal(one("[1e99]", "[0,8]")) == "f: a: a number that is not whole where none belongs");
  CHECK(refusal(one("[1]", "[0]"), data) == "f: a: dtype, shape and two data_offsets are needed");
  CHECK(refusal(one("[1]", "[0,8,8]"), data) == "f: a: more than two data_offsets");
  CHECK(refusal(one("[1]", "[0,16]"), data) ==
        "f: a: data_offsets must be within the file's 8 bytes of data, got [0, 16]");
  CHECK(refusal(one("[1]", "[8,0]"), data) ==
        "f: a: data_offsets must be within the file's 8 bytes of data, got [8, 0]");
  CHECK(refusal(one("[2]", "[0,8]"), data) == "f: a: the shape (2) of F64 needs 16 bytes, got data_offsets [0, 8]");
  CHECK(refusal(one("[4294967296,4294967296]", "[0,8]"), data) ==
        "f: a: the shape (4294967296, 4294967296) has more values than can be counted");
  CHECK(refusal(one("[18446744073709551615]", "[0,8]"), data).find("more values than can be counted") !=
        std::string::npos);
  CHECK(refusal(one("[2305843009213693952]", "[0,0]")).find("whole number of bytes that can be counted") !=
        std::string::npos);
  // The header may name the tensors in any order.
  CHECK(refusal("{" + entry("a", "[1]", "[8,16]") + "," + entry("b", "[1]", "[0,8]") + "}", data + data) ==
        "(not refused)");
  CHECK(refusal("{" + entry("a", "[1]", "[0,8]") + "," + entry("b", "[1]", "[4,12]") + "}", data + data) ==
        "f: b: overlaps another tensor: begins at byte 4 of the data, not 8");
  CHECK(refusal("{" + entry("a", "[1]", "[0,8]") + "," + entry("b", "[1]", "[9,17]") + "}", data + data + "x") ==
        "f: b: leaves a gap before it: begins at byte 9 of the data, not 8");
  CHECK(refusal(one("[1]", "[0,8]"), data + "x") == "f: the tensors end at byte 8 of 9 bytes of data");
  CHECK(support::refusal_of([] { SafeTensors(std::string(8, '\xff') + "{}", "f"); }) ==
        "f: no safetensors file: the header is said to have 18446744073709551615 bytes, the file has 10");
  CHECK(support::refusal_of([] { SafeTensors(std::string("\x03\0\0\0\0\0\0\0{}", 10), "f"); }) ==
        "f: no safetensors file: the header is said to have 3 bytes, the file has 10");
  const std::string too_short = "no safetensors file: it has 7 bytes, and a header needs 8";
  CHECK(support::refusal_of([] { SafeTensors(std::string(7, '\0'), "f"); }) == "f: " + too_short);
  const support::Folder folder;
  std::ofstream(folder.path / "short") << std::string(7, '\0');
  CHECK(support::refusal_of([&] { SafeTensors{folder.path / "short"}; }) ==
        (folder.path / "short").string() + ": " + too_short);
}

TEST_CASE("The reader takes what the Python package takes", "[io][safetensors]") {
  const std::string data(8, '\0');
  const std::string entry = R"("a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]})";
  CHECK(refusal("{\"__metadata__\":null," + entry + "}", data) == "(not refused)");
  CHECK(refusal(" \t\r\n{" + entry + "}", data) == "(not refused)");
  CHECK(
      refusal(R"({"a":{"x":{"y":[1,-2,1e5,null,true,"z",{}]},"dtype":"F64","z":[],"shape":[1],"data_offsets":[0,8]}})",
              data) == "(not refused)");
  // A tensor counts whether an unknown key stands before the known ones or after them.
  const std::string unknown_last = R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8],"x":1}})";
  CHECK(SafeTensors(RawFile::with_header(unknown_last, data), "f").matrix<double>("a")(0, 0) == 0);
  CHECK(refusal(R"({"a":{"x":1}})") == "f: a: dtype, shape and two data_offsets are needed");
  const auto nested = [&](std::size_t depth) {
    return R"({"a":{"x":)" + std::string(depth, '[') + std::string(depth, ']') +
           R"(,"dtype":"F64","shape":[1],"data_offsets":[0,8]}})";
  };
  CHECK(refusal(nested(125), data) == "(not refused)");
  CHECK(refusal(nested(126), data) == "f: a: values that are nested too deeply");
  // Of two tensors with one name, the last one counts; so it is in the metadata.
  const SafeTensors file(RawFile::with_header(R"({"a":{"dtype":"F32","shape":[7],"data_offsets":[0,28]},)" + entry +
                                                  R"(,"__metadata__":{"k":"1","k":"2"}})",
                                              data),
                         "f");
  REQUIRE(file.tensors().size() == 1);
  CHECK(file.at("a").type == elegans::TensorType::f64);
  CHECK(file.metadata() == elegans::Metadata{{"k", "2"}});
  std::string dimensions = "1";
  for (int i = 0; i < 100; ++i) dimensions += ",1";
  CHECK(refusal(R"({"a":{"dtype":"F64","shape":[)" + dimensions + R"(],"data_offsets":[0,8]}})", data) ==
        "(not refused)");
  // An empty tensor may have any shape, as long as the product of the extents before the 0 does not overflow.
  const auto empty = [](const std::string& shape) {
    return refusal(R"({"a":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[0,0]}})");
  };
  CHECK(empty("4611686018427387904,0") == "(not refused)");
  CHECK(empty("0,4611686018427387904,4611686018427387904") == "(not refused)");
  CHECK(empty("4611686018427387904,4611686018427387904,0").find("more values than can be counted") !=
        std::string::npos);
}

TEST_CASE("The writer copies a matrix, which may be temporary", "[io][safetensors]") {
  const support::Folder folder;
  SafeTensorsWriter writer;
  {
    Eigen::ArrayXXf values = Eigen::ArrayXXf::Constant(2, 3, 1.5f);
    writer.add("map", Eigen::Map<const Eigen::ArrayXXf>(values.data(), 2, 3));
    writer.add("sum", values + 1);
    writer.add("matrix", values.matrix().transpose());
    values.setZero();
  }
  writer.write(folder.path / "file");
  const SafeTensors file(folder.path / "file");
  CHECK((file.matrix<float>("map") == 1.5f).all());
  CHECK((file.matrix<float>("sum") == 2.5f).all());
  CHECK(file.matrix<float>("matrix").rows() == 3);
}

TEST_CASE("A copy of more or fewer values than a tensor has is refused", "[io][safetensors]") {
  const support::Folder folder;
  SafeTensorsWriter writer;
  writer.add("w", Eigen::ArrayXXf::Ones(2, 3));
  writer.write(folder.path / "file");
  const SafeTensors file(folder.path / "file");
  Eigen::ArrayXXf values(4, 4);
  const auto copied = [&](elegans::Index rows, elegans::Index columns) {
    const std::string message = support::refusal_of([&] { file.copy(file.at("w"), rows, columns, values.data()); });
    return message.substr(message.find("w: ") + 3);
  };
  CHECK(copied(2, 4) == "(2, 4) values are to be copied, the shape is (2, 3)");
  CHECK(copied(1, 1) == "(1, 1) values are to be copied, the shape is (2, 3)");
  CHECK(copied(-2, -3) == "(-2, -3) values are to be copied, the shape is (2, 3)");
  CHECK_NOTHROW(file.copy(file.at("w"), 6, 1, values.data()));
}

TEST_CASE("The reader reads a hundred thousand tensors, and finds each", "[io][safetensors]") {
  RawFile raw;
  for (int i = 0; i < 100000; ++i) {
    raw.tensors["t" + std::to_string(i)] = RawTensor::of<float>("F32", {1}, {static_cast<float>(i)});
  }
  const SafeTensors file(raw.bytes(), "f");
  CHECK(file.tensors().size() == 100000);
  for (const int i : {0, 1, 77777, 99999})
    CHECK(file.matrix<float>("t" + std::to_string(i))(0, 0) == static_cast<float>(i));
}

TEST_CASE("A file that cannot be read is an error with the system's reason", "[io][safetensors]") {
  const support::Folder folder;
  const auto refusal_of_path = [](const std::filesystem::path& path) {
    return support::refusal_of<elegans::RuntimeError>([&] { SafeTensors{path}; });
  };
  CHECK(refusal_of_path(folder.path) == "cannot read " + folder.path.string() + ": Is a directory");
  CHECK(refusal_of_path(folder.path / "x") ==
        "cannot read " + (folder.path / "x").string() + ": No such file or directory");
  CHECK(refusal_of_path("/dev/zero") == "cannot read /dev/zero: it is not a regular file");
  const auto sealed = folder.path / "sealed";
  std::ofstream(sealed) << "x";
  std::filesystem::permissions(sealed, std::filesystem::perms::none);
  // The superuser may read everything.
  if (::geteuid() != 0) CHECK(refusal_of_path(sealed) == "cannot read " + sealed.string() + ": Permission denied");
}

TEST_CASE("A file that claims to be large is refused before memory is allocated", "[io][safetensors]") {
  const support::Folder folder;
  const auto path = folder.path / "sparse";
  std::ofstream(path, std::ios::binary) << RawFile::with_header("{}");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 42);
  CHECK(support::refusal_of([&] { SafeTensors{path}; }) ==
        path.string() + ": the tensors end at byte 0 of 4398046511094 bytes of data");
}

TEST_CASE("A failed write leaves the old file", "[io][safetensors]") {
  const support::Folder folder;
  const auto path = folder.path / "file";
  std::ofstream(path) << "before";
  const Eigen::ArrayXXd values = Eigen::ArrayXXd::Random(100, 100);
  SafeTensorsWriter writer;
  writer.add("a", values);
  CHECK(support::refusal_of([&] { writer.add("a", values); }) == "SafeTensorsWriter: there is already a tensor 'a'");
  writer.metadata["key"] = "\xff";
  CHECK(support::refusal_of([&] { writer.write(path); }) == "SafeTensorsWriter: names and metadata must be UTF-8");
  CHECK(support::read(path) == "before");
  writer.metadata.clear();
  CHECK(support::refusal_of<elegans::RuntimeError>([&] { writer.write("/dev/full"); }) ==
        "cannot write /dev/full: No space left on device");
  CHECK(std::filesystem::is_character_file("/dev/full"));
  writer.write(path);
  // More values than the writer holds at a time.
  CHECK((SafeTensors(path).matrix<double>("a") == values).all());
  const SafeTensors written(path);
  CHECK(written.tensors().size() == 1);
  CHECK(folder.entries() == 1);
}
