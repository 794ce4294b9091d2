// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include "stacks.hpp"

#include <any>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <elegans/io/formats.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/io/model_options.hpp>

#include "network.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace elegans::python {
namespace {

using Networks = std::vector<std::shared_ptr<Network>>;

/// A network of one layer. The models of ncps have networks of their own types.
template <typename Scalar>
std::shared_ptr<Network> network_of(const AnyStack<Scalar>& layer) {
  return layer.visit([&]<typename Own>(const Own& own) {
    if constexpr (std::same_as<Own, LTC<Scalar>> || std::same_as<Own, CfC<Scalar>> ||
                  std::same_as<Own, MixedLTC<Scalar>> || std::same_as<Own, MixedCfC<Scalar>>) {
      return make_network<Own>(own);
    } else {
      return make_network<AnyStack<Scalar>>(layer);
    }
  });
}

/// A copy of a network's model, as a layer.
template <typename Scalar>
AnyStack<Scalar> layer_of(const Network& network) {
  const std::any model = network.copy_of_model();
  std::optional<AnyStack<Scalar>> layer;
  const auto take = [&]<typename Model>(const Model* found) {
    if (found) layer.emplace(*found);
  };
  take(std::any_cast<LTC<Scalar>>(&model));
  take(std::any_cast<CfC<Scalar>>(&model));
  take(std::any_cast<MixedLTC<Scalar>>(&model));
  take(std::any_cast<MixedCfC<Scalar>>(&model));
  take(std::any_cast<AnyStack<Scalar>>(&model));
  if (!layer) detail::refuse("a stack: all layers must have the same dtype, float32 or float64");
  return *std::move(layer);
}

template <typename Scalar>
std::shared_ptr<Network> sequential_of(const Networks& networks) {
  std::vector<AnyStack<Scalar>> layers;
  for (const auto& network : networks) layers.push_back(layer_of<Scalar>(*network));
  return make_network<AnyStack<Scalar>>(AnyStack<Scalar>(std::move(layers)));
}
std::shared_ptr<Network> make_sequential(const Networks& networks) {
  if (networks.empty()) detail::refuse("Sequential: must have a layer, got none");
  return networks.front()->is_double() ? sequential_of<double>(networks) : sequential_of<float>(networks);
}

template <typename Scalar>
std::shared_ptr<Network> bidirectional_of(const Network& forward_layer, const Network& backward_layer) {
  return make_network<AnyStack<Scalar>>(
      AnyStack<Scalar>(layer_of<Scalar>(forward_layer), layer_of<Scalar>(backward_layer)));
}
std::shared_ptr<Network> make_bidirectional(const Network& forward_layer, const Network& backward_layer) {
  return forward_layer.is_double() ? bidirectional_of<double>(forward_layer, backward_layer)
                                   : bidirectional_of<float>(forward_layer, backward_layer);
}

template <typename Scalar>
Networks layers_in(const Network& network) {
  Networks layers;
  const std::any model = network.copy_of_model();
  if (const auto* const stack = std::any_cast<AnyStack<Scalar>>(&model)) {
    stack->visit([&]<typename Own>(const Own& own) {
      if constexpr (detail::LayerOfLayers<Own>) {
        own.for_each_layer(
            [&](const std::string&, const AnyStack<Scalar>& layer) { layers.push_back(network_of<Scalar>(layer)); });
      }
    });
  }
  return layers;
}
/// Copies of the layers of a stack; none for another model.
Networks layers_of(const Network& network) {
  return network.is_double() ? layers_in<double>(network) : layers_in<float>(network);
}

/// A layer that is no model of ncps. \tparam Layer  its template: `Dense`, `LSTM`, …
template <template <typename...> typename Layer, typename... Arguments>
std::shared_ptr<Network> make(bool is_double, const Arguments&... arguments) {
  return is_double ? make_network<AnyStack<double>>(AnyStack<double>(Layer<double>(arguments...)))
                   : make_network<AnyStack<float>>(AnyStack<float>(Layer<float>(arguments...)));
}
template <typename Scalar>
using DenseOf = Dense<Scalar>;

}  // namespace

void bind_stacks(nb::module_& module) {
  module.def("make_sequential", &make_sequential);
  module.def("make_bidirectional", &make_bidirectional);
  module.def("layers_of", &layers_of);
  module.def(
      "make_dense", [](bool is_double, int units, int input_dim, const std::string& activation, std::uint64_t seed) {
        const DenseOptions options{
            .activation = detail::value_in(detail::dense_activation_names, "activation", activation), .seed = seed};
        return make<DenseOf>(is_double, units, input_dim, options);
      });
  module.def("make_layer_norm", [](bool is_double, int features, double epsilon) {
    return make<LayerNorm>(is_double, features, LayerNormOptions{.epsilon = epsilon});
  });
  module.def("make_dropout", [](bool is_double, int features, double share, std::uint64_t seed) {
    return make<Dropout>(is_double, features, DropoutOptions{.share = share, .seed = seed});
  });
  module.def("make_lstm", [](bool is_double, int units, int input_dim, bool return_sequences, double forget_bias,
                             std::uint64_t seed) {
    const GatedOptions options{.return_sequences = return_sequences, .seed = seed, .forget_bias = forget_bias};
    return make<LSTM>(is_double, units, input_dim, options);
  });
  module.def("make_gru", [](bool is_double, int units, int input_dim, bool return_sequences, std::uint64_t seed) {
    return make<GRU>(is_double, units, input_dim, GatedOptions{.return_sequences = return_sequences, .seed = seed});
  });
}

}  // namespace elegans::python
