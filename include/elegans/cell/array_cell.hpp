// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// A cell's tensors by name: values, or a gradient of the same layout.
///
/// \tparam Value  float or double; const where they may only be read
template <typename Value>
class Tensors {
 public:
  using View = std::conditional_t<std::is_const_v<Value>, ConstArrayView<std::remove_const_t<Value>>,
                                  ArrayView<std::remove_const_t<Value>>>;

  Tensors(const ParameterList<>& list, Value* start) : list_(&list), start_(start) {}

  /// (rows, columns), to read or to write. \throws InvalidArgument if there is none of that name
  [[nodiscard]] View operator()(std::string_view name) const {
    const Parameter& entry = list_->at(name);
    return {start_ + entry.offset, entry.rows, entry.columns};
  }

 private:
  const ParameterList<>* list_;
  Value* start_;
};

/// The values that a step starts from, one row per sample. There may be rows without a sample, in which all values are
/// 0.
template <typename Scalar>
struct ArrayStep {
  ConstArrayView<Scalar> x;         ///< (batch, input_dim)
  ConstArrayView<Scalar> state;     ///< (batch, state_size)
  ConstVectorView<Scalar> elapsed;  ///< (batch), at least 0
};

/// The adjoint of a step, in the same shapes. It starts as zeros, and `step_backward` adds to it.
template <typename Scalar>
struct ArrayStepAdjoint {
  ArrayView<Scalar> x;
  ArrayView<Scalar> state;
  VectorView<Scalar> elapsed;
};

/// The mathematics of a cell on plain arrays: the part that a user writes, and that `ArrayCell` runs.
///
///     Index units(), input_dim()       sizes; the state is (batch, units), and all of it is the output. The optional
///                                      state_size() and output_dim() change that: the outputs come first in the state
///     ParameterList<> parameters()     names and shapes
///     initialize(tensors)              sets initial values, through `tensors("name")`
///     step(p, now, next)               writes the state after a step, (batch, state_size)
///     step_backward(p, now, d_next, d_now, d_p)
///                                      from dLoss/d(next) to dLoss/d(x, state, elapsed); adds dLoss/d(parameters) of
///                                      all rows to d_p
///     apply_constraints(tensors)       optional: brings values back into their range after every change
/// A step of a row of zeros must give finite values.
template <typename D>
concept ArrayDynamics =
    std::copyable<D> &&
    requires(const D& dynamics, Tensors<typename D::Scalar> tensors, Tensors<const typename D::Scalar> values,
             const ArrayStep<typename D::Scalar>& now, ArrayView<typename D::Scalar> next,
             ConstArrayView<typename D::Scalar> d_next, ArrayStepAdjoint<typename D::Scalar>& d_now) {
      { dynamics.units() } -> std::convertible_to<Index>;
      { dynamics.input_dim() } -> std::convertible_to<Index>;
      { dynamics.parameters() } -> std::convertible_to<ParameterList<>>;
      dynamics.initialize(tensors);
      dynamics.step(values, now, next);
      dynamics.step_backward(values, now, d_next, d_now, tensors);
    };

