// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The network of the tutorial for a web page: it learns while one watches. page.html draws what these functions give.
// Compiled to WebAssembly by the target `elegans_live`. Compiled for this machine, it prints the losses of a training,
// with which a test compares those of the page.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include <elegans/inspect/hidden_states.hpp>
#include <elegans/inspect/time_constants.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/train_step.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/random.hpp>

#ifdef __wasm__
#define LIVE_EXPORT(name) __attribute__((used, export_name(#name)))
#else
#define LIVE_EXPORT(name)
#endif

namespace {

using elegans::Index;
using Matrix = Eigen::ArrayXXf;

constexpr int steps = 48, inputs = 2;

/// A network, its task and its training.
class Live {
 public:
  Live(const elegans::Wiring<>& wiring, std::uint64_t seed)
      : wiring_(wiring), model_(wiring, {.seed = seed}), x_(steps, 1, inputs), y_(steps, 1, 1) {
    const auto angle = Eigen::ArrayXf::LinSpaced(steps, 0, 3 * std::numbers::pi_v<float>);
    for (Index t = 0; t < steps; ++t) {
      x_(t, 0, 0) = std::sin(angle[t]);
      x_(t, 0, 1) = std::cos(angle[t]);
    }
    set_frequency(2);
  }

  /// The target: a sine of so many times the input's frequency.
  void set_frequency(float factor) {
    const auto angle = Eigen::ArrayXf::LinSpaced(steps, 0, 3 * std::numbers::pi_v<float>);
    for (Index t = 0; t < steps; ++t) y_(t, 0, 0) = std::sin(factor * angle[t]);
  }
  void set_learning_rate(float rate) { adam_.set_learning_rate(rate); }

  /// \return the loss before the last step
  float train(int count) {
    float loss = 0;
    for (int k = 0; k < count; ++k) loss = elegans::train_step(model_, x_, y_, adam_, workspace_);
    return loss;
  }

  /// Removes a synapse, and goes on with the other weights as they are.
  void cut(int source, int destination, bool sensory) {
    if (sensory) {
      wiring_.remove_sensory_synapse(source, destination);
    } else {
      wiring_.remove_synapse(source, destination);
    }
    elegans::LTC<float> pruned(wiring_);
    pruned.set_parameters(model_.parameters());
    model_ = std::move(pruned);
  }

  /// Computes what the page draws.
  void look() {
    prediction_ = model_(x_);
    states_ = elegans::hidden_states(model_, x_);
    time_constants_ = elegans::time_constants(model_, x_);
  }

  [[nodiscard]] const elegans::Wiring<>& wiring() const { return wiring_; }
  [[nodiscard]] const elegans::LTC<float>& model() const { return model_; }
  [[nodiscard]] const float* target() const { return y_.values().data(); }
  [[nodiscard]] const float* prediction() const { return prediction_.values().data(); }
  [[nodiscard]] const float* states() const { return states_.values().data(); }
  [[nodiscard]] const float* time_constants() const { return time_constants_.values().data(); }

 private:
  elegans::Wiring<> wiring_;
  elegans::LTC<float> model_;
  elegans::Adam<float> adam_{{.learning_rate = 0.01}};
  elegans::TrainStepWorkspace<float> workspace_;
  elegans::Sequence<float> x_, y_, prediction_, states_, time_constants_;
};

std::optional<Live> live;

const auto& tensor(int k) { return live->model().parameter_list().begin()[k]; }

/// Builds a wiring of a kind with a motor neuron, and copies it into the general type.
elegans::Wiring<> wiring_of(int kind, int units, double sparsity, std::uint64_t seed) {
  const auto built = [](auto wiring) {
    wiring.build(inputs);
    return elegans::Wiring<>(wiring);
  };
  if (kind == 0) return built(elegans::FullyConnected(units, 1, {.seed = seed}));
  if (kind == 1) return built(elegans::Random(units, 1, {.sparsity = sparsity, .seed = seed}));
  return built(elegans::AutoNCP(units, 1, {.sparsity = sparsity, .seed = seed}));
}

}  // namespace

extern "C" {

/// \param kind  0 for FullyConnected, 1 for Random, 2 for AutoNCP
LIVE_EXPORT(setup) void setup(int kind, int units, double sparsity, int seed) {
  live.emplace(wiring_of(kind, units, sparsity, static_cast<std::uint64_t>(seed)), static_cast<std::uint64_t>(seed));
}
LIVE_EXPORT(set_frequency) void set_frequency(float factor) { live->set_frequency(factor); }
LIVE_EXPORT(set_learning_rate) void set_learning_rate(float rate) { live->set_learning_rate(rate); }
LIVE_EXPORT(train) float train(int count) { return live->train(count); }
LIVE_EXPORT(cut) void cut(int source, int destination, int sensory) { live->cut(source, destination, sensory != 0); }
LIVE_EXPORT(look) void look() { live->look(); }

LIVE_EXPORT(polarity) int polarity(int source, int destination) {
  return live->wiring().adjacency_matrix()(source, destination);
}
LIVE_EXPORT(sensory_polarity) int sensory_polarity(int source, int destination) {
  return live->wiring().sensory_adjacency_matrix()(source, destination);
}
/// 0 for a motor neuron, 1 for a command neuron, 2 for an inter neuron.
LIVE_EXPORT(neuron_type) int neuron_type(int neuron) {
  const auto type = live->wiring().neuron_type(neuron);
  return type == elegans::NeuronType::motor ? 0 : type == elegans::NeuronType::command ? 1 : 2;
}

// Arrays of (48) values, or of (units, 48).
LIVE_EXPORT(target) const float* target() { return live->target(); }
LIVE_EXPORT(prediction) const float* prediction() { return live->prediction(); }
LIVE_EXPORT(states) const float* states() { return live->states(); }
LIVE_EXPORT(time_constants) const float* time_constants() { return live->time_constants(); }

// The tensors of the model: (rows, columns), column by column.
LIVE_EXPORT(tensor_count) int tensor_count() { return static_cast<int>(live->model().parameter_list().size()); }
LIVE_EXPORT(tensor_name) const char* tensor_name(int k) {
  static std::string name;
  name = tensor(k).name;
  return name.c_str();
}
LIVE_EXPORT(tensor_rows) int tensor_rows(int k) { return static_cast<int>(tensor(k).rows); }
LIVE_EXPORT(tensor_columns) int tensor_columns(int k) { return static_cast<int>(tensor(k).columns); }
LIVE_EXPORT(tensor_values) const float* tensor_values(int k) {
  return live->model().parameters().data() + tensor(k).offset;
}

}  // extern "C"

#ifndef __wasm__
int main() {
  for (int kind = 0; kind < 3; ++kind) {
    setup(kind, 8, 0.5, 7);
    for (int k = 0; k < 4; ++k) std::printf("%d %.9g\n", kind, static_cast<double>(train(50)));
  }
  return 0;
}
#endif
