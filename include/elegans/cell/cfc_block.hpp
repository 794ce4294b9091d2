// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <elegans/cell/activation.hpp>
#include <elegans/cell/cfc_options.hpp>
#include <elegans/cell/cfc_parameters.hpp>
#include <elegans/cell/dropout.hpp>
#include <elegans/cell/lanes.hpp>
#include <elegans/cell/linear.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/packet.hpp>
#include <elegans/core/sigmoid.hpp>

namespace elegans::detail {

/// Neurons that step together: all of an unwired CfC, one layer of a wired one. With x = [input, state], through the
/// backbone if there is one, and every head a linear map of x (ff1, ff2 masked by the wiring),
///
///     standard:  h = tanh(ff1) (1 - t) + t tanh(ff2),   t = sigmoid(time_a dt + time_b)
///     no_gate:   h = tanh(ff1) + t tanh(ff2)
///     pure:      h = -A exp(-dt (|w_tau| + |ff1|)) ff1 + A
///
/// Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022;
/// `ncps.torch.CfCCell`.
template <typename Scalar>
class CfCBlock {
 public:
  /// What a step computes on the way, all of which its adjoint needs again.
  struct Scratch {
    struct Layer {
      Buffer<Scalar> z, a;
      Buffer<Scalar> kept;  ///< a, after dropout
    };
    std::vector<Layer> backbone;
    Buffer<Scalar> in;            ///< [input, state]
    Buffer<Scalar> dt;            ///< elapsed time, for each neuron and sample
    Buffer<Scalar> f1, f2, a, t;  ///< tanh(ff1) (pure: ff1), tanh(ff2), time_a, t (pure: the exponential)
    Buffer<Scalar> h;             ///< the new state
    DropoutPosition position;
  };

  struct Adjoint {
    std::vector<LinearAdjoint<Scalar>> backbone;
    LinearAdjoint<Scalar> ff1, ff2, time_a, time_b;
    Buffer<Scalar> w_tau, A;
    Buffer<Scalar> d_in, d_h;              ///< of [input, state]; of the new state
    Buffer<Scalar> d_f1, d_f2, d_a, d_b;   ///< of the heads
    std::vector<Buffer<Scalar>> d_hidden;  ///< of what each layer of the backbone gives
  };

  CfCBlock(const CfCLayout& layout, const CfCOptions& options, const ParameterList<>& parameters)
      : layout_(layout),
        places_(parameters, layout, options),
        mode_(options.mode),
        activation_(options.activation),
        dropout_(options.backbone_dropout),
        seed_(options.seed) {
    Index features = inputs() + units();
    for (int layer = 0; layer < layout.backbone_layers; ++layer) {
      backbone_.emplace_back(options.backbone_units, features);
      features = options.backbone_units;
    }
    ff1_ = Linear<Scalar>(units(), features);
    if (mode_ == CfCMode::pure) {
      for (auto* values : {&w_tau_, &A_}) values->resize(pad_neurons(units()));
    } else {
      ff2_ = time_a_ = time_b_ = ff1_;
    }
  }

  [[nodiscard]] Index inputs() const noexcept { return layout_.inputs; }
  [[nodiscard]] Index units() const noexcept { return layout_.units; }

  /// Takes over new values from a parameter vector.
  void pack(const Scalar* parameters) {
    const auto take = [parameters](Linear<Scalar>& linear, const LinearPlace& from, const unsigned char* mask) {
      linear.pack_weight(parameters + from.weight, linear.outputs(), 0, linear.inputs(), mask);
      linear.pack_bias(parameters + from.bias);
    };
    for (std::size_t layer = 0; layer < backbone_.size(); ++layer) {
      take(backbone_[layer], places_.backbone[layer], nullptr);
    }
    take(ff1_, places_.ff1, mask());
    if (mode_ == CfCMode::pure) {
      std::copy_n(parameters + places_.A, units(), A_.data());
      for (Index i = 0; i < units(); ++i) w_tau_[i] = std::abs(parameters[places_.w_tau + i]);
    } else {
      take(ff2_, places_.ff2, mask());
      take(time_a_, places_.time_a, nullptr);
      take(time_b_, places_.time_b, nullptr);
    }
  }

