// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <elegans/io/c_source.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/system/file.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/random.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/refusal.hpp"

namespace {

using elegans::CArithmetic;
using elegans::CSigmoid;
using elegans::CSource;
using elegans::CSourceOptions;

constexpr int fixed_steps = 6;

/// A model's C in whole numbers, and a short run of it in double. The inputs are whole numbers of the C.
struct FixedExample {
  std::string what;
  CSourceOptions options;
  CSource c;
  int inputs = 0, outputs = 0;
  double tolerance = 0;
  std::vector<std::int64_t> x;
  std::vector<double> y;
};

/// The number behind "#define M3_INPUT_BITS".
int bits_of(const FixedExample& example, const std::string& name) {
  const std::string key = "_" + name + " ";
  return std::atoi(example.c.header.c_str() + example.c.header.find(key) + key.size());
}

class FixedExamples {
 public:
  FixedExample next(int number) {
    number_ = number;
    options_ = {};
    options_.name = options_.file_name = elegans::detail::concatenate("m", number);
    options_.self_test = true;
    options_.elapsed_time = std::exp(value(-4, 2));
    options_.input_range = size(0, 1) == 0 ? 1 : value(0.01, 30);
    options_.arithmetic = number % 2 == 0 ? CArithmetic::q15 : CArithmetic::q31;
    if (number % 6 >= 4) return next_stack();
    if (number % 3 == 0) {
      elegans::LTCOptions options;
      options.ode_unfolds = size(1, 9);
      options.implicit_param_constraints = size(0, 1) == 1;
      options.output_mapping = size(0, 1) == 0 ? elegans::Mapping::affine : elegans::Mapping::none;
      options.seed = static_cast<unsigned>(number);
      const int units = size(5, 30);
      return size(0, 1) == 0
                 ? of(elegans::LTC<double>(elegans::AutoNCP(units, size(1, units - 4)), size(1, 6), options), "LTC")
                 : of(elegans::LTC<double>(elegans::Random(units, size(1, units), {.sparsity = 0.5}), size(1, 6),
                                           options),
                      "LTC");
    }
    using elegans::Activation;
    constexpr Activation activations[] = {Activation::lecun_tanh, Activation::relu, Activation::tanh, Activation::silu};
    elegans::CfCOptions options;
    options.mode = size(0, 1) == 0 ? elegans::CfCMode::standard : elegans::CfCMode::no_gate;
    options.activation = activations[size(0, 3)];
    options.backbone_layers = size(0, 2);
    options.backbone_units = size(1, 40);
    options.proj_size = size(0, 1) * size(1, 5);
    options.seed = static_cast<unsigned>(number);
    if (size(0, 1) == 0) options_.arithmetic = CArithmetic::int8;
    // A time head adds as many times its weights as time elapses.
    options_.elapsed_time = value(0.05, 2);
    if (size(0, 2) > 0) return of(elegans::CfC<double>(size(1, 40), size(1, 8), options), "CfC");
    const int units = size(6, 30);
    return of(elegans::CfC<double>(elegans::AutoNCP(units, size(1, units - 4)), size(1, 6), options), "wired CfC");
  }

 private:
  /// Dense layers before and behind an LTC, a CfC, or both.
  FixedExample next_stack() {
    using elegans::Activation;
    using elegans::CfC;
    using elegans::Dense;
    using elegans::LTC;
    using elegans::Sequential;
    constexpr Activation activations[] = {Activation::linear, Activation::lecun_tanh, Activation::relu,
                                          Activation::tanh,   Activation::silu,       Activation::sigmoid};
    const auto dense = [&](int units, int inputs) {
      return Dense<double>(units, inputs,
                           {.activation = activations[size(0, 5)], .seed = static_cast<unsigned>(number_)});
    };
    const int inputs = size(1, 6), width = size(1, 12), units = size(6, 20), outputs = size(1, units - 4);
    options_.elapsed_time = value(0.05, 2);
    switch (number_ / 6 % 4) {
      case 0:
        return of(
            Sequential(dense(width, inputs), LTC<double>(elegans::AutoNCP(units, outputs), width), dense(2, outputs)),
            "stack");
      case 1:
        return of(Sequential(CfC<double>(units, inputs, {.backbone_units = 9}), elegans::Dropout<double>(units),
                             dense(3, units)),
                  "stack");
      case 2:
        return of(Sequential(CfC<double>(elegans::AutoNCP(units, outputs), inputs),
                             Sequential(LTC<double>(elegans::AutoNCP(8, 2), outputs), dense(1, 2))),
                  "stack");
      default:
        return of(Sequential(dense(width, inputs), dense(2, width)), "stack");
    }
  }

