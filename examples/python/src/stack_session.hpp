// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/session.hpp>

namespace elegans::python {

/// What a `Session` is for an `Rnn`, for a stack: runs it while other threads do. It has a copy of the stack, because
/// the layers of a stack own the memory that they run in.
template <typename Model>
class StackSession {
 public:
  using Scalar = typename Model::Scalar;
  using StateType = typename Model::StateType;
  using ContextType = typename Model::ContextType;

  /// A session of a stack, which it refers to.
  explicit StackSession(const Model& model) : model_(&model), own_(model) {}

  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context) {
    take_over();
    return own_(x, context);
  }
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context) & {
    take_over();
    return own_.forward(x, context);
  }
  void begin_pass(int epoch, int passes) { own_.begin_pass(epoch, passes); }
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state) {
    own_.backward(d_output, d_final_state);
  }

  [[nodiscard]] ConstVectorView<Scalar> gradient() const& { return own_.gradient(); }
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& { return own_.input_gradient(); }
  [[nodiscard]] const StateType& initial_state_gradient() const& { return own_.initial_state_gradient(); }
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const& { return own_.timespans_gradient(); }
  [[nodiscard]] const StateType& final_state() const& { return own_.final_state(); }

 private:
  /// Copies parameters that changed: the copy has to pack them.
  void take_over() {
    const ConstVectorView<Scalar> now = model_->parameters();
    const auto bytes = sizeof(Scalar) * static_cast<std::size_t>(now.size());
    if (bytes == 0 || std::memcmp(own_.parameters().data(), now.data(), bytes) == 0) return;
    own_.update_unconstrained([&](auto all) { all = now; });
  }

  const Model* model_;
  Model own_;
};

template <typename Model>
using SessionOf = typename std::conditional_t<detail::RnnLayer<Model>, std::type_identity<Session<Model>>,
                                              std::type_identity<StackSession<Model>>>::type;

}  // namespace elegans::python