  template <typename Lanes>
  void reserve(Scratch& scratch) const {
    scratch.backbone.resize(backbone_.size());
    for (std::size_t layer = 0; layer < backbone_.size(); ++layer) {
      auto& [z, a, kept] = scratch.backbone[layer];
      for (auto* values : {&z, &a, &kept}) values->resize(extent<Lanes>(backbone_[layer].outputs()));
    }
    scratch.in.resize(extent<Lanes>(inputs() + units()));
    for (auto* values : {&scratch.dt, &scratch.f1, &scratch.f2, &scratch.a, &scratch.t, &scratch.h}) {
      values->resize(extent<Lanes>(units()));
    }
  }

  /// From `scratch.in` and the elapsed times to `scratch.h`.
  template <typename Lanes>
  void forward(const Scalar* elapsed, Scratch& scratch) const {
    const Scalar* const x = features<Lanes>(scratch);
    const Index size = extent<Lanes>(units());
    const auto view = [size](Buffer<Scalar>& values) { return VectorView<Scalar>(values.data(), size); };
    for (Index block = 0; block < Lanes::blocks(units()); ++block) {
      store<typename Lanes::Packet>(scratch.dt.data() + block * Lanes::lanes, Lanes::per_sample(elapsed));
    }
    auto dt = view(scratch.dt), f1 = view(scratch.f1), f2 = view(scratch.f2), a = view(scratch.a), t = view(scratch.t),
         h = view(scratch.h);
    ff1_.template forward<Lanes>(x, f1.data());
    if (mode_ == CfCMode::pure) {
      if constexpr (Lanes::single) {
        const ConstVectorView<Scalar> w_tau(w_tau_.data(), size), A(A_.data(), size);
        t = (-dt * (w_tau + f1.abs())).exp();
        h = A - A * t * f1;
      } else {
        for (Index i = 0; i < units(); ++i) {
          const auto at = [i](auto& values) { return values.template segment<Lanes::lanes>(i * Lanes::lanes); };
          at(t) = (-at(dt) * (w_tau_[i] + at(f1).abs())).exp();
          at(h) = A_[i] - A_[i] * at(t) * at(f1);
        }
      }
      return;
    }
    ff2_.template forward<Lanes>(x, f2.data());
    time_a_.template forward<Lanes>(x, a.data());
    time_b_.template forward<Lanes>(x, t.data());
    // In packets of our own, as Eigen's loops over so few values would do most of them one by one.
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const P elapsed_time = Lanes::per_sample(elapsed);
    for (Index i = 0; i < size; i += Lanes::lanes) {
      const P first = packet_tanh<P>(load<P>(f1.data() + i));
      const P second = packet_tanh<P>(load<P>(f2.data() + i));
      const P gate = sigmoid<P>(pmadd(load<P>(a.data() + i), elapsed_time, load<P>(t.data() + i)));
      const P kept = mode_ == CfCMode::standard ? psub(first, pmul(first, gate)) : first;
      store<P>(f1.data() + i, first);
      store<P>(f2.data() + i, second);
      store<P>(t.data() + i, gate);
      store<P>(h.data() + i, pmadd(gate, second, kept));
    }
  }

  template <typename Lanes>
  void reset(Adjoint& adjoint) const {
    const auto clear = [](Buffer<Scalar>& values, Index size) {
      values.resize(size);
      std::fill_n(values.data(), size, Scalar(0));
    };
    const Index size = extent<Lanes>(units());
    adjoint.backbone.resize(backbone_.size());
    adjoint.d_hidden.resize(backbone_.size());
    for (std::size_t layer = 0; layer < backbone_.size(); ++layer) {
      adjoint.backbone[layer].template reset<Lanes>(backbone_[layer]);
      clear(adjoint.d_hidden[layer], extent<Lanes>(backbone_[layer].outputs()));
    }
    adjoint.ff1.template reset<Lanes>(ff1_);
    if (mode_ != CfCMode::pure) {
      for (auto* linear : {&adjoint.ff2, &adjoint.time_a, &adjoint.time_b}) linear->template reset<Lanes>(ff1_);
    }
    clear(adjoint.d_in, extent<Lanes>(inputs() + units()));
    for (auto* values :
         {&adjoint.w_tau, &adjoint.A, &adjoint.d_h, &adjoint.d_f1, &adjoint.d_f2, &adjoint.d_a, &adjoint.d_b}) {
      clear(*values, size);
    }
  }

