// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/tiling.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

template <typename Layer>
class Session;

// mutate all: layer.memoryless
/// The base of layers that treat each step by itself, and have as many outputs as inputs: `LayerNorm` and `Dropout`.
///
/// \tparam Derived  has these for tiles of one step, where x, y, d_y and d_x are (features) in whole packets:
///                  `apply<Lanes>(position, x, y)`, `begin_backward<Lanes>()`,
///                  `apply_backward<Lanes>(position, x, d_y, d_x)`, and `collect<Lanes>(gradient)`. The values of x and
///                  d_y are 0 in lanes that stand for no feature or no sample
template <typename Derived, typename ScalarType>
class Memoryless : public Parameterized<Derived, ScalarType> {
  using Base = Parameterized<Derived, ScalarType>;
  friend Base;
  template <typename Layer>
  friend class Session;

 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = 0;
  using StateType = State<Scalar, 0>;
  using ContextType = Context<Scalar, 0>;

  [[nodiscard]] Index units() const noexcept { return features_; }
  [[nodiscard]] Index state_size() const noexcept { return 0; }
  [[nodiscard]] Index input_dim() const noexcept { return features_; }
  [[nodiscard]] Index output_dim() const noexcept { return features_; }
  [[nodiscard]] bool return_sequences() const noexcept { return true; }
  /// Name, shape and offset of each tensor in `parameters()` and `gradient()`.
  [[nodiscard]] const ParameterList<>& parameter_list() const& noexcept { return parameter_list_; }
  [[nodiscard]] ParameterList<> parameter_list() const&& { return parameter_list(); }

  /// A state without values, as a layer without memory has.
  [[nodiscard]] State<Scalar, 0, 1> initial_state() const { return {1, 0}; }
  /// The same for a batch of streams.
  [[nodiscard]] StateType initial_state(Index batch) const { return {batch, 0}; }

