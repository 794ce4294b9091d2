// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
#include <variant>

#include <elegans/io/model_file.hpp>

#include "network.hpp"

namespace elegans::python {
namespace {

template <typename Scalar>
std::shared_ptr<Network> load_as(const SafeTensors& file, const ModelFileOptions& options) {
  return std::visit([]<typename Model>(const Model& model) { return make_network<Model>(model); },
                    load_model<Scalar>(file, options));
}

/// The first layer that has parameters; null if none has.
const ModelDescription* first_with_parameters(const ModelDescription& model) {
  if (model.layers.empty()) return model.parameters.count() > 0 ? &model : nullptr;
  for (const ModelDescription& layer : model.layers) {
    if (const ModelDescription* const found = first_with_parameters(layer)) return found;
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<Network> load_network(const std::string& path, const std::string& scalar,
                                      const ModelFileOptions& options) {
  const SafeTensors file(path);
  if (scalar != "" && scalar != "float32" && scalar != "float64") {
    detail::refuse("load: dtype must be float32 or float64, got ", scalar);
  }
  bool is_double = scalar == "float64";
  if (scalar.empty()) {
    const ModelDescription description = describe_model(file, options);
    if (const ModelDescription* const layer = first_with_parameters(description)) {
      is_double = file.at(layer->names.in_file(layer->parameters.begin()->name)).type == TensorType::f64;
    }
  }
  return is_double ? load_as<double>(file, options) : load_as<float>(file, options);
}

}  // namespace elegans::python
