// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <elegans/cell/cfc/heads.hpp>
#include <elegans/cell/cfc/options.hpp>
#include <elegans/cell/cfc/parameters.hpp>
#include <elegans/cell/cfc/sizes.hpp>
#include <elegans/cell/dropout.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

// mutate all: cfc.block
/// A block of a CfC: neurons that step together. Without a wiring, one block has all neurons. With one, each layer is a
/// block. The features are the values of [input, state], or the outputs of the backbone for them. `CfCHeads` computes
/// the new state from the features. A wiring masks ff1 and ff2.
///
/// Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022;
/// `ncps.torch.CfCCell`.
///
/// \tparam Sizes  of the cell, if its type fixes them
template <typename Scalar, CfCSizes Sizes = CfCSizes{}>
class CfCBlock {
  using Room = CfCRoom<Sizes>;
  using Backbone = Buffer<Linear<Scalar, 1, Room::layer_units, Room::layer_inputs>, Room::layers>;
  using Gated = Linear<Scalar, 4, Sizes.units, Room::features>;
  using Pure = Linear<Scalar, 1, Sizes.units, Room::features>;

 public:
  /// Room for a step. \tparam Step  with the sizes of the cell, room for one sample in place; by default on the heap
  template <CfCSizes Step = CfCSizes{}>
  struct Scratch {
    struct Layer {
      Scalar *z, *a;    ///< before and after the activation
      Scalar* dropped;  ///< a after dropout
    };
    // The adjoint needs all of these. They point into `values`, or into a record.
    Buffer<Layer, CfCRoom<Step>::layers> backbone;
    CfCHeadValues<Scalar*> heads{};
    Buffer<Scalar, pad_neurons(CfCRoom<Step>::in)> in;  ///< [input, state]
    Buffer<Scalar, pad_neurons(Step.units)> h;          ///< the new state
    Buffer<Scalar, CfCRoom<Step>::values> values;       ///< `record_size` of them
    StepPosition position;
  };

  struct Adjoint {
    Buffer<LinearAdjoint<Scalar>> backbone;
    LinearAdjoint<Scalar, 4> gated;
    LinearAdjoint<Scalar> pure;
    Buffer<Scalar> w_tau, A;
    Buffer<Scalar> d_in, d_h;         ///< of [input, state]; of the new state
    Buffer<Buffer<Scalar>> d_hidden;  ///< of the outputs of each backbone layer
  };

  CfCBlock() = default;
  template <int Capacity>
  CfCBlock(const CfCLayout& layout, const CfCOptions& options, const ParameterList<Capacity>& parameters)
      : layout_(layout),
        offsets_(parameters, layout, options),
        mode_(options.mode),
        activation_(options.activation),
        head_activation_(options.head_activation),
        dropout_(options.backbone_dropout),
        first_dropping_layer_(options.dropout_behind_first_layer ? 0 : 1),
        seed_(options.seed) {
    Index features = inputs() + units();
    backbone_.resize(layout.backbone_layers);
    for (int layer = 0; layer < layout.backbone_layers; ++layer) {
      backbone_[layer] = {options.backbone_units, features};
      features = options.backbone_units;
    }
    if (mode_ == CfCMode::pure) {
      pure_ = {units(), features};
      for (auto* values : {&w_tau_, &A_}) values->resize(pad_neurons(units()));
    } else {
      gated_ = {units(), features};
    }
  }

  [[nodiscard]] Index inputs() const noexcept { return layout_.inputs; }
  [[nodiscard]] Index units() const noexcept { return layout_.units; }
  [[nodiscard]] const Backbone& backbone() const noexcept { return backbone_; }
  [[nodiscard]] const Gated& gated() const noexcept { return gated_; }
  [[nodiscard]] const Pure& pure() const noexcept { return pure_; }
  [[nodiscard]] CfCHeads<Scalar> heads() const noexcept {
    return {mode_, gated_.view(), pure_.view(), w_tau_.data(), A_.data(), head_activation_};
  }

