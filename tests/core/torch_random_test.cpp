// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>

#include <elegans/core/torch_random.hpp>

#include "support/catch.hpp"

using elegans::TorchRandom;

// PyTorch 1.13 gives these numbers: torch.manual_seed(seed); [repr(float(v)) for v in torch.rand(n, dtype=...)].

TEST_CASE("Random floats equal those of torch.rand", "[core][torch_random]") {
  TorchRandom random(0);
  for (const double expected : {0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688}) {
    CHECK(double{random.rand<float>()} == expected);
  }
}

TEST_CASE("Random doubles equal those of torch.rand", "[core][torch_random]") {
  TorchRandom zero(0);
  for (const double expected : {0.9700530018065531, 0.707819864399788, 0.45938294312745087, 0.9207476841219603}) {
    CHECK(zero.rand<double>() == expected);
  }
  TorchRandom other(12345);
  for (const double expected : {0.8537458849690976, 0.9371476796661825, 0.6657276343152506}) {
    CHECK(other.rand<double>() == expected);
  }
}

TEST_CASE("A seed counts with its low 32 bits only, as in PyTorch", "[core][torch_random]") {
  TorchRandom low(7);
  TorchRandom high(7 + (std::uint64_t{1} << 32));
  TorchRandom other(8);
  const double drawn = low.rand<double>();
  CHECK(high.rand<double>() == drawn);
  CHECK(other.rand<double>() != drawn);
}

TEMPLATE_TEST_CASE("Uniform values stay in their range, and fill it", "[core][torch_random]", float, double) {
  TorchRandom random(3);
  TestType least = 100;
  TestType most = -100;
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto value = random.uniform<TestType>(-0.2, 0.6);
    least = value < least ? value : least;
    most = value > most ? value : most;
    sum += static_cast<double>(value);
  }
  CHECK(least >= static_cast<TestType>(-0.2));
  CHECK(least < static_cast<TestType>(-0.199));
  CHECK(most <= static_cast<TestType>(0.6));
  CHECK(most > static_cast<TestType>(0.599));
  // The mean of 10000 values has a standard deviation of 0.0023.
  CHECK(sum / 10000 == Approx(0.2).margin(0.01));
}
