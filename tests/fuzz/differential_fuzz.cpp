// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Random models, options and calls against plain loops in double.
//
//     elegans_differential_fuzz --seconds N           draws cases for N seconds, from a seed that differs each time
//     elegans_differential_fuzz --seconds N --from S  the same, from seed S on: CI must not fail by chance
//     elegans_differential_fuzz --seed S              repeats one case
//
// A case is a random model and some random calls of it. It depends on its seed alone. A finding prints the seed, the
// model and the call, and the program returns 1. The plain loops are in fuzz/differential.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include <elegans/system/thread_pool.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/sgd.hpp>

#include "fuzz/differential/draw.hpp"
#include "fuzz/differential/draw_model.hpp"
#include "fuzz/differential/problem.hpp"

using namespace elegans;

namespace {

struct Finding {
  std::string what;
};

template <typename Scalar>
class Case {
 public:
  explicit Case(Draw& draw)
      : draw_(draw),
        model_(draw_layer<Scalar>(draw, draw.whole(1, 5), draw.chance(0.8), draw.one_of({0, 1, 2}))),
        layer_(model_.layer) {}

  [[nodiscard]] const std::string& model() const { return model_.text; }
  [[nodiscard]] const std::string& call() const { return call_; }

  /// Some random calls. \throws Finding
  void run() {
    for (int calls = draw_.whole(2, 6); calls > 0; --calls) {
      switch (draw_.whole(0, 9)) {
        case 0:
          begin("change the parameters");
          change_parameters();
          break;
        case 1:
          begin("copy and move");
          layer_.copy_and_move();
          break;
        case 2:
          begin("set the executor");
          layer_.set_executor(draw_.chance(0.3) ? nullptr : std::make_shared<ThreadPool>(draw_.whole(1, 3)));
          break;
        case 3:
          begin("wrong calls");
          wrong_calls();
          break;
        case 4:
          begin("train by truncated BPTT");
          if (layer_.has_steps() && layer_.return_sequences() && !model_.has_dropout) train();
          break;
        case 5:
          begin("step");
          if (layer_.has_steps()) steps();
          break;
        default:
          begin("forward and backward");
          forward_and_backward();
      }
    }
  }

 private:
  void begin(const char* call) { call_ += std::string(call_.empty() ? "" : ", ") + call; }

  /// Each value is the other, up to rounding.
  ///
  /// \param shaken  what is wanted if the values that go in are rounded; null if the bits must be the same. A chaotic
  ///                network lets rounding errors grow, and only plain loops can tell how far.
  void compare(const Results& got, const Results& wanted, bool backward, const Results* shaken) {
    std::vector<Eigen::ArrayXd> of_wanted, of_shaken;
    wanted.for_each(backward, [&](const char*, const Eigen::ArrayXd& values) { of_wanted.push_back(values); });
    if (shaken) {
      shaken->for_each(backward, [&](const char*, const Eigen::ArrayXd& values) { of_shaken.push_back(values); });
    }
    std::size_t k = 0;
    got.for_each(backward, [&](const char* name, const Eigen::ArrayXd& values) {
      const Eigen::ArrayXd& other = of_wanted[k];
      if (values.size() != other.size()) throw Finding{text_of(name, ": ", values.size(), " of ", other.size())};
      double allowed = 0;
      if (shaken && other.size() > 0) {
        const double largest = (std::max)(1.0, other.abs().maxCoeff());
        const double grown = (other - of_shaken[k]).abs().maxCoeff();
        if (!(grown < 1e-3 * largest)) {  // so chaotic that no digit means anything
          ++k;
          return;
        }
        allowed = (sizeof(Scalar) == 4 ? 1e-3 : 1e-10) * largest + 100 * grown;
      }
      ++k;
      for (Index i = 0; i < values.size(); ++i) {
        if (std::abs(values[i] - other[i]) <= allowed) continue;
        std::string which = text_of("number ", i, " of ", values.size());
        for (const Parameter& entry : layer_.parameter_list()) {
          if (name != std::string("gradient of the parameters") || i < entry.offset) continue;
          if (i < entry.offset + entry.size()) which = text_of(entry.name, "[", i - entry.offset, "]");
        }
        throw Finding{text_of(name, ", ", which, ": got ", values[i], ", wanted ", other[i], ", off by ",
                              std::abs(values[i] - other[i]), ", allowed ", allowed)};
      }
    });
  }

