// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/lanes.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>

namespace elegans::detail {

/// z = W x + b on lanes, W of (outputs, inputs). Values are `Lanes`' layout; see lanes.hpp.
///
/// Four outputs of a batch, or four inputs of a single sample, share what they load.
template <typename Scalar>
class Linear {
 public:
  Linear() = default;
  Linear(Index outputs, Index inputs) : outputs_(outputs), inputs_(inputs), stride_(pad_neurons(outputs)) {
    weight_.resize(stride_ * inputs);
    bias_.resize(stride_);
  }

  [[nodiscard]] Index outputs() const noexcept { return outputs_; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }

  /// Takes over the weights from some of the inputs.
  ///
  /// \param weight  (outputs, count), column-major, its columns `stride` apart
  /// \param first   the first of those inputs
  /// \param mask    (outputs, count), column-major: a weight counts where it is not 0; or null for all
  void pack_weight(const Scalar* weight, Index stride, Index first, Index count, const unsigned char* mask = nullptr) {
    for (Index j = 0; j < count; ++j) {
      for (Index o = 0; o < outputs_; ++o) {
        const bool exists = !mask || mask[o + outputs_ * j];
        weight_[o + stride_ * (first + j)] = exists ? weight[o + stride * j] : Scalar(0);
      }
    }
  }
  void pack_bias(const Scalar* bias) { std::copy_n(bias, outputs_, bias_.data()); }

  /// \param z  outputs, written, whole packets
  template <typename Lanes>
  void forward(const Scalar* x, Scalar* z) const {
    using P = typename Lanes::Packet;
    using Eigen::internal::pmadd;
    constexpr Index lanes = Lanes::lanes;
    if constexpr (Lanes::single) {
      const Index blocks = Lanes::blocks(outputs_);
      Index block = 0;
      for (; block + 2 <= blocks; block += 2) forward_blocks<Lanes, 2>(block, x, z);
      if (block < blocks) forward_blocks<Lanes, 1>(block, x, z);
    } else {
      four_at_a_time(outputs_, [&]<int Count>(Index o) {
        P sums[Count];
        for (int k = 0; k < Count; ++k) sums[k] = broadcast<P>(bias_[o + k]);
        for (Index j = 0; j < inputs_; ++j) {
          const P value = load<P>(x + j * lanes);
          const Scalar* const weight = weight_.data() + o + stride_ * j;
          for (int k = 0; k < Count; ++k) sums[k] = pmadd(broadcast<P>(weight[k]), value, sums[k]);
        }
        for (int k = 0; k < Count; ++k) store<P>(z + (o + k) * lanes, sums[k]);
      });
    }
  }

  /// d_x += W^T d_z. \param d_z  whole packets, 0 in those lanes that stand for nothing
  template <typename Lanes>
  void backward(const Scalar* d_z, Scalar* d_x) const {
    using P = typename Lanes::Packet;
    using Eigen::internal::pmadd;
    constexpr Index lanes = Lanes::lanes;
    if constexpr (Lanes::single) {
      four_at_a_time(inputs_, [&]<int Count>(Index j) {
        P sums[Count];
        for (int k = 0; k < Count; ++k) sums[k] = broadcast<P>(Scalar(0));
        for (Index block = 0; block < Lanes::blocks(outputs_); ++block) {
          const P value = load<P>(d_z + block * lanes);
          const Scalar* const weight = weight_.data() + block * lanes + stride_ * j;
          for (int k = 0; k < Count; ++k) sums[k] = pmadd(load<P>(weight + stride_ * k), value, sums[k]);
        }
        for (int k = 0; k < Count; ++k) d_x[j + k] += Eigen::internal::predux(sums[k]);
      });
    } else {
      four_at_a_time(inputs_, [&]<int Count>(Index j) {
        P sums[Count];
        for (int k = 0; k < Count; ++k) sums[k] = load<P>(d_x + (j + k) * lanes);
        for (Index o = 0; o < outputs_; ++o) {
          const P value = load<P>(d_z + o * lanes);
          const Scalar* const weight = weight_.data() + o + stride_ * j;
          for (int k = 0; k < Count; ++k) sums[k] = pmadd(broadcast<P>(weight[stride_ * k]), value, sums[k]);
        }
        for (int k = 0; k < Count; ++k) store<P>(d_x + (j + k) * lanes, sums[k]);
      });
    }
  }

 private:
  /// Some packets of a single sample's outputs.
  template <typename Lanes, int Count>
  EIGEN_STRONG_INLINE void forward_blocks(Index block, const Scalar* x, Scalar* z) const {
    using P = typename Lanes::Packet;
    using Eigen::internal::pmadd;
    constexpr Index lanes = Lanes::lanes;
    const Scalar* weight = weight_.data() + block * lanes;
    // Two sums each, so that one's products do not wait for the other's.
    P even[Count], odd[Count];
    for (int k = 0; k < Count; ++k) {
      even[k] = load<P>(bias_.data() + (block + k) * lanes);
      odd[k] = broadcast<P>(Scalar(0));
    }
    Index j = 0;
    for (; j + 1 < inputs_; j += 2, weight += 2 * stride_) {
      const P first = broadcast<P>(x[j]);
      const P second = broadcast<P>(x[j + 1]);
      for (int k = 0; k < Count; ++k) {
        even[k] = pmadd(load<P>(weight + k * lanes), first, even[k]);
        odd[k] = pmadd(load<P>(weight + stride_ + k * lanes), second, odd[k]);
      }
    }
    if (j < inputs_) {
      for (int k = 0; k < Count; ++k) even[k] = pmadd(load<P>(weight + k * lanes), broadcast<P>(x[j]), even[k]);
    }
    for (int k = 0; k < Count; ++k) store<P>(z + (block + k) * lanes, Eigen::internal::padd(even[k], odd[k]));
  }

