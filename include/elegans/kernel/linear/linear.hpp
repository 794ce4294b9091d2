// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include <elegans/core/buffer.hpp>
#include <elegans/core/tuning.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

/// One pointer per map, to the values of its outputs.
template <typename Scalar, int Maps>
using MapPointers = std::array<Scalar*, static_cast<std::size_t>(Maps)>;

// mutate all: linear
/// Several linear maps of the same inputs: z_m = W_m x + b_m, where each W_m is (outputs, inputs). The weights belong
/// to somebody else.
///
/// The kernel reads the weights in the order in which they lie: 16 outputs at a time, input by input, of each map in
/// turn.
template <typename Scalar, int Maps = 1>
struct LinearView {
  Index outputs = 0;
  Index inputs = 0;
  const Scalar* weight = nullptr;
  const Scalar* bias = nullptr;

  /// Index of the weight of a map from input j to output o.
  [[nodiscard]] constexpr Index weight_index(int map, Index o, Index j) const noexcept {
    return (o / group * inputs + j) * stride + map * group + o % group;
  }
  /// Index of the bias of a map's output o.
  [[nodiscard]] static constexpr Index bias_index(int map, Index o) noexcept {
    return o / group * stride + map * group + o % group;
  }

  /// \param x  (inputs)
  /// \param z  per map: (outputs), written in whole packets
  template <LaneLayout Lanes>
  void forward(const Scalar* x, const MapPointers<Scalar, Maps>& z) const {
    constexpr int together = tuning::sums_in_registers / 2 / Maps;
    if constexpr (Lanes::single) {
      in_groups<together>(Lanes::blocks(outputs),
                          [&]<int Count>(Index block) { forward_blocks<Lanes, Count>(block, x, z); });
    } else {
      in_groups<together>(outputs, [&]<int Count>(Index o) { forward_neurons<Lanes, Count>(o, x, z); });
    }
  }

  /// d_x += sum of W_m^T d_z_m
  /// \param d_z  per map: (outputs), whole packets; 0 in the lanes that stand for no neuron
  template <LaneLayout Lanes>
  void backward(const MapPointers<const Scalar, Maps>& d_z, Scalar* d_x) const {
    using P = typename Lanes::Packet;
    constexpr Index lanes = Lanes::lanes;
    in_groups<tuning::sums_in_registers / 2>(inputs, [&]<int Count>(Index j) {
      P sums[Count];
      for (int k = 0; k < Count; ++k) sums[k] = Lanes::single ? P(Scalar(0)) : load<P>(d_x + (j + k) * lanes);
      for (Index block = 0; block < Lanes::blocks(outputs); ++block) {
        for (int m = 0; m < Maps; ++m) {
          const P value = load<P>(d_z[static_cast<std::size_t>(m)] + block * lanes);
          const Scalar* const from = weight + weight_index(m, Lanes::neuron(block), j);
          for (int k = 0; k < Count; ++k) sums[k] = fma(Lanes::per_neuron(from + k * stride, 0), value, sums[k]);
        }
      }
      for (int k = 0; k < Count; ++k) {
        if constexpr (Lanes::single) {
          d_x[j + k] += sum(sums[k]);
        } else {
          store(d_x + (j + k) * lanes, sums[k]);
        }
      }
    });
  }

 private:
  static constexpr Index group = neuron_padding;
  static constexpr Index stride = Maps * group;

  /// Computes `Count` packets of a single sample's outputs, for all maps.
  template <LaneLayout Lanes, int Count>
  EIGEN_ALWAYS_INLINE void forward_blocks(Index block, const Scalar* x, const MapPointers<Scalar, Maps>& z) const {
    using P = typename Lanes::Packet;
    constexpr Index lanes = Lanes::lanes;
    const Scalar* from[Count];
    // Two sums per output, so that a product need not wait for the one before it.
    P even[Count][Maps], odd[Count][Maps];
    for (int k = 0; k < Count; ++k) {
      from[k] = weight + weight_index(0, (block + k) * lanes, 0);
      for (int m = 0; m < Maps; ++m) {
        even[k][m] = load<P>(bias + bias_index(m, (block + k) * lanes));
        odd[k][m] = P(Scalar(0));
      }
    }
    Index j = 0;
    for (; j + 1 < inputs; j += 2) {
      const P first(x[j]);
      const P second(x[j + 1]);
      for (int k = 0; k < Count; ++k) {
        const Scalar* const w = from[k] + j * stride;
        for (int m = 0; m < Maps; ++m) {
          even[k][m] = fma(load<P>(w + m * group), first, even[k][m]);
          odd[k][m] = fma(load<P>(w + stride + m * group), second, odd[k][m]);
        }
      }
    }
    if (j < inputs) {
      const P last(x[j]);
      for (int k = 0; k < Count; ++k) {
        for (int m = 0; m < Maps; ++m) even[k][m] = fma(load<P>(from[k] + j * stride + m * group), last, even[k][m]);
      }
    }
    for (int k = 0; k < Count; ++k) {
      for (int m = 0; m < Maps; ++m) {
        store(z[static_cast<std::size_t>(m)] + (block + k) * lanes, even[k][m] + odd[k][m]);
      }
    }
  }

