// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/layer/rnn.hpp>

namespace elegans {

// How an Rnn walks through time: tiles of samples, forward and back.

template <typename Cell>
Rnn<Cell>::Rnn(Cell cell, bool return_sequences)
    : cell_(std::move(cell)),
      return_sequences_(return_sequences),
      step_space_(cell_),
      final_state_(0, cell_.state_size()),
      d_initial_state_(0, cell_.state_size()) {
  parameters_.resize(cell_.parameters().count());
  cell_.initialize(parameters_.data());
  pack(true);
}

template <typename Cell>
template <typename Derived, int Batch, typename TimeOf>
auto Rnn<Cell>::step_with(const Eigen::DenseBase<Derived>& x, State<Scalar, state_size_at_compile_time, Batch>& state,
                          TimeOf time_of) -> ConstArrayView<Scalar> {
  const Index batch = state.batch();
  detail::check_step(cell_, x, state);
  pack(true);
  if (batch == 1) return step_space_.step(cell_, x, state, time_of);
  step_output_.resize(batch * output_dim());
  pack(false);
  for (Index first = 0; first < batch;) {
    first += with_tile<detail::full_lanes<Scalar>>(first, batch, [&]<typename Lanes>(Index samples) {
      Workspace& space = batch_step_space_;
      cell_.template reserve<Lanes>(space.scratch);
      space.states.resize(std::max(space.states.size(), 2 * detail::extent<Lanes>(state_size())));
      space.x.resize(std::max(space.x.size(), detail::extent<Lanes>(input_dim())));
      space.y.resize(std::max(space.y.size(), detail::extent<Lanes>(output_dim())));
      detail::step_tile<Lanes>(cell_, space, x, state, time_of, first, samples, space.y.data());
      for (Index o = 0; o < output_dim(); ++o) {
        for (Index b = 0; b < samples; ++b) step_output_[first + b + batch * o] = space.y[Lanes::at(o, b)];
      }
      return samples;
    });
  }
  return {step_output_.data(), batch, output_dim()};
}

template <typename Cell>
template <int Width>
void Rnn<Cell>::cut(Index batch, bool keep) {
  if constexpr (requires { Cell::collects_by_sample; }) joins_tiles_ = !executor_ || executor_->workers() == 1;
  tiles_.clear();
  Index tape = 0, kept = 0;
  for (Index first = 0; first < batch;) {
    tiles_.push_back({first, tape, kept});
    first += with_tile<Width>(first, batch, [&]<typename Lanes>(Index samples) {
      pack(Lanes::single);
      tape += keep ? tape_size<Lanes>() : 2 * detail::extent<Lanes>(state_size());
      kept += keep ? kept_per_step<Lanes>() : 0;
      return samples;
    });
  }
  tape_.resize(std::max(tape, tape_.size()));
  kept_steps_ = kept > 0 ? std::min(time_, most_kept / (kept * Index{sizeof(Scalar)})) : 0;
  kept_.resize(std::max(kept_steps_ * kept, kept_.size()));
  const auto workers = static_cast<std::size_t>(executor_ ? executor_->workers() : 1);
  if (spaces_.size() < workers) spaces_.resize(workers);
}

template <typename Cell>
template <int Width, typename Body>
void Rnn<Cell>::for_each_tile(Index batch, Body&& body) {
  const auto run = [&](Index i, int worker) {
    const Tile tile = tiles_[static_cast<std::size_t>(i)];
    with_tile<Width>(tile.first, batch, [&]<typename Lanes>(Index samples) {
      Workspace& space = spaces_[static_cast<std::size_t>(worker)];
      space.kept = kept_.data() + tile.kept * kept_steps_;
      body.template operator()<Lanes>(space, i, tile.first, samples, tape_.data() + tile.tape);
    });
  };
  const auto count = static_cast<Index>(tiles_.size());
  if (is_spread()) {
    executor_->run(count, run);
  } else {
    for (Index i = 0; i < count; ++i) run(i, 0);
  }
}

template <typename Cell>
template <int Width>
void Rnn<Cell>::run(const Sequence<Scalar>& x, const Context<Scalar, state_size_at_compile_time>& context, bool keep) {
  if (x.features() != input_dim() || x.time() < 1 || x.batch() < 1) {
    detail::refuse("forward: x must be (time >= 1, batch >= 1, input_dim = ", input_dim(), "), got (", x.time(), ", ",
                   x.batch(), ", ", x.features(), ")");
  }
  context.timespans.require_shape(x.time(), x.batch());
  context.mask.require_shape(x.time(), x.batch());
  if (context.initial_state &&
      (context.initial_state->batch() != x.batch() || context.initial_state->units() != state_size())) {
    detail::refuse("forward: the initial state must be (batch, state_size) = (", x.batch(), ", ", state_size(),
                   "), got (", context.initial_state->batch(), ", ", context.initial_state->units(), ")");
  }
  time_ = x.time();
  go_back_ = &Rnn::template go_back<Width>;
  if (keep) ++runs_;
  input_ = nullptr;  // until all is well: a cell of one's own may throw
  output_.resize(return_sequences_ ? x.time() : 1, x.batch(), output_dim());
  final_state_.resize(x.batch());
  mask_ = context.mask;
  timespans_.resize(x.time(), x.batch(), 1);
  for (Index t = 0; t < x.time(); ++t) {
    for (Index b = 0; b < x.batch(); ++b) timespans_(t, b, 0) = context.timespans(t, b);
  }
  cut<Width>(x.batch(), keep);
  for_each_tile<Width>(x.batch(),
                       [&]<typename Lanes>(Workspace& space, Index, Index first, Index samples, Scalar* states) {
                         forward_tile<Lanes>(space, x, context, first, samples, states, keep);
                       });
  if (keep) input_ = &x;
}

template <typename Cell>
template <typename Lanes>
void Rnn<Cell>::forward_tile(Workspace& space, const Sequence<Scalar>& x,
                             const Context<Scalar, state_size_at_compile_time>& context, Index first, Index samples,
                             Scalar* states, bool keep) {
  const Index extent = detail::extent<Lanes>(state_size());
  const Index sub_steps = cell_.states_per_step();
  cell_.template reserve<Lanes>(space.scratch);
  space.x.resize(std::max(space.x.size(), detail::extent<Lanes>(input_dim())));
  space.y.resize(std::max(space.y.size(), detail::extent<Lanes>(output_dim())));
  space.held.resize(std::max(space.held.size(), extent));
  std::fill_n(space.x.data(), space.x.size(), Scalar(0));
  // The k-th state: on the tape for a backward pass, else in turn in one of two places.
  const auto state = [=](Index k) { return states + (keep ? k : k & 1) * extent; };
  std::fill_n(state(0), extent, Scalar(0));
  if (context.initial_state) {
    detail::to_lanes<Lanes>(state_size(), samples, state(0),
                            [&](Index b, Index i) { return (*context.initial_state)(first + b, i); });
  }
  Scalar elapsed[Lanes::samples];
  for (Index t = 0; t < x.time(); ++t) {
    const auto takes_step = present<Lanes>(t, first, samples);
    const Index k = t * sub_steps;
    if (takes_step.any) {
      // What stands in place of a masked step's input may be anything, NaN included.
      detail::to_lanes<Lanes>(input_dim(), samples, space.x.data(),
                              [&](Index b, Index f) { return takes_step.sample[b] ? x(t, first + b, f) : Scalar(0); });
      for (Index b = 0; b < Lanes::samples; ++b) {
        elapsed[b] = takes_step.sample[b] ? timespans_(t, first + b, 0) : Scalar(0);
      }
      if (!takes_step.all) std::copy_n(state(k), extent, space.held.data());
      place_dropout(space, t, first, keep);
      place_kept<Lanes>(space, t);
      cell_.template step<Lanes>(
          space.x.data(), state(k), elapsed, [=](Index l) { return state(k + l + 1); }, space.scratch);
      if (!takes_step.all) restore<Lanes>(space, takes_step, samples, state(k + sub_steps));
    } else if (state(k) != state(k + sub_steps)) {
      std::copy_n(state(k), extent, state(k + sub_steps));
    }
    if (!return_sequences_ && t + 1 < x.time()) continue;
    cell_.template output<Lanes>(state(k + sub_steps), space.y.data());
    for (Index o = 0; o < output_dim(); ++o) {
      for (Index b = 0; b < samples; ++b) {
        output_(return_sequences_ ? t : 0, first + b, o) = space.y[Lanes::at(o, b)];
      }
    }
  }
  const Scalar* const last = state(x.time() * sub_steps);
  for (Index i = 0; i < state_size(); ++i) {
    for (Index b = 0; b < samples; ++b) final_state_(first + b, i) = last[Lanes::at(i, b)];
  }
}

template <typename Cell>
template <int Width>
void Rnn<Cell>::go_back(const Sequence<Scalar>& d_output,
                        const State<Scalar, state_size_at_compile_time>* d_final_state) {
  if (d_output.time() != output_.time() || d_output.batch() != output_.batch() ||
      d_output.features() != output_.features()) {
    detail::refuse("backward: d_output must be (", output_.time(), ", ", output_.batch(), ", ", output_.features(),
                   "), got (", d_output.time(), ", ", d_output.batch(), ", ", d_output.features(), ")");
  }
  const Index batch = output_.batch();
  if (d_final_state && (d_final_state->batch() != batch || d_final_state->units() != state_size())) {
    detail::refuse("backward: d_final_state must be (", batch, ", ", state_size(), "), got (", d_final_state->batch(),
                   ", ", d_final_state->units(), ")");
  }
  gradient_.resize(parameters_.size());
  std::fill_n(gradient_.data(), gradient_.size(), Scalar(0));
  d_input_.resize(time_, batch, input_dim());
  d_initial_state_.resize(batch);
  d_timespans_.resize(time_ * batch);
  // At the same time, each tile has a gradient of its own; one after the other, they take turns.
  const Index tiles = is_spread() ? static_cast<Index>(tiles_.size()) - 1 : 1;
  tile_gradients_.resize(std::max(tile_gradients_.size(), tiles * parameters_.size()));
  std::fill_n(tile_gradients_.data(), tiles * parameters_.size(), Scalar(0));
  for_each_tile<Width>(
      batch, [&]<typename Lanes>(Workspace& space, Index tile, Index first, Index samples, const Scalar* states) {
        const detail::FlushDenormals flush;
        backward_tile<Lanes>(space, d_output, d_final_state, first, samples, states);
        collect_tile<Lanes>(space, tile);
      });
  for (Index tile = 0; is_spread() && tile < tiles; ++tile) {
    VectorView<Scalar>(gradient_.data(), gradient_.size()) +=
        ConstVectorView<Scalar>(tile_gradients_.data() + tile * parameters_.size(), parameters_.size());
  }
}

template <typename Cell>
template <typename Lanes>
void Rnn<Cell>::backward_tile(Workspace& space, const Sequence<Scalar>& d_output,
                              const State<Scalar, state_size_at_compile_time>* d_final_state, Index first,
                              Index samples, const Scalar* states) {
  const Sequence<Scalar>& x = *input_;
  const Index extent = detail::extent<Lanes>(state_size());
  const Index sub_steps = cell_.states_per_step();
  const auto state = [=](Index k) { return states + k * extent; };
  const auto zeros = [](Buffer<Scalar>& values, Index size) {
    values.resize(std::max(values.size(), size));
    std::fill_n(values.data(), values.size(), Scalar(0));
    return values.data();
  };
  cell_.template reserve<Lanes>(space.scratch);
  cell_.template reset<Lanes>(space.adjoint);
  Scalar* const x_lanes = zeros(space.x, detail::extent<Lanes>(input_dim()));
  Scalar* const d_y = zeros(space.y, detail::extent<Lanes>(output_dim()));
  Scalar* const d_x = zeros(space.d_x, detail::extent<Lanes>(input_dim()));
  Scalar* const d_v = zeros(space.d_v, extent);
  Scalar elapsed[Lanes::samples];
  Scalar d_elapsed[Lanes::samples];
  if (d_final_state) {
    detail::to_lanes<Lanes>(state_size(), samples, d_v,
                            [&](Index b, Index i) { return (*d_final_state)(first + b, i); });
  }
  for (Index t = time_ - 1; t >= 0; --t) {
    const Index k = t * sub_steps;
    if (return_sequences_ || t == time_ - 1) {
      detail::to_lanes<Lanes>(output_dim(), samples, d_y,
                              [&](Index b, Index o) { return d_output(return_sequences_ ? t : 0, first + b, o); });
      cell_.template output_backward<Lanes>(state(k + sub_steps), d_y, d_v, space.adjoint);
    }
    const auto takes_step = present<Lanes>(t, first, samples);
    if (takes_step.any) {
      detail::to_lanes<Lanes>(input_dim(), samples, x_lanes,
                              [&](Index b, Index f) { return takes_step.sample[b] ? x(t, first + b, f) : Scalar(0); });
      for (Index b = 0; b < Lanes::samples; ++b) {
        elapsed[b] = takes_step.sample[b] ? timespans_(t, first + b, 0) : Scalar(0);
      }
      if (!takes_step.all) {
        std::copy_n(d_v, extent, space.held.data());
        for (Index i = 0; i < state_size(); ++i) {
          for (Index b = 0; b < samples; ++b) {
            if (!takes_step.sample[b]) d_v[Lanes::at(i, b)] = Scalar(0);
          }
        }
      }
      place_dropout(space, t, first, true);
      place_kept<Lanes>(space, t);
      cell_.template step_backward<Lanes>(
          x_lanes, state(k), elapsed, [=](Index l) { return state(k + l + 1); }, d_v, d_x, d_elapsed, space.scratch,
          space.adjoint);
      if (!takes_step.all) restore<Lanes>(space, takes_step, samples, d_v);
    } else {
      std::fill_n(d_x, detail::extent<Lanes>(input_dim()), Scalar(0));
      std::fill_n(d_elapsed, Lanes::samples, Scalar(0));
    }
    for (Index b = 0; b < samples; ++b) {
      for (Index f = 0; f < input_dim(); ++f) d_input_(t, first + b, f) = d_x[Lanes::at(f, b)];
      d_timespans_[t + time_ * (first + b)] = d_elapsed[b];
    }
  }
  for (Index i = 0; i < state_size(); ++i) {
    for (Index b = 0; b < samples; ++b) d_initial_state_(first + b, i) = d_v[Lanes::at(i, b)];
  }
}

template <typename Cell>
template <typename Lanes>
void Rnn<Cell>::collect_tile(Workspace& space, Index tile) {
  // Each tile's gradient is made from nothing, then added: a compiler may fuse a product and an addition to what is
  // there, which would round differently.
  const Index size = parameters_.size();
  const auto add = [&]<typename Part>() {
    std::fill_n(tile_gradients_.data(), size, Scalar(0));
    cell_.template collect<Part>(space.adjoint, parameters_.data(), tile_gradients_.data());
    VectorView<Scalar>(gradient_.data(), size) += ConstVectorView<Scalar>(tile_gradients_.data(), size);
  };
  if constexpr (requires { Cell::collects_by_sample; } && Lanes::lanes > 8 && !Lanes::single) {
    if (detail::tile_lanes<Scalar>(output_.batch()) < Lanes::lanes) {  // the first tile, as there is but one so wide
      cell_.template collect<detail::HalfOf<Lanes, 0>>(space.adjoint, parameters_.data(), gradient_.data());
      add.template operator()<detail::HalfOf<Lanes, 1>>();
      return;
    }
  }
  if (tile == 0) {
    cell_.template collect<Lanes>(space.adjoint, parameters_.data(), gradient_.data());
  } else if (is_spread()) {
    cell_.template collect<Lanes>(space.adjoint, parameters_.data(), tile_gradients_.data() + (tile - 1) * size);
  } else {
    add.template operator()<Lanes>();
  }
}

}  // namespace elegans
