// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <elegans/core/activation.hpp>
#include <elegans/core/parameters.hpp>

#include "fuzz/differential/tape.hpp"

// The layers again, written from the equations in the manual: loops over scalars, one sample at a time, in double. Only
// names, shapes and options come from the library. Slow on purpose: each formula stands where a reader expects it.
namespace plain {

/// The parameters of a layer: a tensor by its name.
class Tensors {
 public:
  struct Tensor {
    const Number* start;
    std::size_t rows;
    const Number& operator()(std::size_t row, std::size_t column = 0) const { return start[row + rows * column]; }
  };

  Tensors(const elegans::ParameterList<>& list, const Vector& values, std::string prefix = "")
      : list_(&list), values_(&values), prefix_(std::move(prefix)) {}

  Tensor operator[](const std::string& name) const {
    const elegans::Parameter& entry = list_->at(prefix_ + name);
    return {values_->data() + entry.offset, static_cast<std::size_t>(entry.rows)};
  }
  /// The parameters of a layer within this one.
  [[nodiscard]] Tensors within(const std::string& prefix) const { return {*list_, *values_, prefix_ + prefix}; }

 private:
  const elegans::ParameterList<>* list_;
  const Vector* values_;
  std::string prefix_;
};

/// One sample's sequence.
struct Series {
  std::vector<Vector> x;     ///< per step
  Vector elapsed;            ///< per step
  std::vector<bool> exists;  ///< per step
};

class Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  [[nodiscard]] virtual std::size_t state_size() const = 0;
  [[nodiscard]] virtual bool returns_sequences() const { return true; }
  /// About how many operations a step takes.
  [[nodiscard]] virtual double cost() const = 0;
  /// The longest elapsed time for which the solver is stable.
  [[nodiscard]] virtual double longest_elapsed() const { return std::numeric_limits<double>::infinity(); }
  /// The names of the tensors whose values are clipped at 0.
  virtual void add_positive(const std::string& prefix, std::vector<std::string>& names) const {
    static_cast<void>(prefix);
    static_cast<void>(names);
  }
  /// The outputs, and the state after them.
  virtual std::vector<Vector> run(const Tensors& p, const Series& series, Vector& state) const = 0;
};

/// A layer that goes from state to state. A masked step leaves the state as it is.
class Recurrent : public Layer {
 public:
  explicit Recurrent(bool returns_sequences) : returns_sequences_(returns_sequences) {}

  [[nodiscard]] bool returns_sequences() const override { return returns_sequences_; }
  virtual void step(const Tensors& p, const Vector& x, const Number& elapsed, Vector& state) const = 0;
  [[nodiscard]] virtual Vector output(const Tensors& p, const Vector& state) const = 0;

  std::vector<Vector> run(const Tensors& p, const Series& series, Vector& state) const override {
    std::vector<Vector> y;
    for (std::size_t t = 0; t < series.x.size(); ++t) {
      if (series.exists[t]) step(p, series.x[t], series.elapsed[t], state);
      if (returns_sequences_ || t + 1 == series.x.size()) y.push_back(output(p, state));
    }
    return y;
  }

 private:
  bool returns_sequences_;
};

/// W x + b, for the tensors `<name>.weight` (outputs, inputs) and `<name>.bias`.
/// \param exists  (output, input) -> whether the weight counts
template <typename Exists>
Vector linear(const Tensors& p, const std::string& name, std::size_t outputs, const Vector& x, Exists exists) {
  const auto weight = p[name + "weight"], bias = p[name + "bias"];
  Vector y(outputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    y[o] = bias(o);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (exists(o, i)) y[o] += weight(o, i) * x[i];
    }
  }
  return y;
}
inline Vector linear(const Tensors& p, const std::string& name, std::size_t outputs, const Vector& x) {
  return linear(p, name, outputs, x, [](std::size_t, std::size_t) { return true; });
}

inline Number activate(elegans::Activation activation, const Number& z) {
  switch (activation) {
    case elegans::Activation::lecun_tanh:
      return 1.7159 * tanh(0.666 * z);
    case elegans::Activation::relu:
      return relu(z);
    case elegans::Activation::tanh:
      return tanh(z);
    case elegans::Activation::gelu:
      return gelu(z);
    case elegans::Activation::silu:
      return z * sigmoid(z);
    case elegans::Activation::sigmoid:
      return sigmoid(z);
    case elegans::Activation::linear:
      break;
  }
  return z;
}

/// Inputs of a masked step count as 0.
class Dense : public Layer {
 public:
  Dense(std::size_t units, std::size_t inputs, elegans::Activation activation)
      : units_(units), inputs_(inputs), activation_(activation) {}

