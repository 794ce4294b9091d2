// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/gated/cell.hpp>
#include <elegans/cell/gated/gru_gates.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

// mutate all: gated.gru
/// The gated recurrent unit. With linear maps of the inputs and of the state for each of the gates r, z and n,
///
///     r = sigmoid(r_x + r_h),   z = sigmoid(z_x + z_h),   n = tanh(n_x + r n_h),   h <- n + z (h - n)
///
/// The state is h, which is the output, too. Cho et al., EMNLP 2014, with the reset gate r behind the map of h, as in
/// `torch.nn.GRU`. Users meet it through `GRU`.
template <typename ScalarType>
class GRUCell : public GatedCell<ScalarType, 3> {
  using Base = GatedCell<ScalarType, 3>;
  template <typename Value>
  using Gates = typename detail::GRUGates<ScalarType>::template Values<Value>;

 public:
  using Scalar = ScalarType;

  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    Buffer<Scalar> of_x;  ///< r_x, z_x and n_x, then r, z and n
    Buffer<Scalar> of_h;  ///< r_h, z_h and n_h
  };
  using SingleScratch = Scratch<>;

  struct Adjoint {
    detail::LinearAdjoint<Scalar> of_x, of_h;
    Buffer<Scalar> d_of_x, d_of_h;
    Buffer<Scalar> d_x, d_h;
  };

  /// A cell of these sizes, each at least 1. Its parameters are not packed yet.
  /// \throws InvalidArgument if there is a forget bias
  GRUCell(Index neurons, Index inputs, const GatedOptions& options)
      : Base(neurons, inputs, options), of_x_(3 * neurons, inputs), of_h_(3 * neurons, neurons) {
    if (options.forget_bias != 0) {
      detail::refuse("GRU: has no forget gate, so forget_bias must be 0, got ", options.forget_bias);
    }
  }

  using Base::input_dim;
  using Base::units;
  [[nodiscard]] Index state_size() const noexcept { return units(); }
  /// r, z and n: linear maps of x.
  [[nodiscard]] const detail::Linear<Scalar>& maps_of_x() const noexcept { return of_x_; }
  /// r, z and n: linear maps of h.
  [[nodiscard]] const detail::Linear<Scalar>& maps_of_h() const noexcept { return of_h_; }

  /// Packs new parameters. Batches and single samples use the same form.
  void pack(const Scalar* parameters, bool) {
    const auto at = this->offsets(0);
    of_x_.pack_weight(0, parameters + at.of_x, this->rows(), 0, input_dim());
    of_h_.pack_weight(0, parameters + at.of_h, this->rows(), 0, units());
    of_x_.pack_bias(0, parameters + at.bias_of_x);
    of_h_.pack_bias(0, parameters + at.bias_of_h);
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    for (auto* values : {&scratch.of_x, &scratch.of_h}) values->resize(detail::extent<Lanes>(3 * units()));
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    gates().template forward<Lanes>(step.x, step.states(0), step.states(1), scratch);
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    const auto clear = [](Buffer<Scalar>& values, Index neurons) {
      values.resize(detail::extent<Lanes>(neurons));
      std::fill_n(values.data(), values.size(), Scalar(0));
    };
    adjoint.of_x.template reset<Lanes>(of_x_);
    adjoint.of_h.template reset<Lanes>(of_h_);
    for (auto* values : {&adjoint.d_of_x, &adjoint.d_of_h}) clear(*values, 3 * units());
    clear(adjoint.d_x, input_dim());
    clear(adjoint.d_h, units());
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step_backward(const Step<Lanes>& step, const StepAdjoint<Lanes>& d, AnyScratch& scratch,
                     Adjoint& adjoint) const {
    gates().template open<Lanes>(step.x, step.states(0), scratch);
    const Index size = Lanes::index(units(), 0);
    const Scalar* const h = step.states(0);
    const Gates<const Scalar> gate(scratch.of_x.data(), size), of_h(scratch.of_h.data(), size);
    const Gates<Scalar> d_of_x(adjoint.d_of_x.data(), size), d_of_h(adjoint.d_of_h.data(), size);
    detail::for_each_packet<typename Lanes::Packet>(size, [&]<typename P>(Index i) {
      const P one(Scalar(1));
      const P r = detail::load<P>(gate.r + i), z = detail::load<P>(gate.z + i), n = detail::load<P>(gate.n + i);
      const P d_h = detail::load<P>(d.d_state + i);
      const P d_n = d_h * (one - z) * (one - n * n);
      const P d_r = d_n * detail::load<P>(of_h.n + i) * r * (one - r);
      const P d_z = d_h * (detail::load<P>(h + i) - n) * z * (one - z);
      for (const auto& d_of : {d_of_x, d_of_h}) {
        detail::store(d_of.r + i, d_r);
        detail::store(d_of.z + i, d_z);
      }
      detail::store(d_of_x.n + i, d_n);
      detail::store(d_of_h.n + i, d_n * r);
      detail::store(adjoint.d_h.data() + i, d_h * z);
    });
    std::fill_n(adjoint.d_x.data(), adjoint.d_x.size(), Scalar(0));
    of_x_.view().template backward<Lanes>({d_of_x.r}, adjoint.d_x.data());
    of_h_.view().template backward<Lanes>({d_of_h.r}, adjoint.d_h.data());
    adjoint.of_x.template append<Lanes>(step.x, {d_of_x.r});
    adjoint.of_h.template append<Lanes>(h, {d_of_h.r});
    std::copy_n(adjoint.d_x.data(), Lanes::index(input_dim(), 0), d.d_x);
    std::copy_n(adjoint.d_h.data(), size, d.d_state);
    std::fill_n(d.d_elapsed, Lanes::samples, Scalar(0));
  }

  template <LaneLayout Lanes>
  void collect(Adjoint& adjoint, const Scalar*, Scalar* gradient) const {
    const auto at = this->offsets(0);
    for (auto* sums : {&adjoint.of_x, &adjoint.of_h}) sums->template sum_up<Lanes>();
    adjoint.of_x.add_weight_gradient(0, gradient + at.of_x, this->rows(), 0, input_dim());
    adjoint.of_h.add_weight_gradient(0, gradient + at.of_h, this->rows(), 0, units());
    adjoint.of_x.add_bias_gradient(0, gradient + at.bias_of_x);
    adjoint.of_h.add_bias_gradient(0, gradient + at.bias_of_h);
  }

 private:
  [[nodiscard]] detail::GRUGates<Scalar> gates() const noexcept { return {of_x_.view(), of_h_.view()}; }

  detail::Linear<Scalar> of_x_, of_h_;
};

}  // namespace elegans