  /// The outputs of one step, (batch, features). They do not depend on the state or on the elapsed time.
  /// \param x  (batch, features), or any vector of that many values for a single stream
  /// \return a view that lasts until the next call
  /// \throws InvalidArgument if a shape differs
  template <typename Values, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Values>& x, State<Scalar, 0, Batch>& state,
                              const Elapsed& = Elapsed(1)) & {
    return step_in(workspace_, x, state);
  }
  template <typename Values>
  void step(const Eigen::DenseBase<Values>&, ...) const& = delete;  // wrong state, const or temporary model

  /// The outputs for a batch of sequences, (time, batch, features). \param x  (time, batch, features)
  /// \throws InvalidArgument if a shape differs
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    begin(x, context);
    if (&x == &output_) return (*this)(Sequence<Scalar>(x), context);
    run<detail::full_lanes<Scalar>>(workspace_, x, context.mask, false, output_);
    return output_;
  }
  void operator()(const Sequence<Scalar>&, const ContextType& = {}) const = delete;  // the model is const

  /// The same, and stores a copy of the inputs for `backward`. \return the outputs; they last until the next call
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) & {
    begin(x, context);
    input_ = x;
    mask_ = context.mask;
    ++runs_;
    first_sample_ = std::exchange(next_first_sample_, 0);
    run<detail::full_lanes<Scalar>>(workspace_, input_, mask_, true, output_);
    can_go_back_ = true;
    return output_;
  }
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the model is const or temporary

  /// See `Rnn`.
  void begin_pass(int epoch, int passes, Index first_sample = 0) noexcept {
    runs_ = detail::passes_before(epoch, passes);
    next_first_sample_ = first_sample;
  }

  /// (batch, 0)
  [[nodiscard]] const StateType& final_state() const& noexcept { return final_state_; }
  [[nodiscard]] StateType final_state() const&& { return final_state(); }

  /// From dLoss/d(outputs) of the last `forward` to the gradients of the parameters and the inputs.
  /// \throws InvalidArgument if the shape differs, or without a `forward` since the parameters last changed
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    if (!can_go_back_) detail::refuse("backward: call forward() first");
    detail::require_backward_shape(d_output, d_final_state, output_, 0);
    backward_for<detail::full_lanes<Scalar>>(d_output);
  }

  /// (time, batch, features)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& noexcept { return d_input_; }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }
  /// (batch, 0)
  [[nodiscard]] const StateType& initial_state_gradient() const& noexcept { return final_state_; }
  [[nodiscard]] StateType initial_state_gradient() const&& { return initial_state_gradient(); }

 protected:
  using Base::gradient_;
  using Base::parameters_;

  ParameterList<> parameter_list_;
  detail::Extent<bool> can_go_back_ = false;

 private:
  friend Derived;
  explicit Memoryless(Index features) : features_(features), workspace_(*this) {}

  /// What one thread needs to run the layer.
  struct Workspace {
    Buffer<Scalar> x_lanes, y_lanes;
    Sequence<Scalar> input, output;  // of a step, or of a session

    explicit Workspace(const Memoryless& layer) {
      if (layer.features_ < 1) return;  // `Derived` refuses it
      for (auto* values : {&input, &output}) values->resize(1, 1, layer.features_);
      for (auto* lanes : {&x_lanes, &y_lanes}) lanes->resize(detail::pad_neurons(layer.features_));
    }
  };

  template <typename Values, typename AnyState>
  ConstArrayView<Scalar> step_in(Workspace& space, const Eigen::DenseBase<Values>& x, const AnyState& state) const {
    this->require_usable();
    const Index batch = state.batch();
    const bool vector = batch == 1 && (x.rows() == 1 || x.cols() == 1) && x.size() == features_;
    if (!vector && (x.rows() != batch || x.cols() != features_)) {
      detail::refuse("step: x must be (", batch, ", ", features_, "), got (", x.rows(), ", ", x.cols(), ")");
    }
    space.input.resize(1, batch, features_);
    for (Index b = 0; b < batch; ++b) {
      for (Index f = 0; f < features_; ++f) {
        space.input(0, b, f) =
            static_cast<Scalar>(vector && x.rows() != 1 ? x.derived().coeff(f, 0) : x.derived().coeff(b, f));
      }
    }
    run<detail::full_lanes<Scalar>>(space, space.input, {}, false, space.output);
    return {space.output.values().data(), batch, features_};
  }

  /// Runs a session over sequences. \return the outputs, in its workspace
  const Sequence<Scalar>& run_in(Workspace& space, const Sequence<Scalar>& x, const Mask& mask) const {
    run<detail::full_lanes<Scalar>>(space, x, mask, false, space.output);
    return space.output;
  }

  [[nodiscard]] Derived& self() noexcept { return static_cast<Derived&>(*this); }
  [[nodiscard]] const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

  void begin(const Sequence<Scalar>& x, const ContextType& context) {
    this->require_usable();
    detail::require_forward_shape(x, context, features_, 0);
    can_go_back_ = false;
    final_state_.resize(x.batch());
  }

  /// For Width see `detail::Tiling`.
  template <int Width>
  [[nodiscard]] detail::Tiling<Scalar, Width> tiling(Index batch) const noexcept {
    return {batch, features_, true};
  }
  [[nodiscard]] StepPosition position(bool training, Index t, Index first) const noexcept {
    return {training, runs_, t, first_sample_ + first};
  }

  template <int Width>
  void run(Workspace& space, const Sequence<Scalar>& x, const Mask& mask, bool training, Sequence<Scalar>& y) const {
    y.resize(x.time(), x.batch(), features_);
    tiling<Width>(x.batch()).for_each_tile([&]<LaneLayout Lanes>(Index first, Index samples) {
      for (auto* lanes : {&space.x_lanes, &space.y_lanes}) grow<Lanes>(*lanes);
      for (Index t = 0; t < x.time(); ++t) {
        load_step<Lanes>(x, mask, t, first, samples, space.x_lanes.data());
        self().template apply<Lanes>(position(training, t, first), space.x_lanes.data(), space.y_lanes.data());
        auto y_t = y.step(t);
        detail::from_lanes<Lanes>(features_, samples, space.y_lanes.data(),
                                  [&](Index b, Index f, Scalar value) { y_t(first + b, f) = value; });
      }
    });
  }

  template <int Width>
  void backward_for(const Sequence<Scalar>& d_output) {
    d_input_.resize(input_.time(), input_.batch(), features_);
    gradient_.resize(parameters_.size());
    std::fill_n(gradient_.data(), gradient_.size(), Scalar(0));
    Buffer<Scalar>&x_lanes = workspace_.x_lanes, &y_lanes = workspace_.y_lanes;
    tiling<Width>(input_.batch()).for_each_tile([&]<LaneLayout Lanes>(Index first, Index samples) {
      for (auto* lanes : {&x_lanes, &y_lanes, &d_x_lanes_}) grow<Lanes>(*lanes);
      self().template begin_backward<Lanes>();
      for (Index t = 0; t < input_.time(); ++t) {
        load_step<Lanes>(input_, mask_, t, first, samples, x_lanes.data());
        load_step<Lanes>(d_output, {}, t, first, samples, y_lanes.data());
        self().template apply_backward<Lanes>(position(true, t, first), x_lanes.data(), y_lanes.data(),
                                              d_x_lanes_.data());
        auto d_x_t = d_input_.step(t);
        detail::from_lanes<Lanes>(features_, samples, d_x_lanes_.data(), [&](Index b, Index f, Scalar value) {
          d_x_t(first + b, f) = mask_(t, first + b) ? value : Scalar(0);
        });
      }
      self().template collect<Lanes>(gradient_.data());
    });
  }

  /// Copies a step. A masked step becomes 0, because its values may be anything, NaN included.
  template <LaneLayout Lanes>
  void load_step(const Sequence<Scalar>& from, const Mask& mask, Index t, Index first, Index samples,
                 Scalar* lanes) const {
    const auto from_t = from.step(t);
    detail::to_lanes<Lanes>(features_, samples, lanes,
                            [&](Index b, Index f) { return mask(t, first + b) ? from_t(first + b, f) : Scalar(0); });
    std::fill(lanes + Lanes::index(features_, 0), lanes + detail::extent<Lanes>(features_), Scalar(0));
  }
  template <LaneLayout Lanes>
  void grow(Buffer<Scalar>& values) const {
    values.resize((std::max)(values.size(), detail::extent<Lanes>(features_)));
  }

  Index features_;
  std::uint64_t runs_ = 0;  // forward passes with a copy of their inputs, in this epoch
  Index first_sample_ = 0;  // of the last of them
  Index next_first_sample_ = 0;
  Workspace workspace_;
  Buffer<Scalar> d_x_lanes_;

  // Of the last sequence.
  Sequence<Scalar> input_, output_, d_input_;
  Mask mask_;
  StateType final_state_{0, 0};
};

}  // namespace elegans
