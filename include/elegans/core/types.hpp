// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/config.hpp>
#include <elegans/core/error.hpp>

namespace elegans {

/// The type of sizes and indices. It is signed and has 64 bits, or 32 if Eigen is configured so.
using Index = Eigen::Index;

/// A size that is known only at run time: the default of every size in a template. It is Eigen's own name, so a program
/// may say `using namespace` for both libraries.
using Eigen::Dynamic;

/// A (rows, columns) array that somebody else owns: how Eigen sees the library's storage. It is column-major, so that
/// the samples of one neuron lie side by side. It assumes no alignment.
template <typename Scalar, int Rows = Dynamic, int Columns = Dynamic>
using ArrayView =
    Eigen::Map<Eigen::Array<Scalar, Rows, Columns, Rows == 1 && Columns != 1 ? Eigen::RowMajor : Eigen::ColMajor>>;

/// A read-only ArrayView.
template <typename Scalar, int Rows = Dynamic, int Columns = Dynamic>
using ConstArrayView = Eigen::Map<
    const Eigen::Array<Scalar, Rows, Columns, Rows == 1 && Columns != 1 ? Eigen::RowMajor : Eigen::ColMajor>>;

/// A vector that somebody else owns.
template <typename Scalar, int Size = Dynamic>
using VectorView = Eigen::Map<Eigen::Array<Scalar, Size, 1>>;

/// A read-only VectorView.
template <typename Scalar, int Size = Dynamic>
using ConstVectorView = Eigen::Map<const Eigen::Array<Scalar, Size, 1>>;

/// A (rows, columns) array that owns its values. Functions return it for a temporary object, and a view for any other,
/// so that `auto v = model(x).values();` is safe. Eigen may not align the values, because its alignment depends on the
/// processor that a translation unit is compiled for.
template <typename Scalar, int Rows = Dynamic, int Columns = Dynamic>
using OwnedArray = Eigen::Array<Scalar, Rows, Columns,
                                (Rows == 1 && Columns != 1 ? Eigen::RowMajor : Eigen::ColMajor) | Eigen::DontAlign>;

namespace detail {

/// The product of two sizes: Dynamic if one of them is.
constexpr int multiply_sizes(int a, int b) { return a == Dynamic || b == Dynamic ? Dynamic : a * b; }

/// The sum of sizes: Dynamic if one of them is.
template <typename... Sizes>
constexpr int add_sizes(Sizes... sizes) {
  return ((sizes == Dynamic) || ...) ? Dynamic : (sizes + ...);
}

}  // namespace detail
}  // namespace elegans
