// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// A user's own cell: leaky integrators, which the library does not have. To make a cell, write its parameters, its step
// and the adjoint of the step, all on plain arrays. The library adds sequences, batches, masks, elapsed times and
// training.
//
//     own_cell --out out
//
// Checks the gradients, learns the sine wave of the tutorial, and leaves numbers (CSV) and a plot (PNG) in a folder.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>

#include <elegans/elegans.hpp>
#include <elegans/system/file.hpp>

#include "support/csv.hpp"
#include "support/folder.hpp"
#include "support/gnuplot.hpp"
#include "support/program.hpp"
#include "support/sine_task.hpp"

namespace {

/// Leaky integrators: the potential of each neuron decays exponentially to a target, which its inputs and the other
/// neurons set,
///
///     v <- v + k (tanh(W x + U v + b) - v),   k = 1 - exp(-elapsed / tau)
///
/// Satisfies `elegans::ArrayDynamics`.
template <typename ScalarType>
class LeakyIntegrator {
 public:
  using Scalar = ScalarType;
  using Array = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
  using Values = elegans::Tensors<const Scalar>;

  LeakyIntegrator(int units, int input_dim, std::uint64_t seed) : units_(units), input_dim_(input_dim), seed_(seed) {}

  [[nodiscard]] elegans::Index units() const { return units_; }
  [[nodiscard]] elegans::Index input_dim() const { return input_dim_; }

  [[nodiscard]] elegans::ParameterList<> parameters() const {
    elegans::ParameterList<> list;
    list.add("W", units_, input_dim_);
    list.add("U", units_, units_);
    list.add("b", units_, 1);
    list.add("tau", units_, 1);
    return list;
  }

  void initialize(elegans::Tensors<Scalar> p) const {
    elegans::TorchRandom random(seed_);
    const auto draw = [&](double low, double high) {
      return [=, &random] { return random.template uniform<Scalar>(low, high); };
    };
    const double bound = 1.0 / std::sqrt(units_);
    p("W") = Array::NullaryExpr(units_, input_dim_, draw(-1, 1));
    p("U") = Array::NullaryExpr(units_, units_, draw(-bound, bound));
    p("b").setZero();
    p("tau") = Array::NullaryExpr(units_, 1, draw(0.5, 5));
  }

  /// A time constant stays positive, whatever the optimizer does.
  void apply_constraints(elegans::Tensors<Scalar> p) const { p("tau") = p("tau").max(Scalar(0.05)); }

  void step(Values p, const elegans::ArrayStep<Scalar>& now, elegans::ArrayView<Scalar> next) const {
    next = now.state + (Scalar(1) - decay(p, now)) * (goal(p, now) - now.state);
  }

  void step_backward(Values p, const elegans::ArrayStep<Scalar>& now, elegans::ConstArrayView<Scalar> d_next,
                     elegans::ArrayStepAdjoint<Scalar>& d_now, elegans::Tensors<Scalar> d_p) const {
    const Array f = goal(p, now);
    const Array e = decay(p, now);
    const Array d_z = d_next * (Scalar(1) - e) * (Scalar(1) - f.square());
    const Array d_ratio = d_next * (f - now.state) * e;  // of elapsed / tau
    const auto tau = p("tau").transpose().replicate(d_next.rows(), 1);
    const auto elapsed = now.elapsed.replicate(1, units_);

    d_now.x.matrix() += d_z.matrix() * p("W").matrix();
    d_now.state += d_next * e;
    d_now.state.matrix() += d_z.matrix() * p("U").matrix();
    d_now.elapsed += (d_ratio / tau).rowwise().sum();
    d_p("W").matrix() += d_z.matrix().transpose() * now.x.matrix();
    d_p("U").matrix() += d_z.matrix().transpose() * now.state.matrix();
    d_p("b") += d_z.colwise().sum().transpose();
    d_p("tau") -= (d_ratio * elapsed / tau.square()).colwise().sum().transpose();
  }

