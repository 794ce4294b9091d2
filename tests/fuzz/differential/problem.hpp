// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>

#include "fuzz/differential/draw.hpp"
#include "fuzz/differential/erased_layer.hpp"
#include "fuzz/differential/plain_layer.hpp"
#include "fuzz/differential/tape.hpp"

/// What a layer is given for a forward and a backward pass.
template <typename Scalar>
struct Problem {
  elegans::Sequence<Scalar> x;
  elegans::Context<Scalar> context;
  Eigen::ArrayXXd elapsed;  ///< (time, batch), as the context means them
  Eigen::ArrayXXi exists;   ///< (time, batch), likewise
  elegans::Sequence<Scalar> d_y;
  std::optional<elegans::State<Scalar>> d_final;
};

/// What comes out.
struct Results {
  elegans::Sequence<double> y;
  Eigen::ArrayXXd final_state;
  Eigen::ArrayXd gradient;
  elegans::Sequence<double> d_x;
  Eigen::ArrayXXd d_initial, d_elapsed;

  /// Calls visit(name, values) for each. \param backward  whether there are gradients
  template <typename Visit>
  void for_each(bool backward, Visit visit) const {
    visit("outputs", Eigen::ArrayXd(y.values()));
    visit("final state", Eigen::ArrayXd(final_state.reshaped()));
    if (!backward) return;
    visit("gradient of the parameters", gradient);
    visit("gradient of the inputs", Eigen::ArrayXd(d_x.values()));
    visit("gradient of the initial state", Eigen::ArrayXd(d_initial.reshaped()));
    visit("gradient of the elapsed times", Eigen::ArrayXd(d_elapsed.reshaped()));
  }
};

template <typename Scalar>
elegans::Sequence<double> in_double(const elegans::Sequence<Scalar>& from) {
  elegans::Sequence<double> to(from.time(), from.batch(), from.features());
  to.values() = from.values().template cast<double>();
  return to;
}

