// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/lane_sums.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

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
    // Inputs are taken in whole groups, the last of which reads what follows, and its sums are never collected.
    const Index groups = (inputs_ + group - 1) / group;
    x_stride_ = Lanes::single ? inputs_ : extent<Lanes>(inputs_);
    z_stride_ = extent<Lanes>(outputs_);
    x_.resize(steps_kept * x_stride_ + group * Lanes::samples);
    d_z_.resize(steps_kept * Maps * z_stride_);
    // A batch gets the sums of an output and a group side by side, a single sample those of a packet of outputs.
    place_ = Lanes::single ? Place{1, Maps * group * z_stride_, group * z_stride_, z_stride_}
                           : Place{groups * Maps * group, Maps * group, group, 1};
    weight_.resize(groups * Maps * group * (Lanes::single ? z_stride_ : outputs_));
    bias_.resize(Maps * z_stride_);
    std::fill_n(weight_.data(), weight_.size(), Scalar(0));
    std::fill_n(bias_.data(), bias_.size(), Scalar(0));
    steps_ = 0;
  }

  /// Where the adjoints of the outputs of a step go, whole packets, before its inputs are recorded.
  template <typename Lanes>
  [[nodiscard]] MapPointers<Scalar, Maps> next() {
    if (steps_ == steps_kept) sum_up<Lanes>();
    MapPointers<Scalar, Maps> d_z;
    for (int m = 0; m < Maps; ++m) d_z[static_cast<std::size_t>(m)] = d_z_.data() + (steps_ * Maps + m) * z_stride_;
    return d_z;
  }
  template <typename Lanes>
  void record(const Scalar* x) {
    std::copy_n(x, x_stride_, x_.data() + steps_ * x_stride_);
    ++steps_;
  }
  /// The same, of adjoints that are somewhere else.
  template <typename Lanes>
  void record(const Scalar* x, const MapPointers<const Scalar, Maps>& d_z) {
    const auto to = next<Lanes>();
    for (std::size_t m = 0; m < to.size(); ++m) std::copy_n(d_z[m], z_stride_, to[m]);
    record<Lanes>(x);
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
    for (Index o = 0; o < outputs_; ++o) bias[o] += bias_[map * z_stride_ + o];
  }

 private:
  /// Few enough that what some inputs and one output need of all of them stays in the first-level cache.
  static constexpr Index steps_kept = 16;
  /// Inputs whose sums, of each map, fill the registers.
  static constexpr int group = most_sums / Maps;
  /// Groups of inputs that stay in the first-level cache, while the outputs pass by.
  static constexpr Index groups_together = 4;
  /// How far apart the sums of neighbours are.
  struct Place {
    Index output, group, map, input;
  };

  [[nodiscard]] Index weight_at(int map, Index o, Index j) const noexcept {
    return o * place_.output + j / group * place_.group + map * place_.map + j % group * place_.input;
  }

  template <typename Lanes>
  void sum_up() {
    const Index groups = (inputs_ + group - 1) / group;
    for (Index first = 0; first < groups; first += groups_together) {
      const Index last = std::min(groups, first + groups_together);
      for (Index block = 0; block < Lanes::blocks(outputs_); ++block) {
        for (Index g = first; g < last; ++g) sum_group<Lanes>(block, g);
      }
    }
    for (Index block = 0; block < Lanes::blocks(outputs_); ++block) sum_bias<Lanes>(block);
    steps_ = 0;
  }

  template <typename Lanes>
  [[nodiscard]] EIGEN_STRONG_INLINE typename Lanes::Packet d_z_at(Index t, int map, Index block) const {
    return load<typename Lanes::Packet>(d_z_.data() + (t * Maps + map) * z_stride_ + block * Lanes::lanes);
  }

  /// The weights from a group of inputs to one packet of outputs, of each map.
  template <typename Lanes>
  EIGEN_DONT_INLINE void sum_group(Index block, Index g) {
    using P = typename Lanes::Packet;
    constexpr Index lanes = Lanes::lanes;
    P sums[Maps * group];
    std::fill_n(sums, Maps * group, broadcast<P>(Scalar(0)));
    for (Index t = 0; t < steps_; ++t) {
      const Scalar* const x = x_.data() + t * x_stride_ + g * group * Lanes::samples;
      P values[group];
      for (int k = 0; k < group; ++k) {
        if constexpr (Lanes::single) {
          values[k] = broadcast<P>(x[k]);
        } else {
          values[k] = load<P>(x + k * lanes);
        }
      }
      for (int m = 0; m < Maps; ++m) {
        const P d_z = d_z_at<Lanes>(t, m, block);
        for (int k = 0; k < group; ++k)
          sums[m * group + k] = Eigen::internal::pmadd(d_z, values[k], sums[m * group + k]);
      }
    }
    Scalar* const to = weight_.data() + g * place_.group;
    if constexpr (Lanes::single) {
      for (int k = 0; k < Maps * group; ++k) add_to<P>(to + k * place_.input + block * lanes, sums[k]);
    } else {
      add_sums<P, Maps * group>(to + block * place_.output, sums);
    }
  }

  template <typename Lanes>
  void sum_bias(Index block) {
    using P = typename Lanes::Packet;
    for (int m = 0; m < Maps; ++m) {
      P sum = broadcast<P>(Scalar(0));
      for (Index t = 0; t < steps_; ++t) sum = Eigen::internal::padd(sum, d_z_at<Lanes>(t, m, block));
      Scalar* const to = bias_.data() + m * z_stride_ + block * (Lanes::single ? Lanes::lanes : 1);
      if constexpr (Lanes::single) {
        add_to<P>(to, sum);
      } else {
        *to += Eigen::internal::predux(sum);
      }
    }
  }

  Index outputs_ = 0;
  Index inputs_ = 0;
  Index x_stride_ = 0;
  Index z_stride_ = 0;
  Index steps_ = 0;
  Place place_{};
  Buffer<Scalar> x_, d_z_;
  Buffer<Scalar> weight_;  // see Place
  Buffer<Scalar> bias_;    // map after map
};

}  // namespace elegans::detail
