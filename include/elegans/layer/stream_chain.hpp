// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>

#include <elegans/core/buffer.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/step.hpp>

namespace elegans {

/// Streams and `DenseView`s one after the other: a `Sequential` for a device on which nothing is trained. It computes
/// the same numbers as the `Sequential` of the same layers, to the bit, and uses no heap. The `Model` in a header that
/// `export_header` writes for a stack is one.
///
/// \tparam Layers  the layers, of fixed sizes; each makes itself
template <typename... Layers>
class StreamChain {
  using First = std::tuple_element_t<0, std::tuple<Layers...>>;
  using Last = std::tuple_element_t<sizeof...(Layers) - 1, std::tuple<Layers...>>;

 public:
  using Scalar = typename First::Scalar;
  static constexpr int state_size_at_compile_time = (Layers::state_size_at_compile_time + ...);
  static constexpr int inputs_at_compile_time = First::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = Last::outputs_at_compile_time;
  using StateType = State<Scalar, state_size_at_compile_time, 1>;

  StreamChain() { input_.resize(input_dim()); }

  [[nodiscard]] static constexpr Index state_size() noexcept { return state_size_at_compile_time; }
  [[nodiscard]] static constexpr Index input_dim() noexcept { return inputs_at_compile_time; }
  [[nodiscard]] static constexpr Index output_dim() noexcept { return outputs_at_compile_time; }

  /// The state before the first step: zeros. It holds the states of the layers side by side.
  [[nodiscard]] StateType initial_state() const { return StateType(1, state_size()); }

  /// Advances a state by one step through all layers, in place.
  ///
  /// \param x             input_dim sensory values
  /// \param elapsed_time  time since the last step, finite and >= 0
  /// \return              (1, output_dim) outputs; a view that lasts until the next call
  /// \throws InvalidArgument if a shape differs or the time is negative or not finite
  template <typename Derived>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x, StateType& state, Scalar elapsed_time = Scalar(1)) & {
    Timespans<Scalar>::require_valid(elapsed_time, 0, 0);
    detail::require_step_shape(*this, x, state);
    for (Index f = 0; f < input_dim(); ++f) {
      input_[f] = static_cast<Scalar>(x.derived().coeff(x.rows() == 1 ? 0 : f, x.rows() == 1 ? f : 0));
    }
    const Scalar* values = input_.data();
    Index features = input_dim(), first = 0;
    const auto advance = [&]<typename Layer>(Layer& layer) {
      constexpr int size = Layer::state_size_at_compile_time;
      State<Scalar, size, 1> own;
      own.array() = state.array().template middleCols<size>(first);
      const ConstArrayView<Scalar> y = layer.step(ConstArrayView<Scalar>(values, 1, features), own, elapsed_time);
      state.array().template middleCols<size>(first) = own.array();
      values = y.data();
      features = y.cols();
      first += size;
    };
    std::apply([&](auto&... layer) { (advance(layer), ...); }, layers_);
    return {values, 1, features};
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary model

 private:
  std::tuple<Layers...> layers_;
  Buffer<Scalar, inputs_at_compile_time> input_;
};

}  // namespace elegans
