// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Turns a model file into a header: weights as constants, sizes in the type.
//
//     export_header model.safetensors --out model.hpp
//
// A program that includes the header needs elegans and Eigen to compile. At run time it needs no files, no heap, no
// exceptions and no RTTI.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <CLI/CLI.hpp>

#include <elegans/io/model_description.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>

#include "support/model_arguments.hpp"
#include "support/model_header.hpp"
#include "support/program.hpp"

namespace {

struct Request {
  std::string model, out, name = "model", precision;
  elegans::ModelFileOptions options;
};

template <typename Scalar>
void run(const Request& request) {
  const elegans::SafeTensors file{std::filesystem::path(request.model)};
  std::visit(
      [&](const auto& model) {
        std::string text;
        try {
          text = examples::ModelHeader<Scalar>(model, request.name).text();
        } catch (const elegans::InvalidArgument& error) {
          file.refuse(error.what());
        }
        elegans::write_file(request.out, text);
      },
      elegans::load_model<Scalar>(file, request.options));
}

/// The type of a model's first tensor, which stands for all; nothing if the model has no tensor.
std::optional<elegans::TensorType> tensor_type(const elegans::SafeTensors& file,
                                               const elegans::ModelDescription& model) {
  for (const elegans::ModelDescription& layer : model.layers) {
    if (const auto type = tensor_type(file, layer)) return type;
  }
  if (!model.layers.empty() || model.parameters.size() == 0) return {};
  return file.at(model.names.in_file(model.parameters.begin()->name)).type;
}

bool is_double(const Request& request) {
  if (!request.precision.empty()) return request.precision == "double";
  const elegans::SafeTensors file{std::filesystem::path(request.model)};
  return tensor_type(file, elegans::describe_model(file, request.options)) == elegans::TensorType::f64;
}

/// Words that cannot be the name of a user's namespace.
constexpr std::string_view reserved_names[] = {
    "alignas",     "alignof",  "and",        "and_eq",    "asm",       "auto",         "bitand",
    "bitor",       "bool",     "break",      "case",      "catch",     "char",         "char16_t",
    "char32_t",    "char8_t",  "class",      "co_await",  "co_return", "co_yield",     "compl",
    "concept",     "const",    "const_cast", "consteval", "constexpr", "constinit",    "continue",
    "decltype",    "default",  "delete",     "do",        "double",    "dynamic_cast", "else",
    "enum",        "explicit", "export",     "extern",    "false",     "float",        "for",
    "friend",      "goto",     "if",         "inline",    "int",       "long",         "mutable",
    "namespace",   "new",      "noexcept",   "not",       "not_eq",    "nullptr",      "operator",
    "or",          "or_eq",    "private",    "protected", "public",    "register",     "reinterpret_cast",
    "requires",    "return",   "short",      "signed",    "sizeof",    "static",       "static_assert",
    "static_cast", "struct",   "switch",     "template",  "this",      "thread_local", "throw",
    "true",        "try",      "typedef",    "typeid",    "typename",  "union",        "unsigned",
    "using",       "virtual",  "void",       "volatile",  "wchar_t",   "while",        "xor",
    "xor_eq",      "main",     "std",        "elegans",   "Eigen",     "posix",        "linux",
    "unix",        "assert",   "errno",      "EOF",       "NULL"};

/// Functions of C's headers, which exported headers include: beside them, a namespace of that name does not compile.
/// Those of <cmath> also exist with an f or an l behind them.
constexpr std::string_view mathematical_names[] = {
    "abs",    "acos",     "acosh",  "asin",    "asinh",     "atan",      "atan2",       "atanh", "cbrt",
    "ceil",   "copysign", "cos",    "cosh",    "drem",      "erf",       "erfc",        "exp",   "exp10",
    "exp2",   "expm1",    "fabs",   "fdim",    "floor",     "fma",       "fmax",        "fmin",  "fmod",
    "frexp",  "gamma",    "hypot",  "ilogb",   "isinf",     "isnan",     "j0",          "j1",    "jn",
    "ldexp",  "lgamma",   "llrint", "llround", "log",       "log10",     "log1p",       "log2",  "logb",
    "lrint",  "lround",   "modf",   "nan",     "nearbyint", "nextafter", "nexttoward",  "pow",   "remainder",
    "remquo", "rint",     "round",  "scalb",   "scalbln",   "scalbn",    "significand", "sin",   "sincos",
    "sinh",   "sqrt",     "tan",    "tanh",    "tgamma",    "trunc",     "y0",          "y1",    "yn"};
/// The others that might well be the name of a model.
constexpr std::string_view other_names_of_c[] = {
    "abort",    "access",   "alarm",  "atoi",     "calloc", "chdir",  "clock",  "clone",   "close",    "crypt",
    "daemon",   "div",      "dup",    "environ",  "exit",   "finite", "fork",   "free",    "getenv",   "index",
    "isfinite", "isnormal", "labs",   "link",     "malloc", "mktime", "nice",   "open",    "pause",    "pipe",
    "printf",   "puts",     "qsort",  "raise",    "rand",   "random", "read",   "realloc", "remove",   "rename",
    "rindex",   "select",   "signal", "signbit",  "size_t", "sleep",  "stderr", "stdin",   "stdout",   "swab",
    "sync",     "system",   "time",   "timezone", "unlink", "wait",   "write",  "FILE",    "INFINITY", "NAN"};

bool is_name_of_c(std::string_view name) {
  const auto is_in = [](const auto& names, std::string_view wanted) {
    return std::find(std::begin(names), std::end(names), wanted) != std::end(names);
  };
  const bool has_suffix = name.ends_with('f') || name.ends_with('l');
  return is_in(mathematical_names, name) || is_in(other_names_of_c, name) ||
         (has_suffix && is_in(mathematical_names, name.substr(0, name.size() - 1)));
}

std::string check_name(const std::string& name) {
  bool fits = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char c : name) fits = fits && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (!fits) return "must be a name of C++, got '" + name + "'";
  const bool has_reserved_form = name.find("__") != std::string::npos || name[0] == '_';
  if (has_reserved_form || is_name_of_c(name) ||
      std::find(std::begin(reserved_names), std::end(reserved_names), name) != std::end(reserved_names)) {
    return "must be a name that C++ and its libraries leave to you, got '" + name + "'";
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Turns a model file into a C++ header");
  app.add_option("MODEL", request.model, "Model file: ncps' state_dict, or written by elegans")->required();
  app.add_option("--out", request.out, "The header")->required();
  app.add_option("--name", request.name, "The namespace of the header")->capture_default_str()->check(check_name);
  app.add_option("--precision", request.precision,
                 "Precision of the weights and the computation (by default the file's)")
      ->check(CLI::IsMember({"float", "double"}));
  examples::ModelArguments arguments(app);
  return examples::run_program(app, argc, argv, "export_header", [&] {
    request.options = arguments.options();
    is_double(request) ? run<double>(request) : run<float>(request);
  });
}
