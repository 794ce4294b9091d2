// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/bidirectional_run.hpp>
#include <elegans/layer/chain_run.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/parts.hpp>
#include <elegans/layer/parts_run.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/session_base.hpp>
#include <elegans/layer/stack.hpp>

// mutate all: layer.stack_session
namespace elegans {

namespace detail {

/// Sessions of the layers of a stack.
template <typename... Layers>
PartTuple<Session<Layers>...> sessions_of(const PartTuple<Layers...>& parts) {
  return std::apply([](const auto&... part) { return PartTuple<Session<Layers>...>(Session<Layers>(part.layer)...); },
                    parts.all);
}
template <typename Layer>
PartVector<Session<Layer>> sessions_of(const PartVector<Layer>& parts) {
  std::vector<Session<Layer>> sessions;
  for (const auto& part : parts.all) sessions.emplace_back(part.layer);
  return PartVector<Session<Layer>>(std::move(sessions));
}

template <typename Parts>
using SessionsOf = decltype(sessions_of(std::declval<const Parts&>()));

/// Calls visit(session, layer) for each layer of a stack.
template <typename... Sessions, typename... Layers, typename Visit>
void for_each_session(PartTuple<Sessions...>& sessions, const PartTuple<Layers...>& layers, Visit visit) {
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    (visit(std::get<K>(sessions.all).layer, std::get<K>(layers.all).layer), ...);
  }(std::index_sequence_for<Layers...>{});
}
template <typename Session, typename Layer, typename Visit>
void for_each_session(PartVector<Session>& sessions, const PartVector<Layer>& layers, Visit visit) {
  if (sessions.all.size() != layers.all.size()) {
    refuse("Session: the model has ", layers.all.size(), " layers and had ", sessions.all.size(),
           ": make a new session");
  }
  for (std::size_t k = 0; k < layers.all.size(); ++k) visit(sessions.all[k].layer, layers.all[k].layer);
}

template <typename Model>
inline constexpr bool is_chain = false;
template <typename... Layers>
inline constexpr bool is_chain<Sequential<Layers...>> = true;
template <typename Layer>
inline constexpr bool is_chain<Stack<Layer>> = true;

template <typename Model>
inline constexpr bool is_bidirectional = false;
template <typename Layer>
inline constexpr bool is_bidirectional<Bidirectional<Layer>> = true;

template <typename Model>
concept StackOfLayers = is_chain<Model> || is_bidirectional<Model>;

/// Runs the sessions of a stack's layers as the stack runs its layers.
template <typename Model, typename Run = PartsRun<typename Model::Scalar, SessionsOf<typename Model::Parts>>>
using StackRun = std::conditional_t<is_chain<Model>, ChainRun<Run>, BidirectionalRun<Run>>;

}  // namespace detail

/// A session of a `Sequential`, a `Stack` or a `Bidirectional`: a session of each of its layers. See the session of an
/// `Rnn`. It does not go back. If another stack is assigned to the model, it must have layers of the same sizes.
template <detail::StackOfLayers Model>
class Session<Model> : public detail::StackRun<Model> {
  using Run = detail::StackRun<Model>;

 public:
  using Scalar = typename Model::Scalar;
  using ContextType = typename Run::ContextType;

  /// A session of a model, which it refers to.
  /// \throws InvalidArgument if the model was moved from, or a layer of it was replaced by one of other sizes
  explicit Session(const Model& model) : Run((model.begin_use(), detail::sessions_of(model.parts_))), model_(&model) {}
  explicit Session(const Model&&) = delete;  // the model must outlive the session

  /// The model's.
  [[nodiscard]] const auto& parameter_list() const noexcept { return model_->parameter_list(); }

  /// Advances a state by one step through all layers, in place: see `Sequential::step`.
  template <typename Input, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Input>& x,
                              State<Scalar, Run::state_size_at_compile_time, Batch>& state,
                              const Elapsed& elapsed = Elapsed(1)) &
    requires requires(Run& run) { run.step(x, state, elapsed); }
  {
    find_layers();
    return Run::step(x, state, elapsed);
  }
  template <typename Input>
  void step(const Eigen::DenseBase<Input>&, ...) const& = delete;  // wrong state, const or temporary session

  /// The outputs for a batch of sequences. \throws InvalidArgument if a shape differs
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    find_layers();
    return Run::operator()(x, context);
  }

 private:
  template <typename>
  friend class Session;

  /// Asks the model where its layers are now.
  void find_layers() {
    model_->begin_use();
    detail::for_each_session(this->parts_, model_->parts_,
                             [](auto& session, const auto& layer) { session.model_ = &layer; });
  }

  const Model* model_;
};

}  // namespace elegans
