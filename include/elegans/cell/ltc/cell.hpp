// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/cell/ltc/runge_kutta.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/kernel/synapse/batch_drive.hpp>
#include <elegans/kernel/synapse/single_drive.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

/// The liquid time-constant cell: one step of the dynamics, and its adjoint, on packets of samples or of neurons.
///
/// A step is `ode_unfolds` semi-implicit Euler sub-steps of length h = elapsed time / ode_unfolds. With N_s, D_s the
/// sensory drive, once a step, and N, D the drive of the other neurons (see BatchDrive), in every sub-step
///
///     v[i] <- (cm[i] v[i] + h (gleak[i] vleak[i] + N_s[i] + N[i])) / (cm[i] + h (gleak[i] + D_s[i] + D[i] + epsilon))
///
/// which is ncps' equation multiplied by h / h, so that an elapsed time of 0 needs no division by 0. Other solvers are
/// in cell/ltc/explicit.hpp. Hasani et al., Liquid Time-constant Networks, AAAI 2021, Algorithm 1;
/// `ncps.torch.LTCCell`.
///
/// The cell does not own its parameters: it packs what the kernels need of them whenever they change. The layout of its
/// arguments is `Lanes`'; see simd/layout.hpp. Users meet it through `LTC`.
template <typename ScalarType, int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class LTCCell {
 public:
  using Scalar = ScalarType;
  using WiringType = Wiring<Units, Outputs, Inputs>;
  static constexpr int state_size_at_compile_time = Units;
  static constexpr int inputs_at_compile_time = Inputs;
  static constexpr int outputs_at_compile_time = Outputs;
  static constexpr int parameter_capacity = detail::ltc_parameter_capacity(Units, Outputs, Inputs);
  /// The adjoint's sums have a lane a sample until `collect`, so that a tile may be collected half by half.
  static constexpr bool collects_by_sample = true;

  /// What a step computes on the way; with fixed sizes, for a single sample, it is held in place.
  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    Buffer<Scalar, InputCapacity> u;                        ///< mapped inputs
    Buffer<Scalar, NeuronCapacity> numerator, denominator;  ///< leak and sensory drive
    Buffer<Scalar, NeuronCapacity> start, slope;            ///< of a sub-step, for explicit solvers
    typename detail::NeuronDrive<Scalar, Units, Units>::Scratch synapse;
    typename detail::NeuronDrive<Scalar, Inputs, Units>::Scratch sensory;
    Scalar* kept = nullptr;  ///< `kept_per_step` values, which a step leaves there and its adjoint finds there
  };
  /// What suffices for one sample: no heap if the sizes are fixed.
  using SingleScratch = Scratch<detail::pad_neurons(Units), detail::pad_neurons(Inputs)>;

  /// What the adjoint sums up over a sequence, and its room to work.
  struct Adjoint {
    Buffer<Scalar> d_before, d_numerator, d_denominator, d_u;
    Buffer<Scalar> d_start, d_stage;  ///< for explicit solvers
    Buffer<Scalar> cm, leak_numerator, leak_denominator;
    Buffer<Scalar> input_w, input_b, output_w, output_b;
    typename detail::NeuronDrive<Scalar, Units, Units>::Adjoint synapse_of_neuron;
    typename detail::NeuronDrive<Scalar, Inputs, Units>::Adjoint sensory_of_neuron;
    typename detail::BatchDrive<Scalar, Units, Units>::Adjoint synapse_of_batch;
    typename detail::BatchDrive<Scalar, Inputs, Units>::Adjoint sensory_of_batch;
  };

  /// A cell of a built wiring, its parameters not packed yet.
  /// \throws InvalidArgument if the wiring does not know its number of inputs, or an option is out of range
  LTCCell(const WiringType& wiring, const LTCOptions& options)
      : wiring_(wiring),
        options_(options),
        parameters_(detail::ltc_parameters(wiring.units(), wiring.output_dim(), wiring.input_dim(), options)),
        synapse_batch_(wiring.adjacency_matrix()),
        sensory_batch_(wiring.sensory_adjacency_matrix()),
        synapse_neuron_(wiring.adjacency_matrix()),
        sensory_neuron_(wiring.sensory_adjacency_matrix()) {
    detail::check(options);
    for (auto* values : {&cm_, &leak_numerator_, &leak_denominator_}) values->resize(detail::pad_neurons(units()));
    for (auto* values : {&input_w_, &input_b_}) values->resize(detail::pad_neurons(input_dim()));
    for (auto* values : {&output_w_, &output_b_}) values->resize(detail::pad_neurons(output_dim()));
  }

  [[nodiscard]] Index units() const noexcept { return Units == Dynamic ? wiring_.units() : Units; }
  [[nodiscard]] Index state_size() const noexcept { return units(); }
  [[nodiscard]] Index input_dim() const noexcept { return Inputs == Dynamic ? input_w_count() : Inputs; }
  [[nodiscard]] Index output_dim() const noexcept { return Outputs == Dynamic ? wiring_.output_dim() : Outputs; }
  /// States that a step leaves behind for its adjoint: one a sub-step, or one a stage of it.
  [[nodiscard]] Index states_per_step() const noexcept {
    return Index{options_.ode_unfolds} * detail::tableau(options_.solver).stages;
  }

  /// Values, most of them gates, that a step may leave for its adjoint, which else computes them anew; 0 if that would
  /// make no use of them.
  template <typename Lanes>
  [[nodiscard]] Index kept_per_step() const noexcept {
    const bool keeps = Lanes::single && options_.solver == ODESolver::semi_implicit;
    return keeps ? options_.ode_unfolds * synapse_neuron_.kept_size() : 0;
  }

  [[nodiscard]] const WiringType& wiring() const noexcept { return wiring_; }
  [[nodiscard]] const LTCOptions& options() const noexcept { return options_; }
  [[nodiscard]] const ParameterList<detail::ltc_tensor_capacity>& parameters() const noexcept { return parameters_; }

  void initialize(Scalar* parameters) const { detail::initialize_ltc(parameters_, options_, wiring_, parameters); }

  /// Explicit constraints: clips at 0 what must not be negative. Nothing to do for implicit ones.
  void constrain(Scalar* parameters) const {
    if (options_.implicit_param_constraints) return;
    for (const Parameter& entry : parameters_) {
      if (!detail::is_positive_ltc_parameter(entry.name)) continue;
      VectorView<Scalar> values(parameters + entry.offset, entry.size());
      values = values.max(Scalar(0));
    }
  }

  /// Takes over new parameter values, for a batch or for a single sample.
  void pack(const Scalar* parameters, bool single);

  /// Makes room for steps with `Lanes`; no step allocates afterwards.
  template <typename Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    // For one sample, what suffices on every target.
    const auto room = [](Index n) { return Lanes::single ? detail::pad_neurons(n) : detail::extent<Lanes>(n); };
    scratch.u.resize(room(input_dim()));
    for (auto* values : {&scratch.numerator, &scratch.denominator, &scratch.start, &scratch.slope}) {
      values->resize(room(units()));
    }
    if constexpr (Lanes::single) {
      synapse_neuron_.reserve(scratch.synapse);
      sensory_neuron_.reserve(scratch.sensory);
    }
  }

  /// \param x   inputs
  /// \param v   state before the step
  /// \param elapsed  time since the last step, a sample
  /// \param at  l -> where to write the state after sub-step l; not where the state before it is
  template <typename Lanes, typename AnyScratch, typename StateAt>
  void step(const Scalar* x, const Scalar* v, const Scalar* elapsed, StateAt at, AnyScratch& scratch) const;

  /// y = output_w v + output_b, of the motor neurons.
  template <typename Lanes>
  void output(const Scalar* v, Scalar* y) const;

  template <typename Lanes>
  void reset(Adjoint& adjoint) const;

  /// The adjoint of `output`: adds to the adjoint of the state.
  template <typename Lanes>
  void output_backward(const Scalar* v, const Scalar* d_y, Scalar* d_v, Adjoint& adjoint) const;

  /// The adjoint of `step`. With d_v = dLoss/dv' before and dLoss/dv after the call, it goes through the sub-steps in
  /// reverse. The gates of each are computed anew, unless the step left them at `scratch.kept`: for a whole batch they
  /// would take more memory than all else together.
  ///
  /// \param d_x  adjoint of the inputs, written
  /// \param d_elapsed  adjoint of the elapsed time, a sample, written
  template <typename Lanes, typename AnyScratch, typename StateAt>
  void step_backward(const Scalar* x, const Scalar* v, const Scalar* elapsed, StateAt at, Scalar* d_v, Scalar* d_x,
                     Scalar* d_elapsed, AnyScratch& scratch, Adjoint& adjoint) const;

  /// Adds what the adjoint has summed up to a gradient.
  template <typename Lanes>
  void collect(const Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const;

 private:
  [[nodiscard]] Index input_w_count() const noexcept { return wiring_.is_built() ? wiring_.input_dim() : 0; }

  template <typename Lanes>
  [[nodiscard]] const auto& synapse_drive() const noexcept {
    if constexpr (Lanes::single) {
      return synapse_neuron_;
    } else {
      return synapse_batch_;
    }
  }
  template <typename Lanes>
  [[nodiscard]] const auto& sensory_drive() const noexcept {
    if constexpr (Lanes::single) {
      return sensory_neuron_;
    } else {
      return sensory_batch_;
    }
  }
  template <typename Lanes, typename AnyAdjoint>
  [[nodiscard]] static auto& synapse_adjoint(AnyAdjoint& adjoint) noexcept {
    if constexpr (Lanes::single) {
      return adjoint.synapse_of_neuron;
    } else {
      return adjoint.synapse_of_batch;
    }
  }
  template <typename Lanes, typename AnyAdjoint>
  [[nodiscard]] static auto& sensory_adjoint(AnyAdjoint& adjoint) noexcept {
    if constexpr (Lanes::single) {
      return adjoint.sensory_of_neuron;
    } else {
      return adjoint.sensory_of_batch;
    }
  }

  template <typename Lanes>
  void map_inputs(const Scalar* x, Scalar* u) const {
    using P = typename Lanes::Packet;
    for (Index k = 0; k < Lanes::blocks(input_dim()); ++k) {
      detail::store<P>(u + k * Lanes::lanes, Eigen::internal::pmadd(Lanes::per_neuron(input_w_.data(), k),
                                                                    detail::load<P>(x + k * Lanes::lanes),
                                                                    Lanes::per_neuron(input_b_.data(), k)));
    }
  }

  /// A neuron's numerator and denominator from its leak alone.
  template <typename Lanes>
  [[nodiscard]] auto leak() const {
    return [this](Index block) {
      return std::pair{Lanes::per_neuron(leak_numerator_.data(), block),
                       Lanes::per_neuron(leak_denominator_.data(), block)};
    };
  }

  /// h, the length of a sub-step.
  template <typename Lanes>
  [[nodiscard]] typename Lanes::Packet sub_step(const Scalar* elapsed) const {
    using P = typename Lanes::Packet;
    return Eigen::internal::pdiv(Lanes::per_sample(elapsed),
                                 detail::broadcast<P>(static_cast<Scalar>(options_.ode_unfolds)));
  }

  template <typename Lanes, typename AnyScratch>
  void sense(const Scalar* x, AnyScratch& scratch) const;

  /// Leak and sensory drive, as `sense` left them.
  template <typename Lanes, typename AnyScratch>
  [[nodiscard]] static auto sensed(const AnyScratch& scratch) {
    using P = typename Lanes::Packet;
    return [numerator = scratch.numerator.data(), denominator = scratch.denominator.data()](Index block) {
      return std::pair{detail::load<P>(numerator + block * Lanes::lanes),
                       detail::load<P>(denominator + block * Lanes::lanes)};
    };
  }

  template <typename Lanes, typename AnyScratch>
  void place_kept(int sub_step, AnyScratch& scratch) const noexcept {
    scratch.synapse.kept =
        Lanes::single && scratch.kept ? scratch.kept + sub_step * synapse_neuron_.kept_size() : nullptr;
  }

  // The two halves of a step that differ from solver to solver.
  template <typename Lanes, typename AnyScratch, typename StateAt>
  void fused_step(const Scalar* v, const typename Lanes::Packet& length, StateAt at, AnyScratch& scratch) const;
  template <typename Lanes, typename AnyScratch, typename StateAt>
  void explicit_step(const Scalar* v, const typename Lanes::Packet& length, StateAt at, AnyScratch& scratch) const;
  template <typename Lanes, typename AnyScratch, typename StateAt>
  typename Lanes::Packet fused_backward(const Scalar* v, const typename Lanes::Packet& length, StateAt at, Scalar* d_v,
                                        AnyScratch& scratch, Adjoint& adjoint) const;
  template <typename Lanes, typename AnyScratch, typename StateAt>
  typename Lanes::Packet explicit_backward(const Scalar* v, const typename Lanes::Packet& length, StateAt at,
                                           Scalar* d_v, AnyScratch& scratch, Adjoint& adjoint) const;

  WiringType wiring_;
  LTCOptions options_;
  ParameterList<detail::ltc_tensor_capacity> parameters_;
  detail::BatchDrive<Scalar, Units, Units> synapse_batch_;
  detail::BatchDrive<Scalar, Inputs, Units> sensory_batch_;
  detail::NeuronDrive<Scalar, Units, Units> synapse_neuron_;
  detail::NeuronDrive<Scalar, Inputs, Units> sensory_neuron_;
  // A neuron's values as the kernels want them, padded to whole packets: capacitance, gleak vleak, gleak + epsilon.
  Buffer<Scalar, detail::pad_neurons(Units)> cm_, leak_numerator_, leak_denominator_;
  Buffer<Scalar, detail::pad_neurons(Inputs)> input_w_, input_b_;
  Buffer<Scalar, detail::pad_neurons(Outputs)> output_w_, output_b_;
};

