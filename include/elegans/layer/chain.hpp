// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/chain_run.hpp>
#include <elegans/layer/composite.hpp>
#include <elegans/layer/parts.hpp>
#include <elegans/layer/summary.hpp>

namespace elegans {

// mutate all: layer.chain
/// Layers one after the other: what `Sequential` and `Stack` have in common. Every layer gets the elapsed times and the
/// mask, up to the first layer that returns its last output only. The layers behind that one see a sequence of a single
/// step, with an elapsed time of 1.
template <typename Derived, typename ScalarType, typename Parts>
class Chain : public detail::ChainRun<Composite<Derived, ScalarType, Parts>> {
  using Base = detail::ChainRun<Composite<Derived, ScalarType, Parts>>;

 public:
  using Scalar = ScalarType;
  using StateType = typename Base::StateType;
  using ContextType = typename Base::ContextType;
  /// What files and messages call it.
  static constexpr const char* kind = "Sequential";
  /// The name of layer number k, as in a `torch.nn.Sequential`: "0", "1", …
  static std::string name_of_layer(std::size_t k) { return std::to_string(k); }

  /// See `Rnn`.
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) & {
    this->begin(x, context);
    const Sequence<Scalar>* values = &x;
    this->for_each_part([&](auto& part) { values = &part.layer.forward(*values, part.context); });
    this->end_pass();
    this->keep_tape();
    return *values;
  }
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the model is const or temporary

  /// See `Rnn`.
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    this->begin_backward(d_final_state);
    this->d_timespans().setZero();
    const Sequence<Scalar>* d_values = &d_output;
    this->parts_.for_each_backwards([&](auto& part) {
      part.layer.backward(*d_values, d_final_state ? &part.state : nullptr);
      d_values = &part.layer.input_gradient();
      if constexpr (requires { part.layer.timespans_gradient(); }) {
        const ConstArrayView<Scalar> d = part.layer.timespans_gradient();
        // Only the run time may tell that a layer does not depend on the elapsed times.
        if (part.sees_every_step && d.size() > 0) this->d_timespans() += d;
      }
    });
    this->end_backward();
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& {
    this->require_usable();
    return this->parts_.front().layer.input_gradient();
  }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }

  /// The name of the first layer that reads later steps, or "" if there is none.
  [[nodiscard]] std::string acausal_layer() const {
    std::string name;
    this->for_each_part([&](const auto& part) {
      if (name.empty()) name = detail::acausal_layer_of(part.layer);
    });
    return name;
  }

  /// The rows of all layers. A stack within this one adds the rows of its own layers.
  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    std::vector<SummaryRow> rows;
    this->for_each_part([&](const auto& part) {
      for (SummaryRow& row : summary_rows_of(part.layer)) {
        row.return_sequences = row.return_sequences && part.sees_every_step;
        rows.push_back(std::move(row));
      }
    });
    return rows;
  }

 protected:
  using Base::Base;
};

}  // namespace elegans
