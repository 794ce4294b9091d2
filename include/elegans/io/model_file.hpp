// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/format/metadata.hpp>
#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/formats.hpp>
#include <elegans/io/model_description.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/io/safetensors_writer.hpp>

namespace elegans {

// Model files: safetensors with the names and shapes of ncps' `state_dict`. A model trained in Python runs here, and a
// model trained here loads back with `load_state_dict`. Python writes such a file with
//
//     safetensors.torch.save_file(model.state_dict(), "model.safetensors")

/// Options of `save`.
struct SaveOptions {
  /// The name of the layer in the Python model that the file is for, with its dot: "0." for the first layer of a
  /// `torch.nn.Sequential`.
  std::string prefix{};
};

/// Makes the model that a file holds.
///
///     auto model = elegans::load_model<float>("model.safetensors", {.implicit_param_constraints = false});
///     auto y = std::visit([&](auto& m) { return m(x); }, model);
///
/// Values stay as the file has them. A negative weight that explicit constraints do not allow is clipped by the next
/// `update`, as in ncps.
/// \param options  what the file's tensors cannot tell, for files that elegans did not write
/// \throws RuntimeError if the file cannot be read; InvalidArgument if it is not a model, if a value is not finite, or
///         if the options do not fit. The message names file, tensor and cause
template <typename Scalar>
AnyModel<Scalar> load_model(const SafeTensors& file, const ModelFileOptions& options = {});
/// The same, from a path.
template <typename Scalar>
AnyModel<Scalar> load_model(const std::filesystem::path& path, const ModelFileOptions& options = {}) {
  return load_model<Scalar>(SafeTensors(path), options);
}

/// Loads a file's parameters into an existing model, of any type, with fixed sizes or without. If anything does not
/// fit, the model stays as it was.
///
/// \param options  override what the file says: `{.ode_unfolds = 12}` loads a file of a model with 6 ODE unfolds into
///                 one with 12
/// \throws RuntimeError if the file cannot be read; InvalidArgument if it is not a model of this kind, these sizes,
///         mappings and synapses, if a value is not finite, or if an option that the file or the caller states (such as
///         `mode` or `ode_unfolds`) differs from the model's. Files of ncps state no options
template <typename Model>
void load(Model& model, const std::filesystem::path& path, const ModelFileOptions& options = {});

/// Writes a model whole or not at all: its parameters bit for bit, its masks, and as metadata what these cannot tell.
///
/// \throws RuntimeError if the file cannot be written; InvalidArgument if a parameter is not finite. The file that was
///         at `path` before is then still there
template <typename Model>
void save(const Model& model, const std::filesystem::path& path, const SaveOptions& options = {});

// mutate all: model_file
namespace detail {

template <typename Model>
using FormatOf = ModelFormat<std::remove_cvref_t<decltype(std::declval<const Model&>().cell())>>;

/// Copies all parameters of a list from a file, each to its offset.
template <typename Scalar>
void copy_parameters(const SafeTensors& file, const ModelNames& names, const auto& list, Scalar* parameters) {
  for (const Parameter& entry : list) {
    file.copy(file.at(names.in_file(entry.name)), entry.rows, entry.columns, parameters + entry.offset);
  }
}

/// The metadata that `save` writes.
template <typename Model>
nlohmann::json metadata_of(const Model& model) {
  nlohmann::json all{{"version", metadata_version},
                     {"model", FormatOf<Model>::kind()},
                     {"return_sequences", model.return_sequences()}};
  FormatOf<Model>::write_metadata(model.cell(), all);
  return all;
}

/// Refuses a file whose parameters have other names or shapes than the model's.
void require_parameters(const SafeTensors& file, const ParameterList<>& in_file, const auto& in_model) {
  for (const Parameter& entry : in_model) {
    const Parameter* const other = in_file.find(entry.name);
    if (!other) file.refuse("has no '", entry.name, "', which the model has");
    if (other->rows != entry.rows || other->columns != entry.columns) {
      file.refuse(entry.name, ": the model's shape is (", entry.rows, ", ", entry.columns, "), the file's (",
                  other->rows, ", ", other->columns, ")");
    }
  }
  for (const Parameter& entry : in_file) {
    if (!in_model.find(entry.name)) file.refuse("has a '", entry.name, "', which the model does not have");
  }
}

/// Refuses a file whose stated options differ from the model's.
inline void require_options(const SafeTensors& file, const nlohmann::json& stated, const nlohmann::json& of_model) {
  for (const auto& [key, value] : stated.items()) {
    const auto own = of_model.find(key);
    if (own != of_model.end() && *own != value) {
      file.refuse(key, ": the model has ", own->dump(), ", the file is said to have ", value.dump());
    }
  }
}

/// Refuses a file whose masks differ from the model's.
template <typename Model>
void require_masks(const SafeTensors& file, const ModelNames& names, const Model& model) {
  FormatOf<Model>::for_each_mask(model.cell(), [&](const std::string& name, Index rows, Index columns, auto exists) {
    const Eigen::ArrayXXf mask = file.matrix<float>(names.cell + name);
    const bool has_shape = mask.rows() == rows && mask.cols() == columns;
    for (Index i = 0; i < rows * columns; ++i) {
      if (has_shape && exists(i % rows, i / rows) == (mask(i % rows, i / rows) != 0)) continue;
      file.refuse(name, ": the model's wiring is another, at (", i % rows, ", ", i / rows, ")");
    }
  });
}

}  // namespace detail

template <typename Scalar>
AnyModel<Scalar> load_model(const SafeTensors& file, const ModelFileOptions& options) {
  const ModelDescription description = describe_model(file, options);
  try {
    std::optional<AnyModel<Scalar>> made;
    detail::ModelFormats<Scalar>::find([&](std::size_t index, auto format) {
      if (index != description.format) return false;
      using Options = typename decltype(format)::Options;
      auto model = format.make(description, std::get<Options>(description.options));
      model.update_unconstrained(
          [&](auto all) { detail::copy_parameters(file, description.names, model.parameter_list(), all.data()); });
      made.emplace(std::move(model));
      return true;
    });
    return *std::move(made);
  } catch (const InvalidArgument& error) {
    const std::string message = error.what();
    if (message.starts_with(file.name())) throw;
    file.refuse(message);  // the constructor found an option out of range, and does not know the name of the file
  }
}

template <typename Model>
void load(Model& model, const std::filesystem::path& path, const ModelFileOptions& options) {
  using Scalar = typename Model::Scalar;
  const SafeTensors file(path);
  const ModelDescription description = describe_model(file, options);
  const auto& list = model.parameter_list();
  detail::require_parameters(file, description.parameters, list);
  detail::require_options(file, description.stated, detail::metadata_of(model));
  detail::require_masks(file, description.names, model);
  Buffer<Scalar> values(list.count());
  detail::copy_parameters(file, description.names, list, values.data());
  model.update_unconstrained([&](auto all) { all = ConstVectorView<Scalar>(values.data(), values.size()); });
}

template <typename Model>
void save(const Model& model, const std::filesystem::path& path, const SaveOptions& options) {
  using Scalar = typename Model::Scalar;
  using Format = detail::FormatOf<Model>;
  const detail::ModelNames names = Format::names(options.prefix);
  SafeTensorsWriter file;
  for (const Parameter& entry : model.parameter_list()) {
    const ConstArrayView<Scalar> values = model.parameter(entry.name);
    if (!detail::all_finite(values)) detail::refuse("save: ", path.string(), ": ", entry.name, " must be finite");
    file.add<Scalar>(names.in_file(entry.name), detail::shape_in_file<Format>(entry),
                     [values](Index row, Index column) {
                       // A vector is a row for the writer, a column here.
                       return values.cols() == 1 ? values((std::max)(row, column), 0) : values(row, column);
                     });
  }
  Format::for_each_mask(model.cell(), [&](const std::string& name, Index rows, Index columns, auto exists) {
    using MaskScalar = typename Format::MaskScalar;
    file.add<MaskScalar>(
        names.cell + name, {static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns)},
        [exists](Index row, Index column) { return exists(row, column) ? MaskScalar(1) : MaskScalar(0); });
  });
  file.metadata[detail::metadata_key] = detail::metadata_of(model).dump();
  file.write(path);
}

}  // namespace elegans
