// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/concepts.hpp>
#include <elegans/cell/ltc/membrane.hpp>
#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/cell/ltc/solver.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

// mutate all: ltc.cell
/// The liquid time-constant cell: one step of its dynamics, and the adjoint of that, on packets of samples or of
/// neurons.
///
/// A step maps the inputs to u = input_w x + input_b, sums up their drive once, and integrates the membrane potentials
/// v over the elapsed time in `ode_unfolds` sub-steps. The outputs are output_w v + output_b of the motor neurons. The
/// equation of a membrane is in cell/ltc/membrane.hpp, that of a synapse in kernel/synapse/equation.hpp, and the
/// solvers are listed in cell/ltc/solver.hpp. Hasani et al., Liquid Time-constant Networks, AAAI 2021, Algorithm 1;
/// `ncps.torch.LTCCell`.
///
/// The cell does not own its parameters. Whenever they change, it packs them in the order in which its kernels read
/// them. Users meet it through `LTC`.
template <typename ScalarType, int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class LTCCell : public RecordsSteps, public SumsBySample {
  using Membrane = detail::Membrane<ScalarType, Units, Inputs>;

 public:
  using Scalar = ScalarType;
  using WiringType = Wiring<Units, Outputs, Inputs>;
  static constexpr int state_size_at_compile_time = Units;
  static constexpr int inputs_at_compile_time = Inputs;
  static constexpr int outputs_at_compile_time = Outputs;
  static constexpr int parameter_capacity = detail::ltc_parameter_capacity(Units, Outputs, Inputs);

  /// Room for a step.
  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    Buffer<Scalar, InputCapacity> u;  ///< mapped inputs
    typename Membrane::template Scratch<NeuronCapacity> membrane;
    detail::SolverScratch<Scalar, NeuronCapacity> solver;
  };
  /// Room for a step of one sample: no heap if the sizes are fixed.
  using SingleScratch = Scratch<detail::pad_neurons(Units), detail::pad_neurons(Inputs)>;

  /// Sums over a sequence, and room for the adjoint of a step.
  struct Adjoint {
    typename Membrane::Adjoint membrane;
    detail::SolverAdjoint<Scalar> solver;
    Buffer<Scalar> d_u;
    Buffer<Scalar> input_w, input_b, output_w, output_b;
  };

  /// A cell of a built wiring. Its parameters are not packed yet.
  /// \throws InvalidArgument if the wiring does not know its number of inputs, or an option is out of range
  LTCCell(const WiringType& wiring, const LTCOptions& options)
      : wiring_(wiring),
        options_(options),
        parameters_(detail::ltc_parameters(wiring.units(), wiring.output_dim(), wiring.input_dim(), options)),
        membrane_(wiring) {
    detail::check_options(options);
    for (auto* values : {&input_w_, &input_b_}) values->resize(detail::pad_neurons(input_dim()));
    for (auto* values : {&output_w_, &output_b_}) values->resize(detail::pad_neurons(output_dim()));
  }

  [[nodiscard]] Index units() const noexcept { return Units == Dynamic ? wiring_.units() : Units; }
  [[nodiscard]] Index state_size() const noexcept { return units(); }
  [[nodiscard]] Index input_dim() const noexcept {
    return Inputs == Dynamic ? (wiring_.is_built() ? wiring_.input_dim() : 0) : Inputs;
  }
  [[nodiscard]] Index output_dim() const noexcept { return Outputs == Dynamic ? wiring_.output_dim() : Outputs; }
  /// Number of states that a step makes: one per stage of each sub-step.
  [[nodiscard]] Index states_per_step() const noexcept {
    return options_.ode_unfolds * detail::with_solver(options_.solver, [](const auto& s) { return Index{s.stages}; });
  }
  /// Values that a step may record for its adjoint, most of them gates.
  template <LaneLayout Lanes>
  [[nodiscard]] Index record_size() const noexcept {
    const bool records = detail::with_solver(options_.solver, [](const auto& s) { return s.records; });
    return records ? options_.ode_unfolds * membrane_.template record_size<Lanes>() : 0;
  }

  [[nodiscard]] const WiringType& wiring() const& noexcept { return wiring_; }
  [[nodiscard]] WiringType wiring() const&& { return wiring(); }
  [[nodiscard]] const LTCOptions& options() const& noexcept { return options_; }
  [[nodiscard]] LTCOptions options() const&& { return options(); }
  [[nodiscard]] const ParameterList<detail::ltc_tensor_capacity>& parameters() const& noexcept { return parameters_; }
  [[nodiscard]] ParameterList<detail::ltc_tensor_capacity> parameters() const&& { return parameters(); }

  void initialize(Scalar* parameters) const { detail::initialize_ltc(parameters_, options_, wiring_, parameters); }

  /// Explicit constraints clip at 0 what must not be negative. Implicit ones need nothing here.
  void apply_constraints(Scalar* parameters) const {
    if (options_.implicit_param_constraints) return;
    for (const Parameter& entry : parameters_) {
      if (!detail::is_positive_ltc_parameter(entry.name)) continue;
      VectorView<Scalar> values(parameters + entry.offset, entry.size());
      values = (values.max)(Scalar(0));
    }
  }

  /// Packs new parameters, for batches or for single samples.
  void pack(const Scalar* parameters, bool single) {
    const detail::LTCTensors<const Scalar*> tensors(parameters_, parameters);
    const bool adds_epsilon = detail::with_solver(options_.solver, [](const auto& s) { return s.adds_epsilon; });
    membrane_.pack(tensors, options_.implicit_param_constraints,
                   adds_epsilon ? static_cast<Scalar>(options_.epsilon) : Scalar(0), single);
    const auto copy_or = [](Scalar otherwise, const Scalar* from, Index count, Scalar* to) {
      for (Index i = 0; i < count; ++i) to[i] = from ? from[i] : otherwise;
    };
    copy_or(Scalar(1), tensors.input_w, input_dim(), input_w_.data());
    copy_or(Scalar(0), tensors.input_b, input_dim(), input_b_.data());
    copy_or(Scalar(1), tensors.output_w, output_dim(), output_w_.data());
    copy_or(Scalar(0), tensors.output_b, output_dim(), output_b_.data());
  }

  /// Makes room for steps with `Lanes`. No step allocates afterwards.
  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    // A single sample gets room for the packets of every target.
    const auto room = [](Index n) { return Lanes::single ? detail::pad_neurons(n) : detail::extent<Lanes>(n); };
    scratch.u.resize(room(input_dim()));
    membrane_.template reserve<Lanes>(scratch.membrane);
    detail::with_solver(options_.solver, [&]<typename Solver>(const Solver&) {
      solver_part<Solver>(scratch.solver).reserve(room(units()));
    });
  }

  /// Advances the membrane potentials by the elapsed time. An elapsed time of 0 leaves them as they are.
  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    map_inputs<Lanes>(step.x, scratch.u.data());
    membrane_.template begin_step<Lanes>(scratch.u.data(), input_dim(), step.states(0), scratch.membrane);
    membrane_.template sense<Lanes>(scratch.u.data(), scratch.membrane);
    detail::with_solver(options_.solver, [&]<typename Solver>(const Solver& solver) {
      solver.step(membrane_, sub_step_length<Lanes>(step.elapsed), options_.ode_unfolds, step, scratch.membrane,
                  solver_part<Solver>(scratch.solver));
    });
  }

  /// y = output_w v + output_b of the motor neurons, which come first in v.
  template <LaneLayout Lanes>
  void output(const Scalar* v, Scalar* y) const {
    using P = typename Lanes::Packet;
    for (Index o = 0; o < Lanes::blocks(output_dim()); ++o) {
      detail::store(y + o * Lanes::lanes,
                    fma(Lanes::per_neuron(output_w_.data(), o), detail::load<P>(v + o * Lanes::lanes),
                        Lanes::per_neuron(output_b_.data(), o)));
    }
  }

  /// Starts with sums of 0.
  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    membrane_.template reset<Lanes>(adjoint.membrane);
    detail::with_solver(options_.solver, [&]<typename Solver>(const Solver&) {
      solver_part<Solver>(adjoint.solver).reset(detail::extent<Lanes>(units()));
    });
    const auto clear = [](Buffer<Scalar>& values, Index size) {
      values.resize(size);
      std::fill_n(values.data(), size, Scalar(0));
    };
    for (auto* values : {&adjoint.d_u, &adjoint.input_w, &adjoint.input_b}) {
      clear(*values, detail::extent<Lanes>(input_dim()));
    }
    for (auto* values : {&adjoint.output_w, &adjoint.output_b}) clear(*values, detail::extent<Lanes>(output_dim()));
  }

  /// The adjoint of `output`: adds to the adjoint of the state.
  template <LaneLayout Lanes>
  void output_backward(const Scalar* v, const Scalar* d_y, Scalar* d_v, Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    for (Index o = 0; o < Lanes::blocks(output_dim()); ++o) {
      const Index i = o * Lanes::lanes;
      const P d = detail::load<P>(d_y + i);
      detail::add_product_to(d_v + i, Lanes::per_neuron(output_w_.data(), o), d);
      detail::add_product_to(adjoint.output_w.data() + i, d, detail::load<P>(v + i));
      detail::add_to(adjoint.output_b.data() + i, d);
    }
  }

  /// The adjoint of `step`. It goes through the sub-steps in reverse, and computes their gates again unless the step
  /// recorded them.
  template <LaneLayout Lanes, typename AnyScratch>
  void step_backward(const Step<Lanes>& step, const StepAdjoint<Lanes>& d, AnyScratch& scratch,
                     Adjoint& adjoint) const {
    using P = typename Lanes::Packet;
    map_inputs<Lanes>(step.x, scratch.u.data());
    membrane_.template begin_step<Lanes>(scratch.u.data(), input_dim(), step.states(0), scratch.membrane);
    // A record already contains the sensory drive.
    if (!step.record || !scratch.membrane.all_finite)
      membrane_.template sense<Lanes>(scratch.u.data(), scratch.membrane);
    membrane_.clear_step(adjoint.membrane);
    const P d_h = detail::with_solver(options_.solver, [&]<typename Solver>(const Solver& solver) {
      return solver.step_backward(membrane_, sub_step_length<Lanes>(step.elapsed), options_.ode_unfolds, step,
                                  d.d_state, scratch.membrane, adjoint.membrane, solver_part<Solver>(scratch.solver),
                                  solver_part<Solver>(adjoint.solver));
    });
    std::fill_n(adjoint.d_u.data(), adjoint.d_u.size(), Scalar(0));
    membrane_.template sense_backward<Lanes>(scratch.u.data(), scratch.membrane, adjoint.d_u.data(), adjoint.membrane);
    for (Index k = 0; k < Lanes::blocks(input_dim()); ++k) {
      const Index i = k * Lanes::lanes;
      const P d_u = detail::load<P>(adjoint.d_u.data() + i);
      detail::store(d.d_x + i, d_u * Lanes::per_neuron(input_w_.data(), k));
      detail::add_product_to(adjoint.input_w.data() + i, d_u, detail::load<P>(step.x + i));
      detail::add_to(adjoint.input_b.data() + i, d_u);
    }
    std::fill_n(d.d_elapsed, Lanes::samples, Scalar(0));
    Lanes::add_to_samples(d.d_elapsed, d_h / P(static_cast<Scalar>(options_.ode_unfolds)));
  }

  /// Adds the sums of the adjoint to a gradient.
  template <LaneLayout Lanes>
  void collect(const Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const {
    const detail::LTCTensors<const Scalar*> tensors(parameters_, parameters);
    const detail::LTCTensors<Scalar*> sums(parameters_, gradient);
    membrane_.template collect<Lanes>(adjoint.membrane, tensors, sums, options_.implicit_param_constraints);
    const auto add = [](Scalar* to, const Buffer<Scalar>& values, Index count) {
      for (Index i = 0; to && i < count; ++i) to[i] += Lanes::sum_samples(values.data(), i);
    };
    add(sums.input_w, adjoint.input_w, input_dim());
    add(sums.input_b, adjoint.input_b, input_dim());
    add(sums.output_w, adjoint.output_w, output_dim());
    add(sums.output_b, adjoint.output_b, output_dim());
  }

 private:
  /// The part of the room for all solvers that belongs to one of them.
  template <typename Solver, int Capacity>
  [[nodiscard]] static auto& solver_part(detail::SolverScratch<Scalar, Capacity>& all) noexcept {
    return static_cast<typename Solver::template Scratch<Scalar, Capacity>&>(all);
  }
  template <typename Solver>
  [[nodiscard]] static auto& solver_part(detail::SolverAdjoint<Scalar>& all) noexcept {
    return static_cast<typename Solver::template Adjoint<Scalar>&>(all);
  }

  template <LaneLayout Lanes>
  void map_inputs(const Scalar* x, Scalar* u) const {
    using P = typename Lanes::Packet;
    for (Index k = 0; k < Lanes::blocks(input_dim()); ++k) {
      detail::store(u + k * Lanes::lanes,
                    fma(Lanes::per_neuron(input_w_.data(), k), detail::load<P>(x + k * Lanes::lanes),
                        Lanes::per_neuron(input_b_.data(), k)));
    }
  }

  /// The length h of a sub-step, per sample.
  template <LaneLayout Lanes>
  [[nodiscard]] typename Lanes::Packet sub_step_length(const Scalar* elapsed) const {
    return Lanes::per_sample(elapsed) / typename Lanes::Packet(static_cast<Scalar>(options_.ode_unfolds));
  }

  WiringType wiring_;
  LTCOptions options_;
  ParameterList<detail::ltc_tensor_capacity> parameters_;
  Membrane membrane_;
  Buffer<Scalar, detail::pad_neurons(Inputs)> input_w_, input_b_;
  Buffer<Scalar, detail::pad_neurons(Outputs)> output_w_, output_b_;
};

}  // namespace elegans
