// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <elegans/cell/ltc/cell.hpp>
#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/cell/ltc/solver.hpp>
#include <elegans/core/softplus.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/c_source/linear_maps.hpp>

namespace elegans::detail {

/// A synapse of an LTC as a device needs it: gate = 1 / (1 + 2^(slope source + offset)). The sigmoid's scale, the input
/// mapping and softplus are in the numbers already.
struct CSynapse {
  int source;
  double slope, offset;
  double w, erev;
};

/// The equation of an LTC's neurons, with everything in it that is known before a step.
///
///     v <- v + T (N - v D) / (cm + T D),   N = leak_n + sum w erev g,   D = leak_d + sum w g
///
/// with T the elapsed time and cm the capacitance times the number of sub-steps. This form of the fused solver adds a
/// small step to v: in float, it keeps digits that (cm v + h N) / (cm + h D) loses at small elapsed times.
struct CNeurons {
  struct Neuron {
    double leak_n, leak_d, cm;
    double low = 0, high = 0;  ///< hull of 0, vleak and the reversal potentials
    std::vector<CSynapse> sensory, recurrent;

    /// D with all gates open.
    [[nodiscard]] double largest_d() const {
      double sum = leak_d;
      for (const auto* synapses : {&sensory, &recurrent}) {
        for (const CSynapse& s : *synapses) sum += s.w;
      }
      return sum;
    }
  };

  std::vector<Neuron> neurons;
  std::vector<double> output_w, output_b;  ///< empty without an output mapping
  LTCOptions options;
  int inputs = 0, outputs = 0;
  bool is_convex = true;  ///< no conductance is negative, so that a state stays in its hull

  /// \param parameters  of the cell
  template <typename Cell>
  CNeurons(const Cell& cell, const double* parameters)
      : options(cell.options()), inputs(static_cast<int>(cell.input_dim())) {
    const LTCTensors<const double*> tensors(cell.parameters(), parameters);
    const bool implicit = options.implicit_param_constraints;
    const bool is_fused = options.solver == ODESolver::semi_implicit;
    const auto positive = [&](double value) { return implicit ? softplus(value) : value; };
    const auto& wiring = cell.wiring();
    const auto polarity = wiring.adjacency_matrix();
    const auto sensory = wiring.sensory_adjacency_matrix();
    for (Index i = 0; i < cell.units(); ++i) {
      const double gleak = positive(tensors.gleak[i]);
      Neuron neuron{
          gleak * tensors.vleak[i], gleak + (is_fused ? options.epsilon : 0), positive(tensors.cm[i]), 0, 0, {}, {}};
      widen(neuron, tensors.vleak[i]);
      is_convex = is_convex && gleak >= 0 && neuron.cm >= 0;
      for (Index k = 0; k < inputs; ++k) {
        if (sensory(k, i) == 0) continue;
        const double in_w = tensors.input_w ? tensors.input_w[k] : 1, in_b = tensors.input_b ? tensors.input_b[k] : 0;
        add(neuron, neuron.sensory, tensors.sensory, k, k + inputs * i, in_w, in_b, implicit);
      }
      for (Index j = 0; j < cell.units(); ++j) {
        if (polarity(j, i) != 0)
          add(neuron, neuron.recurrent, tensors.synapse, j, j + cell.units() * i, 1, 0, implicit);
      }
      neurons.push_back(std::move(neuron));
    }
    for (Index o = 0; o < cell.output_dim(); ++o) {
      if (tensors.output_w) output_w.push_back(tensors.output_w[o]);
      if (tensors.output_w) output_b.push_back(tensors.output_b ? tensors.output_b[o] : 0);
    }
    outputs = static_cast<int>(cell.output_dim());
  }

  [[nodiscard]] int units() const noexcept { return static_cast<int>(neurons.size()); }
  [[nodiscard]] double low() const {
    return std::min_element(neurons.begin(), neurons.end(), [](auto& a, auto& b) { return a.low < b.low; })->low;
  }
  [[nodiscard]] double high() const {
    return std::max_element(neurons.begin(), neurons.end(), [](auto& a, auto& b) { return a.high < b.high; })->high;
  }
  /// The largest |slope v + offset| of all synapses between neurons, for |v| up to a limit.
  [[nodiscard]] double largest_exponent(double limit) const {
    double largest = 0;
    for (const Neuron& neuron : neurons) {
      for (const CSynapse& s : neuron.recurrent) {
        largest = (std::max)(largest, std::fabs(s.slope) * limit + std::fabs(s.offset));
      }
    }
    return largest;
  }

 private:
  static void widen(Neuron& neuron, double potential) {
    neuron.low = (std::min)(neuron.low, potential);
    neuron.high = (std::max)(neuron.high, potential);
  }

  void add(Neuron& neuron, std::vector<CSynapse>& synapses, const SynapseTensors<const double*>& tensors, Index source,
           Index i, double in_w, double in_b, bool implicit) {
    const double w = implicit ? softplus(tensors.w[i]) : tensors.w[i];
    if (w == 0) return;  // pruned: it drives nothing
    const double slope = -log2_of_e * tensors.sigma[i];
    synapses.push_back({static_cast<int>(source), slope * in_w, slope * (in_b - tensors.mu[i]), w, tensors.erev[i]});
    widen(neuron, tensors.erev[i]);
    is_convex = is_convex && w >= 0;
  }
};

}  // namespace elegans::detail
