// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/tuning.hpp>
#include <elegans/kernel/synapse/dense_rows.hpp>
#include <elegans/kernel/synapse/list.hpp>
#include <elegans/kernel/synapse/slots.hpp>
#include <elegans/kernel/synapse/sparse_columns.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

/// The drive of a single sample's synapses: a packet's lanes are neurons. The synapses are stored as `DenseRows` or as
/// `SparseColumns`, depending on how many slots each would need.
template <typename Scalar, int Sources, int Destinations>
class SingleDrive {
  /// True if the fixed sizes are so small that the choice is always rows. Then the columns take no memory.
  static constexpr bool always_dense = Sources != Dynamic && Destinations != Dynamic &&
                                       multiply_sizes(Sources, pad_neurons(Destinations)) <= tuning::always_dense_slots;

  using Rows = DenseRows<Scalar, Sources, Destinations>;
  using Columns = SparseColumns<Scalar, always_dense ? 0 : Sources, always_dense ? 0 : Destinations>;
  using Record = PassRecord<Scalar>;

 public:
  struct Scratch {
    typename Rows::Scratch rows;
    typename Columns::Scratch columns;
  };
  struct Adjoint {
    typename Rows::Adjoint rows;
    typename Columns::Adjoint columns;
  };

  SingleDrive() = default;
  template <typename Matrix>
  explicit SingleDrive(const Matrix& polarity) : synapses_(polarity), rows_(synapses_) {
    is_dense_ = always_dense || rows_.slot_count() <= tuning::always_dense_slots ||
                rows_.slot_count() <= tuning::dense_slots_per_sparse_slot * Columns::least_slots(synapses_);
    if (is_dense()) {
      rows_.reserve();
    } else {
      columns_ = Columns(synapses_);
      columns_.reserve();
    }
  }

  /// As `BatchDrive::pack`.
  template <typename WeightOf>
  void pack(const WeightOf& weight_of) {
    for (Index s = 0; s < synapses_.count(); ++s) {
      const auto weight = weight_of(synapses_.tensor_index(s));
      is_dense() ? rows_.pack(s, weight) : columns_.pack(s, weight);
    }
  }

  /// Number of values that a forward pass may record for its adjoint.
  [[nodiscard]] Index record_size() const noexcept { return Record::size(slot_count(), synapses_.destinations()); }

  void reserve(Scratch& scratch) const {
    if (!is_dense()) columns_.reserve(scratch.columns);
  }
  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    is_dense() ? rows_.template reset<Lanes>(adjoint.rows) : columns_.template reset<Lanes>(adjoint.columns);
  }

  /// As `BatchDrive::forward`. \param memory  where to record the pass: `record_size` values, or null
  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* v, Scratch& scratch, Scalar* memory, const Begin& begin,
                                   const Finish& finish) const {
    const Record record(memory, slot_count(), synapses_.destinations());
    if (is_dense()) {
      rows_.template forward<Lanes>(v, scratch.rows, record, begin, finish);
    } else {
      columns_.template forward<Lanes>(v, scratch.columns, record, begin, finish);
    }
  }

  /// As `BatchDrive::backward`. \param memory  where the forward pass recorded itself, or null
  template <LaneLayout Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* v, Scratch& scratch, Scalar* memory, const Begin& begin,
                                    const Respond& respond, Scalar* d_v, Adjoint& adjoint) const {
    const Record record(memory, slot_count(), synapses_.destinations());
    if (is_dense()) {
      rows_.template backward<Lanes>(v, scratch.rows, record, begin, respond, d_v, adjoint.rows);
    } else {
      columns_.template backward<Lanes>(v, scratch.columns, record, begin, respond, d_v, adjoint.columns);
    }
  }

  /// As `BatchDrive::collect`.
  template <typename Add>
  void collect(const Adjoint& adjoint, const Add& add) const {
    for (Index s = 0; s < synapses_.count(); ++s) {
      add(synapses_.tensor_index(s),
          is_dense() ? adjoint.rows.sums.sums(rows_.slot_of(s)) : adjoint.columns.sums.sums(columns_.slot_of(s)));
    }
  }

 private:
  [[nodiscard]] bool is_dense() const noexcept { return always_dense || is_dense_; }
  [[nodiscard]] Index slot_count() const noexcept { return is_dense() ? rows_.slot_count() : columns_.slot_count(); }

  SynapseList<Sources, Destinations, SynapseOrder::by_source> synapses_;
  bool is_dense_ = false;
  Rows rows_;
  Columns columns_;
};

}  // namespace elegans::detail