  /// Packs new values from a parameter vector.
  void pack(const Scalar* parameters) {
    for (Index layer = 0; layer < backbone_.size(); ++layer) {
      pack_map(parameters, offsets_.backbone[layer], backbone_[layer], 0);
    }
    if (mode_ == CfCMode::pure) {
      pack_map(parameters, offsets_.ff1, pure_, 0, mask());
      std::copy_n(parameters + offsets_.A, units(), A_.data());
      for (Index i = 0; i < units(); ++i) w_tau_[i] = (std::abs)(parameters[offsets_.w_tau + i]);
    } else {
      for (int head = 0; head < 4; ++head) pack_map(parameters, offsets_of(head), gated_, head, mask_of(head));
    }
  }

  /// Number of values that a step computes besides the new state.
  template <LaneLayout Lanes>
  [[nodiscard]] Index record_size() const noexcept {
    const Index per_layer = dropout_ > 0 ? 3 : 2;
    Index size = (mode_ == CfCMode::pure ? 2 : 4) * extent<Lanes>(units());
    for (const auto& layer : backbone_) size += per_layer * extent<Lanes>(layer.outputs());
    return size;
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    scratch.backbone.resize(backbone_.size());
    scratch.in.resize(extent<Lanes>(inputs() + units()));
    scratch.h.resize(extent<Lanes>(units()));
    scratch.values.resize(record_size<Lanes>());
  }

  /// Chooses the memory for the values of the next step: the record, or the scratch if the record is null.
  template <LaneLayout Lanes, typename AnyScratch>
  void begin_step(AnyScratch& scratch, Scalar* record) const {
    Scalar* next = record ? record : scratch.values.data();
    const auto next_values = [&](Index neurons) { return std::exchange(next, next + extent<Lanes>(neurons)); };
    for (Index layer = 0; layer < backbone_.size(); ++layer) {
      auto& [z, a, dropped] = scratch.backbone[layer];
      z = next_values(backbone_[layer].outputs());
      a = next_values(backbone_[layer].outputs());
      dropped = dropout_ > 0 ? next_values(backbone_[layer].outputs()) : nullptr;
    }
    scratch.heads = {};
    scratch.heads.f1 = next_values(units());
    scratch.heads.t = next_values(units());
    if (mode_ != CfCMode::pure) {
      scratch.heads.f2 = next_values(units());
      scratch.heads.a = next_values(units());
    }
    scratch.heads.h = scratch.h.data();
  }

  /// Computes `scratch.h` from `scratch.in` and the elapsed times. Call `begin_step` first.
  template <LaneLayout Lanes, typename AnyScratch>
  void forward(const Scalar* elapsed, AnyScratch& scratch) const {
    heads().template forward<Lanes>(make_features<Lanes>(scratch), elapsed, scratch.heads);
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    const auto clear = [](Buffer<Scalar>& values, Index size) {
      values.resize(size);
      std::fill_n(values.data(), size, Scalar(0));
    };
    adjoint.backbone.resize(backbone_.size());
    adjoint.d_hidden.resize(backbone_.size());
    for (Index layer = 0; layer < backbone_.size(); ++layer) {
      adjoint.backbone[layer].template reset<Lanes>(backbone_[layer]);
      clear(adjoint.d_hidden[layer], extent<Lanes>(backbone_[layer].outputs()));
    }
    adjoint.pure.template reset<Lanes>(pure_);
    adjoint.gated.template reset<Lanes>(gated_);
    clear(adjoint.d_in, extent<Lanes>(inputs() + units()));
    for (auto* values : {&adjoint.w_tau, &adjoint.A, &adjoint.d_h}) clear(*values, extent<Lanes>(units()));
  }

