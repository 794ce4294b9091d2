// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/options.hpp>
#include <elegans/cell/ltc/options.hpp>
#include <elegans/wiring/wiring.hpp>

#include "fuzz/differential/plain_layer.hpp"
#include "fuzz/differential/tape.hpp"

namespace plain {

inline std::size_t size(int count) { return static_cast<std::size_t>(count); }

/// Hasani et al., Liquid Time-constant Networks, AAAI 2021, with the names and the mappings of ncps.
class LTC : public Recurrent {
 public:
  /// \param wiring  built for its number of inputs
  LTC(elegans::Wiring<> wiring, const elegans::LTCOptions& options)
      : Recurrent(options.return_sequences), wiring_(std::move(wiring)), options_(options) {}

  [[nodiscard]] std::size_t state_size() const override { return size(wiring_.units()); }
  [[nodiscard]] double cost() const override {
    int stages = 1;
    if (options_.solver == elegans::ODESolver::heun) stages = 2;
    if (options_.solver == elegans::ODESolver::runge_kutta) stages = 4;
    return 7.0 * (wiring_.synapse_count() * options_.ode_unfolds * stages + wiring_.sensory_synapse_count()) + 20.0 +
           12.0 * wiring_.units() * options_.ode_unfolds * stages;
  }
  [[nodiscard]] double longest_elapsed() const override {
    if (options_.solver == elegans::ODESolver::semi_implicit) return Recurrent::longest_elapsed();
    return 0.1 * options_.ode_unfolds / (wiring_.units() + wiring_.input_dim() + 1);
  }
  void add_positive(const std::string& prefix, std::vector<std::string>& names) const override {
    if (options_.implicit_param_constraints) return;
    for (const char* name : {"w", "sensory_w", "cm", "gleak"}) names.push_back(prefix + name);
  }

