// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/system/executor.hpp>

/// A layer of any type: an AnyLayer itself, so that the library's stacks hold what is only known at run time.
template <typename ScalarType>
class ErasedLayer {
 public:
  using Scalar = ScalarType;
  using StateType = elegans::State<Scalar>;
  using ContextType = elegans::Context<Scalar>;
  using Values = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
  using Change = std::function<void(elegans::VectorView<Scalar>)>;
  static constexpr int state_size_at_compile_time = elegans::Dynamic;

  /// \param has_steps  whether stepping over a sequence gives the outputs of the sequence
  template <typename Layer>
  ErasedLayer(Layer layer, bool has_steps) : held_(std::make_unique<Holder<Layer>>(std::move(layer), has_steps)) {}

  ErasedLayer(const ErasedLayer& other) : held_(other.held_->clone()) {}
  ErasedLayer(ErasedLayer&&) noexcept = default;
  ErasedLayer& operator=(const ErasedLayer& other) {
    held_ = other.held_->clone();
    return *this;
  }
  ErasedLayer& operator=(ErasedLayer&&) noexcept = default;
  ~ErasedLayer() = default;

  [[nodiscard]] elegans::Index input_dim() const { return held_->input_dim(); }
  [[nodiscard]] elegans::Index output_dim() const { return held_->output_dim(); }
  [[nodiscard]] elegans::Index state_size() const { return held_->state_size(); }
  [[nodiscard]] bool return_sequences() const { return held_->return_sequences(); }
  [[nodiscard]] bool has_steps() const { return held_->has_steps(); }
  [[nodiscard]] const elegans::ParameterList<>& parameter_list() const { return held_->list; }
  [[nodiscard]] elegans::ConstVectorView<Scalar> parameters() const { return held_->parameters(); }
  [[nodiscard]] elegans::ConstVectorView<Scalar> gradient() const { return held_->gradient(); }
  void update(const Change& change) { held_->update(change); }

  [[nodiscard]] StateType initial_state(elegans::Index batch) const { return {batch, state_size()}; }
  [[nodiscard]] const StateType& final_state() const { return held_->final_state; }
  [[nodiscard]] elegans::Sequence<Scalar> operator()(const elegans::Sequence<Scalar>& x,
                                                     const ContextType& context = {}) {
    return held_->run(x, context);
  }
  const elegans::Sequence<Scalar>& forward(const elegans::Sequence<Scalar>& x, const ContextType& context = {}) {
    return held_->forward(x, context);
  }
  void backward(const elegans::Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    held_->backward(d_output, d_final_state);
  }
  [[nodiscard]] const elegans::Sequence<Scalar>& input_gradient() const { return held_->input_gradient(); }
  [[nodiscard]] const StateType& initial_state_gradient() const { return held_->d_initial_state; }
  /// Zeros for a layer without elapsed times.
  [[nodiscard]] elegans::ConstArrayView<Scalar> timespans_gradient() const {
    const Values& values = held_->d_timespans;
    return {values.data(), values.rows(), values.cols()};
  }

  /// \param x        (batch, input_dim), or any vector for a single stream
  /// \param elapsed  (batch), or one time for all
  template <typename Input, typename Elapsed>
  elegans::ConstArrayView<Scalar> step(const Input& x, StateType& state, const Elapsed& elapsed) {
    Values rows = x;
    if (state.batch() == 1 && rows.cols() == 1) rows = rows.transpose().eval();
    if constexpr (std::is_same_v<Elapsed, Scalar>) {
      return held_->step(rows, state, Values::Constant(state.batch(), 1, elapsed));
    } else {
      return held_->step(rows, state, elapsed);
    }
  }
  void set_executor(const std::shared_ptr<elegans::Executor>& executor) { held_->set_executor(executor); }
  /// Copies and moves the layer that is held, there and back, and leaves what a mistake would destroy.
  void copy_and_move() { held_->copy_and_move(); }

 private:
  using Sequence = elegans::Sequence<Scalar>;

  struct Interface {
    Interface() = default;
    Interface(const Interface&) = default;
    Interface& operator=(const Interface&) = delete;
    virtual ~Interface() = default;
    [[nodiscard]] virtual std::unique_ptr<Interface> clone() const = 0;
    [[nodiscard]] virtual elegans::Index input_dim() const = 0;
    [[nodiscard]] virtual elegans::Index output_dim() const = 0;
    [[nodiscard]] virtual elegans::Index state_size() const = 0;
    [[nodiscard]] virtual bool return_sequences() const = 0;
    [[nodiscard]] virtual bool has_steps() const = 0;
    [[nodiscard]] virtual elegans::ConstVectorView<Scalar> parameters() const = 0;
    [[nodiscard]] virtual elegans::ConstVectorView<Scalar> gradient() const = 0;
    virtual void update(const Change& change) = 0;
    virtual Sequence run(const Sequence& x, const ContextType& context) = 0;
    virtual const Sequence& forward(const Sequence& x, const ContextType& context) = 0;
    virtual void backward(const Sequence& d_output, const StateType* d_final_state) = 0;
    [[nodiscard]] virtual const Sequence& input_gradient() const = 0;
    virtual elegans::ConstArrayView<Scalar> step(const Values& x, StateType& state, const Values& elapsed) = 0;
    virtual void set_executor(const std::shared_ptr<elegans::Executor>& executor) = 0;
    virtual void copy_and_move() = 0;

