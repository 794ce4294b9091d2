// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <sstream>
#include <string>

#include <elegans/io/c_source.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/system/file.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

namespace {

constexpr int sine_task_steps = 48;

Eigen::ArrayXXd sine_task_inputs() {
  const Eigen::ArrayXd angle = Eigen::ArrayXd::LinSpaced(sine_task_steps, 0.0, 3.0 * std::numbers::pi);
  Eigen::ArrayXXd x(sine_task_steps, 2);
  x << angle.sin(), angle.cos();
  return x;
}
Eigen::ArrayXd sine_task_targets() {
  return Eigen::ArrayXd::LinSpaced(sine_task_steps, 0.0, 6.0 * std::numbers::pi).sin();
}

/// The outputs of a model's C over the sine task.
Eigen::ArrayXd outputs_of_c(const elegans::CSource& c) {
  const Eigen::ArrayXXd x = sine_task_inputs();
  std::ostringstream program;
  program << "#include <stdio.h>\n#include \"model.c\"\nint main(void) {\n  static const float x[][2] = {";
  for (int t = 0; t < sine_task_steps; ++t) program << "{(float)" << x(t, 0) << ", (float)" << x(t, 1) << "}, ";
  program << "};\n  model_state state;\n  float y[1];\n  int t;\n  model_reset(&state);\n  for (t = 0; t < "
          << sine_task_steps << "; ++t) {\n    if (model_step(&state, x[t], y)) return 1;\n"
          << "    printf(\"%.9g\\n\", (double)y[0]);\n  }\n  return 0;\n}\n";
  const support::Folder folder;
  elegans::write_file((folder.path / "model.h").string(), c.header);
  elegans::write_file((folder.path / "model.c").string(), c.source);
  elegans::write_file((folder.path / "main.c").string(), program.str());
  const std::string command = "cd '" + folder.path.string() + "' && cc -std=c99 -O1 main.c -o main && ./main >out";
  REQUIRE(std::system(command.c_str()) == 0);
  std::istringstream lines(support::read((folder.path / "out").string()));
  Eigen::ArrayXd y(sine_task_steps);
  for (double& value : y) lines >> value;
  REQUIRE(lines);
  return y;
}

template <typename Wiring>
void check_loss_of_c(const Wiring& wiring) {
  const Eigen::ArrayXXd x = sine_task_inputs();
  const Eigen::ArrayXd target = sine_task_targets();
  elegans::LTC<double> model(wiring, 2);
  elegans::fit(model, x, target, elegans::Adam<double>({.learning_rate = 0.01}), {.epochs = 400});
  const auto loss_of = [&](const Eigen::ArrayXd& y) { return (y - target).square().mean(); };
  const double loss = loss_of(model(x).values().col(0));
  CHECK(loss < 0.05);  // it has learned the task
  using elegans::CArithmetic;
  using elegans::CSigmoid;
  const auto check = [&](CArithmetic arithmetic, CSigmoid sigmoid, double largest) {
    const double loss_of_c = loss_of(
        outputs_of_c(elegans::c_source(model, {.elapsed_time = 1, .arithmetic = arithmetic, .sigmoid = sigmoid})));
    CAPTURE(arithmetic, sigmoid, loss, loss_of_c);
    CHECK(std::fabs(loss_of_c / loss - 1) <= largest);
  };
  check(CArithmetic::q15, CSigmoid::exact, 0.01);
  check(CArithmetic::q15, CSigmoid::table, 0.05);
  check(CArithmetic::q31, CSigmoid::exact, 1e-4);
}

}  // namespace

TEST_CASE("In whole numbers, the loss of a network that has learned the tutorial's task stays within 5%",
          "[io][c_source]") {
  if (std::system("command -v cc >/dev/null 2>&1") != 0) return;
  check_loss_of_c(elegans::AutoNCP(8, 1));
  check_loss_of_c(elegans::FullyConnected(8, 1));
}