  void step(const Tensors& p, const Vector& x, const Number& elapsed, Vector& v) const override {
    Vector u = x;
    for (std::size_t k = 0; k < u.size(); ++k) {
      if (options_.input_mapping != elegans::Mapping::none) u[k] = p["input_w"](k) * u[k];
      if (options_.input_mapping == elegans::Mapping::affine) u[k] += p["input_b"](k);
    }
    const std::size_t n = v.size();
    Sums sensory{Vector(n), Vector(n)};
    add_synapses(wiring_.sensory_adjacency_matrix(), p, "sensory_", u, sensory);

    const auto drive = [&](const Vector& at) {
      Sums sums = sensory;
      add_synapses(wiring_.adjacency_matrix(), p, "", at, sums);
      for (std::size_t i = 0; i < n; ++i) {
        const Number gleak = positive(p["gleak"](i));
        sums.numerator[i] += gleak * p["vleak"](i);
        sums.denominator[i] += gleak;
      }
      return sums;
    };
    const auto slope = [&](const Vector& at) {
      const Sums sums = drive(at);
      Vector k(n);
      for (std::size_t i = 0; i < n; ++i) {
        k[i] = (sums.numerator[i] - at[i] * sums.denominator[i]) / positive(p["cm"](i));
      }
      return k;
    };
    // v + h k
    const auto moved = [&](const Number& h, const Vector& k) {
      Vector to = v;
      for (std::size_t i = 0; i < n; ++i) to[i] += h * k[i];
      return to;
    };
    const Number h = elapsed / Number(options_.ode_unfolds);
    for (int l = 0; l < options_.ode_unfolds; ++l) {
      switch (options_.solver) {
        case elegans::ODESolver::semi_implicit: {
          const Sums sums = drive(v);
          for (std::size_t i = 0; i < n; ++i) {
            const Number cm = positive(p["cm"](i));
            v[i] = (cm * v[i] + h * sums.numerator[i]) / (cm + h * (sums.denominator[i] + options_.epsilon));
          }
          break;
        }
        case elegans::ODESolver::explicit_euler:
          v = moved(h, slope(v));
          break;
        case elegans::ODESolver::heun: {
          const Vector k1 = slope(v), k2 = slope(moved(h, k1));
          for (std::size_t i = 0; i < n; ++i) v[i] += h * (k1[i] + k2[i]) / 2.0;
          break;
        }
        case elegans::ODESolver::runge_kutta: {
          const Vector k1 = slope(v), k2 = slope(moved(h / 2.0, k1)), k3 = slope(moved(h / 2.0, k2));
          const Vector k4 = slope(moved(h, k3));
          for (std::size_t i = 0; i < n; ++i) v[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0;
          break;
        }
      }
    }
  }

  [[nodiscard]] Vector output(const Tensors& p, const Vector& v) const override {
    Vector y(v.begin(), v.begin() + wiring_.output_dim());
    for (std::size_t o = 0; o < y.size(); ++o) {
      if (options_.output_mapping != elegans::Mapping::none) y[o] = p["output_w"](o) * y[o];
      if (options_.output_mapping == elegans::Mapping::affine) y[o] += p["output_b"](o);
    }
    return y;
  }

 private:
  struct Sums {
    Vector numerator, denominator;
  };

  [[nodiscard]] Number positive(const Number& stored) const {
    return options_.implicit_param_constraints ? softplus(stored) : stored;
  }
  template <typename Matrix>
  void add_synapses(const Matrix& adjacency, const Tensors& p, const std::string& prefix, const Vector& from,
                    Sums& sums) const {
    const auto sigma = p[prefix + "sigma"], mu = p[prefix + "mu"], w = p[prefix + "w"], erev = p[prefix + "erev"];
    for (std::size_t j = 0; j < from.size(); ++j) {
      for (std::size_t i = 0; i < sums.numerator.size(); ++i) {
        if (adjacency(static_cast<int>(j), static_cast<int>(i)) == 0) continue;
        const Number current = positive(w(j, i)) * sigmoid(sigma(j, i) * (from[j] - mu(j, i)));
        sums.numerator[i] += current * erev(j, i);
        sums.denominator[i] += current;
      }
    }
  }

  elegans::Wiring<> wiring_;
  elegans::LTCOptions options_;
};

/// Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022, with the names of
/// ncps.
class CfC : public Recurrent {
 public:
  CfC(int units, int inputs, const elegans::CfCOptions& options)
      : Recurrent(options.return_sequences), options_(options), units_(size(units)) {
    blocks_.push_back({"", size(inputs), size(units), options.backbone_layers, {}});
  }
  /// One block per layer of the wiring.
  CfC(const elegans::Wiring<>& wiring, const elegans::CfCOptions& options)
      : Recurrent(options.return_sequences), options_(options), units_(size(wiring.units())) {
    std::vector<int> before;
    for (int layer = 0; layer < wiring.num_layers(); ++layer) {
      const std::vector<int> neurons = wiring.neurons_of_layer(layer);
      const std::size_t inputs = layer == 0 ? size(wiring.input_dim()) : before.size();
      Block block{"layer_" + std::to_string(layer) + ".", inputs, neurons.size(), 0, {}};
      for (const int neuron : neurons) {
        std::vector<bool> row(inputs + neurons.size(), true);  // the block itself is fully recurrent
        for (std::size_t i = 0; i < inputs; ++i) {
          row[i] = layer == 0 ? wiring.sensory_adjacency_matrix()(static_cast<int>(i), neuron) != 0
                              : wiring.adjacency_matrix()(before[i], neuron) != 0;
        }
        block.mask.push_back(row);
      }
      blocks_.push_back(block);
      before = neurons;
    }
  }

  [[nodiscard]] std::size_t state_size() const override { return units_; }
  [[nodiscard]] double cost() const override {
    double cost = 0;
    for (const Block& block : blocks_) {
      double features = static_cast<double>(block.inputs + block.units);
      for (int layer = 0; layer < block.backbone_layers; ++layer) {
        cost += options_.backbone_units * (2 * features + 8);
        features = options_.backbone_units;
      }
      cost += 8 * static_cast<double>(block.units) * (features + 3);
    }
    return cost + 2 * options_.proj_size * static_cast<double>(units_);
  }

  void step(const Tensors& p, const Vector& x, const Number& elapsed, Vector& state) const override {
    Vector fed = x;
    std::size_t first = 0;
    for (const Block& block : blocks_) {
      Vector in = fed;
      for (std::size_t i = 0; i < block.units; ++i) in.push_back(state[first + i]);
      fed = step_block(p.within(block.prefix), block, in, elapsed);
      for (std::size_t i = 0; i < block.units; ++i) state[first + i] = fed[i];
      first += block.units;
    }
  }

  [[nodiscard]] Vector output(const Tensors& p, const Vector& state) const override {
    const Vector last(state.end() - static_cast<std::ptrdiff_t>(blocks_.back().units), state.end());
    return options_.proj_size > 0 ? linear(p, "fc.", size(options_.proj_size), last) : last;
  }

 private:
  struct Block {
    std::string prefix;
    std::size_t inputs, units;
    int backbone_layers;
    std::vector<std::vector<bool>> mask;  ///< (units, inputs + units), of ff1 and ff2; empty for all
  };

