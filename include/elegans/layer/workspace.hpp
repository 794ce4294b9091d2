// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/concepts.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/rollout.hpp>
#include <elegans/layer/step.hpp>
#include <elegans/layer/tiling.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// mutate all: layer.workspace
/// The elapsed time of each stream of a batch, as a function of its number.
///
/// \param elapsed  one time for all streams, or a vector with one per stream; it must outlive the result
/// \throws InvalidArgument if there are more or fewer than streams, or one is negative or not finite
template <typename Scalar, typename Elapsed>
auto elapsed_times_of([[maybe_unused]] Index batch, const Elapsed& elapsed) {
  if constexpr (requires { elapsed.derived(); }) {
    if (elapsed.size() != batch || (elapsed.rows() != 1 && elapsed.cols() != 1)) {
      refuse("step: elapsed_times must be a vector with one value per stream, ", batch, ", got (", elapsed.rows(), ", ",
             elapsed.cols(), ")");
    }
    const auto time_of = [&elapsed](Index b) { return static_cast<Scalar>(elapsed.derived().coeff(b)); };
    for (Index b = 0; b < batch; ++b) Timespans<Scalar>::require_valid(time_of(b), 0, b);
    return time_of;
  } else {
    const auto time = static_cast<Scalar>(elapsed);
    Timespans<Scalar>::require_valid(time, 0, 0);
    return [time](Index) { return time; };
  }
}

/// What one thread needs to run a cell, besides the cell: room for steps, and for sequences.
template <typename Cell>
class Workspace {
 public:
  using Scalar = typename Cell::Scalar;
  using RolloutType = Rollout<Cell>;

  explicit Workspace(const Cell& cell) : step_space_(cell), rollout_(cell) {}

  [[nodiscard]] RolloutType& rollout() noexcept { return rollout_; }
  [[nodiscard]] const RolloutType& rollout() const noexcept { return rollout_; }

  /// Advances a state by one step, in place.
  ///
  /// \param time_of  number of a stream -> its elapsed time
  /// \param pack     pack(single) packs the parameters, if that is still to do
  /// \return (batch, output_dim); a view that lasts until the next call
  template <typename Derived, typename AnyState, typename TimeOf, typename Pack>
  ConstArrayView<Scalar> step(const Cell& cell, const Eigen::DenseBase<Derived>& x, AnyState& state, TimeOf time_of,
                              Pack pack) {
    const Index batch = state.batch();
    require_step_shape(cell, x, state);
    pack(batch == 1);
    if (batch == 1) return step_space_.step(cell, x, state, time_of(0));
    BatchStepSpace<Cell>& space = batch_step_space_;
    space.outputs.resize(batch * cell.output_dim());
    const Tiling<Scalar> tiling(batch, cell.units(), SampleSumsCell<Cell>);
    tiling.for_each_tile([&]<LaneLayout Lanes>(Index first, Index samples) {
      pack(Lanes::single);
      space.template reserve<Lanes>(cell);
      step_tile<Lanes>(cell, space, x, state, time_of, first, samples);
      from_lanes<Lanes>(cell.output_dim(), samples, space.y.data(),
                        [&](Index b, Index o, Scalar value) { space.outputs[first + b + batch * o] = value; });
    });
    return {space.outputs.data(), batch, cell.output_dim()};
  }

  /// Runs the cell over sequences, which may be the outputs of the last run; see `Rollout`.
  template <int Width, typename Pack>
  void run(const Cell& cell, const Sequence<Scalar>& x, const typename RolloutType::ContextType& context,
           const typename RolloutType::Pass& pass, Pack pack) {
    if (&x == &rollout_.output()) return run<Width>(cell, Sequence<Scalar>(x), context, pass, pack);  // is overwritten
    rollout_.template begin<Width>(cell, x, context, pass);
    if (rollout_.has_single_tile()) pack(true);
    if (rollout_.has_batch_tile()) pack(false);
    rollout_.template forward<Width>(cell, x, context);
  }

 private:
  StepSpace<Cell> step_space_;
  BatchStepSpace<Cell> batch_step_space_;
  RolloutType rollout_;
};

}  // namespace elegans::detail
