// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include <elegans/wiring/numpy_random.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

struct RandomOptions {
  double sparsity = 0.0;      ///< fraction of synapses left out, in [0, 1); ncps' `sparsity_level`
  std::uint64_t seed = 1111;  ///< of synapses and polarities; ncps' `random_seed`
};

/// Synapses strewn evenly: round(units^2 (1 - sparsity)) of them between neurons, round(input_dim units
/// (1 - sparsity)) from the inputs; two of three are excitatory.
///
/// The same matrices as `ncps.wirings.Random`, bit for bit.
///
/// \tparam Units, Outputs, Inputs  sizes, or Dynamic; with all three fixed a wiring uses no heap
template <int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class Random : public Wiring<Units, Outputs, Inputs> {
  using Base = Wiring<Units, Outputs, Inputs>;

 public:
  /// A wiring whose synapses between neurons are drawn here, those from the inputs in `build`.
  /// \throws InvalidArgument unless 1 <= output_dim <= units and 0 <= sparsity < 1, or if a size differs from a fixed
  /// one
  Random(int units, int output_dim, RandomOptions options = {})
      : Base(units, output_dim), options_(options), generator_(options.seed) {
    if (!(options.sparsity >= 0.0 && options.sparsity < 1.0)) {
      detail::refuse("Random: sparsity must be in [0, 1), got ", options.sparsity);
    }
    Buffer<int, detail::multiply_sizes(Units, Units)> pairs;
    choose_pairs(units, pairs);
    // mutate: random.synapse
    for (const int pair : pairs) this->add_synapse(pair / units, pair % units, draw_polarity());
  }
  /// All neurons are motor neurons.
  explicit Random(int units, RandomOptions options = {}) : Random(units, units, options) {}

  Random()
    requires(Units != Dynamic && Outputs != Dynamic)
      : Random(Units, Outputs) {}
  explicit Random(RandomOptions options)
    requires(Units != Dynamic && Outputs != Dynamic)
      : Random(Units, Outputs, options) {}

  [[nodiscard]] const RandomOptions& options() const noexcept { return options_; }

  /// Tells the number of inputs and draws their synapses, once; a second call with the same number changes nothing
  /// (ncps would draw again).
  /// \throws InvalidArgument if below 1, or if another number was given before
  void build(int input_dim) {
    if (!this->set_input_dim(input_dim)) return;
    Buffer<int, detail::multiply_sizes(Inputs, Units)> pairs;
    choose_pairs(input_dim, pairs);
    for (const int pair : pairs) {
      // mutate: random.polarity
      draw_polarity();  // ncps sets every sensory synapse twice: the second polarity stays
      this->add_sensory_synapse(pair / this->units(), pair % this->units(), draw_polarity());
    }
  }

 private:
  /// Numbers source * units + destination of the synapses that are to exist.
  template <int Capacity>
  void choose_pairs(int sources, Buffer<int, Capacity>& pairs) {
    const int population = sources * this->units();
    // Half a synapse goes to the even number, as in numpy.
    // mutate: random.count
    const double count = std::nearbyint(population * (1.0 - options_.sparsity));
    generator_.choice(population, static_cast<int>(count), pairs);
  }
  // mutate: random.polarities
  int draw_polarity() { return generator_.choice({-1, 1, 1}); }

  RandomOptions options_;
  numpy::Generator generator_;  // kept, since `build` goes on where construction stopped
};

Random(int, int, RandomOptions = {}) -> Random<>;
Random(int, RandomOptions = {}) -> Random<>;

}  // namespace elegans