 private:
  /// The targets of the potentials: tanh(W x + U v + b), (batch, units).
  [[nodiscard]] static Array goal(Values p, const elegans::ArrayStep<Scalar>& now) {
    Array z = now.x.matrix() * p("W").matrix().transpose() + now.state.matrix() * p("U").matrix().transpose();
    z.rowwise() += p("b").col(0).transpose();
    return z.tanh();
  }
  /// exp(-elapsed / tau), (batch, units).
  [[nodiscard]] static Array decay(Values p, const elegans::ArrayStep<Scalar>& now) {
    return (-now.elapsed.matrix() * p("tau").inverse().matrix().transpose()).array().exp();
  }

  int units_;
  int input_dim_;
  std::uint64_t seed_;
};

template <typename Scalar>
using LeakyIntegrators = elegans::Rnn<elegans::ArrayCell<LeakyIntegrator<Scalar>>>;

struct Settings {
  std::filesystem::path out = "out";
  int units = 16;
  int epochs = 400;
  float learning_rate = 0.02f;
  std::uint64_t seed = 1;
  bool quiet = false;
};

/// The cell, and a dense layer that reads it.
template <typename Scalar>
auto make_model(const Settings& settings) {
  const LeakyIntegrator<Scalar> dynamics(settings.units, 2, settings.seed);
  return elegans::Sequential(LeakyIntegrators<Scalar>(elegans::ArrayCell(dynamics)),
                             elegans::Dense<Scalar>(1, settings.units, {.seed = settings.seed}));
}

void run(const Settings& settings) {
  std::ostringstream nowhere;
  std::ostream& log = settings.quiet ? nowhere : std::cout;
  examples::make_folder(settings.out);

  const auto check = elegans::check_gradients(make_model<double>(settings));
  log << "Gradients: " << check.compared << " compared with differences, the largest error is " << check.largest_error
      << ", of " << check.where << "\n";
  if (!check.ok()) throw elegans::RuntimeError("the gradient of " + check.where + " is wrong");

  const elegans::Sequence<float> x = examples::sine_inputs<float>();
  const elegans::Sequence<float> y = examples::sine_targets<float>();
  auto model = make_model<float>(settings);
  log << model.summary();
  const elegans::Sequence<float> before = model(x);
  const auto loss_of = [&](const elegans::Sequence<float>& prediction) {
    return (prediction.values() - y.values()).square().mean();
  };
  elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = settings.learning_rate}),
               {.epochs = settings.epochs, .show_progress = !settings.quiet});
  const elegans::Sequence<float> after = model(x);
  log << "Loss (mean squared error): " << std::fixed << std::setprecision(6) << loss_of(before) << " before training, "
      << loss_of(after) << " after " << settings.epochs << " epochs\n";

  const auto table = settings.out / "own_cell.csv";
  elegans::write_file(
      table, examples::csv({"step", "target", "before", "after"}, examples::sine_steps, [&](auto r, auto c) {
        return c == 0 ? static_cast<float>(r) : c == 1 ? y(r, 0, 0) : c == 2 ? before(r, 0, 0) : after(r, 0, 0);
      }));
  if (!examples::gnuplot(std::filesystem::path(ELEGANS_EXAMPLES_DIR) / "plots" / "prediction.gp",
                         settings.out / "own_cell.png", {table.string(), "after", "leaky integrators"})) {
    log << "There is no gnuplot here, so there is no plot. All numbers are written.\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Trains a cell that is written outside the library on a sine wave");
  app.add_option("--out", settings.out, "Folder for numbers and pictures")->capture_default_str();
  app.add_option("--units", settings.units, "Number of neurons")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--epochs", settings.epochs, "Updates of the parameters")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  app.add_option("--learning-rate", settings.learning_rate, "Of Adam")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seed", settings.seed, "Of the initial parameters")->capture_default_str();
  app.add_flag("--quiet", settings.quiet, "Print nothing");
  return examples::run_program(app, argc, argv, "own_cell", [&] { run(settings); });
}
