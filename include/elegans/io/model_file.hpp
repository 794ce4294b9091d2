// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/io/model_description.hpp>
#include <elegans/io/model_masks.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/io/safetensors_writer.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>

namespace elegans {

// Model files: safetensors with the names and shapes of ncps' `state_dict`, so that a model trained in Python runs
// here, and one trained here loads back with `load_state_dict`. Files of Python's:
//
//     safetensors.torch.save_file(model.state_dict(), "model.safetensors")

/// A model whose kind is known at run time only: `std::visit` it.
template <typename Scalar>
using AnyModel = std::variant<LTC<Scalar>, CfC<Scalar>, MixedLTC<Scalar>, MixedCfC<Scalar>>;

/// What `save` may be told.
struct SaveOptions {
  /// What a layer is called in the Python model that the file is for, with its dot: "0." for the first of a
  /// `torch.nn.Sequential`.
  std::string prefix{};
};

/// Makes the model that a file holds.
///
///     auto model = elegans::load_model<float>("model.safetensors", {.implicit_param_constraints = false});
///     auto y = std::visit([&](auto& m) { return m(x); }, model);
///
/// Values are taken over as they are; a weight that explicit constraints would clip at 0 is clipped by the next
/// `update`, as in ncps.
/// \param options  what the file's tensors cannot tell, for files that elegans did not write
/// \throws RuntimeError if the file cannot be read; InvalidArgument if it is not a model, a value is not finite, or the
///         options do not fit. The message names file, tensor and cause
template <typename Scalar>
AnyModel<Scalar> load_model(const SafeTensors& file, const ModelFileOptions& options = {});
/// The same, from a path.
template <typename Scalar>
AnyModel<Scalar> load_model(const std::filesystem::path& path, const ModelFileOptions& options = {}) {
  return load_model<Scalar>(SafeTensors(path), options);
}

/// Takes a file's parameters over into a model that is there: of any type, with fixed sizes or without. Its options
/// stay as they are. If anything does not fit, the model is left as it was.
///
/// \throws RuntimeError if the file cannot be read; InvalidArgument if it is not a model of this kind, sizes, mappings
///         and synapses, or a value is not finite
template <typename Model>
void load(Model& model, const std::filesystem::path& path, const ModelFileOptions& options = {});

/// Writes a model whole or not at all: its parameters bit for bit, its masks, and as metadata what these cannot tell.
///
/// \throws RuntimeError if the file cannot be written; InvalidArgument if a parameter is not finite. What was at `path`
///         is then still there
template <typename Model>
void save(const Model& model, const std::filesystem::path& path, const SaveOptions& options = {});

namespace detail {

/// Copies all parameters from a file to where a model of that description keeps them.
template <typename Scalar>
void copy_parameters(const SafeTensors& file, const ModelNames& names, const auto& list, Scalar* parameters) {
  for (const Parameter& entry : list) {
    file.copy(file.at(names.in_file(entry.name)), entry.rows, entry.columns, parameters + entry.offset);
  }
}

}  // namespace detail

template <typename Scalar>
AnyModel<Scalar> load_model(const SafeTensors& file, const ModelFileOptions& options) {
  const ModelDescription what = describe_model(file, options);
  const auto fill = [&](auto model) -> AnyModel<Scalar> {
    model.update_unconstrained([&](auto all) { detail::copy_parameters(file, what.names, model.parameter_list(), all.data()); });
    return AnyModel<Scalar>(std::move(model));
  };
  try {
    if (what.is_ltc()) {
      if (what.mixed_memory) return fill(MixedLTC<Scalar>(*what.wiring, what.input_dim, what.ltc));
      return fill(LTC<Scalar>(*what.wiring, what.input_dim, what.ltc));
    }
    const auto make = [&](const auto& wiring_or_units) {
      if (what.mixed_memory) return fill(MixedCfC<Scalar>(wiring_or_units, what.input_dim, what.cfc));
      return fill(CfC<Scalar>(wiring_or_units, what.input_dim, what.cfc));
    };
    return what.wiring ? make(*what.wiring) : make(what.units);
  } catch (const InvalidArgument& error) {
    const std::string message = error.what();
    if (message.starts_with(file.name())) throw;
    file.refuse(message);  // an option out of range, which the constructor found
  }
}

template <typename Model>
void load(Model& model, const std::filesystem::path& path, const ModelFileOptions& options) {
  using Scalar = typename Model::Scalar;
  const SafeTensors file(path);
  const ModelDescription what = describe_model(file, options);
  const auto& list = model.parameter_list();
  for (const Parameter& entry : list) {
    const Parameter* const in_file = what.parameters.find(entry.name);
    if (!in_file) file.refuse("has no '", entry.name, "', which the model has");
    if (in_file->rows != entry.rows || in_file->columns != entry.columns) {
      file.refuse(entry.name, ": the model's shape is (", entry.rows, ", ", entry.columns, "), the file's (",
                  in_file->rows, ", ", in_file->columns, ")");
    }
  }
  for (const Parameter& entry : what.parameters) {
    if (!list.find(entry.name)) file.refuse("has a '", entry.name, "', which the model does not have");
  }
  detail::for_each_mask(detail::inner_cell(model.cell()),
                        [&](const std::string& name, Index rows, Index columns, auto exists) {
                          const Eigen::ArrayXXf mask = file.matrix<float>(what.names.cell + name);
                          for (Index i = 0; i < rows * columns; ++i) {
                            if (mask.rows() == rows && mask.cols() == columns &&
                                exists(i % rows, i / rows) == (mask(i % rows, i / rows) != 0))
                              continue;
                            file.refuse(name, ": the model's wiring is another, at (", i % rows, ", ", i / rows, ")");
                          }
                        });
  Buffer<Scalar> values(list.count());
  detail::copy_parameters(file, what.names, list, values.data());
  model.update_unconstrained([&](auto all) { all = ConstVectorView<Scalar>(values.data(), values.size()); });
}

template <typename Model>
void save(const Model& model, const std::filesystem::path& path, const SaveOptions& options) {
  using Scalar = typename Model::Scalar;
  const detail::ModelNames names = detail::model_names(options.prefix);
  SafeTensorsWriter file;
  for (const Parameter& entry : model.parameter_list()) {
    const ConstArrayView<Scalar> values = model.parameter(entry.name);
    if (!values.isFinite().all()) detail::refuse("save: ", path.string(), ": ", entry.name, " must be finite");
    file.add<Scalar>(names.in_file(entry.name), detail::shape_in_file(entry), [values](Index row, Index column) {
      // A vector is a row for the writer, a column here.
      return values.cols() == 1 ? values(std::max(row, column), 0) : values(row, column);
    });
  }
  const auto& cell = detail::inner_cell(model.cell());
  detail::for_each_mask(cell, [&](const std::string& name, Index rows, Index columns, auto exists) {
    // ncps' masks of a wired CfC are always F32.
    using MaskScalar = std::conditional_t<detail::is_ltc_cell<std::decay_t<decltype(cell)>>, Scalar, float>;
    file.add<MaskScalar>(
        names.cell + name, {static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns)},
        [exists](Index row, Index column) { return exists(row, column) ? MaskScalar(1) : MaskScalar(0); });
  });
  file.metadata[detail::metadata_key] = detail::metadata_of(model).dump();
  file.write(path);
}

}  // namespace elegans
