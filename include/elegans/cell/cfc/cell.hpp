// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/cfc/block.hpp>
#include <elegans/cell/cfc/options.hpp>
#include <elegans/cell/cfc/parameters.hpp>
#include <elegans/cell/cfc/sizes.hpp>
#include <elegans/cell/concepts.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

// mutate all: cfc.cell
/// The closed-form continuous-time cell, whose step needs no solver. Without a wiring, the cell is one block of neurons
/// behind a backbone. With a wiring, it has one block per layer, and each block feeds the next. The outputs are the
/// last block's neurons, or a linear map of them if `proj_size` asks for one. The equations are in cell/cfc/heads.hpp.
///
/// Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022;
/// `ncps.torch.CfC`, `CfCCell` and `WiredCfCCell`. Users meet it through `CfC`.
///
/// \tparam Sizes  if the type fixes them: values in place, and a step without heap
template <typename ScalarType, CfCSizes Sizes = CfCSizes{}>
class CfCCell : public RecordsSteps {
  using Room = detail::CfCRoom<Sizes>;
  using Layout = Buffer<detail::CfCLayout, Room::blocks>;
  using Projection = detail::Linear<ScalarType, 1, Sizes.outputs, Room::projected>;

 public:
  using Scalar = ScalarType;
  using Block = detail::CfCBlock<Scalar, Sizes>;
  static constexpr int state_size_at_compile_time = Sizes.units;
  static constexpr int inputs_at_compile_time = Sizes.inputs;
  static constexpr int outputs_at_compile_time = Sizes.outputs;
  static constexpr int parameter_capacity = Room::parameters;

  /// Room for a step.
  template <CfCSizes Step = CfCSizes{}>
  struct Scratch {
    Buffer<typename Block::template Scratch<Step>, detail::CfCRoom<Step>::blocks> blocks;
  };
  /// Room for a step of one sample: no heap if the sizes are fixed.
  using SingleScratch = Scratch<Sizes>;

  struct Adjoint {
    Buffer<typename Block::Adjoint> blocks;
    detail::LinearAdjoint<Scalar> projection;
  };

  /// A cell of given blocks. Its weights are not packed yet.
  /// \throws InvalidArgument if an option is out of range, or a size is not the type's
  CfCCell(Layout layout, const CfCOptions& options)
      : layout_(std::move(layout)),
        options_(options),
        parameters_(detail::cfc_parameters<Room::tensors>(checked_layout(), options)) {
    blocks_.resize(layout_.size());
    for (Index k = 0; k < layout_.size(); ++k) {
      const detail::CfCLayout& block = layout_[k];
      blocks_[k] = Block(block, options, parameters_);
      units_ += block.units;
    }
    if (options.proj_size > 0) {
      projection_ = {options.proj_size, last_units()};
      fc_ = {parameters_, "fc"};
    }
  }