template <typename Values>
void fill(Draw& draw, Values&& values, double low, double high) {
  using Scalar = typename std::decay_t<Values>::Scalar;
  for (Eigen::Index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<Scalar>(draw.real(low, high));
}

/// A random problem for a layer.
///
/// \param state_before  the state to go on from, if any; it decides the batch size
template <typename Scalar>
Problem<Scalar> draw_problem(Draw& draw, const ErasedLayer<Scalar>& layer, const plain::Layer& plain,
                             const elegans::State<Scalar>* state_before) {
  using elegans::Index;
  Problem<Scalar> p;
  // Sizes around the widths of packets and tiles, and room for records that overflow the second-level cache; but no
  // more work than some milliseconds of plain loops.
  const double budget = draw.one_of({1e5, 1e6, 3e6}) / plain.cost();
  Index batch = draw.one_of({1, 1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 33});
  Index time = draw.one_of({1, 2, 3, 4, 5, 8, 11, 16, 17, 35, 70});
  if (state_before) batch = state_before->batch();
  time = std::clamp<Index>(static_cast<Index>(budget / static_cast<double>(batch)), 1, time);

  p.x.resize(time, batch, layer.input_dim());
  const double largest = draw.one_of({1.0, 1.0, 1.0, 5.0, 0.0});
  fill(draw, p.x.values(), -largest, largest);

  Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> elapsed(time, batch);
  const double longest = (std::min)(draw.one_of({0.1, 1.1, 1.1, 3.0}), plain.longest_elapsed());
  const int kind = draw.whole(0, 3);
  if (kind == 0 && longest >= 1) {
    elapsed.setOnes();
  } else if (kind <= 1) {
    elapsed.setConstant(static_cast<Scalar>(draw.real(0, longest)));
    p.context.timespans = elegans::Timespans<Scalar>(elapsed(0, 0));
  } else {
    const Index columns = kind == 2 ? 1 : batch;
    elapsed.resize(time, columns);
    fill(draw, elapsed, 0, longest);
    if (draw.chance(0.2)) elapsed(draw.whole(0, static_cast<int>(time) - 1), 0) = 0;
    p.context.timespans = elegans::Timespans<Scalar>(elapsed);
    if (columns == 1) elapsed = elapsed.col(0).replicate(1, batch).eval();
  }
  p.elapsed = elapsed.template cast<double>();

  p.exists = Eigen::ArrayXXi::Ones(time, batch);
  if (draw.chance(0.4)) {
    const double share = draw.one_of({0.1, 0.5, 0.9});
    for (Index i = 0; i < p.exists.size(); ++i) p.exists.data()[i] = draw.chance(1 - share) ? 1 : 0;
    p.context.mask = elegans::Mask(p.exists);
    const bool is_filled = draw.chance(0.5);
    for (Index t = 0; is_filled && t < time; ++t) {
      for (Index b = 0; b < batch; ++b) {
        if (p.exists(t, b) == 0) p.x.step(t).row(b).setConstant(std::numeric_limits<Scalar>::quiet_NaN());
      }
    }
  }
  if (state_before) {
    p.context.initial_state = *state_before;
  } else if (draw.chance(0.6)) {
    p.context.initial_state = layer.initial_state(batch);
    fill(draw, p.context.initial_state->array(), -1, 1);
  }
  p.d_y.resize(layer.return_sequences() ? time : 1, batch, layer.output_dim());
  fill(draw, p.d_y.values(), -1, 1);
  if (draw.chance(0.5)) {
    p.d_final = layer.initial_state(batch);
    fill(draw, p.d_final->array(), -1, 1);
  }
  return p;
}

/// The results of plain loops, sample by sample.
///
/// \param rounding      moves all values by this share of them, up or down, to see how far errors of that size grow
/// \param closest_kink  written: how close a value came to where a derivative jumps
template <typename Scalar>
Results results_of_plain_loops(const plain::Layer& plain, const ErasedLayer<Scalar>& layer, const Problem<Scalar>& p,
                               bool backward, double rounding, double& closest_kink) {
  using elegans::Index;
  using plain::Number;
  const Index time = p.x.time(), batch = p.x.batch(), inputs = p.x.features(), states = layer.state_size();
  const auto parameters = layer.parameters();
  Results r{.y = {p.d_y.time(), batch, p.d_y.features()},
            .final_state = Eigen::ArrayXXd(batch, states),
            .gradient = Eigen::ArrayXd::Zero(parameters.size()),
            .d_x = {time, batch, inputs},
            .d_initial = Eigen::ArrayXXd(batch, states),
            .d_elapsed = Eigen::ArrayXXd(time, batch)};
  closest_kink = std::numeric_limits<double>::infinity();
  plain::Tape& tape = plain::tape();
  for (Index b = 0; b < batch; ++b) {
    tape.clear();
    std::uint32_t count = 0;
    const auto variable = [&](Scalar value) {
      const double exact = static_cast<double>(value) * (1 + (++count * 2654435761U >> 16 & 1 ? rounding : -rounding));
      return backward ? Number::variable(exact) : Number(exact);
    };
    plain::Vector values, initial;
    plain::Series series;
    for (Index i = 0; i < parameters.size(); ++i) values.push_back(variable(parameters[i]));
    for (Index t = 0; t < time; ++t) {
      series.x.emplace_back();
      for (Index f = 0; f < inputs; ++f) series.x.back().push_back(variable(p.x(t, b, f)));
      series.elapsed.push_back(variable(static_cast<Scalar>(p.elapsed(t, b))));
      series.exists.push_back(p.exists(t, b) != 0);
    }
    for (Index u = 0; u < states; ++u) {
      initial.push_back(variable(p.context.initial_state ? (*p.context.initial_state)(b, u) : Scalar(0)));
    }
    plain::Vector state = initial;
    const auto y = plain.run({layer.parameter_list(), values}, series, state);
    const auto at = [](const auto& vector, Index i) -> const auto& { return vector[static_cast<std::size_t>(i)]; };
    for (Index t = 0; t < r.y.time(); ++t) {
      for (Index o = 0; o < r.y.features(); ++o) r.y(t, b, o) = at(at(y, t), o).value;
    }
    for (Index u = 0; u < states; ++u) r.final_state(b, u) = at(state, u).value;
    closest_kink = (std::min)(closest_kink, tape.closest_kink());
    if (!backward) continue;

    tape.begin();
    for (Index t = 0; t < r.y.time(); ++t) {
      for (Index o = 0; o < r.y.features(); ++o) tape.add(at(at(y, t), o).node, static_cast<double>(p.d_y(t, b, o)));
    }
    for (Index u = 0; p.d_final && u < states; ++u) {
      tape.add(at(state, u).node, static_cast<double>((*p.d_final)(b, u)));
    }
    tape.go_back();
    for (Index i = 0; i < parameters.size(); ++i) r.gradient[i] += tape.adjoint(at(values, i).node);
    for (Index t = 0; t < time; ++t) {
      for (Index f = 0; f < inputs; ++f) r.d_x(t, b, f) = tape.adjoint(at(at(series.x, t), f).node);
      r.d_elapsed(t, b) = tape.adjoint(at(series.elapsed, t).node);
    }
    for (Index u = 0; u < states; ++u) r.d_initial(b, u) = tape.adjoint(at(initial, u).node);
  }
  return r;
}

/// The results of the layer's last forward pass, and of its last backward pass.
template <typename Scalar>
Results results_of(const ErasedLayer<Scalar>& layer, const elegans::Sequence<Scalar>& y) {
  return {.y = in_double(y),
          .final_state = layer.final_state().array().template cast<double>(),
          .gradient = layer.gradient().template cast<double>(),
          .d_x = in_double(layer.input_gradient()),
          .d_initial = layer.initial_state_gradient().array().template cast<double>(),
          .d_elapsed = layer.timespans_gradient().template cast<double>()};
}
