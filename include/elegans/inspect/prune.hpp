// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/softplus.hpp>
#include <elegans/core/types.hpp>
#include <elegans/wiring/concepts.hpp>

namespace elegans {

/// How to measure the strength of a synapse. w is its maximal conductance as the cell uses it. With implicit
/// constraints, that is the softplus of the stored value.
enum class SynapseStrength {
  conductance,  ///< w: a synapse of no conductance is one that does not exist
  current       ///< w |erev|: the current it can drive; one whose reversal potential is near 0 counts as weak, although
                ///< it leaks
};

/// Which synapses `prune` removes. Give either `count` or `fraction`.
struct PruneOptions {
  std::optional<int> count{};        ///< how many, in [0, synapses that there are to choose from]
  std::optional<double> fraction{};  ///< of those to choose from, in [0, 1]; rounded to the nearest number
  bool sensory = false;              ///< chooses among the synapses of the inputs too, not only those between neurons
  SynapseStrength strength = SynapseStrength::conductance;
  /// True: a motor neuron that the inputs reach stays reachable. A synapse on the last path to it is not removed, but a
  /// stronger synapse instead, if there is one. False: the weakest synapses are removed, whatever they cut off.
  bool keep_motor_inputs = true;
};

/// A model whose synapses can be pruned: `LTC` and `MixedLTC`.
template <typename M>
concept PrunableModel = requires(const M& model) {
  { model.wiring() } -> AnyWiring;
  { model.options().implicit_param_constraints } -> std::convertible_to<bool>;
  model.parameter("w");
  model.parameter("sensory_w");
  M(model.wiring(), 1, model.options());
};

namespace detail {

/// A synapse that `prune` may remove. The order is by strength, then those between neurons first, then by source, then
/// by destination.
struct PruneCandidate {
  double strength;
  bool sensory;
  int source;
  int destination;

  [[nodiscard]] auto order() const noexcept { return std::tuple(strength, sensory, source, destination); }
};

/// Says which neurons the inputs reach. For each of them it also stores the source of the synapse by which the search
/// reached it first: while these synapses stay, the neurons stay reachable.
template <AnyWiring W>
class Reach {
 public:
  explicit Reach(const W& wiring) : wiring_(wiring) { search(); }

  [[nodiscard]] bool reaches(int neuron) const noexcept { return by_[static_cast<std::size_t>(neuron)] != nobody; }
  [[nodiscard]] bool depends_on(const PruneCandidate& synapse) const noexcept {
    const int source = synapse.sensory ? -1 - synapse.source : synapse.source;
    return by_[static_cast<std::size_t>(synapse.destination)] == source;
  }
  /// Searches again. Call it after a change of the wiring.
  void search() {
    by_.assign(static_cast<std::size_t>(wiring_.units()), nobody);
    std::vector<int> found;
    const auto visit = [&](int source, int neuron, bool exists) {
      int& by = by_[static_cast<std::size_t>(neuron)];
      if (!exists || by != nobody) return;
      by = source;
      found.push_back(neuron);
    };
    for (int k = 0; k < wiring_.input_dim(); ++k) {
      for (int i = 0; i < wiring_.units(); ++i) visit(-1 - k, i, wiring_.sensory_adjacency_matrix()(k, i) != 0);
    }
    // NOLINTNEXTLINE(modernize-loop-convert): visit appends to what is walked.
    for (std::size_t next = 0; next < found.size(); ++next) {
      const int source = found[next];
      for (int i = 0; i < wiring_.units(); ++i) visit(source, i, wiring_.adjacency_matrix()(source, i) != 0);
    }
  }

 private:
  static constexpr int nobody = 1 << 30;