  Results plain_loops(const ErasedLayer<Scalar>& layer, const Problem<Scalar>& p, bool backward, bool is_shaken) {
    double kink = 0;
    Results r = results_of_plain_loops(*model_.plain, layer, p, backward,
                                       is_shaken ? std::numeric_limits<Scalar>::epsilon() : 0.0, kink);
    closest_kink_ = (std::min)(closest_kink_, kink);
    return r;
  }
  /// True if a value may lie on the other side of a kink in floats, where the derivative is another one.
  [[nodiscard]] bool may_cross_kink() const { return closest_kink_ < (sizeof(Scalar) == 4 ? 1e-4 : 1e-12); }

  Problem<Scalar> draw_problem_for_layer() {
    const bool goes_on = has_state_ && draw_.chance(0.5);
    has_state_ = false;
    Problem<Scalar> p = draw_problem(draw_, layer_, *model_.plain, goes_on ? &state_ : nullptr);
    call_ += text_of(" (", p.x.time(), ", ", p.x.batch(), ")", p.context.initial_state ? " from a state" : "",
                     p.context.mask.is_all() ? "" : " masked");
    return p;
  }
  Results pass(ErasedLayer<Scalar>& layer, const Problem<Scalar>& p) {
    const Sequence<Scalar> y = layer.forward(p.x, p.context);
    layer.backward(p.d_y, p.d_final ? &*p.d_final : nullptr);
    return results_of(layer, y);
  }

  void forward_and_backward() {
    const Problem<Scalar> p = draw_problem_for_layer();
    const bool backward = !model_.has_dropout;
    closest_kink_ = std::numeric_limits<double>::infinity();
    const Results wanted = plain_loops(layer_, p, backward, false), shaken = plain_loops(layer_, p, backward, true);
    Results got;
    got.y = in_double(layer_(p.x, p.context));
    got.final_state = layer_.final_state().array().template cast<double>();
    compare(got, wanted, false, &shaken);
    state_ = layer_.final_state();
    has_state_ = true;
    if (!backward || may_cross_kink()) return;
    const Results first = pass(layer_, p);
    compare(first, wanted, true, &shaken);
    // The same to the bit: with and without a tape, in a copy, with other threads, and when it is done again.
    compare(got, first, false, nullptr);
    ErasedLayer<Scalar> copy = layer_;
    if (draw_.chance(0.5)) copy.set_executor(draw_.chance(0.3) ? nullptr : std::make_shared<ThreadPool>(2));
    compare(pass(copy, p), first, true, nullptr);
    layer_.backward(p.d_y, p.d_final ? &*p.d_final : nullptr);
    compare(results_of(layer_, layer_.forward(p.x, p.context)), first, true, nullptr);
  }

  /// A stream: one step after the other.
  void steps() {
    Problem<Scalar> p = draw_problem_for_layer();
    p.context.mask = {};
    p.exists.setOnes();
    fill(draw_, p.x.values(), -1, 1);
    const Results wanted = plain_loops(layer_, p, false, false), shaken = plain_loops(layer_, p, false, true);
    State<Scalar> state = p.context.initial_state ? *p.context.initial_state : layer_.initial_state(p.x.batch());
    Results got{.y = wanted.y, .final_state = {}, .gradient = {}, .d_x = {}, .d_initial = {}, .d_elapsed = {}};
    for (Index t = 0; t < p.x.time(); ++t) {
      const Eigen::Array<Scalar, Dynamic, Dynamic> x = p.x.step(t);
      const Eigen::Array<Scalar, Dynamic, Dynamic> elapsed = p.elapsed.row(t).transpose().template cast<Scalar>();
      const auto y = layer_.step(x, state, elapsed);
      got.y.step(layer_.return_sequences() ? t : 0) = y.template cast<double>();
    }
    got.final_state = state.array().template cast<double>();
    compare(got, wanted, false, &shaken);
  }

