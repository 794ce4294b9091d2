// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/activation.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/layer/dense_step.hpp>

namespace elegans {

/// A `Dense` layer for a single stream, of fixed sizes, on weights that are constants of the program: it uses no heap.
/// It computes the same numbers as `Dense`, to the bit. `export_header` writes its arguments.
template <typename ScalarType, int Units, int Inputs>
class DenseView {
 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = 0;
  static constexpr int inputs_at_compile_time = Inputs;
  static constexpr int outputs_at_compile_time = Units;

  /// \param map  (Units, Inputs); its weights must outlive the layer
  DenseView(const detail::LinearView<Scalar>& map, Activation activation)
      : map_(map), activation_(activation), step_(Units, Inputs) {}

  /// See `Dense::step`.
  ConstArrayView<Scalar> step(const ConstArrayView<Scalar>& x, State<Scalar, 0, 1>&, Scalar) & {
    return step_(map_, activation_, [&](Index, Index f) { return x(0, f); });
  }

 private:
  detail::LinearView<Scalar> map_;
  Activation activation_;
  detail::DenseStep<Scalar, Units, Inputs> step_;
};

}  // namespace elegans