  /// Computes `adjoint.d_in` from `adjoint.d_h`, and adds to d_elapsed, per sample. Call `forward` first; if a record
  /// has its values, `begin_step` is enough.
  template <LaneLayout Lanes, typename AnyScratch>
  void backward(const Scalar* elapsed, Scalar* d_elapsed, AnyScratch& scratch, Adjoint& adjoint) const {
    std::fill_n(adjoint.d_in.data(), adjoint.d_in.size(), Scalar(0));
    for (auto& d_hidden : adjoint.d_hidden) std::fill_n(d_hidden.data(), d_hidden.size(), Scalar(0));
    const auto& [f1, f2, a, t, h] = scratch.heads;
    for (Scalar* const values : {f1, f2, a, t}) {
      if (values) clear_padding<Lanes>(units(), values);
    }
    const CfCHeadValues<const Scalar*> values{f1, f2, a, t, h};
    if (mode_ == CfCMode::pure) {
      const auto [d_f1] = adjoint.pure.template next_d_z<Lanes>();
      heads().template backward<Lanes>(elapsed, values, {d_f1}, adjoint, d_elapsed, d_features(adjoint));
      adjoint.pure.append(features(scratch));
    } else {
      const auto d_z = adjoint.gated.template next_d_z<Lanes>();
      heads().template backward<Lanes>(elapsed, values, d_z, adjoint, d_elapsed, d_features(adjoint));
      adjoint.gated.append(features(scratch));
    }
    backbone_backward<Lanes>(scratch, adjoint);
  }

