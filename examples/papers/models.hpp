// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/initial_values.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "task.hpp"

namespace papers {

/// Puts a dense layer behind a layer, with Keras' initial values.
template <typename Layer>
Model with_dense(Layer layer, int outputs, std::uint64_t seed) {
  const auto inputs = static_cast<int>(layer.output_dim());
  std::vector<Model> layers;
  layers.emplace_back(std::move(layer));
  layers.emplace_back(
      elegans::Dense<Scalar>(outputs, inputs, {.seed = seed, .initial_values = elegans::InitialValues::keras}));
  return Model(std::move(layers));
}

/// Gives each synapse of an LTC a polarity by the toss of a coin, as the papers' code does. ncps makes two of three
/// excitatory.
inline void toss_polarities(elegans::LTC<Scalar>& ltc, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  ltc.update([&](elegans::VectorView<Scalar> all) {
    for (const char* name : {"erev", "sensory_erev"}) {
      const elegans::Parameter& entry = ltc.parameter_list().at(name);
      for (Index i = entry.offset; i < entry.offset + entry.size(); ++i) {
        if (all[i] != 0) all[i] = random() >> 63 ? Scalar(1) : Scalar(-1);
      }
    }
  });
}

/// The paper's initial values of an LTC. They are for an elapsed time of 6, one per sub-step: the paper's code does not
/// divide by elapsed times.
inline elegans::LTCOptions paper_ltc_options(bool last_only, std::uint64_t seed) {
  return {.output_mapping = elegans::Mapping::none,
          .epsilon = 0,
          .return_sequences = !last_only,
          .seed = seed,
          .initialization = {
              .gleak = {1, 1}, .vleak = {-0.2, 0.2}, .cm = {0.5, 0.5}, .w = {0.01, 1}, .sensory_w = {0.01, 1}}};
}
inline constexpr double paper_elapsed_time = 6;

/// The contenders of the paper on LTC, with the published rows that there are, by name. All of them have 32 neurons.
///
/// \param ltc_rate  learning rate of LTCs
/// \param last_only whether the last step alone has a target
inline std::vector<Contender> ltc_paper_contenders(int inputs, int outputs, double ltc_rate, bool last_only,
                                                   const std::map<std::string, Published>& published,
                                                   const TaskOptions& options) {
  const int units = options.units > 0 ? options.units : 32;
  const auto row = [&](const std::string& name) -> std::optional<Published> {
    const auto found = published.find(name);
    return found == published.end() ? std::nullopt : std::optional(found->second);
  };
  const Training training{.learning_rate = ltc_rate, .elapsed_scale = paper_elapsed_time};
  std::vector<Contender> all;
  all.push_back({"ltc",
                 [=](std::uint64_t seed) {
                   elegans::LTC<Scalar> ltc(elegans::FullyConnected(units, units), inputs,
                                            paper_ltc_options(last_only, seed));
                   toss_polarities(ltc, seed);
                   return with_dense(std::move(ltc), outputs, seed);
                 },
                 training, row("ltc")});
  all.push_back({"ncp",
                 [=](std::uint64_t seed) {
                   const elegans::AutoNCP wiring(units, std::max(units / 4, 1), {.seed = seed});
                   return with_dense(elegans::LTC<Scalar>(wiring, inputs, paper_ltc_options(last_only, seed)), outputs,
                                     seed);
                 },
                 training});
  all.push_back({"lstm",
                 [=](std::uint64_t seed) {
                   return with_dense(elegans::LSTM<Scalar>(units, inputs,
                                                           {.return_sequences = !last_only,
                                                            .seed = seed,
                                                            .initial_values = elegans::InitialValues::keras,
                                                            .forget_bias = 1}),
                                     outputs, seed);
                 },
                 {},
                 row("lstm")});
  all.push_back({"cfc",
                 [=](std::uint64_t seed) {
                   return with_dense(
                       elegans::CfC<Scalar>(units, inputs, {.return_sequences = !last_only, .seed = seed}), outputs,
                       seed);
                 },
                 {}});
  return all;
}

/// The paper's CfC: what its code has and ncps has not.
inline elegans::CfCOptions paper_cfc_options(elegans::CfCMode mode, elegans::Activation activation, int backbone_units,
                                             int backbone_layers, double dropout, bool last_only, std::uint64_t seed) {
  return {
      .mode = mode,
      .activation = activation,
      .backbone_units = backbone_units,
      .backbone_layers = backbone_layers,
      .backbone_dropout = dropout,
      .return_sequences = !last_only,
      .seed = seed,
      .head_activation = mode == elegans::CfCMode::pure ? elegans::Activation::tanh : elegans::Activation::lecun_tanh,
      .dropout_behind_first_layer = true,
      .initial_values = elegans::InitialValues::keras};
}

/// The paper's CfC with a dense layer behind it. \param options  of the CfC, whatever the seed
inline Contender paper_cfc(const char* name, int neurons, int inputs, int outputs, const elegans::CfCOptions& options,
                           const Training& training, const Published& published) {
  return {name,
          [=](std::uint64_t seed) {
            elegans::CfCOptions of_seed = options;
            of_seed.seed = seed;
            return with_dense(elegans::CfC<Scalar>(neurons, inputs, of_seed), outputs, seed);
          },
          training, published};
}

/// The settings of a training of the paper on CfC. \param norm  the largest norm of a tensor's gradient
inline Training cfc_paper_training(double rate, double decay, Index batch, double norm, double l2) {
  return {.learning_rate = rate,
          .epsilon = elegans::keras_epsilon,
          .decay = decay,
          .tensor_norm = norm,
          .kernel_l2 = l2,
          .batch_size = batch,
          .drop_last = false};
}

/// The memory of the paper's CfC. \param forget_bias  the whole of it
inline elegans::MemoryOptions paper_memory_options(double forget_bias) {
  return {.initial_values = elegans::InitialValues::keras, .forget_bias = forget_bias};
}

}  // namespace papers
