// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/core/types.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// What the lanes of a packet stand for. A kernel that is written against these functions runs on a batch, a
// lane a sample, and on a single sample, a lane a neuron. Values of n neurons are `blocks(n)` packets in a row.

/// Every multiple of a packet's lanes on any target: per-neuron arrays are padded to it.
inline constexpr int neuron_padding = 16;

constexpr int pad_neurons(int count) {
  return count == Dynamic ? Dynamic : (count + neuron_padding - 1) / neuron_padding * neuron_padding;
}

constexpr Index pad_neurons(Index count) { return (count + neuron_padding - 1) / neuron_padding * neuron_padding; }

/// One packet a neuron; its lanes are the samples of a batch.
template <typename ScalarType, int Count>
struct BatchLanes {
  using Scalar = ScalarType;
  using Packet = detail::Packet<Scalar, Count>;
  static constexpr bool single = false;
  static constexpr Index lanes = Count;
  static constexpr Index samples = lanes;
  /// The samples over which sums are.
  static constexpr Index first_summed = 0;
  static constexpr Index last_summed = lanes;

  static constexpr Index blocks(Index neurons) { return neurons; }
  /// The first neuron of a block.
  static constexpr Index neuron(Index block) { return block; }
  static constexpr Index at(Index neuron, Index sample) { return neuron * lanes + sample; }
  static EIGEN_STRONG_INLINE Packet per_neuron(const Scalar* parameter, Index block) {
    return broadcast<Packet>(parameter[block]);
  }
  static EIGEN_STRONG_INLINE Packet per_sample(const Scalar* values) { return load<Packet>(values); }
  /// Sum over the samples of one neuron's values.
  static EIGEN_STRONG_INLINE Scalar sum_samples(const Scalar* values, Index neuron) {
    return Eigen::internal::predux(load<Packet>(values + neuron * lanes));
  }
  /// Adds what the neurons of one block contribute to each sample.
  static EIGEN_STRONG_INLINE void add_to_samples(Scalar* values, const Packet& contribution) {
    add_to<Packet>(values, contribution);
  }
};

/// One half of the samples of a tile: what is summed over them is rounded as in a tile of half the lanes.
template <typename Lanes, int Half>
struct HalfOf : Lanes {
  using Scalar = typename Lanes::Scalar;
  static constexpr Index first_summed = Half * Lanes::lanes / 2;
  static constexpr Index last_summed = first_summed + Lanes::lanes / 2;

  static EIGEN_STRONG_INLINE Scalar sum_samples(const Scalar* values, Index neuron) {
    using HalfPacket = detail::Packet<Scalar, int{Lanes::lanes} / 2>;
    return Eigen::internal::predux(load<HalfPacket>(values + neuron * Lanes::lanes + first_summed));
  }
};

/// One sample; a packet's lanes are neurons that follow each other.
template <typename ScalarType, int Count>
struct NeuronLanes {
  using Scalar = ScalarType;
  using Packet = detail::Packet<Scalar, Count>;
  static constexpr bool single = true;
  static constexpr Index lanes = Count;
  static constexpr Index samples = 1;

  static constexpr Index blocks(Index neurons) { return (neurons + lanes - 1) / lanes; }
  static constexpr Index neuron(Index block) { return block * lanes; }
  static constexpr Index at(Index neuron, Index) { return neuron; }
  static EIGEN_STRONG_INLINE Packet per_neuron(const Scalar* parameter, Index block) {
    return load<Packet>(parameter + block * lanes);
  }
  static EIGEN_STRONG_INLINE Packet per_sample(const Scalar* value) { return broadcast<Packet>(*value); }
  static EIGEN_STRONG_INLINE Scalar sum_samples(const Scalar* values, Index neuron) { return values[neuron]; }
  static EIGEN_STRONG_INLINE void add_to_samples(Scalar* value, const Packet& contribution) {
    *value += Eigen::internal::predux(contribution);
  }
};

/// body<Count>(first) as often as that fits, then with half as many, down to one.
template <int Count, typename Body>
EIGEN_STRONG_INLINE void in_groups(Index count, Body&& body, Index i = 0) {
  for (; i + Count <= count; i += Count) body.template operator()<Count>(i);
  if constexpr (Count > 1) in_groups<Count / 2>(count, body, i);
}

/// The number of scalars that hold n neurons' values.
template <typename Lanes>
constexpr Index extent(Index neurons) {
  return Lanes::blocks(neurons) * Lanes::lanes;
}

/// Calls `body<count>()` with the largest number of lanes that a packet has and that is at most `lanes`.
template <typename Scalar, int Count = full_lanes<Scalar>, typename Body>
EIGEN_STRONG_INLINE decltype(auto) with_lane_count(Index lanes, Body&& body) {
  if constexpr (Count > fewest_lanes<Scalar>) {
    if (lanes < Count) return with_lane_count<Scalar, Count / 2>(lanes, body);
  }
  return body.template operator()<Count>();
}

/// Calls `body<Lanes>()` with the lanes for a single sample: the widest that waste at most a fifth of themselves on
/// `units` neurons.
template <typename Scalar, typename Body>
EIGEN_STRONG_INLINE decltype(auto) with_neuron_lanes(Index units, Body&& body) {
  Index lanes = full_lanes<Scalar>;
  while (lanes > 1 && (units + lanes - 1) / lanes * lanes * 5 > units * 6) lanes /= 2;
  return with_lane_count<Scalar>(
      lanes, [&]<int Count>() -> decltype(auto) { return body.template operator()<NeuronLanes<Scalar, Count>>(); });
}

/// Calls `body<Lanes>()` with the kind of lanes that suits a batch of that many samples, of that many neurons: the
/// narrowest packet that holds the batch, or the widest there is; for one sample, see `with_neuron_lanes`.
///
/// \param widest  the most lanes to use for a batch, see `tile_lanes`
template <typename Scalar, typename Body>
EIGEN_STRONG_INLINE decltype(auto) with_lanes(Index batch, Index units, Body&& body,
                                              Index widest = full_lanes<Scalar>) {
  if (batch == 1) return with_neuron_lanes<Scalar>(units, body);
  Index lanes = 1;
  while (lanes < batch && lanes < widest) lanes *= 2;
  return with_lane_count<Scalar>(
      lanes, [&]<int Count>() -> decltype(auto) { return body.template operator()<BatchLanes<Scalar, Count>>(); });
}

/// The most samples in a tile of a batch: a packet's, but no more than 8 where there would be a single tile otherwise,
/// so that there is work for two cores from 16 samples on. It must not depend on how many cores there are, as the sums
/// of a gradient are rounded tile by tile. (Full is in its name, as it differs from target to target.)
template <typename Scalar, int Full = full_lanes<Scalar>>
constexpr Index tile_lanes(Index batch) {
  return batch < Index{2} * Full ? std::min<Index>(Full, 8) : Full;
}

/// Moves the values of a tile's samples, (samples, features) with `value(sample, feature)`, into lanes; lanes without a
/// sample are 0.
template <typename Lanes, typename Value>
void to_lanes(Index features, Index samples, typename Lanes::Scalar* lanes, Value value) {
  using Scalar = typename Lanes::Scalar;
  for (Index f = 0; f < features; ++f) {
    for (Index b = 0; b < samples; ++b) lanes[Lanes::at(f, b)] = value(b, f);
    for (Index b = samples; b < Lanes::samples; ++b) lanes[Lanes::at(f, b)] = Scalar(0);
  }
}

}  // namespace elegans::detail
