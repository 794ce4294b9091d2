// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Calls what the library has of every model. symbols.sh checks that the compiler left it to the library.
#include <cmath>
#include <cstdio>

#include <elegans/elegans.hpp>

namespace {

template <typename Model>
bool learns(const char* name) {
  using Scalar = typename Model::Scalar;
  elegans::Sequence<Scalar> x(6, 3, 2), y(6, 3, 1);
  x.values().setConstant(Scalar(0.5));
  y.values().setConstant(Scalar(0.25));
  Model model(elegans::AutoNCP(8, 1), 2);
  const auto history = elegans::fit(model, x, y, elegans::Adam<Scalar>({.learning_rate = 0.01}), {.epochs = 20});
  model.forward(x);
  model.backward(y);
  const Scalar output = model(x)(5, 2, 0);
  const bool ok = history.loss.back() < history.loss.front() && std::isfinite(output) &&
                  model.gradient().isFinite().all() && !model.summary().empty();
  if (!ok) std::fprintf(stderr, "%s does not learn\n", name);
  return ok;
}

}  // namespace

int main() {
  const bool all[] = {
      learns<elegans::LTC<float>>("LTC<float>"),           learns<elegans::LTC<double>>("LTC<double>"),
      learns<elegans::CfC<float>>("CfC<float>"),           learns<elegans::CfC<double>>("CfC<double>"),
      learns<elegans::MixedLTC<float>>("MixedLTC<float>"), learns<elegans::MixedLTC<double>>("MixedLTC<double>"),
      learns<elegans::MixedCfC<float>>("MixedCfC<float>"), learns<elegans::MixedCfC<double>>("MixedCfC<double>")};
  for (const bool ok : all) {
    if (!ok) return 1;
  }
}
