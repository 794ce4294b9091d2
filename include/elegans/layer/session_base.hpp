// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/error.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/parts.hpp>

namespace elegans {

template <typename Layer>
class Session;

namespace detail {

// mutate all: layer.session_base
/// The model of a session, its sizes, and that they stay.
template <typename Layer>
class SessionBase {
 public:
  using Scalar = typename Layer::Scalar;
  static constexpr int state_size_at_compile_time = Layer::state_size_at_compile_time;
  static constexpr int inputs_at_compile_time = inputs_of<Layer>();

  [[nodiscard]] Index state_size() const noexcept { return model_->state_size(); }
  [[nodiscard]] Index input_dim() const noexcept { return model_->input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return model_->output_dim(); }
  [[nodiscard]] bool return_sequences() const noexcept { return model_->return_sequences(); }
  /// The model's.
  [[nodiscard]] const auto& parameter_list() const noexcept { return model_->parameter_list(); }

  /// The state before the first step of a single stream: zeros. With fixed sizes it uses no heap.
  [[nodiscard]] auto initial_state() const { return model_->initial_state(); }
  /// The same for a batch of streams.
  [[nodiscard]] State<Scalar, state_size_at_compile_time> initial_state(Index batch) const {
    return model_->initial_state(batch);
  }

 protected:
  explicit SessionBase(const Layer& model) : model_(&model), sizes_(model) {}

  /// The model. \throws InvalidArgument if it has other sizes than at the session's construction
  [[nodiscard]] const Layer& model() const {
    if (!(LayerSizes(*model_) == sizes_)) {
      refuse("Session: the model was replaced by one of other sizes: make a new session");
    }
    return *model_;
  }

 private:
  // The session of a stack says where the layer is now: it moves when another stack is assigned to its own.
  template <typename>
  friend class elegans::Session;

  const Layer* model_;
  LayerSizes sizes_;
};

}  // namespace detail
}  // namespace elegans
