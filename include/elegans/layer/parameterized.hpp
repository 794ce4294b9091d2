// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The base of everything that can be trained: a flat parameter vector with named, shaped views into it, and a gradient
/// of the same layout.
///
/// `parameters`, `parameter` and `gradient` give views, which must not outlive the object. A temporary object has
/// nothing to view: there they give arrays that own copies.
///
/// \tparam Derived   the layer; its `parameters_changed()` applies the constraints to new values and packs them
/// \tparam Capacity  number of scalars, or Dynamic
template <typename Derived, typename Scalar, int Capacity = Dynamic>
class Parameterized {  // NOLINT(bugprone-crtp-constructor-accessibility): a stack has a class in between
 public:
  /// The number of parameters if the type fixes it, or Dynamic.
  static constexpr int parameter_capacity = Capacity;

  /// All parameters, tensor after tensor.
  [[nodiscard]] ConstVectorView<Scalar> parameters() const& {
    self().collect_parameters();
    return {parameters_.data(), parameters_.size()};
  }
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> parameters() const&& { return parameters(); }
  /// One tensor, (rows, columns). \throws InvalidArgument if there is none of that name
  [[nodiscard]] ConstArrayView<Scalar> parameter(std::string_view name) const& {
    self().collect_parameters();
    return view(parameters_, name);
  }
  [[nodiscard]] OwnedArray<Scalar> parameter(std::string_view name) const&& { return parameter(name); }

  /// Changes the parameters: calls `change(VectorView<Scalar>)` with all of them, then applies the constraints. All
  /// changes go through here, so that the packed weights of the kernels are never out of date.
  /// \throws InvalidArgument if the layer was moved from
  template <typename Change>
  void update(Change&& change) {
    require_usable();
    self().collect_parameters();
    change(VectorView<Scalar>(parameters_.data(), parameters_.size()));
    self().parameters_changed();
  }

  /// Changes all parameters at once, as `update` does.
  /// \throws InvalidArgument if there is not a value for each parameter
  template <typename Values>
  void set_parameters(const Eigen::DenseBase<Values>& values) {
    if (values.size() != parameters_.size()) {
      detail::refuse("set_parameters: the model has ", parameters_.size(), " parameters, got ", values.size());
    }
    update([&](auto all) {
      // Evaluate first, because `values` may be a view of these parameters.
      const auto evaluated = values.derived().eval();
      for (Index i = 0; i < all.size(); ++i) all[i] = static_cast<Scalar>(evaluated.coeff(i));
    });
  }

  /// Changes one tensor, as `update` does.
  ///
  /// \param value  (rows, columns) of the tensor. \throws InvalidArgument if the name or the shape differs
  template <typename Values>
  void set_parameter(std::string_view name, const Eigen::DenseBase<Values>& value) {
    const Parameter& entry = self().parameter_list().at(name);
    if (value.rows() != entry.rows || value.cols() != entry.columns) {
      detail::refuse("set_parameter: '", name, "' must be (", entry.rows, ", ", entry.columns, "), got (", value.rows(),
                     ", ", value.cols(), ")");
    }
    update([&](auto all) {
      ArrayView<Scalar>(all.data() + entry.offset, entry.rows, entry.columns) =
          value.derived().array().template cast<Scalar>().eval();  // it may be a view of this tensor
    });
  }

  /// dLoss/d(parameters), in the order of `parameters()`.
  [[nodiscard]] ConstVectorView<Scalar> gradient() const& noexcept { return {gradient_.data(), gradient_.size()}; }
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> gradient() const&& { return gradient(); }
  [[nodiscard]] ConstArrayView<Scalar> gradient(std::string_view name) const& { return view(gradient_, name); }
  [[nodiscard]] OwnedArray<Scalar> gradient(std::string_view name) const&& { return gradient(name); }

 protected:
  /// \throws InvalidArgument if the layer was moved from, unless its type fixes its sizes: those stay usable
  void require_usable() const {
    if (!usable_) detail::refuse("the model was moved from: it has no parameters");
  }

  /// A layer that is made of others hides this: it takes over what was changed in them.
  void collect_parameters() const noexcept {}

  mutable Buffer<Scalar, Capacity> parameters_;  // mutable for `collect_parameters`
  Buffer<Scalar> gradient_;

 private:
  [[nodiscard]] Derived& self() noexcept { return static_cast<Derived&>(*this); }
  [[nodiscard]] const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

  template <typename Values>
  [[nodiscard]] ConstArrayView<Scalar> view(const Values& values, std::string_view name) const {
    require_usable();
    const Parameter& entry = self().parameter_list().at(name);
    if (values.size() != self().parameter_list().count()) detail::refuse("gradient: there is none before backward()");
    return {values.data() + entry.offset, entry.rows, entry.columns};
  }

  detail::Extent<bool, Capacity> usable_ = true;
};

}  // namespace elegans