  /// From `adjoint.d_h` to `adjoint.d_in` after a `forward`. Adds to d_elapsed, a sample.
  template <typename Lanes>
  void backward(Scalar* d_elapsed, Scratch& scratch, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    const Index size = extent<Lanes>(units());
    const auto view = [size](Buffer<Scalar>& values) { return VectorView<Scalar>(values.data(), size); };
    auto dt = view(scratch.dt), f1 = view(scratch.f1), f2 = view(scratch.f2), a = view(scratch.a), t = view(scratch.t);
    auto d_h = view(adjoint.d_h), d_f1 = view(adjoint.d_f1), d_f2 = view(adjoint.d_f2), d_a = view(adjoint.d_a),
         d_b = view(adjoint.d_b);
    constexpr Scalar one(1);
    Scalar* const d_x = d_features(adjoint);
    std::fill_n(adjoint.d_in.data(), adjoint.d_in.size(), Scalar(0));
    for (auto& d_hidden : adjoint.d_hidden) std::fill_n(d_hidden.data(), d_hidden.size(), Scalar(0));
    const Scalar* const x = features_of(scratch);
    if (mode_ == CfCMode::pure) {
      for (Index block = 0; block < Lanes::blocks(units()); ++block) {
        const auto at = [block](auto& values) { return values.template segment<Lanes::lanes>(block * Lanes::lanes); };
        const auto each = [block](const Buffer<Scalar>& values) {
          Eigen::Array<Scalar, int{Lanes::lanes}, 1, Eigen::DontAlign> result;
          store<P>(result.data(), Lanes::per_neuron(values.data(), block));
          return result;
        };
        const auto A = each(A_), w_tau = each(w_tau_);
        auto d_A = view(adjoint.A), d_w_tau = view(adjoint.w_tau);
        at(d_A) += at(d_h) * (one - at(t) * at(f1));
        // d_a and d_b: of the exponential, and of its exponent's factor of -dt.
        at(d_a) = at(d_h) * A * at(t);
        at(d_f1) = at(d_a) * (at(dt) * at(f1).abs() - one);
        at(d_w_tau) += at(d_a) * at(f1) * at(dt);
        at(d_b) = at(d_a) * at(f1) * (w_tau + at(f1).abs());
      }
    } else {
      if (mode_ == CfCMode::standard) {
        d_f1 = d_h * (one - t) * (one - f1.square());
        d_b = d_h * (f2 - f1) * t * (one - t);
      } else {
        d_f1 = d_h * (one - f1.square());
        d_b = d_h * f2 * t * (one - t);
      }
      d_f2 = d_h * t * (one - f2.square());
      d_a = d_b * dt;
      const auto pass = [&](const Linear<Scalar>& linear, LinearAdjoint<Scalar>& sums, const VectorView<Scalar>& d_z) {
        linear.template backward<Lanes>(d_z.data(), d_x);
        sums.template record<Lanes>(x, d_z.data());
      };
      pass(ff2_, adjoint.ff2, d_f2);
      pass(time_a_, adjoint.time_a, d_a);
      pass(time_b_, adjoint.time_b, d_b);
      d_b *= a;
    }
    for (Index block = 0; block < Lanes::blocks(units()); ++block) {
      Lanes::add_to_samples(d_elapsed, load<P>(adjoint.d_b.data() + block * Lanes::lanes));
    }
    ff1_.template backward<Lanes>(d_f1.data(), d_x);
    adjoint.ff1.template record<Lanes>(x, d_f1.data());
    backbone_backward<Lanes>(scratch, adjoint);
  }