  [[nodiscard]] Index units() const noexcept { return units_; }
  [[nodiscard]] Index state_size() const noexcept { return units_; }
  [[nodiscard]] Index input_dim() const noexcept { return blocks_.size() == 0 ? 0 : blocks_[0].inputs(); }
  [[nodiscard]] Index output_dim() const noexcept { return options_.proj_size > 0 ? options_.proj_size : last_units(); }
  [[nodiscard]] Index states_per_step() const noexcept { return 1; }
  /// Values that a step may record for its adjoint: heads and backbone.
  template <LaneLayout Lanes>
  [[nodiscard]] Index record_size() const noexcept {
    Index size = 0;
    for (const Block& block : blocks_) size += block.template record_size<Lanes>();
    return size;
  }
  [[nodiscard]] const CfCOptions& options() const& noexcept { return options_; }
  [[nodiscard]] CfCOptions options() const&& { return options(); }
  /// The shapes of the blocks, the first block first. With a wiring, each has a mask.
  [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
  /// The blocks, the first block first.
  [[nodiscard]] const auto& blocks() const& noexcept { return blocks_; }
  [[nodiscard]] auto blocks() const&& { return blocks(); }
  /// The linear map behind the last block. If `proj_size` asks for none, it has no outputs.
  [[nodiscard]] const Projection& projection() const noexcept { return projection_; }
  [[nodiscard]] const ParameterList<Room::tensors>& parameters() const& noexcept { return parameters_; }
  [[nodiscard]] ParameterList<Room::tensors> parameters() const&& { return parameters(); }

  void initialize(Scalar* parameters, TorchRandom& random) const {
    detail::initialize_cfc(parameters_, layout_, options_, random, parameters);
  }
  void initialize(Scalar* parameters) const {
    TorchRandom random(options_.seed);
    initialize(parameters, random);
  }

  /// A CfC has no constraints.
  void apply_constraints(Scalar*) const {}

  /// Packs new parameters. Batches and single samples use the same form.
  void pack(const Scalar* parameters, bool) {
    for (Block& block : blocks_) block.pack(parameters);
    if (options_.proj_size > 0) {
      projection_.pack_weight(0, parameters + fc_.weight, projection_.outputs(), 0, projection_.inputs());
      projection_.pack_bias(0, parameters + fc_.bias);
    }
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    scratch.blocks.resize(blocks_.size());
    for (Index k = 0; k < blocks_.size(); ++k) blocks_[k].template reserve<Lanes>(scratch.blocks[k]);
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    Index first = 0;
    begin_step(step, scratch);
    for (Index k = 0; k < blocks_.size(); ++k) {
      const Index units = blocks_[k].units();
      feed_block<Lanes>(k, k == 0 ? step.x : scratch.blocks[k - 1].h.data(), step.states(0) + offset<Lanes>(first),
                        scratch);
      blocks_[k].template forward<Lanes>(step.elapsed, scratch.blocks[k]);
      // Do not copy whole packets, because the next block's neurons follow.
      std::copy_n(scratch.blocks[k].h.data(), offset<Lanes>(units), step.states(1) + offset<Lanes>(first));
      first += units;
    }
  }

  /// y: the last block's neurons, or their projection.
  template <LaneLayout Lanes>
  void output(const Scalar* v, Scalar* y) const {
    const Scalar* const last = v + offset<Lanes>(units_ - last_units());
    if (options_.proj_size > 0) {
      projection_.view().template forward<Lanes>(last, {y});
    } else {
      std::copy_n(last, offset<Lanes>(output_dim()), y);
    }
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    adjoint.blocks.resize(blocks_.size());
    for (Index k = 0; k < blocks_.size(); ++k) blocks_[k].template reset<Lanes>(adjoint.blocks[k]);
    if (options_.proj_size > 0) adjoint.projection.template reset<Lanes>(projection_);
  }

  template <LaneLayout Lanes>
  void output_backward(const Scalar* v, const Scalar* d_y, Scalar* d_v, Adjoint& adjoint) const {
    const Index first = offset<Lanes>(units_ - last_units());
    if (options_.proj_size > 0) {
      projection_.view().template backward<Lanes>({d_y}, d_v + first);
      adjoint.projection.template append<Lanes>(v + first, {d_y});
    } else {
      for (Index i = 0; i < offset<Lanes>(output_dim()); ++i) d_v[first + i] += d_y[i];
    }
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step_backward(const Step<Lanes>& step, const StepAdjoint<Lanes>& d, AnyScratch& scratch,
                     Adjoint& adjoint) const {
    Index first = 0;
    begin_step(step, scratch);
    for (Index k = 0; k < blocks_.size(); ++k) {
      // The block before this one left its outputs in the state after the step.
      const Scalar* const fed = k == 0 ? step.x : step.states(1) + offset<Lanes>(first - blocks_[k - 1].units());
      feed_block<Lanes>(k, fed, step.states(0) + offset<Lanes>(first), scratch);
      if (!step.record) blocks_[k].template forward<Lanes>(step.elapsed, scratch.blocks[k]);
      first += blocks_[k].units();
    }
    std::fill_n(d.d_elapsed, Lanes::samples, Scalar(0));
    for (Index k = blocks_.size(); k-- > 0;) {
      const Index inputs = offset<Lanes>(blocks_[k].inputs());
      const Index units = offset<Lanes>(blocks_[k].units());
      auto& sums = adjoint.blocks[k];
      first -= blocks_[k].units();
      Scalar* const d_state = d.d_state + offset<Lanes>(first);
      std::copy_n(d_state, units, sums.d_h.data());
      if (k + 1 < blocks_.size()) {
        const Scalar* const d_fed = adjoint.blocks[k + 1].d_in.data();
        for (Index i = 0; i < units; ++i) sums.d_h[i] += d_fed[i];
      }
      blocks_[k].template backward<Lanes>(step.elapsed, d.d_elapsed, scratch.blocks[k], sums);
      std::copy_n(sums.d_in.data() + inputs, units, d_state);
    }
    std::copy_n(adjoint.blocks[0].d_in.data(), offset<Lanes>(input_dim()), d.d_x);
  }

  template <LaneLayout Lanes>
  void collect(Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const {
    for (Index k = 0; k < blocks_.size(); ++k) {
      blocks_[k].template collect<Lanes>(adjoint.blocks[k], parameters, gradient);
    }
    if (options_.proj_size > 0) {
      adjoint.projection.template sum_up<Lanes>();
      adjoint.projection.add_weight_gradient(0, gradient + fc_.weight, projection_.outputs(), 0, projection_.inputs());
      adjoint.projection.add_bias_gradient(0, gradient + fc_.bias);
    }
  }

 private:
  /// \throws InvalidArgument if an option is out of range, or a size is not the type's
  [[nodiscard]] const Layout& checked_layout() const {
    detail::check_options(options_);
    if constexpr (Room::is_fixed) {
      const auto must_be = [](const char* name, Index size, int of_type) {
        if (size != of_type) detail::refuse("CfC: ", name, " must be ", of_type, ", as the type says, got ", size);
      };
      Index units = 0;
      for (const detail::CfCLayout& block : layout_) units += block.units;
      must_be("units", units, Sizes.units);
      must_be("input_dim", layout_[0].inputs, Sizes.inputs);
      must_be("backbone_layers", layout_[0].backbone_layers, Sizes.backbone_layers);
      if (Sizes.backbone_layers > 0) must_be("backbone_units", options_.backbone_units, Sizes.backbone_units);
      must_be("the number of outputs", options_.proj_size > 0 ? options_.proj_size : layout_[layout_.size() - 1].units,
              Sizes.outputs);
    }
    return layout_;
  }

  /// Number of neurons of the last block.
  [[nodiscard]] Index last_units() const noexcept {
    return blocks_.size() == 0 ? 0 : blocks_[blocks_.size() - 1].units();
  }

  /// Index of the first value of a neuron: the number of scalars of all neurons before it.
  template <LaneLayout Lanes>
  [[nodiscard]] static constexpr Index offset(Index neuron) {
    return Lanes::index(neuron, 0);
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void begin_step(const Step<Lanes>& step, AnyScratch& scratch) const {
    Scalar* record = step.record;
    for (Index k = 0; k < blocks_.size(); ++k) {
      if (options_.backbone_dropout > 0) scratch.blocks[k].position = step.position;
      blocks_[k].template begin_step<Lanes>(scratch.blocks[k], record);
      if (record) record += blocks_[k].template record_size<Lanes>();
    }
  }

  /// Copies the inputs and the state of a block to its scratch.
  ///
  /// \param fed  the inputs, or the new state of the block before
  template <LaneLayout Lanes, typename AnyScratch>
  void feed_block(Index k, const Scalar* fed, const Scalar* state, AnyScratch& scratch) const {
    const Index inputs = offset<Lanes>(blocks_[k].inputs());
    Scalar* const in = scratch.blocks[k].in.data();
    std::copy_n(fed, inputs, in);
    std::copy_n(state, offset<Lanes>(blocks_[k].units()), in + inputs);
  }

  Layout layout_;
  CfCOptions options_;
  ParameterList<Room::tensors> parameters_;
  Buffer<Block, Room::blocks> blocks_;
  Projection projection_;
  detail::LinearOffsets fc_;
  Index units_ = 0;
};

}  // namespace elegans
