// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/block.hpp>
#include <elegans/cell/cfc/options.hpp>
#include <elegans/cell/cfc/parameters.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// The closed-form continuous-time cell: a step needs no solver. Without a wiring it is one block of neurons behind a
/// backbone; with one, a block a layer of the wiring, each fed by the block before it. Its outputs are the last block's
/// neurons, through a linear map if `proj_size` asks for one. For the equations see cell/cfc/block.hpp.
///
/// Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022;
/// `ncps.torch.CfC`, `CfCCell` and `WiredCfCCell`.
///
/// The layout of its arguments is `Lanes`'; see simd/layout.hpp. Users meet it through `CfC`.
template <typename ScalarType>
class CfCCell {
 public:
  using Scalar = ScalarType;
  using Block = detail::CfCBlock<Scalar>;
  static constexpr int state_size_at_compile_time = Dynamic;
  static constexpr int inputs_at_compile_time = Dynamic;
  static constexpr int outputs_at_compile_time = Dynamic;
  static constexpr int parameter_capacity = Dynamic;

  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    std::vector<typename Block::Scratch> blocks;
    detail::DropoutPosition position;
    Scalar* kept = nullptr;  ///< `kept_per_step` values, which a step leaves there and its adjoint finds there
  };
  using SingleScratch = Scratch<>;

  struct Adjoint {
    std::vector<typename Block::Adjoint> blocks;
    detail::LinearAdjoint<Scalar> projection;
  };

  /// A cell of given blocks, its weights not packed yet. \throws InvalidArgument if an option is out of range
  CfCCell(std::vector<detail::CfCLayout> layout, const CfCOptions& options)
      : layout_(std::move(layout)), options_(options), parameters_(detail::cfc_parameters(layout_, options)) {
    detail::check(options);
    for (const detail::CfCLayout& block : layout_) {
      blocks_.emplace_back(block, options, parameters_);
      units_ += block.units;
    }
    if (options.proj_size > 0) {
      projection_ = detail::Linear<Scalar>(options.proj_size, blocks_.back().units());
      fc_ = {parameters_, "fc"};
    }
  }

  [[nodiscard]] Index units() const noexcept { return units_; }
  [[nodiscard]] Index state_size() const noexcept { return units_; }
  [[nodiscard]] Index input_dim() const noexcept { return blocks_.front().inputs(); }
  [[nodiscard]] Index output_dim() const noexcept {
    return options_.proj_size > 0 ? options_.proj_size : blocks_.back().units();
  }
  /// States that a step leaves behind for its adjoint.
  [[nodiscard]] Index states_per_step() const noexcept { return 1; }
  /// Values that a step may leave for its adjoint, which else computes them anew.
  template <typename Lanes>
  [[nodiscard]] Index kept_per_step() const noexcept {
    Index size = 0;
    for (const Block& block : blocks_) size += block.template values_size<Lanes>();
    return size;
  }
  [[nodiscard]] const CfCOptions& options() const noexcept { return options_; }
  /// The shapes of its blocks, the one next to the inputs first; with a wiring, each has a mask.
  [[nodiscard]] const std::vector<detail::CfCLayout>& layout() const noexcept { return layout_; }
  /// What steps together, the block next to the inputs first.
  [[nodiscard]] const std::vector<Block>& blocks() const noexcept { return blocks_; }
  /// The linear map behind the last block; of no outputs if there is none.
  [[nodiscard]] const detail::Linear<Scalar>& projection() const noexcept { return projection_; }
  [[nodiscard]] const ParameterList<>& parameters() const noexcept { return parameters_; }

  void initialize(Scalar* parameters, TorchRandom& random) const {
    detail::initialize_cfc(parameters_, layout_, options_, random, parameters);
  }
  void initialize(Scalar* parameters) const {
    TorchRandom random(options_.seed);
    initialize(parameters, random);
  }

  /// There is nothing to constrain.
  void constrain(Scalar*) const {}

  /// Takes over new parameter values.
  void pack(const Scalar* parameters, bool) {
    for (Block& block : blocks_) block.pack(parameters);
    if (options_.proj_size > 0) {
      projection_.pack_weight(0, parameters + fc_.weight, projection_.outputs(), 0, projection_.inputs());
      projection_.pack_bias(0, parameters + fc_.bias);
    }
  }

  template <typename Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    scratch.blocks.resize(blocks_.size());
    for (std::size_t k = 0; k < blocks_.size(); ++k) blocks_[k].template reserve<Lanes>(scratch.blocks[k]);
  }

  template <typename Lanes, typename AnyScratch, typename StateAt>
  void step(const Scalar* x, const Scalar* v, const Scalar* elapsed, StateAt at, AnyScratch& scratch) const {
    Index first = 0;
    place_blocks<Lanes>(scratch);
    for (std::size_t k = 0; k < blocks_.size(); ++k) {
      const Index units = blocks_[k].units();
      auto& own = scratch.blocks[k];
      feed_block<Lanes>(k, k == 0 ? x : scratch.blocks[k - 1].h.data(), v + place<Lanes>(first), scratch);
      blocks_[k].template forward<Lanes>(elapsed, own);
      // Not whole packets: what follows them is the next block's.
      std::copy_n(own.h.data(), place<Lanes>(units), at(0) + place<Lanes>(first));
      first += units;
    }
  }

  /// y: the last block's neurons, or their projection.
  template <typename Lanes>
  void output(const Scalar* v, Scalar* y) const {
    const Scalar* const last = v + place<Lanes>(units_ - blocks_.back().units());
    if (options_.proj_size > 0) {
      projection_.view().template forward<Lanes>(last, {y});
    } else {
      std::copy_n(last, place<Lanes>(output_dim()), y);
    }
  }

  template <typename Lanes>
  void reset(Adjoint& adjoint) const {
    adjoint.blocks.resize(blocks_.size());
    for (std::size_t k = 0; k < blocks_.size(); ++k) blocks_[k].template reset<Lanes>(adjoint.blocks[k]);
    if (options_.proj_size > 0) adjoint.projection.template reset<Lanes>(projection_);
  }

  template <typename Lanes>
  void output_backward(const Scalar* v, const Scalar* d_y, Scalar* d_v, Adjoint& adjoint) const {
    const Index first = place<Lanes>(units_ - blocks_.back().units());
    if (options_.proj_size > 0) {
      projection_.view().template backward<Lanes>({d_y}, d_v + first);
      adjoint.projection.template record<Lanes>(v + first, {d_y});
    } else {
      for (Index i = 0; i < place<Lanes>(output_dim()); ++i) d_v[first + i] += d_y[i];
    }
  }

  /// The adjoint of `step`; arguments as `LTCCell::step_backward`'s.
  template <typename Lanes, typename AnyScratch, typename StateAt>
  void step_backward(const Scalar* x, const Scalar* v, const Scalar* elapsed, StateAt at, Scalar* d_v, Scalar* d_x,
                     Scalar* d_elapsed, AnyScratch& scratch, Adjoint& adjoint) const {
    Index first = 0;
    place_blocks<Lanes>(scratch);
    for (std::size_t k = 0; k < blocks_.size(); ++k) {
      const Index units = blocks_[k].units();
      // What the block before it gave is a part of the state after the step.
      const Scalar* const fed = k == 0 ? x : at(0) + place<Lanes>(first - blocks_[k - 1].units());
      feed_block<Lanes>(k, fed, v + place<Lanes>(first), scratch);
      if (!scratch.kept) blocks_[k].template forward<Lanes>(elapsed, scratch.blocks[k]);
      first += units;
    }
    std::fill_n(d_elapsed, Lanes::samples, Scalar(0));
    for (std::size_t k = blocks_.size(); k-- > 0;) {
      const Index inputs = place<Lanes>(blocks_[k].inputs());
      const Index units = place<Lanes>(blocks_[k].units());
      auto& sums = adjoint.blocks[k];
      first -= blocks_[k].units();
      Scalar* const d_state = d_v + place<Lanes>(first);
      std::copy_n(d_state, units, sums.d_h.data());
      if (k + 1 < blocks_.size()) {
        const Scalar* const d_fed = adjoint.blocks[k + 1].d_in.data();
        for (Index i = 0; i < units; ++i) sums.d_h[i] += d_fed[i];
      }
      blocks_[k].template backward<Lanes>(elapsed, d_elapsed, scratch.blocks[k], sums);
      std::copy_n(sums.d_in.data() + inputs, units, d_state);
    }
    std::copy_n(adjoint.blocks.front().d_in.data(), place<Lanes>(input_dim()), d_x);
  }

  template <typename Lanes>
  void collect(Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const {
    for (std::size_t k = 0; k < blocks_.size(); ++k) {
      blocks_[k].template collect<Lanes>(adjoint.blocks[k], parameters, gradient);
    }
    if (options_.proj_size > 0) {
      adjoint.projection.template finish<Lanes>();
      adjoint.projection.collect_weight(0, gradient + fc_.weight, projection_.outputs(), 0, projection_.inputs());
      adjoint.projection.collect_bias(0, gradient + fc_.bias);
    }
  }

 private:
  /// Where the value of neuron i begins, which is also how many scalars the i before it take.
  template <typename Lanes>
  [[nodiscard]] static constexpr Index place(Index neuron) {
    return Lanes::at(neuron, 0);
  }

  template <typename Lanes, typename AnyScratch>
  void place_blocks(AnyScratch& scratch) const {
    Scalar* kept = scratch.kept;
    for (std::size_t k = 0; k < blocks_.size(); ++k) {
      blocks_[k].template place<Lanes>(scratch.blocks[k], kept);
      if (kept) kept += blocks_[k].template values_size<Lanes>();
    }
  }

  /// Hands a block what it makes its new state of. \param fed  the inputs, or the new state of the block before it
  /// \param v  the block's own state
  template <typename Lanes, typename AnyScratch>
  void feed_block(std::size_t k, const Scalar* fed, const Scalar* v, AnyScratch& scratch) const {
    auto& own = scratch.blocks[k];
    const Index inputs = place<Lanes>(blocks_[k].inputs());
    std::copy_n(fed, inputs, own.in.data());
    std::copy_n(v, place<Lanes>(blocks_[k].units()), own.in.data() + inputs);
    own.position = scratch.position;
  }

  std::vector<detail::CfCLayout> layout_;
  CfCOptions options_;
  ParameterList<> parameters_;
  std::vector<Block> blocks_;
  detail::Linear<Scalar> projection_;
  detail::LinearPlace fc_;
  Index units_ = 0;
};

}  // namespace elegans
