// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/wiring/concepts.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans::detail {

// The tensors of a model do not tell everything: the number of ODE unfolds, for instance. elegans writes the rest into
// the file's metadata, under the key `elegans`, as an object in JSON.

inline constexpr const char* metadata_key = "elegans";
inline constexpr int metadata_version = 1;

/// The object that elegans wrote; null if another program wrote the file.
/// \throws InvalidArgument if the metadata is malformed, or if a newer elegans wrote it
inline nlohmann::json read_metadata(const SafeTensors& file) {
  const auto entry = file.metadata().find(metadata_key);
  if (entry == file.metadata().end()) return {};
  nlohmann::json all = nlohmann::json::parse(entry->second, nullptr, false);
  if (!all.is_object()) file.refuse("__metadata__: '", metadata_key, "' must be a JSON object");
  const auto version = all.find("version");
  if (version == all.end() || !version->is_number_integer() || *version < 1) {
    file.refuse("__metadata__: '", metadata_key, "' has no version");
  }
  if (*version > metadata_version) {
    file.refuse("__metadata__: version must be at most ", metadata_version, ", got ", version->dump(),
                ": a newer elegans wrote it");
  }
  return all;
}

/// An entry of the metadata, or `otherwise` if there is none. \throws InvalidArgument if it has another type
template <typename Value>
Value metadata_value(const SafeTensors& file, const nlohmann::json& all, const char* key, const Value& otherwise) {
  if (!all.is_object() || !all.contains(key)) return otherwise;
  const nlohmann::json& value = all.at(key);
  const bool fits = std::is_same_v<Value, bool>          ? value.is_boolean()
                    : std::is_same_v<Value, std::string> ? value.is_string()
                    : std::is_unsigned_v<Value>          ? value.is_number_unsigned()
                    : std::is_integral_v<Value> ? value.is_number_integer() && value >= -1 && value <= 2147483647
                                                : value.is_number();
  if (!fits) file.refuse("__metadata__: ", key, " cannot be ", printable(value.dump()));
  return value.get<Value>();
}

/// The polarity of each existing synapse, source by source: "+-+".
template <typename Matrix>
std::string polarity_text(const Matrix& polarity) {
  std::string text;
  for (Index s = 0; s < polarity.rows(); ++s) {
    for (Index d = 0; d < polarity.cols(); ++d) {
      if (polarity(s, d) != 0) text += polarity(s, d) > 0 ? '+' : '-';
    }
  }
  return text;
}

/// Writes the type (ncps' word) and the layer of each neuron.
template <AnyWiring W>
void write_neurons(const W& wiring, nlohmann::json& all) {
  if constexpr (requires { wiring.neuron_type(0), wiring.layer_of(0); }) {
    nlohmann::json types = nlohmann::json::array(), layers = nlohmann::json::array();
    for (int i = 0; i < wiring.units(); ++i) {
      types.push_back(name_of(wiring.neuron_type(i)));
      layers.push_back(wiring.layer_of(i));
    }
    all["neuron_types"] = std::move(types);
    all["layers"] = std::move(layers);
  }
}

/// Gives each neuron of a wiring its type and its layer, if the metadata has them.
/// \throws InvalidArgument if the metadata does not fit the wiring
inline void read_neurons(const SafeTensors& file, const nlohmann::json& all, Wiring<>& wiring) {
  if (!all.is_object() || !all.contains("neuron_types") || !all.contains("layers")) return;
  const nlohmann::json& types = all.at("neuron_types");
  const nlohmann::json& layers = all.at("layers");
  const auto fits = [&](const nlohmann::json& list) {
    return list.is_array() && list.size() == static_cast<std::size_t>(wiring.units());
  };
  if (!fits(types) || !fits(layers)) {
    file.refuse("__metadata__: neuron_types and layers must have an entry for each of ", wiring.units(), " neurons");
  }
  for (int i = 0; i < wiring.units(); ++i) {
    const nlohmann::json& type = types[static_cast<std::size_t>(i)];
    const nlohmann::json& layer = layers[static_cast<std::size_t>(i)];
    NeuronType named = NeuronType::inter;
    bool is_known = false;
    for (const NeuronType candidate : {NeuronType::motor, NeuronType::command, NeuronType::inter}) {
      if (type == name_of(candidate)) named = candidate, is_known = true;
    }
    if (!is_known || !layer.is_number_integer() || layer < 0 || layer >= wiring.units() ||
        (named == NeuronType::motor) != (i < wiring.output_dim())) {
      file.refuse("__metadata__: neuron ", i, " cannot be of type ", printable(type.dump()), " in layer ",
                  printable(layer.dump()));
    }
    wiring.assign_neuron(i, named, layer.get<int>());
  }
}

}  // namespace elegans::detail