  /// New parameters: the constraints, and nothing else, change what was set.
  void change_parameters() {
    const double noise = draw_.one_of({0.05, 0.3, 0.8});
    std::vector<std::string> positive;
    model_.plain->add_positive("", positive);
    Eigen::Array<Scalar, Dynamic, 1> wanted = layer_.parameters();
    for (const Parameter& entry : layer_.parameter_list()) {
      const bool is_capacitance = entry.name == "cm" || entry.name.ends_with(".cm");
      for (Index i = entry.offset; i < entry.offset + entry.size(); ++i) {
        wanted[i] += static_cast<Scalar>(draw_.real(-noise, noise));
        if (is_capacitance) wanted[i] = (std::max)(wanted[i], Scalar(0.2));  // else a step may become infinite
      }
    }
    layer_.update([&](VectorView<Scalar> all) { all = wanted; });
    for (const std::string& name : positive) {
      const Parameter entry = layer_.parameter_list().at(name);
      auto values = wanted.segment(entry.offset, entry.size());
      values = values.max(Scalar(0)).eval();
    }
    if ((layer_.parameters() != wanted).any()) throw Finding{"the parameters are not those that were set, clipped"};
    try {
      layer_.backward(Sequence<Scalar>(1, 1, layer_.output_dim()));
    } catch (const InvalidArgument&) {
      return;
    }
    throw Finding{"backward went through a pass with other parameters"};
  }

  /// Wrong shapes: each is refused, and the next call is right.
  void wrong_calls() {
    const Problem<Scalar> p = draw_problem_for_layer();
    const auto expect_refusal = [](const char* what, const auto& call) {
      try {
        call();
      } catch (const Error&) {
        return;
      }
      throw Finding{text_of("not refused: ", what)};
    };
    const Index time = p.x.time(), batch = p.x.batch();
    expect_refusal("features", [&] { layer_.forward(Sequence<Scalar>(time, batch, layer_.input_dim() + 1)); });
    expect_refusal("no steps", [&] { layer_.forward(Sequence<Scalar>(0, batch, layer_.input_dim())); });
    expect_refusal("mask", [&] {
      auto context = p.context;
      context.mask = Mask(Eigen::ArrayXXi::Ones(time + 1, batch));
      layer_.forward(p.x, context);
    });
    expect_refusal("timespans", [&] {
      auto context = p.context;
      context.timespans = Timespans<Scalar>(Eigen::ArrayXXd::Ones(time, batch + 1));
      layer_.forward(p.x, context);
    });
    expect_refusal("initial state", [&] {
      auto context = p.context;
      context.initial_state = State<Scalar>(batch + 1, layer_.state_size());
      layer_.forward(p.x, context);
    });
    layer_.forward(p.x, p.context);
    expect_refusal("d_output", [&] { layer_.backward(Sequence<Scalar>(time + 1, batch, layer_.output_dim())); });
    const State<Scalar> wrong(batch + 1, layer_.state_size());
    expect_refusal("d_final_state", [&] { layer_.backward(p.d_y, &wrong); });
  }

  /// One epoch of `fit` with truncated BPTT and gradient descent.
  void train() {
    Problem<Scalar> p = draw_problem_for_layer();
    p.context = {};
    p.exists.setOnes();
    const auto elapsed = static_cast<Scalar>((std::min)(1.0, model_.plain->longest_elapsed()));
    p.elapsed.setConstant(static_cast<double>(elapsed));
    fill(draw_, p.x.values(), -1, 1);
    const Index length = draw_.whole(1, static_cast<int>(p.x.time()));
    const Scalar rate(0.125);
    const Sequence<Scalar> target = p.d_y;

    // The model learns in a copy, since truncated training needs a state of its own.
    ErasedLayer<Scalar> trained = layer_;
    Dataset<Scalar> data{p.x, target};
    data.timespans = Timespans<Scalar>(elapsed);
    fit(trained, data, SGD<Scalar>({.learning_rate = rate}), {.shuffle = false, .bptt_steps = length});

    closest_kink_ = std::numeric_limits<double>::infinity();
    const Results wanted = learn(p, target, length, rate, false), shaken = learn(p, target, length, rate, true);
    if (!may_cross_kink()) compare(parameters_of(trained), wanted, false, &shaken);
  }
  /// The same in plain loops.
  Results learn(Problem<Scalar> p, const Sequence<Scalar>& target, Index length, Scalar rate, bool is_shaken) {
    ErasedLayer<Scalar> layer = layer_;
    const Index time = p.x.time(), batch = p.x.batch();
    for (Index first = 0; first < time; first += length) {
      const Index steps = (std::min)(length, time - first);
      Problem<Scalar> piece = p;
      piece.x.resize(steps, batch, p.x.features());
      piece.d_y.resize(steps, batch, target.features());
      piece.elapsed = p.elapsed.topRows(steps);
      piece.exists = p.exists.topRows(steps);
      piece.d_final.reset();
      for (Index t = 0; t < steps; ++t) piece.x.step(t) = p.x.step(first + t);
      const Results forward = plain_loops(layer, piece, false, is_shaken);
      for (Index t = 0; t < steps; ++t) {
        piece.d_y.step(t) = ((forward.y.step(t) - target.step(first + t).template cast<double>()) * 2.0 /
                             static_cast<double>(steps * batch * target.features()))
                                .template cast<Scalar>();
      }
      const Results back = plain_loops(layer, piece, true, is_shaken);
      layer.update([&](VectorView<Scalar> all) { all -= rate * back.gradient.template cast<Scalar>(); });
      p.context.initial_state = layer_.initial_state(batch);
      p.context.initial_state->array() = forward.final_state.template cast<Scalar>();
    }
    return parameters_of(layer);
  }
  static Results parameters_of(const ErasedLayer<Scalar>& layer) {
    Results r;
    r.final_state = layer.parameters().template cast<double>();
    return r;
  }

