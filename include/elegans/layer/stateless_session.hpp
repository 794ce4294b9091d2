// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <elegans/core/context.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/memoryless.hpp>
#include <elegans/layer/session_base.hpp>
#include <elegans/layer/shapes.hpp>

namespace elegans {

namespace detail {

template <typename Layer>
inline constexpr bool is_dense = false;
template <typename Scalar, int Units, int Inputs>
inline constexpr bool is_dense<Dense<Scalar, Units, Inputs>> = true;

/// A layer without memory: `Dense`, `LayerNorm`, `Dropout`.
template <typename Layer>
concept StatelessLayer = is_dense<Layer> || std::derived_from<Layer, Memoryless<Layer, typename Layer::Scalar>>;

}  // namespace detail

/// A session of a layer without memory: see the session of an `Rnn`. It does not go back.
template <detail::StatelessLayer Layer>
class Session<Layer> : public detail::SessionBase<Layer> {
  using Base = detail::SessionBase<Layer>;

 public:
  using Scalar = typename Layer::Scalar;
  using StateType = State<Scalar, 0>;
  using ContextType = Context<Scalar, 0>;

  /// A session of a model, which it refers to.
  explicit Session(const Layer& model) : Base(model), workspace_(model) {}
  explicit Session(const Layer&&) = delete;  // the model must outlive the session

  /// The outputs of one step: see the layer's `step`. \return a view that lasts until the next call
  template <typename Derived, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x, State<Scalar, 0, Batch>& state,
                              const Elapsed& = Elapsed(1)) & {
    return this->model().step_in(workspace_, x, state);
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary session

  /// The outputs for a batch of sequences. \throws InvalidArgument if a shape differs
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    const Layer& layer = this->model();
    layer.require_usable();
    detail::require_forward_shape(x, context, layer.input_dim(), 0);
    final_state_.resize(x.batch());
    return layer.run_in(workspace_, x, context.mask);
  }

  /// (batch, 0)
  [[nodiscard]] const StateType& final_state() const& noexcept { return final_state_; }
  [[nodiscard]] StateType final_state() const&& { return final_state(); }

 private:
  typename Layer::Workspace workspace_;
  StateType final_state_{0, 0};
};

}  // namespace elegans
