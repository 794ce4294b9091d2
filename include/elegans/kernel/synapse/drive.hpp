// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/kernel/synapse/batch_drive.hpp>
#include <elegans/kernel/synapse/single_drive.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

/// The drive of a set of synapses: what they add to the numerators and denominators of their destinations, and the
/// adjoint of that. The class has one kernel for a batch and one for a single sample, and the layout decides which of
/// them runs. For the equation see `SynapseEquation`.
template <typename Scalar, int Sources, int Destinations>
class SynapticDrive {
  using Batch = BatchDrive<Scalar, Sources, Destinations>;
  using Single = SingleDrive<Scalar, Sources, Destinations>;

 public:
  using Scratch = typename Single::Scratch;
  struct Adjoint {
    typename Batch::Adjoint batch;
    typename Single::Adjoint single;
  };

  SynapticDrive() = default;
  /// \param polarity  (sources, destinations), not 0 where there is a synapse
  template <typename Matrix>
  explicit SynapticDrive(const Matrix& polarity) : batch_(polarity), single_(polarity) {}

  /// Packs new parameters, for batches or for single samples.
  ///
  /// \param weight_of  index in a (sources, destinations) tensor -> SynapseWeight
  template <typename WeightOf>
  void pack(bool single, const WeightOf& weight_of) {
    single ? single_.pack(weight_of) : batch_.pack(weight_of);
  }

  /// Number of values that a forward pass may record for its adjoint; 0 for a batch, whose gates would take more memory
  /// than everything else together.
  template <LaneLayout Lanes>
  [[nodiscard]] Index record_size() const noexcept {
    return Lanes::single ? single_.record_size() : 0;
  }

  template <LaneLayout Lanes>
  void reserve(Scratch& scratch) const {
    if constexpr (Lanes::single) single_.reserve(scratch);
  }
  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    if constexpr (Lanes::single) {
      single_.template reset<Lanes>(adjoint.single);
    } else {
      batch_.template reset<Lanes>(adjoint.batch);
    }
  }

  /// \param v       values of the sources
  /// \param finite  whether all of them are finite
  /// \param record  where to record the pass: `record_size` values, or null
  /// \param begin   block of destinations -> numerator and denominator without these synapses, a pair of packets
  /// \param finish  (block, numerator, denominator) -> void
  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* v, [[maybe_unused]] bool finite, [[maybe_unused]] Scratch& scratch,
                                   [[maybe_unused]] Scalar* record, const Begin& begin, const Finish& finish) const {
    if constexpr (Lanes::single) {
      single_.template forward<Lanes>(v, finite, scratch, record, begin, finish);
    } else {
      batch_.template forward<Lanes>(v, begin, finish);
    }
  }

  /// \param record   where the forward pass recorded itself, or null: the pass is then computed again
  /// \param respond  (block, numerator, denominator) -> their adjoints a and b, a pair of packets
  /// \param d_v      adjoints of the sources, added to. A single sample's are added after all calls of `respond`
  template <LaneLayout Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* v, [[maybe_unused]] bool finite, [[maybe_unused]] Scratch& scratch,
                                    [[maybe_unused]] Scalar* record, const Begin& begin, const Respond& respond,
                                    Scalar* d_v, Adjoint& adjoint) const {
    if constexpr (Lanes::single) {
      single_.template backward<Lanes>(v, finite, scratch, record, begin, respond, d_v, adjoint.single);
    } else {
      batch_.template backward<Lanes>(v, begin, respond, d_v, adjoint.batch);
    }
  }

  /// Passes on the sums of every synapse.
  ///
  /// \param add  (index in a (sources, destinations) tensor, SynapseSums) -> void
  template <LaneLayout Lanes, typename Add>
  void collect(const Adjoint& adjoint, const Add& add) const {
    if constexpr (Lanes::single) {
      single_.collect(adjoint.single, add);
    } else {
      batch_.template collect<Lanes>(adjoint.batch, add);
    }
  }

 private:
  Batch batch_;
  Single single_;
};

}  // namespace elegans::detail
