// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <dlfcn.h>

#include <elegans/io/c_source.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/layer_variant.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/gru.hpp>
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

using elegans::CfCMode;
using elegans::CSource;
using elegans::CSourceOptions;

/// A model's C, and a short run of it in double.
struct CExample {
  std::string what;
  CSourceOptions options;
  CSource c;
  int inputs = 0, outputs = 0, state = 0, steps = 0;
  std::vector<float> x, elapsed, initial;
  std::vector<double> y;  // of each step, and then the last state
};

class CExamples {
 public:
  explicit CExamples(unsigned seed) : random_(seed) {}

  CExample next(int number) {
    number_ = number;
    if (number % 10 == 9) return next_stack();
    switch (number % 4) {
      case 0:
      case 1:
        return next_ltc();
      case 2:
        return next_cfc();
      default:
        return number % 8 == 3 ? of(elegans::MixedCfC<double>(size(1, 24), size(1, 6), cfc_options()), "mixed CfC")
                               : of(elegans::MixedLTC<double>(wiring(24), size(1, 6), ltc_options()), "mixed LTC");
    }
  }

 private:
  int size(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  float value(float low, float high) { return std::uniform_real_distribution<float>(low, high)(random_); }

  elegans::Wiring<> wiring(int largest) {
    const int units = size(1, largest);
    switch (size(0, 2)) {
      case 0:
        return elegans::Wiring<>(elegans::FullyConnected(units, size(1, units)));
      case 1:
        return elegans::Wiring<>(elegans::Random(units, size(1, units), {.sparsity = 0.1 * size(1, 9)}));
      default:
        return elegans::Wiring<>(elegans::AutoNCP(units + 4, size(1, units)));
    }
  }

  elegans::LTCOptions ltc_options() {
    using elegans::Mapping;
    using elegans::ODESolver;
    constexpr Mapping mappings[] = {Mapping::affine, Mapping::linear, Mapping::none};
    constexpr ODESolver solvers[] = {ODESolver::semi_implicit, ODESolver::semi_implicit, ODESolver::explicit_euler,
                                     ODESolver::heun, ODESolver::runge_kutta};
    elegans::LTCOptions options;
    options.input_mapping = mappings[size(0, 2)];
    options.output_mapping = mappings[size(0, 2)];
    options.solver = solvers[size(0, 4)];
    // The others diverge if the sub-steps are long.
    options.ode_unfolds = options.solver == ODESolver::semi_implicit ? size(1, 9) : size(40, 60);
    options.implicit_param_constraints = size(0, 1) == 1;
    options.epsilon = size(0, 3) == 0 ? 1e-2 : 1e-8;
    options.seed = static_cast<unsigned>(number_);
    return options;
  }

  elegans::CfCOptions cfc_options() {
    using elegans::Activation;
    constexpr Activation activations[] = {Activation::lecun_tanh, Activation::relu, Activation::tanh, Activation::gelu,
                                          Activation::silu};
    constexpr CfCMode modes[] = {CfCMode::standard, CfCMode::pure, CfCMode::no_gate};
    elegans::CfCOptions options;
    options.mode = modes[size(0, 2)];
    options.activation = activations[size(0, 4)];
    options.backbone_layers = size(0, 3);
    options.backbone_units = size(1, 40);
    options.proj_size = size(0, 1) * size(1, 5);
    options.seed = static_cast<unsigned>(number_);
    if (options.mode != CfCMode::pure && number_ % 3 == 0) options.head_activation = Activation::lecun_tanh;
    return options;
  }

  CExample next_stack() {
    using elegans::Activation;
    constexpr Activation activations[] = {Activation::linear, Activation::lecun_tanh, Activation::relu,
                                          Activation::tanh,   Activation::gelu,       Activation::silu,
                                          Activation::sigmoid};
    const int inputs = size(1, 8), middle = size(1, 12), units = size(1, 12), outputs = size(1, 5);
    const elegans::DenseOptions dense{.activation = activations[size(0, 6)]};
    const elegans::Dense<double> head(outputs, units, dense);
    switch (size(0, 3)) {
      case 0:
        return of(elegans::Sequential(elegans::LSTM<double>(middle, inputs), elegans::Dropout<double>(middle),
                                      elegans::GRU<double>(units, middle), head),
                  "stack");
      case 1:
        return of(elegans::Sequential(elegans::Dense<double>(middle, inputs, dense), elegans::LayerNorm<double>(middle),
                                      elegans::LTC<double>(elegans::FullyConnected(units), middle), head),
                  "stack");
      case 2:
        return of(elegans::Sequential(
                      elegans::CfC<double>(middle, inputs),
                      elegans::Sequential(elegans::MixedLTC<double>(elegans::FullyConnected(units), middle)), head),
                  "stack");
      default:
        return of(elegans::Sequential(elegans::LTC<double>(elegans::AutoNCP(middle + 4, middle), inputs),
                                      elegans::GRU<double>(units, middle)),
                  "stack");
    }
  }

  CExample next_ltc() { return of(elegans::LTC<double>(wiring(60), size(1, 20), ltc_options()), "LTC"); }
  CExample next_cfc() {
    if (size(0, 2) > 0) return of(elegans::CfC<double>(size(1, 64), size(1, 20), cfc_options()), "CfC");
    const int units = size(6, 40);
    return of(elegans::CfC<double>(elegans::AutoNCP(units, size(1, units - 4)), size(1, 6), cfc_options()),
              "wired CfC");
  }

  template <typename Model>
  CExample of(Model model, const char* kind) {
    // Initial values are those of a network that knows nothing yet. These are not.
    model.update([&](auto all) {
      for (elegans::Index i = 0; i < all.size(); ++i) all[i] += value(-0.1f, 0.1f);
    });
    CExample example;
    example.options.name = elegans::detail::concatenate("m", number_);
    example.options.file_name = example.options.name;
    example.options.self_test = true;
    if (size(0, 2) == 0) example.options.elapsed_time = value(0.05f, 1);
    example.c = elegans::c_source(model, example.options);
    example.what = elegans::detail::concatenate(kind, " number ", number_, "\n", example.c.header);
    example.inputs = static_cast<int>(model.input_dim());
    example.outputs = static_cast<int>(model.output_dim());
    example.state = static_cast<int>(model.state_size());
    example.steps = 5;
    auto state = model.initial_state();
    for (elegans::Index i = 0; i < state.array().size(); ++i) {
      example.initial.push_back(value(-0.5f, 0.5f));
      state.array().data()[i] = static_cast<double>(example.initial.back());
    }
    Eigen::Array<double, 1, Eigen::Dynamic> x(example.inputs);
    for (int t = 0; t < example.steps; ++t) {
      for (int i = 0; i < example.inputs; ++i) {
        example.x.push_back(value(-1, 1) * (t == 3 ? 50.0f : 1.0f));
        x[i] = static_cast<double>(example.x.back());
      }
      example.elapsed.push_back(t == 2 ? 0.0f : value(0.01f, 1));
      const double elapsed = example.options.elapsed_time.value_or(static_cast<double>(example.elapsed.back()));
      const auto y = model.step(x, state, elapsed);
      for (elegans::Index o = 0; o < y.size(); ++o) example.y.push_back(y(0, o));
    }
    for (elegans::Index i = 0; i < state.array().size(); ++i) example.y.push_back(state.array().data()[i]);
    return example;
  }

  std::mt19937 random_;
  int number_ = 0;
};

/// The functions of a network in a shared library.
class CNetwork {
 public:
  CNetwork(void* library, const CExample& example) : example_(example) {
    const auto find = [&](const std::string& function) {
      void* const found = dlsym(library, (example.options.name + "_" + function).c_str());
      REQUIRE(found);
      return found;
    };
    reset_ = reinterpret_cast<void (*)(float*)>(find("reset"));
    step_ = find("step");
  }