  const W& wiring_;
  std::vector<int> by_;  // a neuron, or -1 - input
};

/// The synapses to choose from, the weakest first.
template <typename Model>
std::vector<PruneCandidate> prune_candidates(const Model& model, const PruneOptions& options) {
  std::vector<PruneCandidate> candidates;
  const bool implicit = model.options().implicit_param_constraints;
  const auto add = [&](const auto& polarity, const std::string& prefix, bool sensory) {
    const auto w = model.parameter(prefix + "w");
    const auto erev = model.parameter(prefix + "erev");
    for (int s = 0; s < w.rows(); ++s) {
      for (int d = 0; d < w.cols(); ++d) {
        if (polarity(s, d) == 0) continue;
        auto strength = static_cast<double>(implicit ? softplus(w(s, d)) : w(s, d));
        if (options.strength == SynapseStrength::current) strength *= (std::abs)(static_cast<double>(erev(s, d)));
        if (!is_finite(strength)) {
          refuse("prune: the strength of the ", prefix.empty() ? "" : "sensory ", "synapse from ", s, " to ", d,
                 " must be finite, is ", strength);
        }
        candidates.push_back({strength, sensory, s, d});
      }
    }
  };
  add(model.wiring().adjacency_matrix(), "", false);
  if (options.sensory) add(model.wiring().sensory_adjacency_matrix(), "sensory_", true);
  std::sort(candidates.begin(), candidates.end(),
            [](const PruneCandidate& a, const PruneCandidate& b) { return a.order() < b.order(); });
  return candidates;
}

/// How many of the candidates to remove. \throws InvalidArgument if the options do not say, or ask for more than there
/// are
inline std::size_t prune_count(std::size_t candidates, const PruneOptions& options) {
  if (options.count.has_value() == options.fraction.has_value()) {
    refuse("prune: either count or fraction must be given, got ", options.count ? "both" : "neither");
  }
  if (options.count) {
    const int count = *options.count;
    if (count < 0 || std::cmp_greater(count, candidates)) {
      refuse("prune: count must be in [0, ", candidates, "], the synapses to choose from, got ", count);
    }
    return static_cast<std::size_t>(count);
  }
  const double fraction = *options.fraction;
  if (is_nan(fraction) || fraction < 0 || fraction > 1) refuse("prune: fraction must be in [0, 1], got ", fraction);
  return static_cast<std::size_t>(std::llround(fraction * static_cast<double>(candidates)));
}

}  // namespace detail

/// A copy of a model without its weakest synapses. They are missing from its wiring, so no step computes them any more.
/// All parameters keep their values, and training can go on from there.
///
///     auto smaller = elegans::prune(model, {.fraction = 0.5});
///     elegans::fit(smaller, x, y, elegans::Adam<float>({.learning_rate = 0.01f}), {.epochs = 100});
/// The outputs are those of the model with the removed synapses' w at 0 (implicit constraints: at minus infinity).
/// Tensors keep their shapes. Their values for a removed synapse have no influence and no gradient. Among synapses of
/// the same strength, those between neurons are removed before sensory ones, then those of the lower source, then those
/// of the lower destination.
///
/// \return a model of the same type; it may keep more synapses than asked for, if `keep_motor_inputs` is on and none of
///         the others can go: `model.wiring()` counts them
/// \throws InvalidArgument if neither or both of count and fraction are given, one is out of range, or a strength is
///                         not finite
template <PrunableModel Model>
[[nodiscard]] Model prune(const Model& model, const PruneOptions& options) {
  const auto candidates = detail::prune_candidates(model, options);
  std::size_t left = detail::prune_count(candidates.size(), options);
  auto wiring = model.wiring();
  const auto remove = [&](const detail::PruneCandidate& c) {
    c.sensory ? wiring.remove_sensory_synapse(c.source, c.destination) : wiring.remove_synapse(c.source, c.destination);
  };
  const auto put_back = [&](const detail::PruneCandidate& c) {
    if (c.sensory) {
      wiring.add_sensory_synapse(c.source, c.destination,
                                 model.wiring().sensory_adjacency_matrix()(c.source, c.destination));
    } else {
      wiring.add_synapse(c.source, c.destination, model.wiring().adjacency_matrix()(c.source, c.destination));
    }
  };
  detail::Reach reach(wiring);
  const detail::Reach before = reach;
  const auto all_reached = [&] {
    for (int i = 0; i < wiring.output_dim(); ++i) {
      if (before.reaches(i) && !reach.reaches(i)) return false;
    }
    return true;
  };
  for (const detail::PruneCandidate& candidate : candidates) {
    if (left == 0) break;
    remove(candidate);
    if (options.keep_motor_inputs && reach.depends_on(candidate)) {
      reach.search();
      if (!all_reached()) {
        put_back(candidate);
        reach.search();
        continue;
      }
    }
    --left;
  }
  Model pruned(wiring, wiring.input_dim(), model.options());
  pruned.set_parameters(model.parameters());
  return pruned;
}

}  // namespace elegans
