// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <elegans/core/buffer.hpp>
#include <elegans/core/tuning.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/lane_sums.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// mutate all: linear.adjoint
/// The gradient of a Linear's weights, summed up over steps.
/// A step only appends its inputs and the adjoints of its outputs to a log. After some steps, the kernel adds up all of
/// their outer products in registers, so that it need not load and store every weight's sum in every step.
template <typename Scalar, int Maps = 1>
class LinearAdjoint {
 public:
  /// Starts with empty sums.
  template <LaneLayout Lanes, int Outputs, int Inputs>
  void reset(const Linear<Scalar, Maps, Outputs, Inputs>& linear) {
    outputs_ = linear.outputs();
    inputs_ = linear.inputs();
    // The kernel reads inputs in whole groups. The last group reads beyond the inputs, but nothing uses those sums.
    const Index groups = (inputs_ + group - 1) / group;
    x_stride_ = Lanes::single ? inputs_ : extent<Lanes>(inputs_);
    z_stride_ = extent<Lanes>(outputs_);
    x_.resize(tuning::steps_per_sum * x_stride_ + group * Lanes::samples);
    d_z_.resize(tuning::steps_per_sum * Maps * z_stride_);
    // For a batch, the sums of one output and one group are neighbours. For a single sample, those of one input and one
    // packet of outputs are.
    strides_ = Lanes::single ? Strides{1, Index{Maps} * group * z_stride_, group * z_stride_, z_stride_}
                             : Strides{groups * Maps * group, Maps * group, group, 1};
    weight_.resize(groups * Maps * group * (Lanes::single ? z_stride_ : outputs_));
    bias_.resize(Maps * z_stride_);
    std::fill_n(weight_.data(), weight_.size(), Scalar(0));
    std::fill_n(bias_.data(), bias_.size(), Scalar(0));
    steps_ = 0;
  }

  /// Memory for the adjoints of the next step's outputs. The caller fills it, in whole packets, and then calls
  /// `append`.
  template <LaneLayout Lanes>
  [[nodiscard]] MapPointers<Scalar, Maps> next_d_z() {
    if (steps_ == tuning::steps_per_sum) sum_up<Lanes>();
    MapPointers<Scalar, Maps> d_z;
    for (int m = 0; m < Maps; ++m) d_z[static_cast<std::size_t>(m)] = d_z_.data() + (steps_ * Maps + m) * z_stride_;
    return d_z;
  }
  /// Appends a step whose adjoints are in the memory that `next_d_z` returned. \param x  (inputs)
  void append(const Scalar* x) {
    std::copy_n(x, x_stride_, x_.data() + steps_ * x_stride_);
    ++steps_;
  }
  /// Appends a step, and copies the adjoints of its outputs.
  template <LaneLayout Lanes>
  void append(const Scalar* x, const MapPointers<const Scalar, Maps>& d_z) {
    const auto to = next_d_z<Lanes>();
    for (std::size_t m = 0; m < to.size(); ++m) std::copy_n(d_z[m], z_stride_, to[m]);
    append(x);
  }

  /// Adds all appended steps to the sums. The functions below need that first.
  template <LaneLayout Lanes>
  void sum_up() {
    const Index groups = (inputs_ + group - 1) / group;
    for (Index first = 0; first < groups; first += tuning::groups_per_pass) {
      const Index last = (std::min)(groups, first + tuning::groups_per_pass);
      for (Index block = 0; block < Lanes::blocks(outputs_); ++block) {
        for (Index g = first; g < last; ++g) sum_group<Lanes>(block, g);
      }
    }
    for (Index block = 0; block < Lanes::blocks(outputs_); ++block) sum_bias<Lanes>(block);
    steps_ = 0;
  }

  /// Adds to the gradient of the weights that `Linear::pack_weight` packed.
  void add_weight_gradient(int map, Scalar* weight, Index stride, Index first, Index count,
                           const unsigned char* mask = nullptr) const {
    for (Index j = 0; j < count; ++j) {
      for (Index o = 0; o < outputs_; ++o) {
        if (!mask || mask[o + outputs_ * j]) weight[o + stride * j] += weight_[weight_index(map, o, first + j)];
      }
    }
  }
  void add_bias_gradient(int map, Scalar* bias) const {
    for (Index o = 0; o < outputs_; ++o) bias[o] += bias_[map * z_stride_ + o];
  }

 private:
  /// Number of inputs whose sums, for all maps, fill the registers.
  static constexpr int group = tuning::sums_in_registers / Maps;
  /// Distances in `weight_` between the sums of neighbouring outputs, groups of inputs, maps, and inputs of a group.
  struct Strides {
    Index output, group, map, input;
  };

  [[nodiscard]] Index weight_index(int map, Index o, Index j) const noexcept {
    return o * strides_.output + j / group * strides_.group + map * strides_.map + j % group * strides_.input;
  }

  template <LaneLayout Lanes>
  [[nodiscard]] EIGEN_STRONG_INLINE typename Lanes::Packet d_z_of(Index t, int map, Index block) const {
    return load<typename Lanes::Packet>(d_z_.data() + (t * Maps + map) * z_stride_ + block * Lanes::lanes);
  }

  /// Sums up the weights from a group of inputs to one packet of outputs, for all maps.
  template <LaneLayout Lanes>
  EIGEN_DONT_INLINE void sum_group(Index block, Index g) {
    using P = typename Lanes::Packet;
    constexpr Index lanes = Lanes::lanes;
    P sums[Maps * group];
    std::fill_n(sums, Maps * group, P(Scalar(0)));
    for (Index t = 0; t < steps_; ++t) {
      const Scalar* const x = x_.data() + t * x_stride_ + g * group * Lanes::samples;
      P values[group];
      for (int k = 0; k < group; ++k) values[k] = Lanes::single ? P(x[k]) : load<P>(x + k * lanes);
      for (int m = 0; m < Maps; ++m) {
        const P d_z = d_z_of<Lanes>(t, m, block);
        for (int k = 0; k < group; ++k) sums[m * group + k] = fma(d_z, values[k], sums[m * group + k]);
      }
    }
    Scalar* const to = weight_.data() + g * strides_.group;
    if constexpr (Lanes::single) {
      for (int k = 0; k < Maps * group; ++k) add_to(to + k * strides_.input + block * lanes, sums[k]);
    } else {
      add_sums<Maps * group>(to + block * strides_.output, sums);
    }
  }

  template <LaneLayout Lanes>
  void sum_bias(Index block) {
    using P = typename Lanes::Packet;
    for (int m = 0; m < Maps; ++m) {
      P total(Scalar(0));
      for (Index t = 0; t < steps_; ++t) total = total + d_z_of<Lanes>(t, m, block);
      Scalar* const to = bias_.data() + m * z_stride_ + block * (Lanes::single ? Lanes::lanes : 1);
      if constexpr (Lanes::single) {
        add_to(to, total);
      } else {
        *to += sum(total);
      }
    }
  }

  Index outputs_ = 0;
  Index inputs_ = 0;
  Index x_stride_ = 0;
  Index z_stride_ = 0;
  Index steps_ = 0;  // appended, and not added up yet
  Strides strides_{};
  Buffer<Scalar> x_, d_z_;
  Buffer<Scalar> weight_;  // see Strides
  Buffer<Scalar> bias_;    // map after map
};

}  // namespace elegans::detail
