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
#include <vector>

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
/// A stack (`Sequential`, `Bidirectional`, of any layers that have a format) becomes an `AnyStack`, and so does a lone
/// layer that is no model of ncps. Its layers lie in the file as those of a `torch.nn.Sequential`: "0.rnn_cell.w",
/// "1.weight"; those of a `Bidirectional` begin with `forward_layer.` and `backward_layer.`.
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

/// What a format describes: the cell of a layer, or a layer that has none.
template <typename Layer>
const auto& formatted(const Layer& layer) {
  if constexpr (requires { layer.cell(); }) {
    return layer.cell();
  } else {
    return layer;
  }
}
template <typename Layer>
using FormatOf = ModelFormat<std::remove_cvref_t<decltype(formatted(std::declval<const Layer&>()))>>;

/// A layer that is made of layers.
template <typename Layer>
concept LayerOfLayers = requires(const Layer& layer) { layer.for_each_layer([](const std::string&, const auto&) {}); };

/// Calls visit(layer) with a layer in its own type.
template <typename Layer, typename Visit>
void in_own_type(const Layer& layer, const Visit& visit) {
  if constexpr (requires { layer.visit(visit); }) {
    layer.visit(visit);
  } else {
    visit(layer);
  }
}

/// Calls visit(layer, prefix) for each layer of a model that is not made of others, in the order of the parameters.
/// \param prefix  of the model; a layer's prefix ends with a dot: "1.forward_layer."
template <typename Model, typename Visit>
void for_each_leaf(const Model& model, const std::string& prefix, const Visit& visit) {
  in_own_type(model, [&]<typename Own>(const Own& own) {
    if constexpr (LayerOfLayers<Own>) {
      own.for_each_layer([&](const std::string& name, const auto& layer) {
        for_each_leaf(layer, detail::concatenate(prefix, name, "."), visit);
      });
    } else {
      static_assert(
          requires { FormatOf<Own>::kind(); },
          "elegans: this layer has no format: see elegans/io/format/model_format.hpp");
      visit(own, prefix);
    }
  });
}

/// Copies all parameters of a list from a file, each to its offset.
template <typename Scalar>
void copy_parameters(const SafeTensors& file, const ModelNames& names, const auto& list, Scalar* parameters) {
  for (const Parameter& entry : list) {
    file.copy(file.at(names.in_file(entry.name)), entry.rows, entry.columns, parameters + entry.offset);
  }
}

/// What `save` writes about a model, and about each layer of a stack.
template <typename Model>
nlohmann::json metadata_of(const Model& model) {
  nlohmann::json all{{"return_sequences", model.return_sequences()}};
  in_own_type(model, [&]<typename Own>(const Own& own) {
    if constexpr (LayerOfLayers<Own>) {
      all["model"] = Own::kind;
      own.for_each_layer([&](const std::string&, const auto& layer) { all[stack_key].push_back(metadata_of(layer)); });
    } else {
      all["model"] = FormatOf<Own>::kind();
      FormatOf<Own>::write_metadata(formatted(own), all);
    }
  });
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

/// Refuses a file whose stated options differ from the model's. \param prefix  of the layer, for the message
inline void require_options(const SafeTensors& file, const std::string& prefix, const nlohmann::json& stated,
                            const nlohmann::json& of_model) {
  for (const auto& [key, value] : stated.items()) {
    const auto own = of_model.find(key);
    if (own != of_model.end() && *own != value) {
      file.refuse(prefix, key, ": the model has ", own->dump(), ", the file is said to have ", value.dump());
    }
  }
}

/// Refuses a file whose masks differ from the layer's.
template <typename Layer>
void require_masks(const SafeTensors& file, const ModelNames& names, const std::string& prefix, const Layer& layer) {
  FormatOf<Layer>::for_each_mask(
      formatted(layer), [&](const std::string& name, Index rows, Index columns, auto exists) {
        const Eigen::ArrayXXf mask = file.matrix<float>(names.cell + name);
        const bool has_shape = mask.rows() == rows && mask.cols() == columns;
        for (Index i = 0; i < rows * columns; ++i) {
          if (has_shape && exists(i % rows, i / rows) == (mask(i % rows, i / rows) != 0)) continue;
          file.refuse(prefix, name, ": the model's wiring is another, at (", i % rows, ", ", i / rows, ")");
        }
      });
}

/// The kind of a model: "LTC", "Sequential", …
template <typename Model>
std::string kind_of_model(const Model& model) {
  std::string kind;
  in_own_type(model, [&]<typename Own>(const Own&) {
    if constexpr (LayerOfLayers<Own>) {
      kind = Own::kind;
    } else {
      kind = FormatOf<Own>::kind();
    }
  });
  return kind;
}

/// Reads the parameters of a model, whose names and shapes were checked, in the order of its flat vector.
/// \return the number of parameters
template <typename Scalar, typename Model>
Index read_parameters(const SafeTensors& file, const ModelDescription& in_file, const Model& model,
                      const std::string& prefix, Scalar* parameters) {
  if (const std::string kind = kind_of_model(model); kind != in_file.kind) {
    file.refuse(prefix, prefix.empty() ? "" : ": ", "the model is of kind ", kind, ", the file's of kind ",
                in_file.kind);
  }
  Index count = 0;
  in_own_type(model, [&]<typename Own>(const Own& own) {
    if constexpr (LayerOfLayers<Own>) {
      std::size_t k = 0;
      own.for_each_layer([&](const std::string& name, const auto& layer) {
        if (k == in_file.layers.size()) file.refuse(prefix, name, ": the file has no such layer");
        count += read_parameters(file, in_file.layers[k++], layer, detail::concatenate(prefix, name, "."),
                                 parameters + count);
      });
      if (k != in_file.layers.size()) file.refuse(prefix, k, ": the model has no such layer");
    } else {
      require_options(file, prefix, in_file.stated, metadata_of(own));
      require_masks(file, in_file.names, prefix, own);
      copy_parameters(file, in_file.names, own.parameter_list(), parameters);
      count = own.parameters().size();
    }
  });
  return count;
}

/// Gives a model values that its constraints do not change before the next update.
template <typename Scalar, typename Model>
void set_unconstrained(Model& model, const Buffer<Scalar>& values) {
  const auto set = [&](auto all) { all = ConstVectorView<Scalar>(values.data(), values.size()); };
  if constexpr (requires { model.update_unconstrained(set); }) {
    model.update_unconstrained(set);
  } else {
    model.update(set);
  }
}

/// Calls take(model) with the layer of a file in its own type. It is no stack.
template <typename Scalar, typename Take>
void make_layer(const SafeTensors& file, const ModelDescription& description, Take&& take) {
  ModelFormats<Scalar>::find([&](std::size_t index, auto format) {
    if (index != description.format) return false;
    auto model = format.make(description, std::get<typename decltype(format)::Options>(description.options));
    Buffer<Scalar> values(model.parameters().size());
    copy_parameters(file, description.names, model.parameter_list(), values.data());
    set_unconstrained(model, values);
    take(std::move(model));
    return true;
  });
}

/// Makes a stack of a file, or one of its layers.
template <typename Scalar>
AnyStack<Scalar> make_stack(const SafeTensors& file, const ModelDescription& description) {
  std::vector<AnyStack<Scalar>> layers;
  if (description.layers.empty()) {
    make_layer<Scalar>(file, description, [&](auto layer) { layers.emplace_back(std::move(layer)); });
    return std::move(layers.front());
  }
  for (const ModelDescription& layer : description.layers) layers.push_back(make_stack<Scalar>(file, layer));
  if (description.kind == "Bidirectional") return {std::move(layers[0]), std::move(layers[1])};
  return AnyStack<Scalar>(std::move(layers));
}

}  // namespace detail

