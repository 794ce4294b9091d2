// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/cfc/heads.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

namespace detail {

/// A block of a CfC whose weights belong to somebody else: see `CfCBlock`.
template <typename Scalar>
struct CfCBlockView {
  Index inputs = 0;
  Activation activation = Activation::lecun_tanh;
  int backbone_layers = 0;
  const LinearView<Scalar>* backbone = nullptr;
  CfCHeads<Scalar> heads{};
};

}  // namespace detail

/// A CfC cell for a single stream, of fixed sizes, on weights that are constants of the program: it uses no heap. It
/// computes the same numbers as `CfCCell`, to the bit. `export_header` writes its arguments.
///
/// \tparam Units    neurons of all blocks together
/// \tparam Widest   the largest number of inputs or outputs of its maps
template <typename ScalarType, int Units, int Inputs, int Outputs, int Widest>
class CfCCellView {
 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = Units;
  static constexpr int inputs_at_compile_time = Inputs;
  static constexpr int outputs_at_compile_time = Outputs;

  struct SingleScratch {
    Buffer<Scalar, detail::pad_neurons(Widest)> in, hidden[2];   ///< [input, state]; two backbone layers in turn
    Buffer<Scalar, detail::pad_neurons(Units)> f1, f2, a, t, h;  ///< see CfCHeadValues
  };

  /// A cell whose weights belong to somebody else.
  /// \param blocks      `count` blocks, the first block first; they must outlive the cell
  /// \param projection  a linear map of the last block's neurons; one without outputs stands for none
  constexpr CfCCellView(const detail::CfCBlockView<Scalar>* blocks, Index count,
                        const detail::LinearView<Scalar>& projection) noexcept
      : blocks_(blocks), count_(count), projection_(projection) {}

  [[nodiscard]] static constexpr Index units() noexcept { return Units; }
  [[nodiscard]] static constexpr Index state_size() noexcept { return Units; }
  [[nodiscard]] static constexpr Index input_dim() noexcept { return Inputs; }
  [[nodiscard]] static constexpr Index output_dim() noexcept { return Outputs; }
  [[nodiscard]] static constexpr Index states_per_step() noexcept { return 1; }

  template <LaneLayout Lanes>
  void reserve(SingleScratch& scratch) const {
    for (auto* values : {&scratch.in, &scratch.hidden[0], &scratch.hidden[1]}) {
      values->resize(detail::pad_neurons(Widest));
    }
    for (auto* values : {&scratch.f1, &scratch.f2, &scratch.a, &scratch.t, &scratch.h}) {
      values->resize(detail::pad_neurons(Units));
    }
  }

  template <LaneLayout Lanes>
  void step(const Step<Lanes>& step, SingleScratch& scratch) const {
    const Scalar* fed = step.x;
    Index first = 0;
    for (const auto* block = blocks_; block != blocks_ + count_; ++block) {
      const Index units = block->heads.units();
      std::copy_n(fed, block->inputs, scratch.in.data());
      std::copy_n(step.states(0) + first, units, scratch.in.data() + block->inputs);
      const Scalar* features = scratch.in.data();
      for (int layer = 0; layer < block->backbone_layers; ++layer) {
        const auto& map = block->backbone[layer];
        Scalar* const values = scratch.hidden[layer % 2].data();
        const Index size = detail::extent<Lanes>(map.outputs);
        map.template forward<Lanes>(features, {values});
        detail::activate<typename Lanes::Packet>(block->activation, values, values, size);
        features = values;
      }
      block->heads.template forward<Lanes>(
          features, step.elapsed,
          {scratch.f1.data(), scratch.f2.data(), scratch.a.data(), scratch.t.data(), scratch.h.data()});
      std::copy_n(scratch.h.data(), units, step.states(1) + first);
      fed = scratch.h.data();
      first += units;
    }
  }

  template <LaneLayout Lanes>
  void output(const Scalar* v, Scalar* y) const {
    const Scalar* const last = v + Units - blocks_[count_ - 1].heads.units();
    if (projection_.outputs > 0) {
      projection_.template forward<Lanes>(last, {y});
    } else {
      std::copy_n(last, Outputs, y);
    }
  }

 private:
  const detail::CfCBlockView<Scalar>* blocks_;
  Index count_;
  detail::LinearView<Scalar> projection_;
};

}  // namespace elegans
