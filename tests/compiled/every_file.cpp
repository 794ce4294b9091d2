// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// every_file FILE...: runs the model of each file in float and double. symbols.sh checks that the compiler left reading
// the files to the library.
#include <cmath>
#include <cstdio>
#include <variant>

#include <elegans/elegans.hpp>
#include <elegans/io/model_file.hpp>

namespace {

template <typename Scalar>
double output_of(const char* file) {
  auto model = elegans::load_model<Scalar>(file);
  return std::visit(
      [](auto& own) {
        elegans::Sequence<Scalar> x(6, 2, own.input_dim());
        x.values().setConstant(Scalar(0.5));
        return static_cast<double>(own(x)(0, 1, 0));
      },
      model);
}

}  // namespace

int main(int argc, char** argv) {
  for (int k = 1; k < argc; ++k) {
    const double in_float = output_of<float>(argv[k]), in_double = output_of<double>(argv[k]);
    if (!(std::abs(in_float - in_double) < 1e-5)) {
      std::fprintf(stderr, "%s: %.9g in float, %.9g in double\n", argv[k], in_float, in_double);
      return 1;
    }
  }
  return argc > 1 ? 0 : 2;
}
