// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <elegans/core/parameters.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

/// The sizes of a model in a file, its wiring, and the list of its parameters.
struct ModelOutline {
  int units = 0;                   ///< number of neurons
  int input_dim = 0;               ///< number of inputs
  int output_dim = 0;              ///< number of outputs
  std::optional<Wiring<>> wiring;  ///< none for a CfC without a wiring
  ParameterList<> parameters;      ///< names without prefix, and shapes
};

/// The format of a model with that cell, or of a layer that has no cell: how its tensors, masks and options lie in a
/// file. The rest of io knows nothing else about a cell or a layer. A new one brings a specialization, and a line in
/// `detail::ModelFormats` (io/formats.hpp). A cell of ncps has a `mark`; all others have `is_at` instead. Members, all
/// static:
///
/// | member | meaning |
/// | --- | --- |
/// | `Model` | the layer that `load_model` makes |
/// | `Options` | the options that the constructor of `Model` takes |
/// | `mark` | the end of a tensor's name that only this cell has |
/// | `kind()`, `spoken()` | the kind in the metadata, "LTC", and in messages, "an LTC" |
/// | `recognize(file, tensor)` | the names of a model that this tensor is the mark of, or none |
/// | `is_at(file, prefix)` | true if the tensors behind a prefix are those of this layer; without metadata it decides |
/// | `names(layer)` | the names that `save` gives to a layer with that prefix |
/// | `is_vector(parameter)` | true if the parameter has one dimension in the file, false if it has two |
/// | `read(tensors, outline)` | reads sizes, wiring and parameters into the outline, and returns the options |
/// | `make(outline, options)` | a `Model`, its parameters not yet those of the file |
/// | `MaskScalar` | the type of the masks: float or double |
/// | `for_each_mask(cell, body)` | calls body(name, rows, columns, exists) with exists(row, column) -> bool |
/// | `write_metadata(cell, json)` | writes what the tensors do not tell |
///
/// Names of parameters and masks have no prefix: a format works wherever the model lies in the file.
template <typename CellOrLayer>
struct ModelFormat;

namespace detail {

/// The shape that a file gives to a parameter.
template <typename Format>
std::vector<std::uint64_t> shape_in_file(const Parameter& entry) {
  if (Format::is_vector(entry.name)) return {static_cast<std::uint64_t>(entry.rows)};
  return {static_cast<std::uint64_t>(entry.rows), static_cast<std::uint64_t>(entry.columns)};
}

}  // namespace detail
}  // namespace elegans