template <typename Scalar>
AnyModel<Scalar> load_model(const SafeTensors& file, const ModelFileOptions& options) {
  const ModelDescription description = describe_model(file, options);
  try {
    if (!description.layers.empty()) return detail::make_stack<Scalar>(file, description);
    std::optional<AnyModel<Scalar>> made;
    detail::make_layer<Scalar>(file, description, [&]<typename Made>(Made model) {
      if constexpr (std::is_constructible_v<AnyModel<Scalar>, std::in_place_type_t<Made>, Made>) {
        made.emplace(std::in_place_type<Made>, std::move(model));
      } else {
        made.emplace(AnyStack<Scalar>(std::move(model)));
      }
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
  const ModelDescription description = detail::describe_model_as(file, options, detail::kind_of_model(model));
  const auto& list = model.parameter_list();
  detail::require_parameters(file, description.parameters, list);
  Buffer<Scalar> values(list.count());
  detail::read_parameters(file, description, model, "", values.data());
  detail::set_unconstrained(model, values);
}

template <typename Model>
void save(const Model& model, const std::filesystem::path& path, const SaveOptions& options) {
  using Scalar = typename Model::Scalar;
  SafeTensorsWriter file;
  detail::for_each_leaf(model, options.prefix, [&]<typename Layer>(const Layer& layer, const std::string& prefix) {
    using Format = detail::FormatOf<Layer>;
    const detail::ModelNames names = Format::names(prefix);
    for (const Parameter& entry : layer.parameter_list()) {
      const ConstArrayView<Scalar> values = layer.parameter(entry.name);
      if (!detail::all_finite(values)) {
        detail::refuse("save: ", path.string(), ": ", prefix, entry.name, " must be finite");
      }
      file.add<Scalar>(names.in_file(entry.name), detail::shape_in_file<Format>(entry),
                       [values](Index row, Index column) {
                         // A vector is a row for the writer, a column here.
                         return values.cols() == 1 ? values((std::max)(row, column), 0) : values(row, column);
                       });
    }
    Format::for_each_mask(
        detail::formatted(layer), [&](const std::string& name, Index rows, Index columns, auto exists) {
          using MaskScalar = typename Format::MaskScalar;
          file.add<MaskScalar>(
              names.cell + name, {static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns)},
              [exists](Index row, Index column) { return exists(row, column) ? MaskScalar(1) : MaskScalar(0); });
        });
  });
  nlohmann::json about = detail::metadata_of(model);
  about["version"] = detail::metadata_version;
  file.metadata[detail::metadata_key] = about.dump();
  file.write(path);
}

}  // namespace elegans

#ifdef ELEGANS_COMPILED_IO

// What the library elegans::compiled has: see elegans/compiled.hpp.
#define ELEGANS_COMPILED_FILES(storage, Scalar)                                                                    \
  storage template AnyModel<Scalar> load_model<Scalar>(const SafeTensors&, const ModelFileOptions&);               \
  storage template Sequence<Scalar> AnyStack<Scalar>::operator()(const Sequence<Scalar>&, const Context<Scalar>&); \
  storage template const Sequence<Scalar>& AnyStack<Scalar>::forward(const Sequence<Scalar>&,                      \
                                                                     const Context<Scalar>&) &;                    \
  storage template void AnyStack<Scalar>::backward(const Sequence<Scalar>&, const State<Scalar>*)

namespace elegans {

ELEGANS_COMPILED_FILES(extern, float);
ELEGANS_COMPILED_FILES(extern, double);

}  // namespace elegans

#endif
