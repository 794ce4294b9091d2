// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/initial_values.hpp>
#include <elegans/core/initializers.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/layer/dense_step.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/layer/tiling.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

template <typename Layer>
class Session;

/// The options of a dense layer besides its sizes.
struct DenseOptions {
  Activation activation = Activation::linear;
  std::uint64_t seed = 1;  ///< of the initial values, as `torch.manual_seed`
  InitialValues initial_values = InitialValues::torch;
};

// mutate all: layer.dense
/// A dense layer: y = activation(W x + b), for each step by itself. It has no memory: its state has no values.
///
/// Its parameters are PyTorch's: `weight` (outputs, inputs) and `bias` (outputs). By default, both start uniform in
/// +-1 / sqrt(inputs). Mirrors `torch.nn.Linear` with an activation, and `keras.layers.Dense`.
///
/// Eigen has another `Dense`. A program that says `using namespace` for both libraries writes `elegans::Dense`.
///
///     elegans::Dense<float> layer(4, 3);          // 4 outputs, 3 inputs
///     elegans::Dense<float, 4, 3> fixed;          // the same: neither its construction nor a step uses the heap
///
/// \tparam ScalarType     float or double
/// \tparam Units, Inputs  numbers of outputs and inputs if the type fixes them, or Dynamic
template <typename ScalarType, int Units = Dynamic, int Inputs = Dynamic>
class Dense : public Parameterized<Dense<ScalarType, Units, Inputs>, ScalarType,
                                   detail::add_sizes(detail::multiply_sizes(Units, Inputs), Units)> {
  using Base = Parameterized<Dense, ScalarType, detail::add_sizes(detail::multiply_sizes(Units, Inputs), Units)>;
  friend Base;
  template <typename Layer>
  friend class Session;
  static constexpr bool has_fixed_sizes = Units != Dynamic && Inputs != Dynamic;
  using ListType = ParameterList<has_fixed_sizes ? 2 : Dynamic>;

 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = 0;
  static constexpr int inputs_at_compile_time = Inputs;
  using ContextType = Context<Scalar, 0>;

  /// A layer with initial values from the seed.
  ///
  /// \param units      number of outputs, at least 1
  /// \param input_dim  number of inputs, at least 1
  /// \throws InvalidArgument if a size is out of range, or is not the type's
  Dense(int units, int input_dim, const DenseOptions& options = {})
      : options_(options),
        linear_(checked("units", units, Units), checked("input_dim", input_dim, Inputs)),
        workspace_(*this) {
    parameter_list_.add("weight", units, input_dim);
    parameter_list_.add("bias", units, 1);
    parameters_.resize(parameter_list_.count());
    TorchRandom random(options.seed);
    if (options.initial_values == InitialValues::keras) {
      detail::initialize_keras_linear(parameter_list_, "", random, parameters_.data());
    } else {
      detail::initialize_linear(parameter_list_, "", random, parameters_.data());
    }
    parameters_changed();
  }

  /// The same, if the type says both sizes.
  explicit Dense(const DenseOptions& options = {})
    requires(has_fixed_sizes)
      : Dense(Units, Inputs, options) {}

  [[nodiscard]] Index units() const noexcept { return linear_.outputs(); }
  [[nodiscard]] Index state_size() const noexcept { return 0; }
  [[nodiscard]] Index input_dim() const noexcept { return linear_.inputs(); }
  [[nodiscard]] Index output_dim() const noexcept { return linear_.outputs(); }
  [[nodiscard]] bool return_sequences() const noexcept { return true; }
  [[nodiscard]] const DenseOptions& options() const& noexcept { return options_; }
  [[nodiscard]] DenseOptions options() const&& { return options(); }
  /// Name, shape and offset of each tensor in `parameters()` and `gradient()`.
  [[nodiscard]] const ListType& parameter_list() const& noexcept { return parameter_list_; }
  [[nodiscard]] ListType parameter_list() const&& { return parameter_list(); }

  [[nodiscard]] State<Scalar, 0, 1> initial_state() const { return {1, 0}; }
  [[nodiscard]] State<Scalar, 0> initial_state(Index batch) const { return {batch, 0}; }

  /// The outputs of one step, (batch, units). They do not depend on the state or on the elapsed time.
  /// \param x  (batch, input_dim), or any vector of input_dim values for a single stream
  /// \return a view that lasts until the next call
  /// \throws InvalidArgument if a shape differs
  template <typename Derived, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x, State<Scalar, 0, Batch>& state,
                              const Elapsed& = Elapsed(1)) & {
    return step_in(workspace_, x, state);
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary model

  /// The outputs for a batch of sequences, (time, batch, units). \param x  (time, batch, input_dim)
  /// \throws InvalidArgument if a shape differs
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    this->require_usable();
    detail::require_forward_shape(x, context, input_dim(), 0);
    can_go_back_ = false;
    if (&x == &output_) return (*this)(Sequence<Scalar>(x), context);
    apply<detail::full_lanes<Scalar>>(workspace_, x, context.mask, z_, output_);
    final_state_.resize(x.batch());
    return output_;
  }
  void operator()(const Sequence<Scalar>&, const ContextType& = {}) const = delete;  // the model is const

  /// The same, and stores a copy of the inputs for `backward`. \return the outputs; they last until the next call
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) & {
    this->require_usable();
    detail::require_forward_shape(x, context, input_dim(), 0);
    input_ = x;
    mask_ = context.mask;
    apply<detail::full_lanes<Scalar>>(workspace_, input_, mask_, z_, output_);
    final_state_.resize(x.batch());
    can_go_back_ = true;
    return output_;
  }
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the model is const or temporary

  /// (batch, 0)
  [[nodiscard]] const State<Scalar, 0>& final_state() const& noexcept { return final_state_; }
  [[nodiscard]] State<Scalar, 0> final_state() const&& { return final_state(); }

  /// From dLoss/d(outputs) of the last `forward` to the gradients of the parameters and the inputs.
  /// \throws InvalidArgument if the shape differs, or without a `forward` since the parameters last changed
  void backward(const Sequence<Scalar>& d_output, const State<Scalar, 0>* d_final_state = nullptr) {
    if (!can_go_back_) detail::refuse("backward: call forward() first");
    detail::require_backward_shape(d_output, d_final_state, output_, 0);
    backward_for<detail::full_lanes<Scalar>>(d_output);
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& noexcept { return d_input_; }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }
  /// (batch, 0)
  [[nodiscard]] const State<Scalar, 0>& initial_state_gradient() const& noexcept { return final_state_; }
  [[nodiscard]] State<Scalar, 0> initial_state_gradient() const&& { return initial_state_gradient(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const { return {detail::summary_row("dense (Dense)", *this)}; }

 private:
  using Base::gradient_;
  using Base::parameters_;

  /// What one thread needs to run the layer.
  struct Workspace {
    detail::DenseStep<Scalar, Units, Inputs> single_step;
    Buffer<Scalar> x_lanes, y_lanes;
    Sequence<Scalar> input, z, output;  // of a step of a batch, or of a session

    explicit Workspace(const Dense& layer) : single_step(layer.units(), layer.input_dim()) {}
  };

  template <typename Derived, typename AnyState>
  ConstArrayView<Scalar> step_in(Workspace& space, const Eigen::DenseBase<Derived>& x, const AnyState& state) const {
    this->require_usable();
    const Index batch = state.batch();
    const bool vector = batch == 1 && (x.rows() == 1 || x.cols() == 1) && x.size() == input_dim();
    if (!vector && (x.rows() != batch || x.cols() != input_dim())) {
      detail::refuse("step: x must be (", batch, ", ", input_dim(), "), got (", x.rows(), ", ", x.cols(), ")");
    }
    const bool is_column = vector && x.rows() != 1;
    const auto value = [&](Index b, Index f) {
      return static_cast<Scalar>(is_column ? x.derived().coeff(f, 0) : x.derived().coeff(b, f));
    };
    if (batch == 1) return space.single_step(linear_.view(), options_.activation, value);
    space.input.resize(1, batch, input_dim());
    for (Index b = 0; b < batch; ++b) {
      for (Index f = 0; f < input_dim(); ++f) space.input(0, b, f) = value(b, f);
    }
    apply<detail::full_lanes<Scalar>>(space, space.input, {}, space.z, space.output);
    return {space.output.values().data(), batch, output_dim()};
  }

  /// Runs a session over sequences. \return the outputs, in its workspace
  const Sequence<Scalar>& run_in(Workspace& space, const Sequence<Scalar>& x, const Mask& mask) const {
    apply<detail::full_lanes<Scalar>>(space, x, mask, space.z, space.output);
    return space.output;
  }

  static int checked(const char* name, int size, int of_type) {
    if (size < 1) detail::refuse("Dense: ", name, " must be at least 1, got ", size);
    if (of_type != Dynamic && size != of_type) {
      detail::refuse("Dense: ", name, " must be ", of_type, ", as the type says, got ", size);
    }
    return size;
  }

  void parameters_changed() {
    linear_.pack_weight(0, parameters_.data(), linear_.outputs(), 0, linear_.inputs());
    linear_.pack_bias(0, parameters_.data() + linear_.outputs() * linear_.inputs());
    can_go_back_ = false;
  }

  /// For Width see `detail::Tiling`.
  template <int Width>
  [[nodiscard]] detail::Tiling<Scalar, Width> tiling(Index batch) const noexcept {
    return {batch, units(), true};
  }

  template <int Width>
  void apply(Workspace& space, const Sequence<Scalar>& x, const Mask& mask, Sequence<Scalar>& z,
             Sequence<Scalar>& y) const {
    z.resize(x.time(), x.batch(), output_dim());
    y.resize(x.time(), x.batch(), output_dim());
    tiling<Width>(x.batch()).for_each_tile([&]<LaneLayout Lanes>(Index first, Index samples) {
      grow<Lanes>(space.x_lanes, input_dim());
      grow<Lanes>(space.y_lanes, output_dim());
      for (Index t = 0; t < x.time(); ++t) {
        load_inputs<Lanes>(x, mask, t, first, samples, space.x_lanes.data());
        linear_.view().template forward<Lanes>(space.x_lanes.data(), {space.y_lanes.data()});
        auto z_t = z.step(t);
        detail::from_lanes<Lanes>(output_dim(), samples, space.y_lanes.data(),
                                  [&](Index b, Index o, Scalar value) { z_t(first + b, o) = value; });
      }
    });
    detail::activate<detail::Packet<Scalar, Width>>(options_.activation, z.values().data(), y.values().data(),
                                                    z.values().size());
  }

  template <int Width>
  void backward_for(const Sequence<Scalar>& d_output) {
    d_z_.resize(input_.time(), input_.batch(), output_dim());
    d_z_.values() = d_output.values();
    detail::activate_backward<Scalar>(options_.activation, std::as_const(z_).values(), std::as_const(output_).values(),
                                      d_z_.values());
    d_input_.resize(input_.time(), input_.batch(), input_dim());
    gradient_.resize(parameters_.size());
    std::fill_n(gradient_.data(), gradient_.size(), Scalar(0));
    Buffer<Scalar>&x_lanes = workspace_.x_lanes, &y_lanes = workspace_.y_lanes;
    tiling<Width>(input_.batch()).for_each_tile([&]<LaneLayout Lanes>(Index first, Index samples) {
      grow<Lanes>(x_lanes, input_dim());
      grow<Lanes>(y_lanes, output_dim());
      grow<Lanes>(d_x_lanes_, input_dim());
      std::fill_n(y_lanes.data(), y_lanes.size(), Scalar(0));
      adjoint_.template reset<Lanes>(linear_);
      for (Index t = 0; t < input_.time(); ++t) {
        load_inputs<Lanes>(input_, mask_, t, first, samples, x_lanes.data());
        const auto d_z_t = d_z_.step(t);
        detail::to_lanes<Lanes>(output_dim(), samples, y_lanes.data(),
                                [&](Index b, Index o) { return d_z_t(first + b, o); });
        std::fill_n(d_x_lanes_.data(), d_x_lanes_.size(), Scalar(0));
        linear_.view().template backward<Lanes>({y_lanes.data()}, d_x_lanes_.data());
        adjoint_.template append<Lanes>(x_lanes.data(), {y_lanes.data()});
        auto d_x_t = d_input_.step(t);
        detail::from_lanes<Lanes>(input_dim(), samples, d_x_lanes_.data(), [&](Index b, Index f, Scalar value) {
          d_x_t(first + b, f) = mask_(t, first + b) ? value : Scalar(0);
        });
      }
      adjoint_.template sum_up<Lanes>();
      adjoint_.add_weight_gradient(0, gradient_.data(), linear_.outputs(), 0, linear_.inputs());
      adjoint_.add_bias_gradient(0, gradient_.data() + linear_.outputs() * linear_.inputs());
    });
  }

  /// Copies the inputs of a step. Those of a masked step become 0, because they may be anything, NaN included.
  template <LaneLayout Lanes>
  void load_inputs(const Sequence<Scalar>& x, const Mask& mask, Index t, Index first, Index samples,
                   Scalar* x_lanes) const {
    const auto x_t = x.step(t);
    detail::to_lanes<Lanes>(input_dim(), samples, x_lanes,
                            [&](Index b, Index f) { return mask(t, first + b) ? x_t(first + b, f) : Scalar(0); });
  }
  template <LaneLayout Lanes>
  static void grow(Buffer<Scalar>& values, Index features) {
    values.resize((std::max)(values.size(), detail::extent<Lanes>(features)));
  }

  DenseOptions options_;
  ListType parameter_list_;
  detail::Linear<Scalar, 1, Units, Inputs> linear_;
  Workspace workspace_;
  detail::LinearAdjoint<Scalar> adjoint_;
  Buffer<Scalar> d_x_lanes_;

  // Of the last sequence.
  detail::Extent<bool> can_go_back_ = false;
  Sequence<Scalar> input_;
  Mask mask_;
  Sequence<Scalar> z_, output_, d_z_, d_input_;
  State<Scalar, 0> final_state_{0, 0};
};

}  // namespace elegans
