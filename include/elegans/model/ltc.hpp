// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/ltc/cell.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/wiring/built.hpp>
#include <elegans/wiring/synapse_table.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

namespace detail {

template <typename W>
constexpr int fixed_units() {
  if constexpr (requires { W::units_at_compile_time; }) return W::units_at_compile_time;
  return Dynamic;
}
template <typename W>
constexpr int fixed_outputs() {
  if constexpr (requires { W::outputs_at_compile_time; }) return W::outputs_at_compile_time;
  return Dynamic;
}
template <typename W>
constexpr int fixed_inputs() {
  if constexpr (requires { W::inputs_at_compile_time; }) return W::inputs_at_compile_time;
  return Dynamic;
}

}  // namespace detail

/// A liquid time-constant network: an LTC cell over sequences, or step by step over a stream.
///
///     elegans::AutoNCP wiring(8, 1);
///     elegans::LTC<float> model(wiring, 2, {.ode_unfolds = 6, .seed = 1});            // sizes known at run time
///     elegans::LTC<float, elegans::AutoNCP<8, 1>, 2> net(elegans::AutoNCP<8, 1>{});   // fixed: a step uses no heap
///
/// The model keeps a copy of the wiring. Hasani et al., AAAI 2021; mirrors `ncps.torch.LTC`, with the number of inputs
/// after the wiring, and with explicit constraints by default.
///
/// \tparam Scalar  float or double
/// \tparam W       type of the wiring; its fixed sizes are the model's
/// \tparam Inputs  number of inputs, or Dynamic
template <typename Scalar, AnyWiring W = Wiring<>, int Inputs = detail::fixed_inputs<W>()>
class LTC : public Rnn<LTCCell<Scalar, detail::fixed_units<W>(), detail::fixed_outputs<W>(), Inputs>> {
  using Cell = LTCCell<Scalar, detail::fixed_units<W>(), detail::fixed_outputs<W>(), Inputs>;
  using Base = Rnn<Cell>;

 public:
  /// A network with this wiring, and with initial values from the seed.
  /// \param input_dim  number of inputs, at least 1; the copy of the wiring is built for it
  /// \throws InvalidArgument if the wiring was built for another number of inputs, or an option is out of range
  template <AnyWiring Given>
  LTC(const Given& wiring, int input_dim, const LTCOptions& options = {})
      : LTC(Prepared{detail::built<typename Cell::WiringType>(wiring, input_dim)}, options) {}

  /// The same, if the type or the wiring already says the number of inputs.
  template <AnyWiring Given>
  explicit LTC(const Given& wiring, const LTCOptions& options = {})
      : LTC(wiring, Inputs == Dynamic ? static_cast<int>(wiring.input_dim()) : Inputs, options) {}

  [[nodiscard]] const auto& wiring() const& noexcept { return this->cell().wiring(); }
  [[nodiscard]] auto wiring() const&& { return wiring(); }
  [[nodiscard]] const LTCOptions& options() const& noexcept { return this->cell().options(); }
  [[nodiscard]] LTCOptions options() const&& { return options(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const;
  /// A table as Keras prints it, and below it the synapses that exist.
  [[nodiscard]] std::string summary() const;

 private:
  /// A wiring that is built for the number of inputs.
  struct Prepared {
    typename Cell::WiringType wiring;
  };
  LTC(const Prepared& prepared, const LTCOptions& options);
};

template <typename Scalar, AnyWiring W, int Inputs>
LTC<Scalar, W, Inputs>::LTC(const Prepared& prepared, const LTCOptions& options)
    : Base(Cell(prepared.wiring, options), options.return_sequences) {}

template <typename Scalar, AnyWiring W, int Inputs>
std::vector<SummaryRow> LTC<Scalar, W, Inputs>::summary_rows() const {
  return {detail::summary_row("ltc (LTC)", *this)};
}

template <typename Scalar, AnyWiring W, int Inputs>
std::string LTC<Scalar, W, Inputs>::summary() const {
  return summary_table(summary_rows(), sizeof(Scalar)) + synapse_table(wiring());
}

}  // namespace elegans