  /// Adds the sums of the adjoint to a gradient.
  template <LaneLayout Lanes>
  void collect(Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const {
    for (Index layer = 0; layer < backbone_.size(); ++layer) {
      adjoint.backbone[layer].template sum_up<Lanes>();
      add_map_gradient(adjoint.backbone[layer], 0, backbone_[layer], offsets_.backbone[layer], gradient);
    }
    if (mode_ == CfCMode::pure) {
      adjoint.pure.template sum_up<Lanes>();
      add_map_gradient(adjoint.pure, 0, pure_, offsets_.ff1, gradient, mask());
      for (Index i = 0; i < units(); ++i) {
        const Scalar w_tau = parameters[offsets_.w_tau + i];
        const Scalar sign = w_tau > 0 ? Scalar(1) : w_tau < 0 ? Scalar(-1) : Scalar(0);
        gradient[offsets_.w_tau + i] += sign * Lanes::sum_samples(adjoint.w_tau.data(), i);
        gradient[offsets_.A + i] += Lanes::sum_samples(adjoint.A.data(), i);
      }
    } else {
      adjoint.gated.template sum_up<Lanes>();
      for (int head = 0; head < 4; ++head) {
        add_map_gradient(adjoint.gated, head, gated_, offsets_of(head), gradient, mask_of(head));
      }
    }
  }

 private:
  /// Sets the lanes that have no neuron to 0. There, an infinite input times a weight of 0 left a NaN, which the
  /// adjoint must not add to its sums over the neurons of a single sample.
  template <LaneLayout Lanes>
  static void clear_padding(Index neurons, Scalar* values) noexcept {
    std::fill(values + Lanes::index(neurons, 0), values + extent<Lanes>(neurons), Scalar(0));
  }

  [[nodiscard]] const unsigned char* mask() const noexcept {
    return layout_.mask.size() > 0 ? layout_.mask.data() : nullptr;
  }

  /// The heads in the order of `CfCHeads::gated`. The wiring masks the first two.
  [[nodiscard]] const LinearOffsets& offsets_of(int head) const noexcept {
    return head == 0 ? offsets_.ff1 : head == 1 ? offsets_.ff2 : head == 2 ? offsets_.time_a : offsets_.time_b;
  }
  [[nodiscard]] const unsigned char* mask_of(int head) const noexcept { return head < 2 ? mask() : nullptr; }

  template <typename Maps>
  static void pack_map(const Scalar* parameters, const LinearOffsets& from, Maps& linear, int map,
                       const unsigned char* mask = nullptr) {
    linear.pack_weight(map, parameters + from.weight, linear.outputs(), 0, linear.inputs(), mask);
    linear.pack_bias(map, parameters + from.bias);
  }
  template <typename Sums, typename Maps>
  static void add_map_gradient(const Sums& from, int map, const Maps& linear, const LinearOffsets& to, Scalar* gradient,
                               const unsigned char* mask = nullptr) {
    from.add_weight_gradient(map, gradient + to.weight, linear.outputs(), 0, linear.inputs(), mask);
    from.add_bias_gradient(map, gradient + to.bias);
  }

  /// The inputs of the heads, and their adjoint.
  template <typename AnyScratch>
  [[nodiscard]] const Scalar* features(const AnyScratch& scratch) const noexcept {
    return backbone_.size() == 0 ? scratch.in.data() : outputs_of(backbone_.size() - 1, scratch);
  }
  [[nodiscard]] Scalar* d_features(Adjoint& adjoint) const noexcept {
    return backbone_.size() == 0 ? adjoint.d_in.data() : adjoint.d_hidden[backbone_.size() - 1].data();
  }

  /// ncps puts a dropout behind each layer of the backbone except the first, the paper's code behind the first, too.
  template <typename AnyScratch>
  [[nodiscard]] bool drops_after(Index layer, const AnyScratch& scratch) const noexcept {
    return layer >= first_dropping_layer_ && dropout_ > 0 && scratch.position.training;
  }
  template <typename AnyScratch>
  [[nodiscard]] const Scalar* outputs_of(Index layer, const AnyScratch& scratch) const noexcept {
    const auto& own = scratch.backbone[layer];
    return drops_after(layer, scratch) ? own.dropped : own.a;
  }
  template <LaneLayout Lanes, typename AnyScratch>
  void drop_after(Index layer, const AnyScratch& scratch, Scalar* values) const {
    drop<Lanes>(dropout_, seed_, scratch.position, static_cast<std::size_t>(layer), backbone_[layer].outputs(), values);
  }

  /// Runs the backbone.
  template <LaneLayout Lanes, typename AnyScratch>
  const Scalar* make_features(AnyScratch& scratch) const {
    const Scalar* x = scratch.in.data();
    for (Index layer = 0; layer < backbone_.size(); ++layer) {
      const auto& [z, a, dropped] = scratch.backbone[layer];
      const Index size = extent<Lanes>(backbone_[layer].outputs());
      backbone_[layer].view().template forward<Lanes>(x, {z});
      activate<typename Lanes::Packet>(activation_, z, a, size);
      if (drops_after(layer, scratch)) {
        std::copy_n(a, size, dropped);
        drop_after<Lanes>(layer, scratch, dropped);
      }
      x = outputs_of(layer, scratch);
    }
    return x;
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void backbone_backward(AnyScratch& scratch, Adjoint& adjoint) const {
    for (Index layer = backbone_.size(); layer-- > 0;) {
      const auto& [z, a, dropped] = scratch.backbone[layer];
      Buffer<Scalar>& d = adjoint.d_hidden[layer];
      const Index size = extent<Lanes>(backbone_[layer].outputs());
      if (drops_after(layer, scratch)) drop_after<Lanes>(layer, scratch, d.data());
      activate_backward<Scalar>(activation_, {z, size}, {a, size}, {d.data(), size});
      clear_padding<Lanes>(backbone_[layer].outputs(), d.data());
      Scalar* const d_x = layer > 0 ? adjoint.d_hidden[layer - 1].data() : adjoint.d_in.data();
      backbone_[layer].view().template backward<Lanes>({d.data()}, d_x);
      adjoint.backbone[layer].template append<Lanes>(layer > 0 ? outputs_of(layer - 1, scratch) : scratch.in.data(),
                                                     {d.data()});
    }
  }

  CfCLayout layout_;
  CfCOffsets<Room::layers> offsets_;
  CfCMode mode_ = CfCMode::standard;
  Activation activation_ = Activation::lecun_tanh, head_activation_ = Activation::tanh;
  double dropout_ = 0;
  Index first_dropping_layer_ = 0;
  std::uint64_t seed_ = 0;
  Backbone backbone_;
  Gated gated_;                                         // either these
  Pure pure_;                                           // or this one, see CfCHeads
  Buffer<Scalar, pad_neurons(Sizes.units)> w_tau_, A_;  // |w_tau|; padded to whole packets
};

}  // namespace elegans::detail
