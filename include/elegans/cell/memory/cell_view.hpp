// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <utility>

#include <elegans/cell/memory/gates.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// Mixed memory for a single stream, of fixed sizes, on weights that are constants of the program: it uses no heap. It
/// computes the same numbers as `MemoryCell`, to the bit. `export_header` writes its arguments.
///
/// \tparam Inner  the other cell: LTCCellView or CfCCellView
template <typename Inner>
class MemoryCellView {
  static constexpr int units_at_compile_time = Inner::state_size_at_compile_time;

 public:
  using Scalar = typename Inner::Scalar;
  static constexpr int state_size_at_compile_time = 2 * units_at_compile_time;
  static constexpr int inputs_at_compile_time = Inner::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = Inner::outputs_at_compile_time;

  struct SingleScratch {
    static constexpr int padded = detail::pad_neurons(units_at_compile_time);
    typename Inner::SingleScratch inner;
    Buffer<Scalar, detail::pad_neurons(inputs_at_compile_time + units_at_compile_time)> in;  ///< [input, h]
    Buffer<Scalar, padded> gate[4];                                                          ///< see MemoryGates::open
    Buffer<Scalar, 2 * padded> states;
  };

  /// A memory in front of a cell. Its weights belong to somebody else.
  ///
  /// \param gates  i, ig, fg and og; their weights must outlive the cell
  /// \param inner  what the other cell is made of, in place: a cell, or the arguments of its constructor
  template <typename... Parts>
    requires std::constructible_from<Inner, Parts...>
  explicit MemoryCellView(const detail::LinearView<Scalar, 4>& gates, Parts&&... inner)
      : gates_{gates}, inner_(std::forward<Parts>(inner)...) {}

  [[nodiscard]] static constexpr Index units() noexcept { return units_at_compile_time; }
  [[nodiscard]] static constexpr Index state_size() noexcept { return state_size_at_compile_time; }
  [[nodiscard]] static constexpr Index input_dim() noexcept { return inputs_at_compile_time; }
  [[nodiscard]] static constexpr Index output_dim() noexcept { return outputs_at_compile_time; }
  [[nodiscard]] static constexpr Index states_per_step() noexcept { return 1; }

  template <LaneLayout Lanes>
  void reserve(SingleScratch& scratch) const {
    inner_.template reserve<Lanes>(scratch.inner);
    scratch.in.resize(detail::pad_neurons(input_dim() + units()));
    for (auto& gate : scratch.gate) gate.resize(detail::pad_neurons(units()));
    scratch.states.resize(2 * detail::pad_neurons(units()));
  }

  template <LaneLayout Lanes>
  void step(const Step<Lanes>& step, SingleScratch& scratch) const {
    const Tape<Scalar> h(scratch.states.data(), detail::pad_neurons(units()), false);
    const Scalar* const c = gates_.template forward<Lanes>(step.x, step.states(0), h(0), scratch);
    inner_.step(Step<Lanes>{.x = step.x, .elapsed = step.elapsed, .states = h}, scratch.inner);
    std::copy_n(h(inner_.states_per_step()), units(), step.states(1));
    std::copy_n(c, units(), step.states(1) + units());
  }

  template <LaneLayout Lanes>
  void output(const Scalar* v, Scalar* y) const {
    inner_.template output<Lanes>(v, y);
  }

 private:
  detail::MemoryGates<Scalar> gates_;
  Inner inner_;
};

template <typename Scalar, typename Inner>
MemoryCellView(const detail::LinearView<Scalar, 4>&, Inner) -> MemoryCellView<Inner>;

}  // namespace elegans