  /// Adds what the adjoint has summed up to a gradient.
  template <typename Lanes>
  void collect(Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const {
    const auto give = [gradient](LinearAdjoint<Scalar>& from, const Linear<Scalar>& linear, const LinearPlace& to,
                                 const unsigned char* mask) {
      from.template finish<Lanes>();
      from.collect_weight(gradient + to.weight, linear.outputs(), 0, linear.inputs(), mask);
      from.collect_bias(gradient + to.bias);
    };
    for (std::size_t layer = 0; layer < backbone_.size(); ++layer) {
      give(adjoint.backbone[layer], backbone_[layer], places_.backbone[layer], nullptr);
    }
    give(adjoint.ff1, ff1_, places_.ff1, mask());
    if (mode_ == CfCMode::pure) {
      for (Index i = 0; i < units(); ++i) {
        const Scalar w_tau = parameters[places_.w_tau + i];
        const Scalar sign = w_tau > 0 ? Scalar(1) : w_tau < 0 ? Scalar(-1) : Scalar(0);
        gradient[places_.w_tau + i] += sign * Lanes::sum_samples(adjoint.w_tau.data(), i);
        gradient[places_.A + i] += Lanes::sum_samples(adjoint.A.data(), i);
      }
    } else {
      give(adjoint.ff2, ff2_, places_.ff2, mask());
      give(adjoint.time_a, time_a_, places_.time_a, nullptr);
      give(adjoint.time_b, time_b_, places_.time_b, nullptr);
    }
  }

 private:
  [[nodiscard]] const unsigned char* mask() const noexcept {
    return layout_.mask.size() > 0 ? layout_.mask.data() : nullptr;
  }

  /// What the heads see, and its adjoint.
  [[nodiscard]] const Scalar* features_of(const Scratch& scratch) const noexcept {
    return backbone_.empty() ? scratch.in.data() : out_of(backbone_.size() - 1, scratch);
  }
  [[nodiscard]] Scalar* d_features(Adjoint& adjoint) const noexcept {
    return backbone_.empty() ? adjoint.d_in.data() : adjoint.d_hidden.back().data();
  }

  /// ncps puts a dropout behind each layer of the backbone but the first.
  [[nodiscard]] bool drops_after(std::size_t layer, const Scratch& scratch) const noexcept {
    return layer > 0 && dropout_ > 0 && scratch.position.training;
  }
  [[nodiscard]] const Scalar* out_of(std::size_t layer, const Scratch& scratch) const noexcept {
    const auto& own = scratch.backbone[layer];
    return drops_after(layer, scratch) ? own.kept.data() : own.a.data();
  }
  template <typename Lanes>
  void drop_after(std::size_t layer, const Scratch& scratch, Scalar* values) const {
    drop<Lanes>(dropout_, seed_, scratch.position, layer, backbone_[layer].outputs(), values);
  }

  template <typename Lanes>
  const Scalar* features(Scratch& scratch) const {
    const Scalar* x = scratch.in.data();
    for (std::size_t layer = 0; layer < backbone_.size(); ++layer) {
      auto& [z, a, kept] = scratch.backbone[layer];
      const Index size = extent<Lanes>(backbone_[layer].outputs());
      backbone_[layer].template forward<Lanes>(x, z.data());
      activate<Scalar>(activation_, {z.data(), size}, {a.data(), size});
      if (drops_after(layer, scratch)) {
        std::copy_n(a.data(), size, kept.data());
        drop_after<Lanes>(layer, scratch, kept.data());
      }
      x = out_of(layer, scratch);
    }
    return x;
  }

  template <typename Lanes>
  void backbone_backward(Scratch& scratch, Adjoint& adjoint) const {
    for (std::size_t layer = backbone_.size(); layer-- > 0;) {
      const auto& [z, a, kept] = scratch.backbone[layer];
      Buffer<Scalar>& d = adjoint.d_hidden[layer];
      const Index size = extent<Lanes>(backbone_[layer].outputs());
      if (drops_after(layer, scratch)) drop_after<Lanes>(layer, scratch, d.data());
      activate_backward<Scalar>(activation_, {z.data(), size}, {a.data(), size}, {d.data(), size});
      backbone_[layer].template backward<Lanes>(d.data(),
                                                layer > 0 ? adjoint.d_hidden[layer - 1].data() : adjoint.d_in.data());
      adjoint.backbone[layer].template record<Lanes>(layer > 0 ? out_of(layer - 1, scratch) : scratch.in.data(),
                                                     d.data());
    }
  }

  CfCLayout layout_;
  CfCPlaces places_;
  CfCMode mode_;
  Activation activation_;
  double dropout_;
  std::uint64_t seed_;
  std::vector<Linear<Scalar>> backbone_;
  Linear<Scalar> ff1_, ff2_, time_a_, time_b_;
  Buffer<Scalar> w_tau_, A_;  // |w_tau|; padded to whole packets
};

}  // namespace elegans::detail
