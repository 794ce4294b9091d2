// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>

#include <elegans/core/tuning.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

namespace detail {

// The lanes of a packet stand for samples or for neurons. A kernel that is written against the functions below runs on
// a batch, with one lane per sample, and on a single sample, with one lane per neuron. The values of n neurons are
// `blocks(n)` packets in a row.

/// Arrays with one value per neuron are padded to a multiple of this. It is a multiple of a packet's lanes on every
/// target.
inline constexpr int neuron_padding = 16;

constexpr int pad_neurons(int count) {
  return count == Dynamic ? Dynamic : (count + neuron_padding - 1) / neuron_padding * neuron_padding;
}
// Where Index is int, this is the same function.
template <std::same_as<Index> Size>
  requires(!std::same_as<Index, int>)
constexpr Index pad_neurons(Size count) {
  return (count + neuron_padding - 1) / neuron_padding * neuron_padding;
}

/// One packet per neuron. Its lanes are the samples of a batch.
template <typename ScalarType, int Count>
struct BatchLanes {
  using Scalar = ScalarType;
  using Packet = detail::Packet<Scalar, Count>;
  static constexpr bool single = false;
  static constexpr Index lanes = Count;
  static constexpr Index samples = lanes;
  /// Sums over samples run from lane first_summed to lane last_summed - 1.
  static constexpr Index first_summed = 0;
  static constexpr Index last_summed = lanes;

  static constexpr Index blocks(Index neurons) { return neurons; }
  /// The first neuron of a block.
  static constexpr Index neuron(Index block) { return block; }
  /// Index of the value of a neuron in a sample.
  static constexpr Index index(Index neuron, Index sample) { return neuron * lanes + sample; }
  /// A parameter of a block's neurons.
  static EIGEN_ALWAYS_INLINE Packet per_neuron(const Scalar* parameter, Index block) {
    return Packet(parameter[block]);
  }
  static EIGEN_ALWAYS_INLINE Packet per_sample(const Scalar* values) { return load<Packet>(values); }
  /// The sum over the samples of one neuron's values.
  static EIGEN_ALWAYS_INLINE Scalar sum_samples(const Scalar* values, Index neuron) {
    return sum(load<Packet>(values + neuron * lanes));
  }
  /// Adds the contribution of one block's neurons to each sample.
  static EIGEN_ALWAYS_INLINE void add_to_samples(Scalar* values, const Packet& contribution) {
    add_to(values, contribution);
  }
};

/// One half of the samples of a tile. Sums over them are rounded as in a tile of half the lanes.
///
/// \tparam Half  0 for the first half, 1 for the second
template <typename Lanes, int Half>
struct HalfOf : Lanes {
  using Scalar = typename Lanes::Scalar;
  static constexpr Index first_summed = Half * Lanes::lanes / 2;
  static constexpr Index last_summed = first_summed + Lanes::lanes / 2;

  static EIGEN_ALWAYS_INLINE Scalar sum_samples(const Scalar* values, Index neuron) {
    using HalfPacket = detail::Packet<Scalar, int{Lanes::lanes} / 2>;
    return sum(load<HalfPacket>(values + neuron * Lanes::lanes + first_summed));
  }
};

/// One sample. A packet's lanes are neighbouring neurons.
template <typename ScalarType, int Count>
struct NeuronLanes {
  using Scalar = ScalarType;
  using Packet = detail::Packet<Scalar, Count>;
  static constexpr bool single = true;
  static constexpr Index lanes = Count;
  static constexpr Index samples = 1;

  static constexpr Index blocks(Index neurons) { return (neurons + lanes - 1) / lanes; }
  static constexpr Index neuron(Index block) { return block * lanes; }
  static constexpr Index index(Index neuron, Index) { return neuron; }
  static EIGEN_ALWAYS_INLINE Packet per_neuron(const Scalar* parameter, Index block) {
    return load<Packet>(parameter + block * lanes);
  }
  static EIGEN_ALWAYS_INLINE Packet per_sample(const Scalar* value) { return Packet(*value); }
  static EIGEN_ALWAYS_INLINE Scalar sum_samples(const Scalar* values, Index neuron) { return values[neuron]; }
  static EIGEN_ALWAYS_INLINE void add_to_samples(Scalar* value, const Packet& contribution) {
    *value += sum(contribution);
  }
};

}  // namespace detail

