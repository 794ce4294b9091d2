// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <elegans/core/types.hpp>
#include <elegans/kernel/synapse/equation.hpp>
#include <elegans/kernel/synapse/single_drive.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// A synapse as it lies in the constants of a program: what a step needs of it. See `SynapseEquation`.
template <typename Scalar>
struct SynapseConstant {
  std::uint16_t source, destination;
  Scalar steepness, mu, w, w_erev;
};

/// All synapses of a drive, sorted by destination, then by source. They belong to somebody else.
template <typename Scalar>
struct SynapseConstants {
  const SynapseConstant<Scalar>* first = nullptr;
  Index count = 0;

  [[nodiscard]] const SynapseConstant<Scalar>* begin() const noexcept { return first; }
  [[nodiscard]] const SynapseConstant<Scalar>* end() const noexcept { return first + count; }
};

// mutate all: synapse.stream_drive
/// The drive of a stream's synapses, which are constants of the program. It computes what `SynapticDrive` does for a
/// single sample. This one is for targets with packets: it packs the synapses into memory of its own.
template <typename Scalar, int Sources, int Destinations, bool has_packets = (full_lanes<Scalar> > 1)>
class StreamDrive {
  using Single = SingleDrive<Scalar, Sources, Destinations>;

 public:
  using Scratch = typename Single::Scratch;

  explicit StreamDrive(const SynapseConstants<Scalar>& synapses) : single_(Polarity{synapses}) {
    single_.pack([&](Index i) {
      const auto& synapse = *find(synapses, i % Sources, i / Sources);
      // Only a backward pass needs sigma.
      return SynapseWeight<Scalar>{synapse.steepness, Scalar(0), synapse.mu, synapse.w, synapse.w_erev};
    });
  }

  void reserve(Scratch& scratch) const { single_.reserve(scratch); }

  /// As `SynapticDrive::forward`.
  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* v, bool finite, Scratch& scratch, const Begin& begin,
                                   const Finish& finish) const {
    single_.template forward<Lanes>(v, finite, scratch, nullptr, begin, finish);
  }

 private:
  /// The synapse from a source to a destination, or the end.
  [[nodiscard]] static const SynapseConstant<Scalar>* find(const SynapseConstants<Scalar>& synapses, Index source,
                                                           Index destination) {
    const auto* const found =
        std::lower_bound(synapses.begin(), synapses.end(), source, [=](const auto& synapse, Index wanted) {
          return synapse.destination != destination ? synapse.destination < destination : synapse.source < wanted;
        });
    const bool exists = found != synapses.end() && found->source == source && found->destination == destination;
    return exists ? found : synapses.end();
  }

  /// The synapses as a matrix: not 0 where there is one.
  struct Polarity {
    const SynapseConstants<Scalar>& synapses;

    [[nodiscard]] static constexpr Index rows() noexcept { return Sources; }
    [[nodiscard]] static constexpr Index cols() noexcept { return Destinations; }
    [[nodiscard]] int operator()(Index source, Index destination) const {
      return find(synapses, source, destination) != synapses.end();
    }
  };

  Single single_;
};

/// The drive for targets without packets, such as a microcontroller. It walks down the synapses where they lie, and
/// needs no memory.
template <typename Scalar, int Sources, int Destinations>
class StreamDrive<Scalar, Sources, Destinations, false> {
 public:
  struct Scratch {};

  explicit StreamDrive(const SynapseConstants<Scalar>& synapses) noexcept : synapses_(synapses) {}

  void reserve(Scratch&) const {}

  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* v, bool, Scratch&, const Begin& begin, const Finish& finish) const {
    using P = typename Lanes::Packet;
    static_assert(Lanes::lanes == 1);
    const SynapseConstant<Scalar>* synapse = synapses_.begin();
    const SynapseConstant<Scalar>* const end = synapses_.end();
    for (Index i = 0; i < Destinations; ++i) {
      auto [numerator, denominator] = begin(i);
      for (; synapse != end && synapse->destination == i; ++synapse) {
        const SynapseEquation<P> equation{P(synapse->steepness), P(synapse->mu), P(synapse->w), P(synapse->w_erev)};
        equation.drive(equation.template gate<Evaluation::shortest_chain>(P(v[synapse->source])), numerator,
                       denominator);
      }
      finish(i, numerator, denominator);
    }
  }

 private:
  SynapseConstants<Scalar> synapses_;
};

}  // namespace elegans::detail
