// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <elegans/cell/gated/options.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/initializers.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

namespace detail {

/// What one of a gated cell's four linear maps reads: the rows of a gate in PyTorch's tensors, and of [x, h] the
/// inputs, the state or both.
struct GateMap {
  int gate;
  bool reads_x = true, reads_h = true;
};

}  // namespace detail

// mutate all: gated.cell
/// What `LSTMCell` and `GRUCell` share: PyTorch's parameters, and four linear maps of [x, h]. Elapsed times do not
/// count.
///
/// The tensors are `weight_ih_l0` (gates units, input_dim), `weight_hh_l0` (gates units, units), `bias_ih_l0` and
/// `bias_hh_l0` (gates units), one gate below the other. They start uniform in +-1 / sqrt(units), in PyTorch's order,
/// so they are those of `torch.manual_seed(seed)` followed by `nn.LSTM(input_dim, units)`, to the bit.
///
/// \tparam Derived  has `static constexpr std::array<detail::GateMap, 4> maps`, `step`, and `gates_backward`, which
/// goes
///                  back from the state to the maps
/// \tparam Gates    number of gates in the tensors
template <typename Derived, typename ScalarType, int Gates>
class GatedCell {
 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = Dynamic;
  static constexpr int inputs_at_compile_time = Dynamic;
  static constexpr int outputs_at_compile_time = Dynamic;
  static constexpr int parameter_capacity = Dynamic;

  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    Buffer<Scalar> in;       ///< [x, h]
    Buffer<Scalar> gate[4];  ///< the maps, then the gates made of them
  };
  using SingleScratch = Scratch<>;

  struct Adjoint {
    detail::LinearAdjoint<Scalar, 4> maps;
    Buffer<Scalar> d_gate[4];
    Buffer<Scalar> d_in;
  };

  /// \param units, input_dim  at least 1
  GatedCell(Index units, Index input_dim, const GatedOptions& options)
      : options_(options), input_dim_(input_dim), maps_(units, input_dim + units) {
    const auto rows = static_cast<int>(Gates * units);
    parameters_.add("weight_ih_l0", rows, static_cast<int>(input_dim));
    parameters_.add("weight_hh_l0", rows, static_cast<int>(units));
    parameters_.add("bias_ih_l0", rows, 1);
    parameters_.add("bias_hh_l0", rows, 1);
    bias_.resize(units);
  }

  [[nodiscard]] Index units() const noexcept { return maps_.outputs(); }
  [[nodiscard]] Index input_dim() const noexcept { return input_dim_; }
  [[nodiscard]] Index output_dim() const noexcept { return units(); }
  [[nodiscard]] Index states_per_step() const noexcept { return 1; }
  [[nodiscard]] const GatedOptions& options() const& noexcept { return options_; }
  [[nodiscard]] GatedOptions options() const&& { return options(); }
  [[nodiscard]] const ParameterList<>& parameters() const& noexcept { return parameters_; }
  [[nodiscard]] ParameterList<> parameters() const&& { return parameters(); }

  void initialize(Scalar* parameters) const {
    TorchRandom random(options_.seed);
    const double bound = 1.0 / std::sqrt(static_cast<double>(units()));
    for (const Parameter& entry : parameters_) detail::draw_uniform(entry, bound, random, parameters);
  }
  /// Gates have no constraints.
  void apply_constraints(Scalar*) const {}

  /// Packs new parameters. Batches and single samples use the same form.
  void pack(const Scalar* parameters, bool) {
    for_each_map([&](int k, const Offsets& at, const detail::GateMap& map) {
      if (map.reads_x) maps_.pack_weight(k, parameters + at.of_x, Gates * units(), 0, input_dim_);
      if (map.reads_h) maps_.pack_weight(k, parameters + at.of_h, Gates * units(), input_dim_, units());
      for (Index i = 0; i < units(); ++i) {
        bias_[i] = (map.reads_x ? parameters[at.bias_of_x + i] : Scalar(0)) +
                   (map.reads_h ? parameters[at.bias_of_h + i] : Scalar(0));
      }
      maps_.pack_bias(k, bias_.data());
    });
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    scratch.in.resize(detail::extent<Lanes>(input_dim_ + units()));
    for (auto& gate : scratch.gate) gate.resize(detail::extent<Lanes>(units()));
  }

  /// y = h, which comes first in the state.
  template <LaneLayout Lanes>
  void output(const Scalar* state, Scalar* y) const {
    std::copy_n(state, Lanes::index(units(), 0), y);
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    const auto clear = [](Buffer<Scalar>& values, Index size) {
      values.resize(size);
      std::fill_n(values.data(), size, Scalar(0));
    };
    adjoint.maps.template reset<Lanes>(maps_);
    for (auto& d_gate : adjoint.d_gate) clear(d_gate, detail::extent<Lanes>(units()));
    clear(adjoint.d_in, detail::extent<Lanes>(input_dim_ + units()));
  }

  template <LaneLayout Lanes>
  void output_backward(const Scalar*, const Scalar* d_y, Scalar* d_state, Adjoint&) const {
    for (Index i = 0; i < Lanes::index(units(), 0); ++i) d_state[i] += d_y[i];
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step_backward(const Step<Lanes>& step, const StepAdjoint<Lanes>& d, AnyScratch& scratch,
                     Adjoint& adjoint) const {
    const Index inputs = Lanes::index(input_dim_, 0);
    const Index size = Lanes::index(units(), 0);
    auto& d_gate = adjoint.d_gate;
    // Afterwards, the first part of d_state has only what reaches h past the maps.
    static_cast<const Derived&>(*this).gates_backward(
        step, d.d_state, scratch, {d_gate[0].data(), d_gate[1].data(), d_gate[2].data(), d_gate[3].data()});
    const detail::MapPointers<const Scalar, 4> d_z{d_gate[0].data(), d_gate[1].data(), d_gate[2].data(),
                                                   d_gate[3].data()};
    std::fill_n(adjoint.d_in.data(), adjoint.d_in.size(), Scalar(0));
    maps_.view().template backward<Lanes>(d_z, adjoint.d_in.data());
    adjoint.maps.template append<Lanes>(scratch.in.data(), d_z);
    std::copy_n(adjoint.d_in.data(), inputs, d.d_x);
    for (Index i = 0; i < size; ++i) d.d_state[i] += adjoint.d_in[inputs + i];
    std::fill_n(d.d_elapsed, Lanes::samples, Scalar(0));
  }

  template <LaneLayout Lanes>
  void collect(Adjoint& adjoint, const Scalar*, Scalar* gradient) const {
    auto& sums = adjoint.maps;
    sums.template sum_up<Lanes>();
    for_each_map([&](int k, const Offsets& at, const detail::GateMap& map) {
      if (map.reads_x) {
        sums.add_weight_gradient(k, gradient + at.of_x, Gates * units(), 0, input_dim_);
        sums.add_bias_gradient(k, gradient + at.bias_of_x);
      }
      if (map.reads_h) {
        sums.add_weight_gradient(k, gradient + at.of_h, Gates * units(), input_dim_, units());
        sums.add_bias_gradient(k, gradient + at.bias_of_h);
      }
    });
  }

 protected:
  [[nodiscard]] detail::LinearView<Scalar, 4> maps_view() const noexcept { return maps_.view(); }

 private:
  /// Where a gate's rows begin, in each of the four tensors.
  struct Offsets {
    Index of_x, of_h, bias_of_x, bias_of_h;
  };

  /// Calls visit(number, offsets, map) for each of the four maps.
  template <typename Visit>
  void for_each_map(Visit visit) const {
    for (int k = 0; k < 4; ++k) {
      const detail::GateMap& map = Derived::maps[static_cast<std::size_t>(k)];
      const Index row = map.gate * units();
      const Index of_x = row, of_h = of_x + Gates * units() * input_dim_;
      const Index bias_of_x = of_h + Gates * units() * units();
      visit(k, Offsets{of_x, of_h, bias_of_x, bias_of_x + Gates * units()}, map);
    }
  }

  GatedOptions options_;
  Index input_dim_;
  ParameterList<> parameters_;
  detail::Linear<Scalar, 4> maps_;  // what a map does not read has a weight of 0
  Buffer<Scalar> bias_;             // of one map, while it is packed
};

}  // namespace elegans