/// Turns dynamics on plain arrays into a cell. `Rnn` then adds tiles, tape, masks, elapsed times and truncation.
///
///     using Model = elegans::Rnn<elegans::ArrayCell<MyDynamics<float>>>;
///     Model model(elegans::ArrayCell(MyDynamics<float>(8, 2)));
/// The arrays are views, and nothing is copied. A batch comes in tiles of as many rows as a packet has lanes, and a
/// single sample comes as one row. examples/own_cell.cpp has an example.
template <ArrayDynamics Dynamics>
class ArrayCell {
 public:
  using Scalar = typename Dynamics::Scalar;
  static constexpr int state_size_at_compile_time = Dynamic;
  static constexpr int inputs_at_compile_time = Dynamic;
  static constexpr int outputs_at_compile_time = Dynamic;
  static constexpr int parameter_capacity = Dynamic;

  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    Buffer<Scalar> elapsed;
  };
  using SingleScratch = Scratch<>;
  struct Adjoint {
    Buffer<Scalar> gradient;
    Buffer<Scalar> d_next;
    Buffer<Scalar> d_elapsed;
  };

  /// A cell that steps as `dynamics` says.
  /// \throws InvalidArgument if a size is below 1, or there are more outputs than values in a state
  explicit ArrayCell(Dynamics dynamics) : dynamics_(std::move(dynamics)), parameters_(dynamics_.parameters()) {
    const auto require_positive = [](const char* name, Index size) {
      if (size < 1) detail::refuse("ArrayCell: ", name, " must be at least 1, got ", size);
    };
    require_positive("units", units());
    require_positive("input_dim", input_dim());
    require_positive("state_size", state_size());
    require_positive("output_dim", output_dim());
    if (output_dim() > state_size()) {
      detail::refuse("ArrayCell: output_dim must be at most state_size = ", state_size(), ", got ", output_dim());
    }
    values_.resize(parameters_.count());
  }

  [[nodiscard]] const Dynamics& dynamics() const& noexcept { return dynamics_; }
  [[nodiscard]] Dynamics dynamics() const&& { return dynamics(); }
  [[nodiscard]] Index units() const noexcept { return dynamics_.units(); }
  [[nodiscard]] Index input_dim() const noexcept { return dynamics_.input_dim(); }
  [[nodiscard]] Index state_size() const noexcept {
    if constexpr (requires { dynamics_.state_size(); }) return dynamics_.state_size();
    return dynamics_.units();
  }
  [[nodiscard]] Index output_dim() const noexcept {
    if constexpr (requires { dynamics_.output_dim(); }) return dynamics_.output_dim();
    return dynamics_.units();
  }
  [[nodiscard]] Index states_per_step() const noexcept { return 1; }
  [[nodiscard]] const ParameterList<>& parameters() const& noexcept { return parameters_; }
  [[nodiscard]] ParameterList<> parameters() const&& { return parameters(); }

  void initialize(Scalar* parameters) const { dynamics_.initialize(Tensors<Scalar>(parameters_, parameters)); }
  void apply_constraints([[maybe_unused]] Scalar* parameters) const {
    if constexpr (requires { dynamics_.apply_constraints(Tensors<Scalar>(parameters_, parameters)); }) {
      dynamics_.apply_constraints(Tensors<Scalar>(parameters_, parameters));
    }
  }
  void pack(const Scalar* parameters, bool) { std::copy_n(parameters, values_.size(), values_.data()); }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    scratch.elapsed.resize(Lanes::samples);
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    dynamics_.step(values(), array_step(step, scratch),
                   ArrayView<Scalar>(step.states(1), Lanes::samples, state_size()));
  }

  template <LaneLayout Lanes>
  void output(const Scalar* v, Scalar* y) const {
    std::copy_n(v, Lanes::samples * output_dim(), y);
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    adjoint.gradient.resize(parameters_.count());
    std::fill_n(adjoint.gradient.data(), adjoint.gradient.size(), Scalar(0));
    adjoint.d_next.resize(Lanes::samples * state_size());
    adjoint.d_elapsed.resize(Lanes::samples);
  }

  template <LaneLayout Lanes>
  void output_backward(const Scalar*, const Scalar* d_y, Scalar* d_v, Adjoint&) const {
    for (Index i = 0; i < Lanes::samples * output_dim(); ++i) d_v[i] += d_y[i];
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step_backward(const Step<Lanes>& step, const StepAdjoint<Lanes>& d, AnyScratch& scratch,
                     Adjoint& adjoint) const {
    std::copy_n(d.d_state, Lanes::samples * state_size(), adjoint.d_next.data());
    ArrayStepAdjoint<Scalar> d_now{{d.d_x, Lanes::samples, input_dim()},
                                   {d.d_state, Lanes::samples, state_size()},
                                   {adjoint.d_elapsed.data(), Lanes::samples}};
    d_now.x.setZero();
    d_now.state.setZero();
    d_now.elapsed.setZero();
    const ConstArrayView<Scalar> d_next(adjoint.d_next.data(), Lanes::samples, state_size());
    dynamics_.step_backward(values(), array_step(step, scratch), d_next, d_now,
                            Tensors<Scalar>(parameters_, adjoint.gradient.data()));
    std::copy_n(adjoint.d_elapsed.data(), Lanes::samples, d.d_elapsed);
  }

  template <LaneLayout Lanes>
  void collect(const Adjoint& adjoint, const Scalar*, Scalar* gradient) const {
    for (Index i = 0; i < adjoint.gradient.size(); ++i) gradient[i] += adjoint.gradient[i];
  }

 private:
  [[nodiscard]] Tensors<const Scalar> values() const noexcept { return {parameters_, values_.data()}; }

  // In both layouts, the values of a tile are a column-major array of (samples, neurons).
  template <LaneLayout Lanes, typename AnyScratch>
  [[nodiscard]] ArrayStep<Scalar> array_step(const Step<Lanes>& step, AnyScratch& scratch) const {
    static_assert(Lanes::index(1, 0) == Lanes::samples);
    // Not on the caller's stack: compilers warn that Eigen might read a whole packet there, beyond the end.
    std::copy_n(step.elapsed, Lanes::samples, scratch.elapsed.data());
    return {{step.x, Lanes::samples, input_dim()},
            {step.states(0), Lanes::samples, state_size()},
            {scratch.elapsed.data(), Lanes::samples}};
  }

  Dynamics dynamics_;
  ParameterList<> parameters_;
  Buffer<Scalar> values_;  // a copy of the parameters, because a copy of the cell must not point at them
};

}  // namespace elegans
