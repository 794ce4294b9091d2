// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/memoryless.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

/// The options of a layer normalization besides its size.
struct LayerNormOptions {
  double epsilon = 1e-5;  ///< added to the variance, above 0; PyTorch's default
};

// mutate all: layer.layer_norm
/// Layer normalization: of each step and sample by itself, it brings the features to mean 0 and variance 1, then scales
/// and shifts them. It has no memory.
///
///     y = weight (x - mean) / sqrt(variance + epsilon) + bias
///
/// The variance is the mean square of x - mean. Parameters are PyTorch's: `weight` and `bias`, (features), which start
/// at 1 and 0. Ba, Kiros and Hinton, 2016; mirrors `torch.nn.LayerNorm`.
///
/// \tparam Scalar  float or double
template <typename Scalar>
class LayerNorm : public Memoryless<LayerNorm<Scalar>, Scalar> {
  using Base = Memoryless<LayerNorm<Scalar>, Scalar>;
  friend Base;
  friend Parameterized<LayerNorm<Scalar>, Scalar>;

 public:
  /// A layer of so many values per step, with weights 1 and biases 0.
  ///
  /// \param features  number of inputs and of outputs, at least 1
  /// \throws InvalidArgument if the size or epsilon is out of range
  explicit LayerNorm(int features, const LayerNormOptions& options = {}) : Base(features), options_(options) {
    if (features < 1) detail::refuse("LayerNorm: features must be at least 1, got ", features);
    if (!detail::is_finite(options.epsilon) || options.epsilon <= 0) {
      detail::refuse("LayerNorm: epsilon must be finite and above 0, got ", options.epsilon);
    }
    this->parameter_list_.add("weight", features, 1);
    this->parameter_list_.add("bias", features, 1);
    parameters_.resize(this->parameter_list_.count());
    std::fill_n(parameters_.data(), features, Scalar(1));
    std::fill_n(parameters_.data() + features, features, Scalar(0));
    for (auto* values : {&weight_, &bias_}) values->resize(detail::pad_neurons(features));
    parameters_changed();
  }

  [[nodiscard]] const LayerNormOptions& options() const& noexcept { return options_; }
  [[nodiscard]] LayerNormOptions options() const&& { return options(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    return {detail::summary_row("layer_norm (LayerNorm)", *this)};
  }

 private:
  using Base::parameters_;

  void parameters_changed() {
    const Index features = this->input_dim();
    std::copy_n(parameters_.data(), features, weight_.data());
    std::copy_n(parameters_.data() + features, features, bias_.data());
    this->can_go_back_ = false;
  }

  /// The mean of a sample's values, in each of its lanes. \param values  block -> packet
  template <LaneLayout Lanes, typename Values>
  [[nodiscard]] typename Lanes::Packet mean(Values values) const {
    using P = typename Lanes::Packet;
    P total(Scalar(0));
    for (Index block = 0; block < Lanes::blocks(this->input_dim()); ++block) total = total + values(block);
    Scalar sums[Lanes::samples]{};
    Lanes::add_to_samples(sums, total);
    return Lanes::per_sample(sums) * P(Scalar(1) / static_cast<Scalar>(this->input_dim()));
  }

  /// Writes (x - mean) / sqrt(variance + epsilon). It is 0 in lanes that stand for no feature.
  /// \return 1 / sqrt(variance + epsilon)
  template <LaneLayout Lanes>
  typename Lanes::Packet normalize(const Scalar* x, Scalar* normal) const {
    using P = typename Lanes::Packet;
    const Index features = this->input_dim();
    const auto block_of = [](const Scalar* values, Index block) {
      return detail::load<P>(values + block * Lanes::lanes);
    };
    const P middle = mean<Lanes>([&](Index block) { return block_of(x, block); });
    for (Index block = 0; block < Lanes::blocks(features); ++block) {
      detail::store(normal + block * Lanes::lanes, block_of(x, block) - middle);
    }
    std::fill(normal + Lanes::index(features, 0), normal + detail::extent<Lanes>(features), Scalar(0));
    const P variance = mean<Lanes>([&](Index block) { return block_of(normal, block) * block_of(normal, block); });
    const P scale = detail::each_lane(
        variance, [&](Scalar value) { return Scalar(1) / std::sqrt(value + static_cast<Scalar>(options_.epsilon)); });
    for (Index block = 0; block < Lanes::blocks(features); ++block) {
      detail::store(normal + block * Lanes::lanes, block_of(normal, block) * scale);
    }
    return scale;
  }

  template <LaneLayout Lanes>
  void apply(const StepPosition&, const Scalar* x, Scalar* y) const {
    using P = typename Lanes::Packet;
    normalize<Lanes>(x, y);
    for (Index block = 0; block < Lanes::blocks(this->input_dim()); ++block) {
      const Index i = block * Lanes::lanes;
      detail::store(y + i, fma(detail::load<P>(y + i), Lanes::per_neuron(weight_.data(), block),
                               Lanes::per_neuron(bias_.data(), block)));
    }
  }

  template <LaneLayout Lanes>
  void begin_backward() {
    const Index size = detail::extent<Lanes>(this->input_dim());
    for (auto* values : {&normal_, &d_weight_, &d_bias_}) {
      values->resize((std::max)(values->size(), size));
      std::fill_n(values->data(), size, Scalar(0));
    }
  }

  /// d_x = scale (d_n - mean(d_n) - n mean(d_n n)), with n = (x - mean) scale and d_n = weight d_y
  template <LaneLayout Lanes>
  void apply_backward(const StepPosition&, const Scalar* x, const Scalar* d_y, Scalar* d_x) {
    using P = typename Lanes::Packet;
    const P scale = normalize<Lanes>(x, normal_.data());
    const auto normal = [&](Index block) { return detail::load<P>(normal_.data() + block * Lanes::lanes); };
    const auto of_y = [&](Index block) { return detail::load<P>(d_y + block * Lanes::lanes); };
    const auto d_normal = [&](Index block) { return of_y(block) * Lanes::per_neuron(weight_.data(), block); };
    const P of_mean = mean<Lanes>(d_normal);
    const P of_scale = mean<Lanes>([&](Index block) { return d_normal(block) * normal(block); });
    for (Index block = 0; block < Lanes::blocks(this->input_dim()); ++block) {
      const Index i = block * Lanes::lanes;
      detail::store(d_x + i, scale * (d_normal(block) - of_mean - normal(block) * of_scale));
      detail::add_product_to(d_weight_.data() + i, of_y(block), normal(block));
      detail::add_to(d_bias_.data() + i, of_y(block));
    }
  }

  template <LaneLayout Lanes>
  void collect(Scalar* gradient) const {
    const Index features = this->input_dim();
    for (Index i = 0; i < features; ++i) {
      gradient[i] += Lanes::sum_samples(d_weight_.data(), i);
      gradient[features + i] += Lanes::sum_samples(d_bias_.data(), i);
    }
  }

  LayerNormOptions options_;
  Buffer<Scalar> weight_, bias_;  // in whole packets
  Buffer<Scalar> normal_, d_weight_, d_bias_;
};

}  // namespace elegans
