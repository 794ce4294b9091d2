// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <elegans/cell/gated/gru.hpp>
#include <elegans/cell/gated/options.hpp>
#include <elegans/core/error.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/summary.hpp>

namespace elegans {

/// A gated recurrent unit over sequences, or step by step over a stream: a baseline to compare liquid networks with.
///
///     elegans::GRU<float> model(32, 4);   // 32 neurons, 4 inputs
///
/// The state is h. Elapsed times do not count. Names, shapes and
/// initial values of the parameters are PyTorch's, to the bit. Cho et al., EMNLP 2014; mirrors
/// `torch.nn.GRU` of one layer. For several layers, put them into a `Sequential`.
///
/// \tparam Scalar  float or double
template <typename Scalar>
class GRU : public Rnn<GRUCell<Scalar>> {
  using Base = Rnn<GRUCell<Scalar>>;

 public:
  /// All neurons are outputs.
  ///
  /// \param units      number of neurons, at least 1
  /// \param input_dim  number of inputs, at least 1
  /// \throws InvalidArgument if a size is out of range
  GRU(int units, int input_dim, const GatedOptions& options = {})
      : Base(GRUCell<Scalar>(checked("units", units), checked("input_dim", input_dim), options),
             options.return_sequences) {}

  [[nodiscard]] const GatedOptions& options() const& noexcept { return this->cell().options(); }
  [[nodiscard]] GatedOptions options() const&& { return options(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const { return {detail::summary_row("gru (GRU)", *this)}; }
  /// A table as Keras prints it.
  [[nodiscard]] std::string summary() const { return summary_table(summary_rows(), sizeof(Scalar)); }

 private:
  static int checked(const char* name, int size) {
    if (size < 1) detail::refuse("GRU: ", name, " must be at least 1, got ", size);
    return size;
  }
};

}  // namespace elegans
