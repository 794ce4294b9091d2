// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/memoryless.hpp>
#include <elegans/layer/normalization.hpp>
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

  /// The layer's equation, with views of its weights.
  [[nodiscard]] detail::Normalization<Scalar> normalization() const& noexcept {
    return {this->input_dim(), static_cast<Scalar>(options_.epsilon), weight_.data(), bias_.data()};
  }
  void normalization() const&& = delete;

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

  template <LaneLayout Lanes>
  void apply(const StepPosition&, const Scalar* x, Scalar* y) const {
    normalization().template forward<Lanes>(x, y);
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
    const detail::Normalization<Scalar> norm = normalization();
    const P scale = norm.template normalize<Lanes>(x, normal_.data());
    const auto normal = [&](Index block) { return detail::load<P>(normal_.data() + block * Lanes::lanes); };
    const auto of_y = [&](Index block) { return detail::load<P>(d_y + block * Lanes::lanes); };
    const auto d_normal = [&](Index block) { return of_y(block) * Lanes::per_neuron(weight_.data(), block); };
    const P of_mean = norm.template mean<Lanes>(d_normal);
    const P of_scale = norm.template mean<Lanes>([&](Index block) { return d_normal(block) * normal(block); });
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
