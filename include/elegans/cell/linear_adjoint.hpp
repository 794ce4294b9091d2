// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <elegans/cell/lanes.hpp>
#include <elegans/cell/linear.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>

namespace elegans::detail {

/// The gradient of a Linear's weights, summed up over steps.
///
/// A step only records its inputs and the adjoints of its outputs. After some steps, all outer products are summed up
/// at once, in registers: no weight's sum goes through memory each step.
template <typename Scalar, int Maps = 1>
class LinearAdjoint {
 public:
  template <typename Lanes>
  void reset(const Linear<Scalar, Maps>& linear) {
    outputs_ = linear.outputs();
    inputs_ = linear.inputs();
    // Whole packets, both: a single sample's inputs are read one by one, its outputs in packets.
    x_stride_ = extent<Lanes>(inputs_);
    z_stride_ = extent<Lanes>(outputs_);
    x_.resize(steps_kept * x_stride_);
    d_z_.resize(steps_kept * Maps * z_stride_);
    weight_.resize(Maps * outputs_ * inputs_);
    bias_.resize(Maps * outputs_);
    std::fill_n(weight_.data(), weight_.size(), Scalar(0));
    std::fill_n(bias_.data(), bias_.size(), Scalar(0));
    steps_ = 0;
  }

  template <typename Lanes>
  void record(const Scalar* x, const MapPointers<const Scalar, Maps>& d_z) {
    if (steps_ == steps_kept) sum_up<Lanes>();
    std::copy_n(x, Lanes::single ? inputs_ : x_stride_, x_.data() + steps_ * x_stride_);
    for (int m = 0; m < Maps; ++m) {
      std::copy_n(d_z[static_cast<std::size_t>(m)], z_stride_, d_z_.data() + (steps_ * Maps + m) * z_stride_);
    }
    ++steps_;
  }

  /// Ends the recording, before the sums are collected.
  template <typename Lanes>
  void finish() {
    sum_up<Lanes>();
  }
  /// Adds to the gradient of what `Linear::pack_weight` took.
  void collect_weight(int map, Scalar* weight, Index stride, Index first, Index count,
                      const unsigned char* mask = nullptr) const {
    for (Index j = 0; j < count; ++j) {
      for (Index o = 0; o < outputs_; ++o) {
        if (!mask || mask[o + outputs_ * j]) weight[o + stride * j] += weight_[weight_at(map, o, first + j)];
      }
    }
  }
  void collect_bias(int map, Scalar* bias) const {
    for (Index o = 0; o < outputs_; ++o) bias[o] += bias_[map * outputs_ + o];
  }

 private:
  static constexpr Index steps_kept = 32;

  [[nodiscard]] Index weight_at(int map, Index o, Index j) const noexcept { return o + outputs_ * (j + inputs_ * map); }

  /// Inputs in the outer loop: all steps' values of those few stay in the first-level cache.
  template <typename Lanes>
  void sum_up() {
    using P = typename Lanes::Packet;
    in_groups<most_sums / Maps>(inputs_, [&]<int Count>(Index j) {
      for (Index block = 0; block < Lanes::blocks(outputs_); ++block) sum_block<Lanes, Count>(block, j);
    });
    for (Index block = 0; block < Lanes::blocks(outputs_); ++block) {
      for (int m = 0; m < Maps; ++m) {
        P sum = broadcast<P>(Scalar(0));
        for (Index t = 0; t < steps_; ++t) sum = Eigen::internal::padd(sum, d_z_at<Lanes>(t, m, block));
        add<Lanes>(bias_.data() + m * outputs_, block, sum);
      }
    }
    steps_ = 0;
  }

  template <typename Lanes>
  [[nodiscard]] EIGEN_STRONG_INLINE typename Lanes::Packet d_z_at(Index t, int map, Index block) const {
    return load<typename Lanes::Packet>(d_z_.data() + (t * Maps + map) * z_stride_ + block * Lanes::lanes);
  }

  /// The weights from some inputs to one packet of outputs, of each map.
  template <typename Lanes, int Count>
  void sum_block(Index block, Index j) {
    using P = typename Lanes::Packet;
    constexpr Index lanes = Lanes::lanes;
    P sums[Maps][Count];
    for (auto& of_map : sums) std::fill_n(of_map, Count, broadcast<P>(Scalar(0)));
    for (Index t = 0; t < steps_; ++t) {
      const Scalar* const x = x_.data() + t * x_stride_;
      P values[Count];
      for (int k = 0; k < Count; ++k) {
        if constexpr (Lanes::single) {
          values[k] = broadcast<P>(x[j + k]);
        } else {
          values[k] = load<P>(x + (j + k) * lanes);
        }
      }
      for (int m = 0; m < Maps; ++m) {
        const P d_z = d_z_at<Lanes>(t, m, block);
        for (int k = 0; k < Count; ++k) sums[m][k] = Eigen::internal::pmadd(d_z, values[k], sums[m][k]);
      }
    }
    for (int m = 0; m < Maps; ++m) {
      for (int k = 0; k < Count; ++k) add<Lanes>(weight_.data() + weight_at(m, 0, j + k), block, sums[m][k]);
    }
  }

  /// Adds a packet's sums to those of its outputs.
  template <typename Lanes>
  void add(Scalar* to, Index block, const typename Lanes::Packet& sum) const {
    if constexpr (Lanes::single) {
      Scalar values[Lanes::lanes];
      store<typename Lanes::Packet>(values, sum);
      const Index first = block * Lanes::lanes;
      for (Index k = 0; k < std::min<Index>(Lanes::lanes, outputs_ - first); ++k) to[first + k] += values[k];
    } else {
      to[block] += Eigen::internal::predux(sum);
    }
  }

  Index outputs_ = 0;
  Index inputs_ = 0;
  Index x_stride_ = 0;
  Index z_stride_ = 0;
  Index steps_ = 0;
  Buffer<Scalar> x_, d_z_;
  Buffer<Scalar> weight_;  // (outputs, inputs), map after map
  Buffer<Scalar> bias_;
};

}  // namespace elegans::detail
