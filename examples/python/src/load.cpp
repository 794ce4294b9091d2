// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <elegans/io/model_file.hpp>

#include "network.hpp"

namespace elegans::python {
namespace {

template <typename Scalar>
std::shared_ptr<Network> load_as(const SafeTensors& file, const ModelDescription& description) {
  std::shared_ptr<Network> network;
  detail::make_layer<Scalar>(file, description, [&]<typename Model>(Model model) {
    if constexpr (std::same_as<Model, LTC<Scalar>> || std::same_as<Model, CfC<Scalar>> ||
                  std::same_as<Model, MixedLTC<Scalar>> || std::same_as<Model, MixedCfC<Scalar>>) {
      network = make_network<Model>(model);
    }
  });
  if (!network) file.refuse("holds a model of kind " + description.kind + "; elegans for Python has LTC and CfC");
  return network;
}

}  // namespace

std::shared_ptr<Network> load_network(const std::string& path, const std::string& scalar,
                                      const ModelFileOptions& options) {
  const SafeTensors file(path);
  const ModelDescription description = describe_model(file, options);
  if (!description.layers.empty()) {
    file.refuse("holds a stack of " + std::to_string(description.layers.size()) +
                " layers; choose one of them by its prefix");
  }
  if (scalar != "" && scalar != "float32" && scalar != "float64") {
    detail::refuse("load: dtype must be float32 or float64, got ", scalar);
  }
  const Tensor& first = file.at(description.names.in_file(description.parameters.begin()->name));
  const bool is_double = scalar == "float64" || (scalar.empty() && first.type == TensorType::f64);
  return is_double ? load_as<double>(file, description) : load_as<float>(file, description);
}

}  // namespace elegans::python
