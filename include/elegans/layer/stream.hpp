// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <utility>

#include <elegans/cell/concepts.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/step.hpp>

namespace elegans {

/// A cell that steps over a stream and does nothing else: an `Rnn` for a device on which nothing is trained. It has
/// neither a parameter vector nor gradients. With a cell of fixed sizes it uses no heap at all. The `Model` in a header
/// that `export_header` writes is a Stream:
///
///     static model::Model network;
///     auto state = network.initial_state();
///     const float motor = network.step(sensors, state, elapsed_time)(0, 0);
template <StreamCell CellType>
class Stream {
 public:
  using Cell = CellType;
  using Scalar = typename Cell::Scalar;
  static constexpr int state_size_at_compile_time = Cell::state_size_at_compile_time;
  static constexpr int inputs_at_compile_time = Cell::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = Cell::outputs_at_compile_time;

  /// \param parts  what the cell is made of, in place: a cell with its parameters packed for a single sample, or the
  ///               arguments of its constructor
  template <typename... Parts>
    requires std::constructible_from<Cell, Parts...>
  explicit Stream(Parts&&... parts) : cell_(std::forward<Parts>(parts)...), space_(cell_) {}

  [[nodiscard]] const Cell& cell() const& noexcept { return cell_; }
  [[nodiscard]] Cell cell() const&& { return cell(); }
  [[nodiscard]] Index units() const noexcept { return cell_.units(); }
  [[nodiscard]] Index state_size() const noexcept { return cell_.state_size(); }
  [[nodiscard]] Index input_dim() const noexcept { return cell_.input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return cell_.output_dim(); }

  /// The state before the first step: zeros.
  [[nodiscard]] auto initial_state() const { return State<Scalar, state_size_at_compile_time, 1>(1, state_size()); }

  /// Advances a state by one step, in place: `Rnn::step` of a single stream, to the bit.
  ///
  /// \param x             input_dim sensory values
  /// \param elapsed_time  time since the last step, finite and >= 0
  /// \return              (1, output_dim) outputs; a view that lasts until the next call
  /// \throws InvalidArgument if a shape differs or the time is negative or not finite
  template <typename Derived>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x, State<Scalar, state_size_at_compile_time, 1>& state,
                              Scalar elapsed_time = Scalar(1)) & {
    Timespans<Scalar>::require_valid(elapsed_time, 0, 0);
    detail::require_step_shape(cell_, x, state);
    return space_.step(cell_, x, state, elapsed_time);
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary model

 private:
  Cell cell_;
  detail::StepSpace<Cell> space_;
};

template <StreamCell CellType>
Stream(CellType) -> Stream<CellType>;

}  // namespace elegans
