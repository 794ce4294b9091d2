// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/random.hpp>
#include <elegans/wiring/wiring.hpp>

#include "fuzz/differential/draw.hpp"
#include "fuzz/differential/erased_layer.hpp"
#include "fuzz/differential/plain_cells.hpp"
#include "fuzz/differential/plain_layer.hpp"

/// A random layer of the library, and the same in plain loops.
template <typename Scalar>
struct DrawnLayer {
  ErasedLayer<Scalar> layer;
  std::shared_ptr<const plain::Layer> plain;
  std::string text;          ///< its type and options, to read
  bool has_dropout = false;  ///< training drops values that the plain loops keep
};

template <typename... Parts>
std::string text_of(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// A random wiring, built for a number of inputs. Its last layer is its motor neurons if `for_cfc`.
inline elegans::Wiring<> draw_wiring(Draw& draw, int inputs, int most_units, bool for_cfc, std::string& text) {
  const auto seed = static_cast<std::uint64_t>(draw.whole(0, 100000));
  const auto built = [&](auto wiring, const std::string& name) {
    wiring.build(inputs);
    text = text_of(name, ", units ", wiring.units(), ", outputs ", wiring.output_dim(), ", seed ", seed);
    return elegans::Wiring<>(wiring);
  };
  const int units = draw.whole(1, most_units);
  const int outputs = for_cfc ? units : draw.whole(1, units);
  switch (draw.whole(0, 4)) {
    case 0: {
      const bool self = draw.chance(0.7);
      return built(elegans::FullyConnected(units, outputs, {.seed = seed, .self_connections = self}),
                   text_of("FullyConnected, self_connections ", self));
    }
    case 1: {
      const double sparsity = draw.one_of({0.0, 0.3, 0.6, 0.8, 0.95});
      return built(elegans::Random(units, outputs, {.sparsity = sparsity, .seed = seed}),
                   text_of("Random, sparsity ", sparsity));
    }
    case 2: {
      const int command = draw.whole(1, 6), motor = draw.whole(1, 4);
      const int first = draw.whole(1, 6), second = draw.whole(1, 5);
      const bool two_layers = draw.chance(0.4);
      elegans::NCPOptions options{.inter_neurons = first,
                                  .command_neurons = command,
                                  .motor_neurons = motor,
                                  .sensory_fanout = draw.whole(1, first),
                                  .inter_fanout = draw.whole(1, command),
                                  .recurrent_command_synapses = draw.whole(0, 2 * command),
                                  .motor_fanin = draw.whole(1, command),
                                  .seed = seed};
      if (two_layers) {
        options.inter_neurons = {first, second};
        options.inter_fanout = {draw.whole(1, second), draw.whole(1, command)};
      }
      return built(elegans::NCP(options), text_of("NCP of ", two_layers ? 2 : 1, " inter layers"));
    }
    case 3: {
      const int many = draw.whole(5, (std::max)(5, most_units));
      const double sparsity = draw.one_of({0.1, 0.5, 0.9});
      return built(elegans::AutoNCP(many, draw.whole(1, many - 3), {.sparsity = sparsity, .seed = seed}),
                   text_of("AutoNCP, sparsity ", sparsity));
    }
    default:
      break;
  }
  // Any synapses, neurons without any among them.
  elegans::Wiring<> wiring(units, outputs);
  wiring.build(inputs);
  const double density = draw.one_of({0.1, 0.4, 0.9});
  for (int destination = 0; destination < units; ++destination) {
    for (int source = 0; source < units; ++source) {
      if (draw.chance(density)) wiring.add_synapse(source, destination, draw.one_of({-1, 1}));
    }
    for (int source = 0; source < inputs; ++source) {
      if (draw.chance(density)) wiring.add_sensory_synapse(source, destination, draw.one_of({-1, 1}));
    }
  }
  text = text_of("own wiring, density ", density, ", units ", units, ", outputs ", outputs);
  return wiring;
}

inline elegans::LTCOptions draw_ltc_options(Draw& draw, bool return_sequences, std::string& text) {
  using elegans::Mapping;
  using elegans::ODESolver;
  elegans::LTCOptions options;
  options.input_mapping = draw.one_of({Mapping::affine, Mapping::linear, Mapping::none});
  options.output_mapping = draw.one_of({Mapping::affine, Mapping::linear, Mapping::none});
  options.solver = draw.one_of({ODESolver::semi_implicit, ODESolver::semi_implicit, ODESolver::explicit_euler,
                                ODESolver::heun, ODESolver::runge_kutta});
  options.ode_unfolds = draw.whole(1, 7);
  options.epsilon = draw.one_of({1e-8, 1e-8, 0.0, 0.3});
  options.implicit_param_constraints = draw.chance(0.5);
  options.return_sequences = return_sequences;
  options.seed = draw.bits() % 1000;
  text = text_of("solver ", static_cast<int>(options.solver), ", unfolds ", options.ode_unfolds, ", mappings ",
                 static_cast<int>(options.input_mapping), " and ", static_cast<int>(options.output_mapping),
                 ", epsilon ", options.epsilon, options.implicit_param_constraints ? ", implicit" : ", explicit",
                 return_sequences ? "" : ", last output");
  return options;
}

inline elegans::CfCOptions draw_cfc_options(Draw& draw, bool return_sequences, std::string& text) {
  using elegans::Activation;
  using elegans::CfCMode;
  elegans::CfCOptions options;
  options.mode = draw.one_of({CfCMode::standard, CfCMode::pure, CfCMode::no_gate});
  options.activation =
      draw.one_of({Activation::lecun_tanh, Activation::relu, Activation::tanh, Activation::gelu, Activation::silu});
  options.backbone_units = draw.whole(1, 20);
  options.backbone_layers = draw.whole(0, 3);
  options.backbone_dropout = draw.chance(0.1) ? 0.3 : 0;
  options.proj_size = draw.chance(0.3) ? draw.whole(1, 4) : 0;
  options.return_sequences = return_sequences;
  options.seed = draw.bits() % 1000;
  if (options.mode != CfCMode::pure && draw.chance(0.3)) options.head_activation = Activation::lecun_tanh;
  if (draw.chance(0.3)) options.initial_values = elegans::InitialValues::keras;
  text = text_of("mode ", static_cast<int>(options.mode), ", activation ", static_cast<int>(options.activation),
                 ", of heads ", static_cast<int>(options.head_activation), ", backbone ", options.backbone_layers,
                 " of ", options.backbone_units, ", dropout ", options.backbone_dropout, ", proj_size ",
                 options.proj_size, return_sequences ? "" : ", last output");
  return options;
}

/// A random layer that is no stack.
template <typename Scalar>
DrawnLayer<Scalar> draw_single_layer(Draw& draw, int inputs, bool return_sequences) {
  std::string of_wiring, of_options;
  const auto text = [&](const char* name) {
    return text_of(name, "(", of_wiring, "; inputs ", inputs, "; ", of_options, ")");
  };
  const int kind = draw.whole(0, return_sequences ? 9 : 8);
  if (kind < 5) {
    const auto options = draw_ltc_options(draw, return_sequences, of_options);
    if (kind == 4) {
      constexpr int fixed_inputs = 3;
      if (inputs == fixed_inputs) {
        elegans::AutoNCP<9, 2, fixed_inputs> wiring({.seed = draw.bits() % 1000});
        wiring.build(fixed_inputs);
        of_wiring = "AutoNCP<9, 2>";
        return {{elegans::LTC<Scalar, elegans::AutoNCP<9, 2>, fixed_inputs>(wiring, options), true},
                std::make_shared<plain::LTC>(elegans::Wiring<>(wiring), options),
                text("LTC of fixed sizes")};
      }
    }
    const auto wiring = draw_wiring(draw, inputs, draw.one_of({4, 12, 40}), false, of_wiring);
    auto plain_ltc = std::make_shared<plain::LTC>(wiring, options);
    if (kind == 3) {
      return {{elegans::MixedLTC<Scalar>(wiring, inputs, options), true},
              std::make_shared<plain::Memory>(plain_ltc, plain::size(inputs)),
              text("MixedLTC")};
    }
    return {{elegans::LTC<Scalar>(wiring, inputs, options), true}, plain_ltc, text("LTC")};
  }
  if (kind < 9) {
    auto options = draw_cfc_options(draw, return_sequences, of_options);
    const bool is_mixed = kind == 8;
    if (kind == 5 || (is_mixed && draw.chance(0.5))) {
      options.backbone_dropout = 0;  // without a backbone there is none
      const auto wiring = draw_wiring(draw, inputs, draw.one_of({4, 12, 30}), true, of_wiring);
      auto plain_cfc = std::make_shared<plain::CfC>(wiring, options);
      if (is_mixed) {
        return {{elegans::MixedCfC<Scalar>(wiring, inputs, options), true},
                std::make_shared<plain::Memory>(plain_cfc, plain::size(inputs)),
                text("MixedCfC")};
      }
      return {{elegans::CfC<Scalar>(wiring, inputs, options), true}, plain_cfc, text("CfC")};
    }
    const int units = draw.whole(1, draw.one_of({4, 12, 40}));
    of_wiring = text_of("units ", units);
    const bool has_dropout = options.backbone_dropout > 0 && options.backbone_layers > 1;
    auto plain_cfc = std::make_shared<plain::CfC>(units, inputs, options);
    if (is_mixed) {
      return {{elegans::MixedCfC<Scalar>(units, inputs, options), true},
              std::make_shared<plain::Memory>(plain_cfc, plain::size(inputs)),
              text("MixedCfC"),
              has_dropout};
    }
    return {{elegans::CfC<Scalar>(units, inputs, options), true}, plain_cfc, text("CfC"), has_dropout};
  }
  using elegans::Activation;
  const auto activation = draw.one_of({Activation::linear, Activation::lecun_tanh, Activation::relu, Activation::tanh,
                                       Activation::gelu, Activation::silu, Activation::sigmoid});
  const int units = draw.whole(1, 20);
  of_wiring = text_of("units ", units);
  of_options = text_of("activation ", static_cast<int>(activation));
  return {{elegans::Dense<Scalar>(units, inputs, {.activation = activation, .seed = draw.bits() % 1000}), true},
          std::make_shared<plain::Dense>(plain::size(units), plain::size(inputs), activation),
          text("Dense")};
}

/// A random layer or stack.
///
/// \param depth  how many stacks may be within each other
template <typename Scalar>
DrawnLayer<Scalar> draw_layer(Draw& draw, int inputs, bool return_sequences, int depth) {
  using Erased = ErasedLayer<Scalar>;
  if (depth == 0 || draw.chance(0.6)) return draw_single_layer<Scalar>(draw, inputs, return_sequences);
  const auto next = [&](int of_inputs, bool of_return) {
    return draw_layer<Scalar>(draw, of_inputs, of_return, depth - 1);
  };
  const auto outputs_of = [](const auto& drawn) { return static_cast<int>(drawn.layer.output_dim()); };
  if (draw.chance(0.4)) {
    const auto a = next(inputs, return_sequences), b = next(inputs, return_sequences);
    return {{elegans::Bidirectional<Erased>(a.layer, b.layer), false},
            std::make_shared<plain::Bidirectional>(plain::Stack::Layers{a.plain, b.plain}),
            text_of("Bidirectional(", a.text, ", ", b.text, ")"),
            a.has_dropout || b.has_dropout};
  }
  // One of the layers returns its last output only if the stack does.
  const bool first_returns = return_sequences || draw.chance(0.5);
  const auto a = next(inputs, first_returns);
  if (draw.chance(0.5)) {
    const auto b = next(outputs_of(a), return_sequences || !first_returns);
    return {{elegans::Sequential<Erased, Erased>(a.layer, b.layer),
             a.layer.has_steps() && b.layer.has_steps() && first_returns},
            std::make_shared<plain::Sequential>(plain::Stack::Layers{a.plain, b.plain}),
            text_of("Sequential(", a.text, ", ", b.text, ")"),
            a.has_dropout || b.has_dropout};
  }
  const bool second_returns = return_sequences || !first_returns || draw.chance(0.5);
  const auto b = next(outputs_of(a), second_returns);
  const auto c = next(outputs_of(b), return_sequences || !first_returns || !second_returns);
  return {{elegans::Sequential<Erased, Erased, Erased>(a.layer, b.layer, c.layer),
           a.layer.has_steps() && b.layer.has_steps() && c.layer.has_steps() && first_returns && second_returns},
          std::make_shared<plain::Sequential>(plain::Stack::Layers{a.plain, b.plain, c.plain}),
          text_of("Sequential(", a.text, ", ", b.text, ", ", c.text, ")"),
          a.has_dropout || b.has_dropout || c.has_dropout};
}