  int size(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  double value(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }

  template <typename Model>
  FixedExample of(Model model, const char* kind) {
    model.update([&](auto all) {
      for (elegans::Index i = 0; i < all.size(); ++i) all[i] += value(0, 0.1);
    });
    if (options_.arithmetic != CArithmetic::q31 && size(0, 1) == 0) options_.sigmoid = CSigmoid::table;
    FixedExample example;
    example.options = options_;
    example.c = elegans::c_source(model, options_);
    example.what = elegans::detail::concatenate(kind, " number ", number_, "\n", example.c.header);
    example.inputs = static_cast<int>(model.input_dim());
    example.outputs = static_cast<int>(model.output_dim());
    const int bits = bits_of(example, "INPUT_BITS");
    auto state = model.initial_state();
    Eigen::Array<double, 1, Eigen::Dynamic> x(example.inputs);
    double largest = 1;
    for (int t = 0; t < fixed_steps; ++t) {
      for (int i = 0; i < example.inputs; ++i) {
        example.x.push_back(std::llround(std::ldexp(value(-1, 1) * options_.input_range, bits)));
        x[i] = std::ldexp(static_cast<double>(example.x.back()), -bits);
      }
      const auto y = model.step(x, state, *options_.elapsed_time);
      for (elegans::Index o = 0; o < y.size(); ++o) {
        example.y.push_back(y(0, o));
        largest = (std::max)(largest, std::fabs(y(0, o)));
      }
    }
    example.tolerance = largest * (options_.arithmetic == CArithmetic::q31   ? 2e-5
                                   : options_.arithmetic == CArithmetic::q15 ? 1e-2
                                                                             : 0.12);
    return example;
  }

  std::mt19937 random_{11};
  CSourceOptions options_;
  int number_ = 0;
};

bool has_program(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

/// The names of the states of a network's layers.
std::vector<std::string> states_of(const FixedExample& example) {
  std::vector<std::string> names;
  for (const std::string name : {"v", "v_0", "v_1", "v_2"}) {
    if (example.c.header.find("_t " + name + "[") != std::string::npos) names.push_back(name);
  }
  return names;
}
bool is_word(const FixedExample& example, const std::string& state) {
  return example.c.header.find("int32_t " + state + "[") != std::string::npos;
}

/// A program that prints the outputs of a network as whole numbers. Then it steps with extreme inputs, and checks that
/// the state stays where a step takes it, that a state out of range is refused and kept, and that the self-test passes.
std::string fixed_program(const FixedExample& example) {
  const std::string& name = example.options.name;
  std::string inputs;
  for (const std::int64_t x : example.x) inputs += std::to_string(x) + ", ";
  std::ostringstream out;
  out << "static void run_" << name << "(void) {\n  static const " << name << "_number x[] = {" << inputs << "};\n"
      << "  " << name << "_state s, kept;\n  " << name << "_number y[" << example.outputs << "], far[" << example.inputs
      << "];\n  unsigned random = 1;\n  int t, i;\n  " << name << "_reset(&s);\n  for (t = 0; t < " << fixed_steps
      << "; ++t) {\n    if (" << name << "_step_integer(&s, x + t * " << example.inputs
      << ", y)) printf(\"refused \");\n    for (i = 0; i < " << example.outputs
      << "; ++i) printf(\"%ld \", (long)y[i]);\n  }\n"
      << "  for (t = 0; t < 100; ++t) {\n    for (i = 0; i < " << example.inputs
      << "; ++i) {\n      random = random * 1664525u + 1013904223u;\n      far[i] = (" << name
      << "_number)(random >> 31 ? " << (example.options.arithmetic == CArithmetic::q31 ? "-2147483647" : "-32767")
      << " - 1 : " << (example.options.arithmetic == CArithmetic::q31 ? "2147483647" : "32767") << ");\n    }\n    if ("
      << name << "_step_integer(&s, far, y)) printf(\"refused \");\n  }\n"
      << "  kept = s;\n";
  for (const std::string& v : states_of(example)) {
    const std::string first = "s." + v + "[0]";
    out << "  s = kept;\n  " << first << " = " << (is_word(example, v) ? "(int32_t)0x80000000" : "-32767 - 1")
        << ";\n  kept = s;\n  if (" << name << "_step_integer(&s, far, y) != 3 || memcmp(&s, &kept, sizeof s)) "
        << "printf(\"not refused \");\n  " << name << "_reset(&kept);\n";
  }
  out << "  (void)kept;\n"
      << "  if (" << name << "_self_test()) printf(\"self-test \");\n  printf(\"\\n\");\n}\n";
  return out.str();
}

}  // namespace

TEST_CASE("Random networks in whole numbers agree with the library in double, and never leave their bounds",
          "[io][c_source]") {
  FixedExamples random;
  std::vector<FixedExample> examples;
  for (int i = 0; i < 48; ++i) examples.push_back(random.next(i));
  const support::Folder folder;
  std::string includes = "#include <stdio.h>\n#include <string.h>\n", functions, calls;
  for (const FixedExample& example : examples) {
    const std::string& name = example.options.name;
    elegans::write_file((folder.path / (name + ".h")).string(), example.c.header);
    elegans::write_file((folder.path / (name + ".c")).string(), example.c.source);
    includes += "#define M" + name.substr(1) + "_SELF_TEST\n#include \"" + name + ".c\"\n";
    functions += fixed_program(example);
    calls += "  run_" + name + "();\n";
  }
  elegans::write_file((folder.path / "all.c").string(),
                      includes + functions + "int main(void) {\n" + calls + "  return 0;\n}\n");
  std::size_t compilers = 0;
  for (const std::string compiler : {"gcc -x c -std=c99", "g++ -x c++ -std=c++11", "clang -x c -std=c99"}) {
    const std::string program = compiler.substr(0, compiler.find(' '));
    if (!has_program(program)) continue;
    ++compilers;
    INFO(program);
    const std::string command = "cd '" + folder.path.string() + "' && " + compiler +
                                " -O1 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsanitize=address,undefined"
                                " -fno-sanitize-recover=all all.c -o all >log 2>&1 && ./all >out 2>>log";
    const int status = std::system(command.c_str());
    INFO(support::read((folder.path / "log").string()).substr(0, 2000));
    REQUIRE(status == 0);
    std::istringstream lines(support::read((folder.path / "out").string()));
    for (const FixedExample& example : examples) {
      INFO(example.what);
      std::string line;
      REQUIRE(std::getline(lines, line));
      std::istringstream words(line);
      const int bits = bits_of(example, "OUTPUT_BITS");
      for (const double wanted : example.y) {
        std::string word;
        REQUIRE(words >> word);
        CHECK(std::fabs(std::ldexp(std::strtod(word.c_str(), nullptr), -bits) - wanted) <= example.tolerance);
      }
      std::string rest;
      std::getline(words, rest);
      CHECK(rest == " ");
    }
  }
  REQUIRE(compilers > 0);
}

TEST_CASE("A network in whole numbers calls no function of floats, and none of a library", "[io][c_source]") {
  if (!has_program("gcc") || !has_program("nm")) return;
  const support::Folder folder;
  const CSource c = elegans::c_source(elegans::LTC<double>(elegans::AutoNCP(8, 1), 2),
                                      {.elapsed_time = 0.1, .arithmetic = CArithmetic::q31});
  elegans::write_file((folder.path / "model.h").string(), c.header);
  elegans::write_file((folder.path / "model.c").string(), c.source);
  const auto succeeds = [&](const std::string& command) {
    return std::system(("cd '" + folder.path.string() + "' && " + command).c_str()) == 0;
  };
  CHECK(succeeds("gcc -std=c99 -O2 -ffreestanding -DMODEL_NO_FLOAT -c model.c && test -z \"$(nm -u model.o)\""));
  CHECK(succeeds("gcc -std=c99 -O2 -DMODEL_NO_FLOAT -E -P model.c | (! grep -wE 'float|double')"));
}

TEST_CASE("C in whole numbers names what it cannot write", "[io][c_source]") {
  const elegans::LTC<double> ltc(elegans::AutoNCP(8, 1), 2);
  const auto refusal = [](const auto& model, const CSourceOptions& options) {
    return support::refusal_of([&] { elegans::c_source(model, options); });
  };
  CHECK(refusal(ltc, {.arithmetic = CArithmetic::q15}) == "c_source: q31, q15 and int8 need a fixed elapsed_time");
  CHECK(refusal(ltc, {.elapsed_time = 1, .arithmetic = CArithmetic::q15, .input_range = 0}) ==
        "c_source: input_range must be above 0 and finite, got 0");
  CHECK(refusal(ltc, {.elapsed_time = 1, .arithmetic = CArithmetic::q31, .sigmoid = CSigmoid::table}) ==
        "c_source: a table of sigmoids is not exact enough for q31; q15 and int8 have one");
  CHECK(refusal(ltc, {.sigmoid = CSigmoid::table}) == "c_source: float has no table of sigmoids; q15 and int8 have");
  CHECK(refusal(ltc, {.elapsed_time = 1, .arithmetic = CArithmetic::int8}) ==
        "export to C: an LTC needs float, q31 or q15; int8 is for a CfC");
  CHECK(refusal(elegans::LTC<double>(elegans::AutoNCP(8, 1), 2, {.solver = elegans::ODESolver::heun}),
                {.elapsed_time = 1, .arithmetic = CArithmetic::q15}) ==
        "export to C: q15 needs the semi-implicit solver; the others have no bound of the states");
  CHECK(refusal(elegans::MixedCfC<double>(4, 2), {.elapsed_time = 1, .arithmetic = CArithmetic::q15}) ==
        "export to C: a mixed memory needs float, not q15: its states have no bound");
  CHECK(refusal(elegans::CfC<double>(4, 2, {.mode = elegans::CfCMode::pure}),
                {.elapsed_time = 1, .arithmetic = CArithmetic::int8}) ==
        "export to C: a CfC in mode pure needs float, not int8");
  CHECK(refusal(elegans::CfC<double>(4, 2, {.activation = elegans::Activation::gelu}),
                {.elapsed_time = 1, .arithmetic = CArithmetic::q15}) ==
        "export to C: a backbone of gelu needs float, not q15");
  CHECK(refusal(elegans::CfC<double>(4, 2, {.head_activation = elegans::Activation::lecun_tanh}),
                {.elapsed_time = 1, .arithmetic = CArithmetic::q15}) ==
        "export to C: a CfC with heads of lecun_tanh needs float, not q15");
  const elegans::CSourceOptions q15{.elapsed_time = 1, .arithmetic = CArithmetic::q15};
  using elegans::Dense;
  using elegans::Sequential;
  CHECK(refusal(Sequential(ltc, elegans::LayerNorm<double>(1)), q15) ==
        "export to C: the layer layer_norm (LayerNorm) needs float, not q15");
  CHECK(refusal(Sequential(elegans::LSTM<double>(3, 2), Dense<double>(1, 3)), q15) ==
        "export to C: the layer lstm (LSTM) needs float, not q15");
  CHECK(refusal(Sequential(ltc, Dense<double>(1, 1, {.activation = elegans::Activation::gelu})), q15) ==
        "export to C: a dense layer of gelu needs float, not q15");
  const elegans::CSourceOptions int8{.elapsed_time = 1, .arithmetic = CArithmetic::int8};
  CHECK(refusal(Sequential(elegans::CfC<double>(4, 2), Dense<double>(1, 4)), int8) ==
        "export to C: int8 is for a CfC alone; a stack needs float, q31 or q15");
  CHECK(refusal(Dense<double>(1, 4), int8) == "export to C: a dense layer needs float, q31 or q15; int8 is for a CfC");
  elegans::LTC<double> steep(elegans::AutoNCP(8, 1), 2);
  steep.update([&](auto all) { all = all * 1e5; });
  CHECK(refusal(steep, {.elapsed_time = 1, .arithmetic = CArithmetic::q15}).find("too large for q15") !=
        std::string::npos);
}