    elegans::ParameterList<> list;
    StateType final_state, d_initial_state;
    Values d_timespans;
  };

  template <typename Layer>
  struct Holder final : Interface {
    using State = elegans::State<Scalar, Layer::state_size_at_compile_time>;
    using Context = elegans::Context<Scalar, Layer::state_size_at_compile_time>;

    Holder(Layer own, bool steps) : layer(std::move(own)), with_steps(steps) {
      for (const elegans::Parameter& entry : layer.parameter_list()) {
        this->list.add(entry.name, entry.rows, entry.columns);
      }
    }
    [[nodiscard]] std::unique_ptr<Interface> clone() const override { return std::make_unique<Holder>(*this); }
    [[nodiscard]] elegans::Index input_dim() const override { return layer.input_dim(); }
    [[nodiscard]] elegans::Index output_dim() const override { return layer.output_dim(); }
    [[nodiscard]] elegans::Index state_size() const override { return layer.state_size(); }
    [[nodiscard]] bool return_sequences() const override { return layer.return_sequences(); }
    [[nodiscard]] bool has_steps() const override { return with_steps; }
    [[nodiscard]] elegans::ConstVectorView<Scalar> parameters() const override { return layer.parameters(); }
    [[nodiscard]] elegans::ConstVectorView<Scalar> gradient() const override { return layer.gradient(); }
    void update(const Change& change) override { layer.update(change); }
    Sequence run(const Sequence& x, const ContextType& context) override {
      Sequence y = layer(x, context_of(context));
      copy_state(layer.final_state(), this->final_state);
      return y;
    }
    const Sequence& forward(const Sequence& x, const ContextType& context) override {
      const Sequence& y = layer.forward(x, context_of(context));
      copy_state(layer.final_state(), this->final_state);
      return y;
    }
    void backward(const Sequence& d_output, const StateType* d_final_state) override {
      State own(0, layer.state_size());
      if (d_final_state) own = state_of(*d_final_state);
      layer.backward(d_output, d_final_state ? &own : nullptr);
      copy_state(layer.initial_state_gradient(), this->d_initial_state);
      if constexpr (requires { layer.timespans_gradient(); }) {
        this->d_timespans = layer.timespans_gradient();
      } else {
        this->d_timespans = Values::Zero(input_gradient().time(), input_gradient().batch());
      }
    }
    [[nodiscard]] const Sequence& input_gradient() const override { return layer.input_gradient(); }
    elegans::ConstArrayView<Scalar> step(const Values& x, StateType& state, const Values& elapsed) override {
      if constexpr (elegans::CausalLayer<Layer>) {
        if (state.batch() == 1) {  // as a stream on a robot: one sample, a vector, one elapsed time
          auto single = layer.initial_state();
          single.array() = state.array();
          const auto y = layer.step(x.row(0).transpose(), single, elapsed(0, 0));
          state.array() = single.array();
          return y;
        }
        State own = state_of(state);
        const auto y = layer.step(x, own, elapsed);
        state.array() = own.array();
        return y;
      } else {
        elegans::detail::refuse("this layer has no steps");
      }
    }
    void set_executor(const std::shared_ptr<elegans::Executor>& executor) override {
      if constexpr (requires { layer.set_executor(executor); }) layer.set_executor(executor);
    }
    void copy_and_move() override {
      Layer copy = layer;
      Layer moved = std::move(layer);
      layer = moved;
      moved = std::move(copy);
      Layer& self = moved;
      moved = std::move(self);
      layer = std::move(moved);
    }

    static State state_of(const StateType& from) {
      State to(from.batch(), from.units());
      to.array() = from.array();
      return to;
    }
    static Context context_of(const ContextType& from) {
      Context to{.timespans = from.timespans, .initial_state = {}, .mask = from.mask};
      if (from.initial_state) to.initial_state = state_of(*from.initial_state);
      return to;
    }
    template <typename AnyState>
    static void copy_state(const AnyState& from, StateType& to) {
      to = StateType(from.batch(), from.units());
      to.array() = from.array();
    }

    Layer layer;
    bool with_steps;
  };

  std::unique_ptr<Interface> held_;
};