  [[nodiscard]] std::size_t state_size() const override { return 0; }
  [[nodiscard]] double cost() const override { return 2.0 * static_cast<double>(units_ * (inputs_ + 2)); }
  std::vector<Vector> run(const Tensors& p, const Series& series, Vector&) const override {
    std::vector<Vector> y;
    for (std::size_t t = 0; t < series.x.size(); ++t) {
      y.push_back(linear(p, "", units_, series.exists[t] ? series.x[t] : Vector(inputs_)));
      for (Number& value : y.back()) value = activate(activation_, value);
    }
    return y;
  }

 private:
  std::size_t units_, inputs_;
  elegans::Activation activation_;
};

/// Layers in a layer. Their states lie side by side.
class Stack : public Layer {
 public:
  using Layers = std::vector<std::shared_ptr<const Layer>>;
  explicit Stack(Layers layers) : layers_(std::move(layers)) {}

  [[nodiscard]] std::size_t state_size() const override {
    std::size_t size = 0;
    for (const auto& layer : layers_) size += layer->state_size();
    return size;
  }
  [[nodiscard]] double cost() const override {
    double cost = 0;
    for (const auto& layer : layers_) cost += layer->cost();
    return cost;
  }
  [[nodiscard]] double longest_elapsed() const override {
    double longest = std::numeric_limits<double>::infinity();
    for (const auto& layer : layers_) longest = (std::min)(longest, layer->longest_elapsed());
    return longest;
  }
  void add_positive(const std::string& prefix, std::vector<std::string>& names) const override {
    for (std::size_t k = 0; k < layers_.size(); ++k) layers_[k]->add_positive(prefix + prefix_of(k), names);
  }

 protected:
  [[nodiscard]] virtual std::string prefix_of(std::size_t layer) const = 0;
  [[nodiscard]] const Layers& layers() const { return layers_; }
  /// Runs one layer on its part of the state, which starts at `first` and moves on.
  std::vector<Vector> run_layer(std::size_t k, const Tensors& p, const Series& series, Vector& state,
                                std::size_t& first) const {
    const auto begin = state.begin() + static_cast<std::ptrdiff_t>(first);
    Vector own(begin, begin + static_cast<std::ptrdiff_t>(layers_[k]->state_size()));
    auto y = layers_[k]->run(p.within(prefix_of(k)), series, own);
    std::copy(own.begin(), own.end(), begin);
    first += own.size();
    return y;
  }

 private:
  Layers layers_;
};

/// One layer after the other. Behind a layer that returns its last output only, there is one step of time 1.
class Sequential : public Stack {
 public:
  using Stack::Stack;

  [[nodiscard]] bool returns_sequences() const override {
    return std::all_of(layers().begin(), layers().end(), [](const auto& layer) { return layer->returns_sequences(); });
  }
  std::vector<Vector> run(const Tensors& p, const Series& series, Vector& state) const override {
    Series values = series;
    std::size_t first = 0;
    for (std::size_t k = 0; k < layers().size(); ++k) {
      values.x = run_layer(k, p, values, state, first);
      if (!layers()[k]->returns_sequences()) {
        values.elapsed = {Number(1)};
        values.exists = {true};
      }
    }
    return values.x;
  }

 protected:
  [[nodiscard]] std::string prefix_of(std::size_t layer) const override { return std::to_string(layer) + "."; }
};

/// Two layers, of which one reads from the last step to the first.
class Bidirectional : public Stack {
 public:
  using Stack::Stack;

  [[nodiscard]] bool returns_sequences() const override { return layers()[0]->returns_sequences(); }
  std::vector<Vector> run(const Tensors& p, const Series& series, Vector& state) const override {
    Series reversed = series;
    std::reverse(reversed.x.begin(), reversed.x.end());
    std::reverse(reversed.elapsed.begin(), reversed.elapsed.end());
    std::reverse(reversed.exists.begin(), reversed.exists.end());
    std::size_t first = 0;
    auto y = run_layer(0, p, series, state, first);
    auto behind = run_layer(1, p, reversed, state, first);
    std::reverse(behind.begin(), behind.end());
    for (std::size_t t = 0; t < y.size(); ++t) y[t].insert(y[t].end(), behind[t].begin(), behind[t].end());
    return y;
  }

 protected:
  [[nodiscard]] std::string prefix_of(std::size_t layer) const override {
    return layer == 0 ? "forward_layer." : "backward_layer.";
  }
};

}  // namespace plain
