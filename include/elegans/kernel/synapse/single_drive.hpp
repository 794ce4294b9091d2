// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/core/tuning.hpp>
#include <elegans/kernel/synapse/dense_rows.hpp>
#include <elegans/kernel/synapse/list.hpp>
#include <elegans/kernel/synapse/slots.hpp>
#include <elegans/kernel/synapse/sparse_columns.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

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
    Buffer<Scalar, pad_neurons(Destinations)> numerator, denominator;  ///< for values that are not finite
  };
  struct Adjoint {
    typename Rows::Adjoint rows;
    typename Columns::Adjoint columns;
    Buffer<Scalar> a, b;  ///< for values that are not finite: of numerators and denominators
  };

  SingleDrive() = default;
  template <typename Matrix>
  explicit SingleDrive(const Matrix& polarity)
      : synapses_(polarity),
        is_dense_(prefers_rows(synapses_)),
        // Each is made in place: in a type of fixed sizes it is too large for a small stack.
        rows_(is_dense() ? Rows(synapses_) : Rows()),
        columns_(is_dense() ? Columns() : Columns(synapses_)) {
    is_dense() ? rows_.reserve() : columns_.reserve();
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
    const Index padded = pad_neurons(synapses_.destinations());
    for (auto* values : {&scratch.numerator, &scratch.denominator}) values->resize(padded);
  }
  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    for (auto* values : {&adjoint.a, &adjoint.b}) values->resize(pad_neurons(synapses_.destinations()));
    is_dense() ? rows_.template reset<Lanes>(adjoint.rows) : columns_.template reset<Lanes>(adjoint.columns);
  }

  /// As `BatchDrive::forward`. \param memory  where to record the pass: `record_size` values, or null
  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_STRONG_INLINE void forward(const Scalar* v, bool finite, Scratch& scratch, Scalar* memory, const Begin& begin,
                                   const Finish& finish) const {
    if (!finite) return forward_one_by_one<Lanes>(v, scratch, begin, finish);
    const Record record(memory, slot_count(), synapses_.destinations());
    if (is_dense()) {
      rows_.template forward<Lanes>(v, scratch.rows, record, begin, finish);
    } else {
      columns_.template forward<Lanes>(v, scratch.columns, record, begin, finish);
    }
  }

  /// As `BatchDrive::backward`. \param memory  where the forward pass recorded itself, or null
  template <LaneLayout Lanes, typename Begin, typename Respond>
  EIGEN_STRONG_INLINE void backward(const Scalar* v, bool finite, Scratch& scratch, Scalar* memory, const Begin& begin,
                                    const Respond& respond, Scalar* d_v, Adjoint& adjoint) const {
    if (!finite) return backward_one_by_one<Lanes>(v, scratch, begin, respond, d_v, adjoint);
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
  template <typename List>
  [[nodiscard]] static bool prefers_rows(const List& synapses) {
    const Index in_rows = Rows::slots_for(synapses);
    return always_dense || in_rows <= tuning::always_dense_slots ||
           in_rows <= tuning::dense_slots_per_sparse_slot * Columns::least_slots(synapses);
  }
  [[nodiscard]] Index slot_count() const noexcept { return is_dense() ? rows_.slot_count() : columns_.slot_count(); }

  // If a value is infinite or NaN, a slot without a synapse would turn it into NaN, because 0 times infinity is NaN. So
  // the functions below compute the existing synapses one by one. They record nothing.

  using P1 = Packet<Scalar, 1>;
  using Slots = SynapseSlots<Scalar>;

  /// Calls body(source, destination, parameters, offset) for each synapse.
  template <typename Body>
  void for_each_synapse(const Body& body) const {
    const Scalar* const parameters = is_dense() ? rows_.parameters() : columns_.parameters();
    for (Index s = 0; s < synapses_.count(); ++s) {
      const Index offset = Slots::offset(is_dense() ? rows_.slot_of(s) : columns_.slot_of(s));
      body(synapses_.source(s), synapses_.destination(s), parameters + offset, offset);
    }
  }

  template <LaneLayout Lanes, typename Begin, typename Finish>
  EIGEN_DONT_INLINE void forward_one_by_one(const Scalar* v, Scratch& scratch, const Begin& begin,
                                            const Finish& finish) const {
    using P = typename Lanes::Packet;
    const Index blocks = Lanes::blocks(synapses_.destinations());
    Scalar* const numerator = scratch.numerator.data();
    Scalar* const denominator = scratch.denominator.data();
    for (Index block = 0; block < blocks; ++block) {
      const std::pair<P, P> sums = begin(block);
      store(numerator + block * Lanes::lanes, sums.first);
      store(denominator + block * Lanes::lanes, sums.second);
    }
    for_each_synapse([=](int source, int destination, const Scalar* parameters, Index) {
      const auto synapse = Slots::template equation<P1>(parameters);
      P1 n(numerator[destination]), d(denominator[destination]);
      synapse.drive(synapse.template gate<Evaluation::shortest_chain>(P1(v[source])), n, d);
      store(numerator + destination, n);
      store(denominator + destination, d);
    });
    for (Index block = 0; block < blocks; ++block) {
      finish(block, load<P>(numerator + block * Lanes::lanes), load<P>(denominator + block * Lanes::lanes));
    }
  }

  template <LaneLayout Lanes, typename Begin, typename Respond>
  EIGEN_DONT_INLINE void backward_one_by_one(const Scalar* v, Scratch& scratch, const Begin& begin,
                                             const Respond& respond, Scalar* d_v, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    forward_one_by_one<Lanes>(v, scratch, begin, [&](Index block, const P& n, const P& d) {
      const std::pair<P, P> response = respond(block, n, d);
      store(adjoint.a.data() + block * Lanes::lanes, response.first);
      store(adjoint.b.data() + block * Lanes::lanes, response.second);
    });
    Scalar* const sums = is_dense() ? adjoint.rows.sums.data() : adjoint.columns.sums.data();
    for_each_synapse([&](int source, int destination, const Scalar* parameters, Index offset) {
      const P1 value(v[source]);
      const P1 gate = Slots::template equation<P1>(parameters).template gate<Evaluation::shortest_chain>(value);
      const P1 product = Slots::respond(parameters, sums + offset, gate, P1(adjoint.a[destination]),
                                        P1(adjoint.b[destination]), value);
      d_v[source] += product.native * (Scalar(1) / sigmoid_scale<Scalar>);
    });
  }

  SynapseList<Sources, Destinations, SynapseOrder::by_source> synapses_;
  bool is_dense_ = false;
  Rows rows_;
  Columns columns_;
};

}  // namespace elegans::detail
