// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include <elegans/core/config.hpp>
#include <elegans/core/error.hpp>

namespace elegans {

/// Sizes and positions: signed.
using Index = Eigen::Index;

/// A size that is known at run time only: the default of every size in a template.
inline constexpr int Dynamic = Eigen::Dynamic;

/// A (rows, columns) array that somebody else owns: how Eigen sees the library's storage. Column-major, so that
/// the batch lanes of one neuron lie side by side; no alignment is assumed.
template <typename Scalar, int Rows = Dynamic, int Columns = Dynamic>
using ArrayView =
    Eigen::Map<Eigen::Array<Scalar, Rows, Columns, Rows == 1 && Columns != 1 ? Eigen::RowMajor : Eigen::ColMajor>>;

/// The same, to read only.
template <typename Scalar, int Rows = Dynamic, int Columns = Dynamic>
using ConstArrayView = Eigen::Map<
    const Eigen::Array<Scalar, Rows, Columns, Rows == 1 && Columns != 1 ? Eigen::RowMajor : Eigen::ColMajor>>;

/// A vector that somebody else owns.
template <typename Scalar, int Size = Dynamic>
using VectorView = Eigen::Map<Eigen::Array<Scalar, Size, 1>>;

/// The same, to read only.
template <typename Scalar, int Size = Dynamic>
using ConstVectorView = Eigen::Map<const Eigen::Array<Scalar, Size, 1>>;

namespace detail {

/// The product of two sizes, Dynamic if one is.
constexpr int multiply_sizes(int a, int b) { return a == Dynamic || b == Dynamic ? Dynamic : a * b; }

/// The sum of sizes, Dynamic if one is.
template <typename... Sizes>
constexpr int add_sizes(Sizes... sizes) {
  return ((sizes == Dynamic) || ...) ? Dynamic : (sizes + ...);
}

}  // namespace detail
}  // namespace elegans