  /// body<4>(first) as often as it fits, then body<1>.
  template <typename Body>
  static void four_at_a_time(Index count, Body body) {
    Index i = 0;
    for (; i + 4 <= count; i += 4) body.template operator()<4>(i);
    for (; i < count; ++i) body.template operator()<1>(i);
  }

  Index outputs_ = 0;
  Index inputs_ = 0;
  Index stride_ = 0;
  Buffer<Scalar> weight_;  // (outputs padded to whole packets, inputs)
  Buffer<Scalar> bias_;
};

/// The gradient of a Linear's weights, summed up over steps.
///
/// A step only records its inputs and the adjoints of its outputs. After some steps, all outer products are summed up
/// at once, in registers: no weight's sum goes through memory each step.
template <typename Scalar>
class LinearAdjoint {
 public:
  template <typename Lanes>
  void reset(const Linear<Scalar>& linear) {
    outputs_ = linear.outputs();
    inputs_ = linear.inputs();
    // Whole packets, both: a single sample's inputs are read one by one, its outputs in packets.
    x_stride_ = extent<Lanes>(inputs_);
    z_stride_ = extent<Lanes>(outputs_);
    x_.resize(steps_kept * x_stride_);
    d_z_.resize(steps_kept * z_stride_);
    weight_.resize(outputs_ * inputs_);
    bias_.resize(outputs_);
    std::fill_n(weight_.data(), weight_.size(), Scalar(0));
    std::fill_n(bias_.data(), bias_.size(), Scalar(0));
    steps_ = 0;
  }

  template <typename Lanes>
  void record(const Scalar* x, const Scalar* d_z) {
    if (steps_ == steps_kept) sum_up<Lanes>();
    std::copy_n(x, Lanes::single ? inputs_ : x_stride_, x_.data() + steps_ * x_stride_);
    std::copy_n(d_z, z_stride_, d_z_.data() + steps_ * z_stride_);
    ++steps_;
  }

  /// Ends the recording, before the sums are collected.
  template <typename Lanes>
  void finish() {
    sum_up<Lanes>();
  }
  /// Adds to the gradient of what `Linear::pack_weight` took.
  void collect_weight(Scalar* weight, Index stride, Index first, Index count,
                      const unsigned char* mask = nullptr) const {
    for (Index j = 0; j < count; ++j) {
      for (Index o = 0; o < outputs_; ++o) {
        if (!mask || mask[o + outputs_ * j]) weight[o + stride * j] += weight_[o + outputs_ * (first + j)];
      }
    }
  }
  void collect_bias(Scalar* bias) const {
    for (Index o = 0; o < outputs_; ++o) bias[o] += bias_[o];
  }

 private:
  static constexpr Index steps_kept = 32;

  template <typename Lanes>
  void sum_up() {
    using P = typename Lanes::Packet;
    constexpr Index lanes = Lanes::lanes;
    for (Index block = 0; block < Lanes::blocks(outputs_); ++block) {
      Index j = 0;
      for (; j + 4 <= inputs_; j += 4) sum_block<Lanes, 4>(block, j);
      for (; j < inputs_; ++j) sum_block<Lanes, 1>(block, j);
      P sum = broadcast<P>(Scalar(0));
      for (Index t = 0; t < steps_; ++t) {
        sum = Eigen::internal::padd(sum, load<P>(d_z_.data() + t * z_stride_ + block * lanes));
      }
      add<Lanes>(bias_.data(), block, sum);
    }
    steps_ = 0;
  }

  /// The weights from some inputs to one packet of outputs.
  template <typename Lanes, int Count>
  void sum_block(Index block, Index j) {
    using P = typename Lanes::Packet;
    constexpr Index lanes = Lanes::lanes;
    P sums[Count];
    for (int k = 0; k < Count; ++k) sums[k] = broadcast<P>(Scalar(0));
    for (Index t = 0; t < steps_; ++t) {
      const P d_z = load<P>(d_z_.data() + t * z_stride_ + block * lanes);
      const Scalar* const x = x_.data() + t * x_stride_;
      for (int k = 0; k < Count; ++k) {
        P value;
        if constexpr (Lanes::single) {
          value = broadcast<P>(x[j + k]);
        } else {
          value = load<P>(x + (j + k) * lanes);
        }
        sums[k] = Eigen::internal::pmadd(d_z, value, sums[k]);
      }
    }
    for (int k = 0; k < Count; ++k) add<Lanes>(weight_.data() + outputs_ * (j + k), block, sums[k]);
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
  Buffer<Scalar> weight_, bias_;
};

}  // namespace elegans::detail
