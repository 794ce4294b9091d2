// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/cell.hpp>
#include <elegans/cell/cfc/sizes.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/wiring/built.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

/// A closed-form continuous-time network: a CfC cell over sequences, or step by step over a stream.
///
///     elegans::CfC<float> dense(32, 4, {.proj_size = 2});            // 32 neurons, 4 inputs, 2 outputs
///     elegans::CfC<float> wired(elegans::AutoNCP(32, 2), 4);         // one block per layer of the wiring
///     elegans::CfC<float, elegans::CfCSizes{.units = 32, .inputs = 4}> fixed;      // a step uses no heap
///
/// Hasani et al., Nature Machine Intelligence 2022; mirrors `ncps.torch.CfC`.
///
/// \tparam Scalar  float or double
/// \tparam Sizes   the sizes if the type fixes them
template <typename Scalar, CfCSizes Sizes = CfCSizes{}>
class CfC : public Rnn<CfCCell<Scalar, Sizes>> {
  using Base = Rnn<CfCCell<Scalar, Sizes>>;
  using Room = detail::CfCRoom<Sizes>;
  using Layout = Buffer<detail::CfCLayout, Room::blocks>;

 public:
  /// One block of neurons behind a backbone. All neurons are outputs, unless `proj_size` asks for a linear map of them.
  ///
  /// \param units      number of neurons, at least 1
  /// \param input_dim  number of inputs, at least 1
  /// \throws InvalidArgument if a size or an option is out of range, or a size is not the type's
  CfC(int units, int input_dim, const CfCOptions& options = {})
      : CfC(checked_layout(units, input_dim, options), options) {}

  /// The same, if the type says both sizes.
  explicit CfC(const CfCOptions& options = {})
    requires(Room::is_fixed)
      : CfC(Sizes.units, Sizes.inputs, options) {}

  /// One block of neurons per layer of a wiring, without a backbone.
  /// \param wiring  a wiring whose last layer is its motor neurons, which are the outputs; the layers step one after
  ///                the other
  /// \throws InvalidArgument if the wiring was built for another number of inputs, has a layer without neurons, or has
  /// other neurons than the motor neurons in its last layer; or if an option is out of range, or a size is not the
  /// type's
  template <AnyWiring Given>
  CfC(const Given& wiring, int input_dim, const CfCOptions& options = {})
      : CfC(detail::cfc_layout<Room::blocks>(detail::built<Wiring<>>(wiring, input_dim)), options) {}

  [[nodiscard]] const CfCOptions& options() const& noexcept { return this->cell().options(); }
  [[nodiscard]] CfCOptions options() const&& { return options(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const;
  /// A table as Keras prints it.
  [[nodiscard]] std::string summary() const;

 private:
  CfC(const Layout& layout, const CfCOptions& options);

  static Layout checked_layout(int units, int input_dim, const CfCOptions& options) {
    if (units < 1) detail::refuse("CfC: units must be at least 1, got ", units);
    if (input_dim < 1) detail::refuse("CfC: input_dim must be at least 1, got ", input_dim);
    return detail::cfc_layout<Room::blocks>(units, input_dim, options);
  }
};

template <typename Scalar, CfCSizes Sizes>
CfC<Scalar, Sizes>::CfC(const Layout& layout, const CfCOptions& options)
    : Base(CfCCell<Scalar, Sizes>(layout, options), options.return_sequences) {}

template <typename Scalar, CfCSizes Sizes>
std::vector<SummaryRow> CfC<Scalar, Sizes>::summary_rows() const {
  return {detail::summary_row("cfc (CfC)", *this)};
}

template <typename Scalar, CfCSizes Sizes>
std::string CfC<Scalar, Sizes>::summary() const {
  return summary_table(summary_rows(), sizeof(Scalar));
}

}  // namespace elegans