  [[nodiscard]] Vector step_block(const Tensors& p, const Block& block, Vector x, const Number& elapsed) const {
    for (int layer = 0; layer < block.backbone_layers; ++layer) {
      // PyTorch counts the modules of its Sequential: a linear map, an activation and, from the second layer on, a
      // dropout if there is one.
      const int module = layer == 0 ? 0 : 2 + (layer - 1) * (options_.backbone_dropout > 0 ? 3 : 2);
      x = linear(p, "backbone." + std::to_string(module) + ".", size(options_.backbone_units), x);
      for (Number& value : x) value = activate(options_.activation, value);
    }
    const auto exists = [&](std::size_t o, std::size_t i) { return block.mask.empty() || block.mask[o][i]; };
    const Vector ff1 = linear(p, "ff1.", block.units, x, exists);
    Vector h(block.units);
    if (options_.mode == elegans::CfCMode::pure) {
      const auto w_tau = p["w_tau"], A = p["A"];
      for (std::size_t i = 0; i < block.units; ++i) {
        h[i] = -A(0, i) * exp(-elapsed * (abs(w_tau(0, i)) + abs(ff1[i]))) * ff1[i] + A(0, i);
      }
      return h;
    }
    const Vector ff2 = linear(p, "ff2.", block.units, x, exists);
    const Vector time_a = linear(p, "time_a.", block.units, x), time_b = linear(p, "time_b.", block.units, x);
    for (std::size_t i = 0; i < block.units; ++i) {
      const Number t = sigmoid(time_a[i] * elapsed + time_b[i]);
      const Number before = activate(options_.head_activation, ff1[i]);
      const Number after = activate(options_.head_activation, ff2[i]);
      h[i] = options_.mode == elegans::CfCMode::no_gate ? before + t * after : before * (1.0 - t) + t * after;
    }
    return h;
  }

  elegans::CfCOptions options_;
  std::size_t units_;
  std::vector<Block> blocks_;
};

/// An LSTM in front of another cell: it hands its hidden state to the cell as the state to start from.
class Memory : public Recurrent {
 public:
  explicit Memory(std::shared_ptr<const Recurrent> inner, std::size_t inputs)
      : Recurrent(inner->returns_sequences()), inner_(std::move(inner)), inputs_(inputs) {}

  [[nodiscard]] std::size_t state_size() const override { return 2 * inner_->state_size(); }
  [[nodiscard]] double cost() const override {
    const auto units = static_cast<double>(inner_->state_size());
    return inner_->cost() + 8 * units * (units + static_cast<double>(inputs_) + 3);
  }
  [[nodiscard]] double longest_elapsed() const override { return inner_->longest_elapsed(); }
  void add_positive(const std::string& prefix, std::vector<std::string>& names) const override {
    inner_->add_positive(prefix, names);
  }

  void step(const Tensors& p, const Vector& x, const Number& elapsed, Vector& state) const override {
    const std::size_t units = inner_->state_size();
    const auto input_map = p["lstm.input_map.weight"], bias = p["lstm.input_map.bias"],
               recurrent_map = p["lstm.recurrent_map.weight"];
    const auto gate = [&](std::size_t row) {
      Number z = bias(row);
      for (std::size_t k = 0; k < x.size(); ++k) z += input_map(row, k) * x[k];
      for (std::size_t k = 0; k < units; ++k) z += recurrent_map(row, k) * state[k];
      return z;
    };
    Vector h(units), c(units);
    for (std::size_t i = 0; i < units; ++i) {
      const Number input = tanh(gate(i)), input_gate = sigmoid(gate(units + i));
      const Number forget_gate = sigmoid(gate(2 * units + i) + 1.0), output_gate = sigmoid(gate(3 * units + i));
      c[i] = state[units + i] * forget_gate + input * input_gate;
      h[i] = tanh(c[i]) * output_gate;
    }
    inner_->step(p, x, elapsed, h);
    std::copy(h.begin(), h.end(), state.begin());
    std::copy(c.begin(), c.end(), state.begin() + static_cast<std::ptrdiff_t>(units));
  }

  [[nodiscard]] Vector output(const Tensors& p, const Vector& state) const override {
    return inner_->output(p, Vector(state.begin(), state.begin() + static_cast<std::ptrdiff_t>(inner_->state_size())));
  }

 private:
  std::shared_ptr<const Recurrent> inner_;
  std::size_t inputs_;
};

}  // namespace plain
