// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/solver.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/synapse/stream_drive.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

namespace detail {

/// What an LTC computes with, as constants of a program: the parameters after all constraints. Each array is as long as
/// `pad_neurons` says.
template <typename Scalar>
struct LTCConstants {
  const Scalar* cm;                                       ///< 1 behind the last neuron
  const Scalar *leak_numerator, *leak_denominator;        ///< gleak vleak, gleak + epsilon
  const Scalar *input_w, *input_b, *output_w, *output_b;  ///< of the mappings; 1 and 0 where there is none
  SynapseConstants<Scalar> synapses, sensory_synapses;
};

// mutate all: ltc.membrane_view
/// The membranes of an LTC's neurons for a single stream, on constants: see `Membrane`.
template <typename Scalar, int Units, int Inputs>
class MembraneView {
  using Synapses = StreamDrive<Scalar, Units, Units>;
  using Sensory = StreamDrive<Scalar, Inputs, Units>;

 public:
  struct Scratch {
    Buffer<Scalar, pad_neurons(Units)> numerator, denominator;  ///< leak and sensory drive
    bool inputs_finite = true, all_finite = true;               ///< of this step: u; u and the potentials
    typename Synapses::Scratch synapse;
    typename Sensory::Scratch sensory;
  };

  explicit MembraneView(const LTCConstants<Scalar>& constants)
      : constants_(&constants), synapse_(constants.synapses), sensory_(constants.sensory_synapses) {}

  [[nodiscard]] static constexpr Index units() noexcept { return Units; }
  /// A stream records nothing.
  template <LaneLayout>
  [[nodiscard]] static constexpr Index record_size() noexcept {
    return 0;
  }
  void reserve(Scratch& scratch) const {
    scratch.numerator.resize(pad_neurons(Units));
    scratch.denominator.resize(pad_neurons(Units));
    synapse_.reserve(scratch.synapse);
    sensory_.reserve(scratch.sensory);
  }

  template <LaneLayout Lanes>
  [[nodiscard]] EIGEN_ALWAYS_INLINE typename Lanes::Packet cm(Index block) const {
    return Lanes::per_neuron(constants_->cm, block);
  }

  /// Sums up leak and sensory drive, once per step.
  /// \param u, v  (inputs) after the input mapping, and (units) potentials
  template <LaneLayout Lanes>
  void sense(const Scalar* u, const Scalar* v, Scratch& scratch) const {
    using P = typename Lanes::Packet;
    scratch.inputs_finite = all_finite<P>(u, Lanes::blocks(Inputs));
    scratch.all_finite = scratch.inputs_finite && all_finite<P>(v, Lanes::blocks(Units));
    sensory_.template forward<Lanes>(u, scratch.inputs_finite, scratch.sensory,
                                     pairs<Lanes>(constants_->leak_numerator, constants_->leak_denominator),
                                     [numerator = scratch.numerator.data(), denominator = scratch.denominator.data()](
                                         Index block, const P& n, const P& d) {
                                       store(numerator + block * Lanes::lanes, n);
                                       store(denominator + block * Lanes::lanes, d);
                                     });
  }

  /// As `Membrane::drive`. \param record  null
  template <LaneLayout Lanes, typename Finish>
  EIGEN_STRONG_INLINE void drive(const Scalar* v, Scratch& scratch, Scalar*, const Finish& finish) const {
    synapse_.template forward<Lanes>(v, scratch.all_finite, scratch.synapse,
                                     pairs<Lanes>(scratch.numerator.data(), scratch.denominator.data()), finish);
  }

 private:
  /// A numerator and a denominator per neuron.
  template <LaneLayout Lanes>
  [[nodiscard]] static auto pairs(const Scalar* numerator, const Scalar* denominator) {
    using P = typename Lanes::Packet;
    return [=](Index block) {
      return std::pair<P, P>{Lanes::per_neuron(numerator, block), Lanes::per_neuron(denominator, block)};
    };
  }

  const LTCConstants<Scalar>* constants_;
  Synapses synapse_;
  Sensory sensory_;
};

}  // namespace detail

// mutate all: ltc.cell_view
/// An LTC cell for a single stream, of fixed sizes, on constants of the program: it uses no heap. It computes the same
/// numbers as `LTCCell`. On a target with packets they are the same to the bit. On one without, it adds up the synapses
/// of a neuron in the order of their sources. `export_header` writes its arguments.
///
/// \tparam Solver, Unfolds  how a step integrates, and in how many sub-steps
template <typename ScalarType, int Units, int Inputs, int Outputs, ODESolver Solver, int Unfolds>
class LTCCellView {
  using Membrane = detail::MembraneView<ScalarType, Units, Inputs>;
  static constexpr auto solver = detail::make_solver<Solver>();
  using SolverType = std::remove_const_t<decltype(solver)>;

 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = Units;
  static constexpr int inputs_at_compile_time = Inputs;
  static constexpr int outputs_at_compile_time = Outputs;

  struct SingleScratch {
    Buffer<Scalar, detail::pad_neurons(Inputs)> u;  ///< mapped inputs
    typename Membrane::Scratch membrane;
    typename SolverType::template Scratch<Scalar, detail::pad_neurons(Units)> solver;
  };

  /// \param constants  must outlive the cell
  explicit LTCCellView(const detail::LTCConstants<Scalar>& constants) : constants_(&constants), membrane_(constants) {}
  explicit LTCCellView(const detail::LTCConstants<Scalar>&&) = delete;

  [[nodiscard]] static constexpr Index units() noexcept { return Units; }
  [[nodiscard]] static constexpr Index state_size() noexcept { return Units; }
  [[nodiscard]] static constexpr Index input_dim() noexcept { return Inputs; }
  [[nodiscard]] static constexpr Index output_dim() noexcept { return Outputs; }
  [[nodiscard]] static constexpr Index states_per_step() noexcept { return Index{Unfolds} * solver.stages; }

  template <LaneLayout>
  void reserve(SingleScratch& scratch) const {
    scratch.u.resize(detail::pad_neurons(Inputs));
    membrane_.reserve(scratch.membrane);
    scratch.solver.reserve(detail::pad_neurons(Units));
  }

  template <LaneLayout Lanes>
  void step(const Step<Lanes>& step, SingleScratch& scratch) const {
    using P = typename Lanes::Packet;
    map<Lanes>(constants_->input_w, constants_->input_b, Inputs, step.x, scratch.u.data());
    membrane_.template sense<Lanes>(scratch.u.data(), step.states(0), scratch.membrane);
    const P h = Lanes::per_sample(step.elapsed) / P(Scalar(Unfolds));
    solver.step(membrane_, h, Unfolds, step, scratch.membrane, scratch.solver);
  }

  template <LaneLayout Lanes>
  void output(const Scalar* v, Scalar* y) const {
    map<Lanes>(constants_->output_w, constants_->output_b, Outputs, v, y);
  }

 private:
  /// w from + b
  template <LaneLayout Lanes>
  static void map(const Scalar* w, const Scalar* b, Index count, const Scalar* from, Scalar* to) {
    using P = typename Lanes::Packet;
    for (Index k = 0; k < Lanes::blocks(count); ++k) {
      detail::store(to + k * Lanes::lanes,
                    fma(Lanes::per_neuron(w, k), detail::load<P>(from + k * Lanes::lanes), Lanes::per_neuron(b, k)));
    }
  }

  const detail::LTCConstants<Scalar>* constants_;
  Membrane membrane_;
};

}  // namespace elegans
