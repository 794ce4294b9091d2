// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <elegans/cell/memory/cell.hpp>
#include <elegans/cell/memory/options.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/synapse_table.hpp>

namespace elegans {

/// A liquid time-constant network with mixed memory: an LSTM in front of the LTC remembers over long times. The state
/// is (h, c) side by side, and has two values per neuron. Mirrors `ncps.torch.LTC(..., mixed_memory=True)`.
///
///     elegans::MixedLTC<float> model(elegans::AutoNCP(16, 1), 2);
template <typename Scalar>
class MixedLTC : public Rnn<MemoryCell<LTCCell<Scalar>>> {
  using Base = Rnn<MemoryCell<LTCCell<Scalar>>>;

 public:
  /// An LSTM in front of an LTC with this wiring. \throws InvalidArgument as the constructor of `LTC` does
  template <AnyWiring Given>
  MixedLTC(const Given& wiring, int input_dim, const LTCOptions& options = {}, const MemoryOptions& memory = {})
      : MixedLTC(LTC<Scalar>(wiring, input_dim, options), memory) {}

  [[nodiscard]] const auto& wiring() const& noexcept { return this->cell().inner().wiring(); }
  [[nodiscard]] auto wiring() const&& { return wiring(); }
  [[nodiscard]] const LTCOptions& options() const& noexcept { return this->cell().options(); }
  [[nodiscard]] LTCOptions options() const&& { return options(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const;
  /// A table as Keras prints it, and below it the synapses that exist.
  [[nodiscard]] std::string summary() const;

 private:
  MixedLTC(const LTC<Scalar>& inner, const MemoryOptions& memory);
};

template <typename Scalar>
MixedLTC<Scalar>::MixedLTC(const LTC<Scalar>& inner, const MemoryOptions& memory)
    : Base(MemoryCell(inner.cell(), memory), inner.options().return_sequences) {}

template <typename Scalar>
std::vector<SummaryRow> MixedLTC<Scalar>::summary_rows() const {
  return {detail::summary_row("ltc (MixedLTC)", *this)};
}

template <typename Scalar>
std::string MixedLTC<Scalar>::summary() const {
  return summary_table(summary_rows(), sizeof(Scalar)) + synapse_table(wiring());
}

/// A closed-form continuous-time network with mixed memory: see `MixedLTC`. Mirrors `ncps.torch.CfC(...,
/// mixed_memory=True)`.
template <typename Scalar>
class MixedCfC : public Rnn<MemoryCell<CfCCell<Scalar>>> {
  using Base = Rnn<MemoryCell<CfCCell<Scalar>>>;

 public:
  /// An LSTM in front of a CfC.
  ///
  /// \param wiring_or_units  a wiring, or a number of neurons
  /// \throws InvalidArgument as the constructors of `CfC` do
  template <typename Given>
  MixedCfC(const Given& wiring_or_units, int input_dim, const CfCOptions& options = {},
           const MemoryOptions& memory = {})
      : MixedCfC(CfC<Scalar>(wiring_or_units, input_dim, options), memory) {}

  [[nodiscard]] const CfCOptions& options() const& noexcept { return this->cell().options(); }
  [[nodiscard]] CfCOptions options() const&& { return options(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const;
  /// A table as Keras prints it.
  [[nodiscard]] std::string summary() const;

 private:
  MixedCfC(const CfC<Scalar>& inner, const MemoryOptions& memory);
};

template <typename Scalar>
MixedCfC<Scalar>::MixedCfC(const CfC<Scalar>& inner, const MemoryOptions& memory)
    : Base(MemoryCell(inner.cell(), memory), inner.options().return_sequences) {}

template <typename Scalar>
std::vector<SummaryRow> MixedCfC<Scalar>::summary_rows() const {
  return {detail::summary_row("cfc (MixedCfC)", *this)};
}

template <typename Scalar>
std::string MixedCfC<Scalar>::summary() const {
  return summary_table(summary_rows(), sizeof(Scalar));
}

}  // namespace elegans
