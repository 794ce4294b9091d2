// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include <elegans/core/finite.hpp>
#include <elegans/core/rounded.hpp>
#include <elegans/wiring/numpy_random.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

/// Options of a Random wiring.
struct RandomOptions {
  double sparsity = 0.0;      ///< fraction of synapses left out, in [0, 1); ncps calls it `sparsity_level`
  std::uint64_t seed = 1111;  ///< seed of synapses and polarities; ncps calls it `random_seed`
};

/// A wiring that chooses its synapses at random among all pairs: round(units^2 (1 - sparsity)) synapses between
/// neurons, and round(input_dim units (1 - sparsity)) from the inputs. Each synapse is excitatory with probability 2/3.
///
/// The matrices are those of `ncps.wirings.Random`, bit for bit.
///
/// \tparam Units, Outputs, Inputs  sizes, or Dynamic; with all three fixed a wiring uses no heap
template <int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class Random : public Wiring<Units, Outputs, Inputs> {
  using Base = Wiring<Units, Outputs, Inputs>;

 public:
  /// Draws the synapses between neurons. `build` draws those from the inputs.
  /// \throws InvalidArgument unless 1 <= output_dim <= units and 0 <= sparsity < 1, or if a size differs from a fixed
  /// one
  Random(int units, int output_dim, RandomOptions options = {})
      : Base(units, output_dim), options_(options), generator_(options.seed) {
    if (detail::is_nan(options.sparsity) || options.sparsity < 0.0 || options.sparsity >= 1.0) {
      detail::refuse("Random: sparsity must be in [0, 1), got ", options.sparsity);
    }
    Buffer<int, detail::multiply_sizes(Units, Units)> pairs;
    choose_pairs(units, pairs);
    // mutate: random.synapse
    for (const int pair : pairs) this->add_synapse(pair / units, pair % units, draw_polarity());
  }
  /// A wiring of motor neurons only.
  explicit Random(int units, RandomOptions options = {}) : Random(units, units, options) {}

  Random()
    requires(Units != Dynamic && Outputs != Dynamic)
      : Random(Units, Outputs) {}
  explicit Random(RandomOptions options)
    requires(Units != Dynamic && Outputs != Dynamic)
      : Random(Units, Outputs, options) {}

  [[nodiscard]] const RandomOptions& options() const& noexcept { return options_; }
  [[nodiscard]] RandomOptions options() const&& noexcept { return options_; }

  /// Sets the number of inputs and draws their synapses. A second call with the same number changes nothing, while ncps
  /// draws again.
  /// \throws InvalidArgument if input_dim is below 1, or differs from that of an earlier call
  void build(int input_dim) {
    if (!this->set_input_dim(input_dim)) return;
    Buffer<int, detail::multiply_sizes(Inputs, Units)> pairs;
    choose_pairs(input_dim, pairs);
    for (const int pair : pairs) {
      // mutate: random.polarity
      draw_polarity();  // ncps draws two polarities per sensory synapse, and the second one counts
      this->add_sensory_synapse(pair / this->units(), pair % this->units(), draw_polarity());
    }
  }

 private:
  /// Chooses the synapses that exist, as numbers source * units + destination.
  template <int Capacity>
  void choose_pairs(int sources, Buffer<int, Capacity>& pairs) {
    const int population = sources * this->units();
    // A half is rounded to the even number, as in numpy.
    // mutate: random.count
    const double count = std::nearbyint(detail::rounded(population * (1.0 - options_.sparsity)));
    generator_.choice(population, static_cast<int>(count), pairs);
  }
  // mutate: random.polarities
  int draw_polarity() { return generator_.choice({-1, 1, 1}); }

  RandomOptions options_;
  numpy::Generator generator_;  // a member, because `build` goes on where the constructor stopped
};

Random(int, int, RandomOptions = {}) -> Random<>;
Random(int, RandomOptions = {}) -> Random<>;

}  // namespace elegans
