// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// mutate all: layer.normalization
/// The equation of a layer normalization, whose weights belong to somebody else: see `LayerNorm`.
template <typename Scalar>
struct Normalization {
  Index features = 0;
  Scalar epsilon = 0;
  const Scalar* weight = nullptr;  ///< whole packets
  const Scalar* bias = nullptr;

  /// The mean of a sample's values, in each of its lanes. \param values  block -> packet
  template <LaneLayout Lanes, typename Values>
  [[nodiscard]] typename Lanes::Packet mean(Values values) const {
    using P = typename Lanes::Packet;
    P total(Scalar(0));
    for (Index block = 0; block < Lanes::blocks(features); ++block) total = total + values(block);
    Scalar sums[Lanes::samples]{};
    Lanes::add_to_samples(sums, total);
    return Lanes::per_sample(sums) * P(Scalar(1) / static_cast<Scalar>(features));
  }

  /// Writes (x - mean) / sqrt(variance + epsilon). It is 0 in lanes that stand for no feature.
  /// \return 1 / sqrt(variance + epsilon)
  template <LaneLayout Lanes>
  typename Lanes::Packet normalize(const Scalar* x, Scalar* normal) const {
    using P = typename Lanes::Packet;
    const auto block_of = [](const Scalar* values, Index block) { return load<P>(values + block * Lanes::lanes); };
    const P middle = mean<Lanes>([&](Index block) { return block_of(x, block); });
    for (Index block = 0; block < Lanes::blocks(features); ++block) {
      store(normal + block * Lanes::lanes, block_of(x, block) - middle);
    }
    std::fill(normal + Lanes::index(features, 0), normal + extent<Lanes>(features), Scalar(0));
    const P variance = mean<Lanes>([&](Index block) { return block_of(normal, block) * block_of(normal, block); });
    const P scale = each_lane(variance, [&](Scalar value) { return Scalar(1) / std::sqrt(value + epsilon); });
    for (Index block = 0; block < Lanes::blocks(features); ++block) {
      store(normal + block * Lanes::lanes, block_of(normal, block) * scale);
    }
    return scale;
  }

  /// \param x  (features) in whole packets, 0 in lanes that stand for no feature
  /// \param y  written in whole packets
  template <LaneLayout Lanes>
  void forward(const Scalar* x, Scalar* y) const {
    using P = typename Lanes::Packet;
    normalize<Lanes>(x, y);
    for (Index block = 0; block < Lanes::blocks(features); ++block) {
      const Index i = block * Lanes::lanes;
      store(y + i, fma(load<P>(y + i), Lanes::per_neuron(weight, block), Lanes::per_neuron(bias, block)));
    }
  }
};

}  // namespace elegans::detail