template <typename Scalar, int Units, int Outputs, int Inputs>
void LTCCell<Scalar, Units, Outputs, Inputs>::pack(const Scalar* parameters, bool single) {
  const detail::LTCTensors<const Scalar*> tensors(parameters_, parameters);
  const bool implicit = options_.implicit_param_constraints;
  const bool fused = options_.solver == ODESolver::semi_implicit;
  const Scalar epsilon = fused ? static_cast<Scalar>(options_.epsilon) : Scalar(0);
  const auto positive = [&](Scalar value) { return implicit ? detail::softplus(value) : value; };
  if (single) {
    synapse_neuron_.pack(tensors.synapse, implicit);
    sensory_neuron_.pack(tensors.sensory, implicit);
  } else {
    synapse_batch_.pack(tensors.synapse, implicit);
    sensory_batch_.pack(tensors.sensory, implicit);
  }
  // A neuron that only fills up a packet must not divide by 0: its capacitance is 1.
  std::fill_n(cm_.data(), cm_.size(), Scalar(1));
  for (Index i = 0; i < units(); ++i) {
    const Scalar gleak = positive(tensors.gleak[i]);
    cm_[i] = positive(tensors.cm[i]);
    leak_numerator_[i] = gleak * tensors.vleak[i];
    leak_denominator_[i] = gleak + epsilon;
  }
  for (Index k = 0; k < input_dim(); ++k) {
    input_w_[k] = tensors.input_w ? tensors.input_w[k] : Scalar(1);
    input_b_[k] = tensors.input_b ? tensors.input_b[k] : Scalar(0);
  }
  for (Index o = 0; o < output_dim(); ++o) {
    output_w_[o] = tensors.output_w ? tensors.output_w[o] : Scalar(1);
    output_b_[o] = tensors.output_b ? tensors.output_b[o] : Scalar(0);
  }
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes, typename AnyScratch>
void LTCCell<Scalar, Units, Outputs, Inputs>::sense(const Scalar* x, AnyScratch& scratch) const {
  using P = typename Lanes::Packet;
  map_inputs<Lanes>(x, scratch.u.data());
  Scalar* const numerator = scratch.numerator.data();
  Scalar* const denominator = scratch.denominator.data();
  sensory_drive<Lanes>().template forward<Lanes>(scratch.u.data(), scratch.sensory, leak<Lanes>(),
                                                 [=](Index block, const P& num, const P& den) {
                                                   detail::store<P>(numerator + block * Lanes::lanes, num);
                                                   detail::store<P>(denominator + block * Lanes::lanes, den);
                                                 });
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes, typename AnyScratch, typename StateAt>
void LTCCell<Scalar, Units, Outputs, Inputs>::step(const Scalar* x, const Scalar* v, const Scalar* elapsed, StateAt at,
                                                   AnyScratch& scratch) const {
  sense<Lanes>(x, scratch);
  if (options_.solver == ODESolver::semi_implicit) {
    fused_step<Lanes>(v, sub_step<Lanes>(elapsed), at, scratch);
  } else {
    explicit_step<Lanes>(v, sub_step<Lanes>(elapsed), at, scratch);
  }
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes, typename AnyScratch, typename StateAt>
void LTCCell<Scalar, Units, Outputs, Inputs>::fused_step(const Scalar* v, const typename Lanes::Packet& length,
                                                         StateAt at, AnyScratch& scratch) const {
  using P = typename Lanes::Packet;
  using namespace Eigen::internal;
  for (int l = 0; l < options_.ode_unfolds; ++l) {
    Scalar* const after = at(l);
    place_kept<Lanes>(l, scratch);
    synapse_drive<Lanes>().template forward<Lanes>(
        v, scratch.synapse, sensed<Lanes>(scratch), [=, this](Index block, const P& num, const P& den) {
          const P before = detail::load<P>(v + block * Lanes::lanes);
          const P cm = Lanes::per_neuron(cm_.data(), block);
          // What is known before the sums are is multiplied before they are.
          const P next = pdiv(pmadd(length, num, pmul(cm, before)), pmadd(length, den, cm));
          detail::store<P>(after + block * Lanes::lanes, detail::select_zero<P>(length, before, next));
        });
    v = after;
  }
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes>
void LTCCell<Scalar, Units, Outputs, Inputs>::output(const Scalar* v, Scalar* y) const {
  using P = typename Lanes::Packet;
  for (Index o = 0; o < Lanes::blocks(output_dim()); ++o) {
    detail::store<P>(y + o * Lanes::lanes, Eigen::internal::pmadd(Lanes::per_neuron(output_w_.data(), o),
                                                                  detail::load<P>(v + o * Lanes::lanes),
                                                                  Lanes::per_neuron(output_b_.data(), o)));
  }
}

}  // namespace elegans

#include <elegans/cell/ltc/adjoint.hpp>
#include <elegans/cell/ltc/explicit.hpp>
