// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/layer/dropout.hpp>

namespace elegans {

/// A dropout in a file. As a `torch.nn.Dropout`, it has no tensors, and only its number is missing from the names of a
/// stack's tensors. The metadata has all that there is: kind, size, share and seed.
template <typename Scalar>
struct ModelFormat<Dropout<Scalar>> {
  using Model = Dropout<Scalar>;
  using Options = DropoutOptions;
  using MaskScalar = Scalar;

  static constexpr const char* kind() { return "Dropout"; }
  static constexpr const char* spoken() { return "a Dropout"; }

  /// No tensors tell that it is there.
  static bool is_at(const SafeTensors&, const std::string&) { return false; }
  static detail::ModelNames names(const std::string& layer) { return detail::names_without_cell(layer); }
  static bool is_vector(std::string_view) { return true; }

  static Options read(detail::ModelTensors& tensors, ModelOutline& outline) {
    const int features = tensors.option("features", std::optional<int>(), 0);
    if (features < 1) {
      tensors.file().refuse("__metadata__: the Dropout '", detail::printable(tensors.names.layer),
                            "' must have features, a number of at least 1, got ", features);
    }
    outline.units = outline.input_dim = outline.output_dim = features;
    // Only training drops, so a model of another share or seed computes the same.
    Options options;
    options.share = tensors.value("share", options.share);
    options.seed = tensors.value("seed", options.seed);
    return options;
  }
  static Model make(const ModelOutline& outline, const Options& options) { return Model(outline.units, options); }

  template <typename Body>
  static void for_each_mask(const Dropout<Scalar>&, Body&&) {}
  static void write_metadata(const Dropout<Scalar>& layer, nlohmann::json& all) {
    all["features"] = layer.input_dim();
    all["share"] = layer.options().share;
    all["seed"] = layer.options().seed;
  }
};

}  // namespace elegans