  void reset(float* state) const { reset_(state); }
  int step(float* state, const float* x, float elapsed, float* y) const {
    if (example_.options.elapsed_time) {
      return reinterpret_cast<int (*)(float*, const float*, float*)>(step_)(state, x, y);
    }
    return reinterpret_cast<int (*)(float*, const float*, float, float*)>(step_)(state, x, elapsed, y);
  }

 private:
  const CExample& example_;
  void (*reset_)(float*);
  void* step_;
};

bool exists(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

/// Runs a command in a folder, which must succeed and say nothing.
void run_in(const support::Folder& folder, const std::string& command) {
  const std::string log = (folder.path / "log").string();
  const int status = std::system(("cd '" + folder.path.string() + "' && (" + command + ") >log 2>&1").c_str());
  INFO(command << "\n" << support::read(log));
  REQUIRE(status == 0);
  REQUIRE(support::read(log).empty());
}

struct CCompiler {
  const char* program;
  const char* standard;
};

constexpr CCompiler c_compilers[] = {{"gcc", "-x c -std=c99"},     {"gcc", "-x c -std=c11"},
                                     {"g++", "-x c++ -std=c++11"}, {"clang", "-x c -std=c99"},
                                     {"clang", "-x c -std=c11"},   {"clang++", "-x c++ -std=c++11"}};
constexpr const char* c_warnings = " -Wall -Wextra -Wpedantic -Wconversion -Werror -ffreestanding ";

/// Refused calls change neither the state nor what comes after it.
void require_refusals(const CNetwork& network, const CExample& example, const std::vector<float>& state) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
  std::vector<float> kept = state, y(static_cast<std::size_t>(example.outputs));
  if (!example.options.elapsed_time) {
    for (const float elapsed : {-1.0f, -1e-30f, nan, infinite, -infinite}) {
      CHECK(network.step(kept.data(), example.x.data(), elapsed, y.data()) == 1);
    }
  }
  for (const float bad : {nan, infinite, -infinite}) {
    std::vector<float> x(example.x.begin(), example.x.begin() + example.inputs);
    x.back() = bad;
    CHECK(network.step(kept.data(), x.data(), 1, y.data()) == 2);
  }
  CHECK(kept == state);
  kept.back() = nan;
  const std::vector<float> poisoned = kept;
  CHECK(network.step(kept.data(), example.x.data(), 1, y.data()) == 3);
  CHECK(std::equal(kept.begin(), kept.end() - 1, poisoned.begin()));
}

}  // namespace