/// How the values of a tile of samples lie in memory, and what a packet's lanes stand for: `detail::BatchLanes` or
/// `detail::NeuronLanes`. See simd/layout.hpp.
template <typename L>
concept LaneLayout = requires(typename L::Scalar* values, typename L::Packet packet) {
  { L::single } -> std::convertible_to<bool>;
  { L::lanes } -> std::convertible_to<Index>;
  { L::samples } -> std::convertible_to<Index>;
  { L::blocks(Index{}) } -> std::same_as<Index>;
  { L::neuron(Index{}) } -> std::same_as<Index>;
  { L::index(Index{}, Index{}) } -> std::same_as<Index>;
  { L::per_neuron(values, Index{}) } -> std::same_as<typename L::Packet>;
  { L::per_sample(values) } -> std::same_as<typename L::Packet>;
  { L::sum_samples(values, Index{}) } -> std::same_as<typename L::Scalar>;
  L::add_to_samples(values, packet);
};

namespace detail {

/// Covers the numbers 0 … count - 1 with groups: calls body<Count>(first) while a whole group fits, then does the same
/// with groups of half the size, down to one.
template <int Count, typename Body>
EIGEN_ALWAYS_INLINE void in_groups(Index count, Body&& body, Index i = 0) {
  for (; i + Count <= count; i += Count) body.template operator()<Count>(i);
  if constexpr (Count > 1) in_groups<Count / 2>(count, body, i);
}

/// Number of scalars in the packets that hold one value per neuron.
template <LaneLayout Lanes>
constexpr Index extent(Index neurons) {
  return Lanes::blocks(neurons) * Lanes::lanes;
}

/// Calls `body<count>()` with the largest number of lanes that a packet has and that is at most `lanes`.
template <typename Scalar, int Count = full_lanes<Scalar>, typename Body>
EIGEN_ALWAYS_INLINE decltype(auto) with_lane_count(Index lanes, Body&& body) {
  if constexpr (Count > fewest_lanes<Scalar>) {
    if (lanes < Count) return with_lane_count<Scalar, Count / 2>(lanes, body);
  }
  return body.template operator()<Count>();
}

/// Calls `body<Lanes>()` with the layout of a single sample of `units` neurons: the widest packets that waste few
/// lanes.
template <typename Scalar, typename Body>
EIGEN_ALWAYS_INLINE decltype(auto) with_neuron_lanes(Index units, Body&& body) {
  Index lanes = full_lanes<Scalar>;
  const auto wastes = [units](Index count) {
    return (units + count - 1) / count * count * (tuning::wasted_lanes_of - tuning::wasted_lanes) >
           units * tuning::wasted_lanes_of;
  };
  while (lanes > 1 && wastes(lanes)) lanes /= 2;
  return with_lane_count<Scalar>(
      lanes, [&]<int Count>() -> decltype(auto) { return body.template operator()<NeuronLanes<Scalar, Count>>(); });
}

/// Calls `body<Lanes>()` with the layout of `batch` samples of `units` neurons: the narrowest packet that holds the
/// batch, or the widest there is. For a single sample see `with_neuron_lanes`.
///
/// \param widest  the most lanes to use for a batch
template <typename Scalar, typename Body>
EIGEN_ALWAYS_INLINE decltype(auto) with_lanes(Index batch, Index units, Body&& body,
                                              Index widest = full_lanes<Scalar>) {
  if (batch == 1) return with_neuron_lanes<Scalar>(units, body);
  Index lanes = 1;
  while (lanes < batch && lanes < widest) lanes *= 2;
  return with_lane_count<Scalar>(
      lanes, [&]<int Count>() -> decltype(auto) { return body.template operator()<BatchLanes<Scalar, Count>>(); });
}

/// Copies the values of a tile's samples into their layout. Lanes without a sample become 0.
///
/// \param value  (sample, feature) -> value
template <LaneLayout Lanes, typename Value>
void to_lanes(Index features, Index samples, typename Lanes::Scalar* lanes, Value value) {
  using Scalar = typename Lanes::Scalar;
  for (Index f = 0; f < features; ++f) {
    for (Index b = 0; b < samples; ++b) lanes[Lanes::index(f, b)] = value(b, f);
    for (Index b = samples; b < Lanes::samples; ++b) lanes[Lanes::index(f, b)] = Scalar(0);
  }
}

/// Passes on each value of a tile's samples.
///
/// \param put  (sample, feature, value) -> void
template <LaneLayout Lanes, typename Put>
void from_lanes(Index features, Index samples, const typename Lanes::Scalar* lanes, Put put) {
  for (Index f = 0; f < features; ++f) {
    for (Index b = 0; b < samples; ++b) put(b, f, lanes[Lanes::index(f, b)]);
  }
}

}  // namespace detail
}  // namespace elegans
