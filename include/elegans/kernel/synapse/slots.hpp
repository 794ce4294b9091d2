// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// What single samples keep of each synapse: four weights, or four sums of the adjoint. Synapses have slots, 16 of them
/// in a row, in which all values of a kind lie side by side. A slot without a synapse has weights of 0.
template <typename Scalar, int Capacity = Dynamic>
class SynapseSlots {
 public:
  /// Slots in a row.
  static constexpr Index row = neuron_padding;
  /// Values in a row, of all kinds.
  static constexpr Index stride = 4 * row;
  /// The kinds: where their values begin in a row.
  static constexpr Index steepness = 0, mu = row, w = 2 * row, w_erev = 3 * row;
  static constexpr Index gate_a = 0, gate_b = row, slope = 2 * row, slope_v = 3 * row;

  void resize(Index slots) { values_.resize(4 * slots); }
  [[nodiscard]] Scalar* data() noexcept { return values_.data(); }
  [[nodiscard]] const Scalar* data() const noexcept { return values_.data(); }

  /// The gates of a packet of slots, from the values of their sources.
  template <typename P>
  [[nodiscard]] static EIGEN_STRONG_INLINE P gate(const Scalar* weights, const P& v) {
    using namespace Eigen::internal;
    const P above = psub(v, load<P>(weights + mu));
    return sigmoid_of_scaled<P, Evaluation::shortest_chain>(pmul(load<P>(weights + steepness), above));
  }

  /// The adjoint of a packet of slots: adds to their sums.
  ///
  /// \param a, b  adjoints of their destinations' numerators and denominators
  /// \return what goes back to their sources, times sigmoid_scale
  template <typename P>
  [[nodiscard]] static EIGEN_STRONG_INLINE P respond(const Scalar* weights, Scalar* sums, const P& gate, const P& a,
                                                     const P& b, const P& v) {
    using namespace Eigen::internal;
    const P d_gate = pmadd(load<P>(weights + w_erev), a, pmul(load<P>(weights + w), b));
    const P d_z = pmul(d_gate, pmul(gate, psub(broadcast<P>(Scalar(1)), gate)));
    add_product_to<P>(sums + gate_a, gate, a);
    add_product_to<P>(sums + gate_b, gate, b);
    add_to<P>(sums + slope, d_z);
    add_product_to<P>(sums + slope_v, d_z, v);
    return pmul(load<P>(weights + steepness), d_z);
  }

  void pack(Index slot, const SynapseWeight<Scalar>& weight) {
    Scalar* const values = values_.data() + place(slot);
    values[steepness] = weight.steepness;
    values[mu] = weight.mu;
    values[w] = weight.w;
    values[w_erev] = weight.w_erev;
  }
  void clear() {
    for (Index i = 0; i < values_.size(); ++i) values_[i] = Scalar(0);
  }
  [[nodiscard]] SynapseSums<Scalar> sums(Index slot) const {
    const Scalar* const values = values_.data() + place(slot);
    return {values[gate_a], values[gate_b], values[slope], values[slope_v]};
  }

  /// Where a slot's values begin. \tparam Lanes  if slots come in whole packets, their lanes
  template <Index Lanes = 1>
  [[nodiscard]] static constexpr Index place(Index slot) noexcept {
    if constexpr (Lanes == row) return slot * (stride / row);
    const auto within = static_cast<Index>(static_cast<std::size_t>(slot) % std::size_t{row});
    return (slot - within) * (stride / row) + within;
  }

 private:
  Buffer<Scalar, multiply_sizes(Capacity, 4)> values_;
};

/// What a pass over the synapses leaves for its adjoint, in memory that is somewhere else, or nowhere.
template <typename Scalar>
struct KeptPass {
  Scalar* gates = nullptr;        ///< in slots
  Scalar* numerator = nullptr;    ///< of each destination, whole packets
  Scalar* denominator = nullptr;  ///< likewise

  explicit operator bool() const noexcept { return gates != nullptr; }
};

}  // namespace elegans::detail