  /// Computes `Count` outputs of a batch, for all maps.
  template <LaneLayout Lanes, int Count>
  EIGEN_ALWAYS_INLINE void forward_neurons(Index o, const Scalar* x, const MapPointers<Scalar, Maps>& z) const {
    using P = typename Lanes::Packet;
    const Scalar* from[Count];
    P sums[Count][Maps];
    for (int k = 0; k < Count; ++k) {
      from[k] = weight + weight_index(0, o + k, 0);
      for (int m = 0; m < Maps; ++m) sums[k][m] = P(bias[bias_index(m, o + k)]);
    }
    for (Index j = 0; j < inputs; ++j) {
      const P value = load<P>(x + j * Lanes::lanes);
      for (int k = 0; k < Count; ++k) {
        const Scalar* const w = from[k] + j * stride;
        for (int m = 0; m < Maps; ++m) sums[k][m] = fma(P(w[m * group]), value, sums[k][m]);
      }
    }
    for (int k = 0; k < Count; ++k) {
      for (int m = 0; m < Maps; ++m) store(z[static_cast<std::size_t>(m)] + (o + k) * Lanes::lanes, sums[k][m]);
    }
  }
};

/// The same maps, with their own weights: `pack_weight` and `pack_bias` copy them from a parameter vector.
///
/// \tparam Outputs, Inputs  the sizes if the type fixes them, for weights in place; or Dynamic
template <typename Scalar, int Maps = 1, int Outputs = Dynamic, int Inputs = Dynamic>
class Linear {
  using Weight = Buffer<Scalar, multiply_sizes(multiply_sizes(Maps, pad_neurons(Outputs)), Inputs)>;
  using Bias = Buffer<Scalar, multiply_sizes(Maps, pad_neurons(Outputs))>;

 public:
  Linear() = default;
  Linear(Index outputs, Index inputs) : outputs_(outputs), inputs_(inputs) {
    weight_.resize(Maps * pad_neurons(outputs) * inputs);
    bias_.resize(Maps * pad_neurons(outputs));
  }

  [[nodiscard]] Index outputs() const noexcept { return outputs_; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] LinearView<Scalar, Maps> view() const noexcept {
    return {outputs_, inputs_, weight_.data(), bias_.data()};
  }
  /// The arrays that a view reads, for code that stores them elsewhere.
  [[nodiscard]] const Weight& packed_weight() const noexcept { return weight_; }
  [[nodiscard]] const Bias& packed_bias() const noexcept { return bias_; }

  /// Packs a map's weights from some of the inputs.
  ///
  /// \param weight  (outputs, count), column-major, its columns `stride` apart
  /// \param first   the first of those inputs
  /// \param mask    (outputs, count), column-major: a weight counts where it is not 0; or null for all
  void pack_weight(int map, const Scalar* weight, Index stride, Index first, Index count,
                   const unsigned char* mask = nullptr) {
    for (Index j = 0; j < count; ++j) {
      for (Index o = 0; o < outputs_; ++o) {
        const bool exists = !mask || mask[o + outputs_ * j];
        weight_[view().weight_index(map, o, first + j)] = exists ? weight[o + stride * j] : Scalar(0);
      }
    }
  }
  void pack_bias(int map, const Scalar* bias) {
    for (Index o = 0; o < outputs_; ++o) bias_[view().bias_index(map, o)] = bias[o];
  }

 private:
  Index outputs_ = 0;
  Index inputs_ = 0;
  Weight weight_;  // in LinearView's order
  Bias bias_;
};

}  // namespace elegans::detail