  Draw& draw_;
  DrawnLayer<Scalar> model_;
  ErasedLayer<Scalar>& layer_;
  State<Scalar> state_;
  bool has_state_ = false;
  double closest_kink_ = 0;
  std::string call_;
};

std::uint64_t current_seed = 0;

/// A crash says the seed, too.
extern "C" void print_seed(int) {
  char text[64];
  const int length = std::snprintf(text, sizeof(text), "crashed: repeat with --seed %llu\n",
                                   static_cast<unsigned long long>(current_seed));
  if (write(STDERR_FILENO, text, static_cast<std::size_t>(length)) < 0) std::_Exit(2);
  std::_Exit(1);
}

template <typename Scalar>
bool run_case(Draw& draw) {
  const auto report = [](const std::string& model, const std::string& call, const std::string& what) {
    std::cerr << "finding: repeat with --seed " << current_seed << "\n  "
              << (sizeof(Scalar) == 4 ? "float " : "double ") << model << "\n  " << call << "\n  " << what << std::endl;
    return false;
  };
  std::unique_ptr<Case<Scalar>> one;
  try {
    one = std::make_unique<Case<Scalar>>(draw);
    one->run();
    return true;
  } catch (const Finding& finding) {
    return report(one->model(), one->call(), finding.what);
  } catch (const std::exception& error) {
    return report(one ? one->model() : "(no model)", one ? one->call() : "", error.what());
  }
}

bool run_seed(std::uint64_t seed) {
  current_seed = seed;
  Draw draw(seed);
  return draw.chance(0.6) ? run_case<double>(draw) : run_case<float>(draw);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool has_from = arguments.size() == 4 && arguments[0] == "--seconds" && arguments[2] == "--from";
  const bool has_one = arguments.size() == 2 && (arguments[0] == "--seconds" || arguments[0] == "--seed");
  if (!has_from && !has_one) {
    std::cerr << "elegans_differential_fuzz --seconds N [--from S] | --seed S\n";
    return 2;
  }
  const auto seed_of = [](const std::string& text) { return std::uint64_t{std::strtoull(text.c_str(), nullptr, 10)}; };
  std::signal(SIGABRT, print_seed);
  std::signal(SIGSEGV, print_seed);
  std::signal(SIGFPE, print_seed);
  if (arguments[0] == "--seed") return run_seed(seed_of(arguments[1])) ? 0 : 1;

  const std::uint64_t first = has_from ? seed_of(arguments[3]) : std::uint64_t{std::random_device{}()} << 20;
  std::uint64_t seed = first;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(std::strtod(arguments[1].c_str(), nullptr));
  for (; std::chrono::steady_clock::now() < end; ++seed) {
    if (!run_seed(seed)) return 1;
  }
  std::cout << seed - first << " cases from seed " << first << " on, no finding" << std::endl;
}