TEST_CASE("Two hundred random networks in C agree with the library in double", "[io][c_source]") {
  CExamples random(7);
  std::vector<CExample> examples;
  for (int i = 0; i < 200; ++i) examples.push_back(random.next(i));
  const support::Folder folder;
  for (const CExample& example : examples) {
    elegans::write_file((folder.path / (example.options.name + ".h")).string(), example.c.header);
    elegans::write_file((folder.path / (example.options.name + ".c")).string(), example.c.source);
  }
  // Many networks share a file, so each has names of its own.
  std::size_t compilers = 0;
  double largest_error = 0;
  for (std::size_t c = 0; c < std::size(c_compilers); ++c) {
    if (!exists(c_compilers[c].program)) continue;
    ++compilers;
    std::string all;
    for (std::size_t i = c; i < examples.size(); i += std::size(c_compilers)) {
      all += "#include \"" + examples[i].options.name + ".c\"\n";
    }
    const std::string name = elegans::detail::concatenate("all_", c);
    elegans::write_file((folder.path / (name + ".c")).string(), all);
    run_in(folder, std::string(c_compilers[c].program) + " " + c_compilers[c].standard + " -O1 -fPIC -c" + c_warnings +
                       name + ".c -o " + name + ".o");
    // It calls nothing that is not in the file.
    run_in(folder, "nm -u " + name + ".o | grep -vE '_GLOBAL_OFFSET_TABLE_|^$' || true");
    run_in(folder, std::string(c_compilers[c].program) + " -shared " + name + ".o -o " + name + ".so");
    void* const library = dlopen((folder.path / (name + ".so")).c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE(library);
    for (std::size_t i = c; i < examples.size(); i += std::size(c_compilers)) {
      const CExample& example = examples[i];
      INFO(c_compilers[c].program << " " << c_compilers[c].standard << ": " << example.what);
      const CNetwork network(library, example);
      std::vector<float> state(static_cast<std::size_t>(example.state), 9.0f),
          y(static_cast<std::size_t>(example.outputs));
      network.reset(state.data());
      REQUIRE(std::all_of(state.begin(), state.end(), [](float v) { return v == 0; }));
      state = example.initial;
      const double* wanted = example.y.data();
      const auto require_near = [&](const std::vector<float>& got) {
        for (const float value : got) {
          const double error = std::fabs(static_cast<double>(value) - *wanted) / (std::max)(1.0, std::fabs(*wanted));
          REQUIRE(error < 1e-5);
          largest_error = (std::max)(largest_error, error);
          ++wanted;
        }
      };
      for (int t = 0; t < example.steps; ++t) {
        REQUIRE(network.step(state.data(), example.x.data() + t * example.inputs,
                             example.elapsed[static_cast<std::size_t>(t)], y.data()) == 0);
        require_near(y);
      }
      require_near(state);
      require_refusals(network, example, state);
    }
    dlclose(library);
  }
  REQUIRE(compilers > 0);

  // All of them check themselves under the sanitizers.
  std::string declarations = "#include <stdio.h>\n", calls;
  for (const CExample& example : examples) {
    const std::string& name = example.options.name;
    std::string upper = name;
    upper[0] = 'M';
    declarations += "#define " + upper + "_SELF_TEST\n#include \"" + name + ".c\"\n";
    calls +=
        "  if (" + name + "_self_test()) printf(\"" + name + " fails at step %d\\n\", " + name + "_self_test());\n";
  }
  elegans::write_file((folder.path / "self_test.c").string(),
                      declarations + "int main(void) {\n" + calls + "  return 0;\n}\n");
  run_in(folder, std::string(exists("gcc") ? "gcc" : "clang") + " -std=c99 -O1 -Wall -Wextra -Werror" +
                     " -fsanitize=address,undefined -fno-sanitize-recover=all self_test.c -o self_test && ./self_test");
}

TEST_CASE("The same model gives the same bytes in C", "[io][c_source]") {
  const auto text = [] {
    const elegans::CSource c = elegans::c_source(elegans::LTC<double>(elegans::AutoNCP(8, 1), 2), {.self_test = true});
    return c.header + c.source;
  };
  CHECK(text() == text());
}

TEST_CASE("C of a model names what it cannot write", "[io][c_source]") {
  elegans::LTC<double> model(elegans::AutoNCP(8, 1), 2, {.solver = elegans::ODESolver::heun});
  for (const double elapsed : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
    CHECK(support::refusal_of([&] { elegans::c_source(model, {.elapsed_time = elapsed}); }) ==
          elegans::detail::concatenate("c_source: elapsed_time must be above 0 and finite, got ", elapsed));
  }
  model.update([](auto all) { all[0] = 1e300; });
  CHECK(support::refusal_of([&] { elegans::c_source(model); }).ends_with(" does not fit a float"));
  model.update([](auto all) { all = 0; });
  CHECK(support::refusal_of([&] { elegans::c_source(model); }) ==
        "export to C: a membrane capacitance cm is 0, by which an explicit solver would divide");
}

TEST_CASE("C of a stack names what it cannot write", "[io][c_source]") {
  const elegans::GRU<double> gru(2, 3);
  using Any = elegans::LayerVariant<elegans::GRU<double>>;
  CHECK(support::refusal_of([&] { elegans::c_source(Any(gru, gru)); }) ==
        "export to C: bidirectional (Bidirectional) reads later steps, which a stream does not have yet");
  CHECK(support::refusal_of([&] { elegans::c_source(elegans::Sequential(elegans::Dropout<double>(3))); }) ==
        "export to C: no layer of the stack computes anything");
  CHECK(support::refusal_of([&] {
          elegans::c_source(elegans::Sequential(gru), {.elapsed_time = 1, .arithmetic = elegans::CArithmetic::q15});
        }) == "export to C: the layer gru (GRU) needs float, not q15");
}

TEST_CASE("A membrane without capacitance keeps its state if no time elapses", "[io][c_source]") {
  elegans::LTC<double> model(elegans::FullyConnected(3, 1), 1);
  model.update([&](auto all) { all.segment(6, 3) = 0; });
  REQUIRE(model.parameter("cm").abs().maxCoeff() == 0);
  CHECK(elegans::c_source(model).source.find("1e-30f") != std::string::npos);
}
