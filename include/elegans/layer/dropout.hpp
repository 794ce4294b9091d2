// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <elegans/cell/dropout.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/memoryless.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// The options of a dropout layer besides its size.
struct DropoutOptions {
  double share = 0.5;      ///< the share of values that training drops, in [0, 1)
  std::uint64_t seed = 1;  ///< of what is dropped
};

// mutate all: layer.dropout
/// Dropout: in training, each value becomes 0 with the probability `share`, and the others are multiplied by
/// 1 / (1 - share). Otherwise the outputs are the inputs. It has neither memory nor parameters.
///
///     elegans::Sequential model(elegans::Dense<float>(32, 4), elegans::Dropout<float>(32, {.share = 0.2}),
///                               elegans::Dense<float>(1, 32));
///
/// `forward` drops; the call `model(x)` and `step` do not. What is dropped follows from the seed, the epoch, and the
/// number of the pass in it, of the step and of the sample. So a resumed training drops the same values as one without
/// a pause. Two layers of the same seed drop the same values: give each layer of a stack its own. Srivastava et al.,
/// JMLR 2014; mirrors `torch.nn.Dropout`.
///
/// \tparam Scalar  float or double
template <typename Scalar>
class Dropout : public Memoryless<Dropout<Scalar>, Scalar> {
  using Base = Memoryless<Dropout<Scalar>, Scalar>;
  friend Base;
  friend Parameterized<Dropout<Scalar>, Scalar>;

 public:
  /// A layer of so many values per step.
  ///
  /// \param features  number of inputs and of outputs, at least 1
  /// \throws InvalidArgument if the size or the share is out of range
  explicit Dropout(int features, const DropoutOptions& options = {}) : Base(features), options_(options) {
    if (features < 1) detail::refuse("Dropout: features must be at least 1, got ", features);
    if (detail::is_nan(options.share) || options.share < 0 || options.share >= 1) {
      detail::refuse("Dropout: share must be in [0, 1), got ", options.share);
    }
  }

  [[nodiscard]] const DropoutOptions& options() const& noexcept { return options_; }
  [[nodiscard]] DropoutOptions options() const&& { return options(); }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    return {detail::summary_row("dropout (Dropout)", *this)};
  }

 private:
  void parameters_changed() noexcept { this->can_go_back_ = false; }

  template <LaneLayout Lanes>
  void apply(const StepPosition& position, const Scalar* x, Scalar* y) const {
    std::copy_n(x, Lanes::index(this->input_dim(), 0), y);
    if (position.training && options_.share > 0) {
      detail::drop<Lanes>(options_.share, options_.seed, position, 0, this->input_dim(), y);
    }
  }

  template <LaneLayout Lanes>
  void begin_backward() const {}
  template <LaneLayout Lanes>
  void apply_backward(const StepPosition& position, const Scalar*, const Scalar* d_y, Scalar* d_x) const {
    apply<Lanes>(position, d_y, d_x);
  }
  template <LaneLayout Lanes>
  void collect(Scalar*) const {}

  DropoutOptions options_;
};

}  // namespace elegans
