// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// mutate all: synapse.slots
/// Four values per synapse, for a single sample: the packed parameters, or the sums of the adjoint. Each synapse has
/// one slot, and sixteen slots form a line. A line holds the first value of all its slots, then the second value of
/// all, and so on. A slot without a synapse has parameters of 0.
template <typename Scalar, int Capacity = Dynamic>
class SynapseSlots {
 public:
  /// Slots per line.
  static constexpr Index line = neuron_padding;
  /// Values per line, of all kinds.
  static constexpr Index line_size = 4 * line;
  /// Offsets in a line at which each of the four values begins: of parameters, and of sums.
  static constexpr Index steepness = 0, mu = line, w = 2 * line, w_erev = 3 * line;
  static constexpr Index gate_a = 0, gate_b = line, slope = 2 * line, slope_v = 3 * line;

  void resize(Index count) { values_.resize(4 * count); }
  void clear() { std::fill_n(values_.data(), values_.size(), Scalar(0)); }
  [[nodiscard]] Scalar* data() noexcept { return values_.data(); }
  [[nodiscard]] const Scalar* data() const noexcept { return values_.data(); }

  /// Index of the first value of a slot.
  ///
  /// \tparam Lanes  lanes of the packets in which the caller walks over the slots
  template <Index Lanes = 1>
  [[nodiscard]] static constexpr Index offset(Index slot) noexcept {
    if constexpr (Lanes == line) return slot * (line_size / line);
    const auto within = static_cast<Index>(static_cast<std::size_t>(slot) % std::size_t{line});
    return (slot - within) * (line_size / line) + within;
  }

  /// The synapses of a packet of slots. \param parameters  at their `offset`
  template <typename P>
  [[nodiscard]] static EIGEN_ALWAYS_INLINE SynapseEquation<P> equation(const Scalar* parameters) {
    return {load<P>(parameters + steepness), load<P>(parameters + mu), load<P>(parameters + w),
            load<P>(parameters + w_erev)};
  }

  /// The adjoint of a packet of slots: adds to their sums.
  ///
  /// \param a, b  adjoints of the destinations' numerators and denominators
  /// \param v     values of the sources
  /// \return the adjoints of the sources, times sigmoid_scale
  template <typename P>
  [[nodiscard]] static EIGEN_ALWAYS_INLINE P respond(const Scalar* parameters, Scalar* sums, const P& gate, const P& a,
                                                     const P& b, const P& v) {
    const P d_z = equation<P>(parameters).d_z(gate, a, b);
    add_product_to(sums + gate_a, gate, a);
    add_product_to(sums + gate_b, gate, b);
    add_to(sums + slope, d_z);
    add_product_to(sums + slope_v, d_z, v);
    return load<P>(parameters + steepness) * d_z;
  }

  void pack(Index slot, const SynapseWeight<Scalar>& weight) {
    Scalar* const values = values_.data() + offset(slot);
    values[steepness] = weight.steepness;
    values[mu] = weight.mu;
    values[w] = weight.w;
    values[w_erev] = weight.w_erev;
  }
  [[nodiscard]] SynapseSums<Scalar> sums(Index slot) const {
    const Scalar* const values = values_.data() + offset(slot);
    return {values[gate_a], values[gate_b], values[slope], values[slope_v]};
  }

 private:
  Buffer<Scalar, multiply_sizes(Capacity, 4)> values_;
};

/// The values that a forward pass over the synapses of a single sample records for its adjoint. The memory belongs to
/// somebody else. Without memory nothing is recorded, and the adjoint computes the values again.
template <typename Scalar>
struct PassRecord {
  Scalar* gates = nullptr;        ///< one per slot
  Scalar* numerator = nullptr;    ///< of each destination, whole packets
  Scalar* denominator = nullptr;  ///< likewise

  PassRecord() = default;
  /// \param memory  room for `size(slot_count, destinations)` values, or null
  PassRecord(Scalar* memory, Index slot_count, Index destinations) {
    if (!memory) return;
    gates = memory;
    numerator = memory + slot_count;
    denominator = numerator + pad_neurons(destinations);
  }
  [[nodiscard]] static Index size(Index slot_count, Index destinations) {
    return slot_count + 2 * pad_neurons(destinations);
  }

  explicit operator bool() const noexcept { return gates != nullptr; }
};

}  // namespace elegans::detail
