// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/dataset.hpp>

namespace support {

/// The smallest recurrent model, written as plain loops: h <- a h + w x, y = v h + b, for one input, one state and one
/// output. v is clipped at 0 after each update. A masked step leaves the state as it is.
class TinyModel {
 public:
  using Scalar = double;
  static constexpr int state_size_at_compile_time = Eigen::Dynamic;
  using Sequence = elegans::Sequence<double>;
  using State = elegans::State<double>;
  using Index = elegans::Index;

  enum { a, w, v, b };

  TinyModel() {
    list_.add("0.a", 1, 1);
    list_.add("0.w", 1, 1);
    list_.add("1.weight", 1, 1);
    list_.add("1.bias", 1, 1);
    parameters_.resize(4);
    gradient_.resize(4);
    elegans::VectorView<double>(parameters_.data(), 4) << 0.75, 0.5, 0.3, -0.1;
  }

  const Sequence& forward(const Sequence& x, const elegans::Context<double>& context = {}) {
    x_ = x;
    mask_ = context.mask;
    y_.resize(x.time(), x.batch(), 1);
    h_.resize(x.time() + 1, x.batch(), 1);
    final_.resize(x.batch());
    for (Index s = 0; s < x.batch(); ++s) {
      h_(0, s, 0) = context.initial_state ? (*context.initial_state)(s, 0) : 0;
      for (Index t = 0; t < x.time(); ++t) {
        const double next = p(a) * h_(t, s, 0) + p(w) * x(t, s, 0);
        h_(t + 1, s, 0) = mask_(t, s) ? next : h_(t, s, 0);
        y_(t, s, 0) = p(v) * h_(t + 1, s, 0) + p(b);
      }
      final_(s, 0) = h_(x.time(), s, 0);
    }
    return y_;
  }
  Sequence operator()(const Sequence& x, const elegans::Context<double>& context = {}) { return forward(x, context); }

  void backward(const Sequence& d_y) {
    elegans::VectorView<double> d(gradient_.data(), 4);
    d.setZero();
    for (Index s = 0; s < x_.batch(); ++s) {
      double d_h = 0;
      for (Index t = x_.time(); t-- > 0;) {
        d[v] += d_y(t, s, 0) * h_(t + 1, s, 0);
        d[b] += d_y(t, s, 0);
        d_h += d_y(t, s, 0) * p(v);
        if (!mask_(t, s)) continue;
        d[a] += d_h * h_(t, s, 0);
        d[w] += d_h * x_(t, s, 0);
        d_h *= p(a);
      }
    }
  }

  [[nodiscard]] const State& final_state() const { return final_; }
  [[nodiscard]] elegans::ConstVectorView<double> parameters() const { return {parameters_.data(), 4}; }
  [[nodiscard]] elegans::ConstVectorView<double> gradient() const { return {gradient_.data(), 4}; }
  [[nodiscard]] const elegans::ParameterList<>& parameter_list() const& { return list_; }
  [[nodiscard]] double at(int k) const { return p(k); }

  template <typename Change>
  void update(Change&& change) {
    change(elegans::VectorView<double>(parameters_.data(), 4));
    if (parameters_[v] < 0) parameters_[v] = 0;
  }
  template <typename Change>
  void update_unconstrained(Change&& change) {
    change(elegans::VectorView<double>(parameters_.data(), 4));
  }

 private:
  [[nodiscard]] double p(int k) const { return parameters_[k]; }

  elegans::ParameterList<> list_;
  elegans::Buffer<double> parameters_, gradient_;
  Sequence x_, y_, h_;
  elegans::Mask mask_;
  State final_{0, 1};
};

/// Sequences of different numbers, one target per step.
inline elegans::Dataset<double> tiny_data(elegans::Index time, elegans::Index samples) {
  elegans::Dataset<double> data{.x = elegans::Sequence<double>(time, samples, 1),
                                .y = elegans::Sequence<double>(time, samples, 1)};
  for (elegans::Index t = 0; t < time; ++t) {
    for (elegans::Index s = 0; s < samples; ++s) {
      const auto phase = 0.7 * static_cast<double>(t) + 1.3 * static_cast<double>(s);
      data.x(t, s, 0) = std::sin(phase) + 0.2 * static_cast<double>(s);
      data.y(t, s, 0) = std::cos(1.7 * phase);
    }
  }
  return data;
}

}  // namespace support
