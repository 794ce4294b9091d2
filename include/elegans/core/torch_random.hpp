// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>

namespace elegans {

/// The random numbers of `torch.manual_seed(seed); torch.rand(...)`, in float and double. Initial values come from
/// here, so that a model starts from the same numbers as the model of ncps on PyTorch.
///
/// The generator is a Mersenne Twister (MT19937). A float takes the low 24 bits of one output. A double takes the low
/// 53 bits of two outputs, of which the first is the high word.
class TorchRandom {
 public:
  /// Starts the stream. Like PyTorch, it uses only the low 32 bits of the seed.
  explicit TorchRandom(std::uint64_t seed) : engine_(static_cast<std::uint32_t>(seed)) {}

  /// A uniform value in [0, 1): one element of `torch.rand`.
  template <typename Scalar>
  Scalar rand() {
    static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
                  "elegans::TorchRandom: draws float or double");
    if constexpr (std::is_same_v<Scalar, float>) {
      return static_cast<float>(engine_() & 0xffffffU) * 0x1.0p-24F;
    } else {
      const std::uint64_t high = engine_();
      return static_cast<double>(((high << 32) | engine_()) & 0x1fffffffffffffULL) * 0x1.0p-53;
    }
  }

  /// A uniform value in [low, high): `torch.rand(...) * (high - low) + low`, rounded after each operation.
  template <typename Scalar>
  Scalar uniform(double low, double high) {
    // volatile: otherwise a compiler may fuse product and sum into one operation that rounds once, and the x87 unit of
    // 32-bit processors would keep more digits than Scalar has.
    volatile Scalar product = rand<Scalar>() * static_cast<Scalar>(high - low);
    volatile Scalar sum = product + static_cast<Scalar>(low);
    return sum;
  }

  /// A uniform value in [low, high]: one element of `tensor.uniform_(low, high)`. It rounds once where `uniform` rounds
  /// twice, because PyTorch builds that kernel with fused multiply-add.
  template <typename Scalar>
  Scalar uniform_fused(double low, double high) {
    const auto from = static_cast<Scalar>(low);
    // Through a pointer: with -fassociative-math, clang multiplies and adds where the processor cannot do both at once.
    Scalar (*volatile fused)(Scalar, Scalar, Scalar) = nullptr;
    if constexpr (std::is_same_v<Scalar, float>) {
      fused = ::fmaf;
    } else {
      fused = ::fma;
    }
    return fused(rand<Scalar>(), static_cast<Scalar>(high) - from, from);
  }

 private:
  std::mt19937 engine_;
};

}  // namespace elegans
