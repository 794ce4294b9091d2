// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <random>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>

#include "support/catch.hpp"

namespace support {

using elegans::Index;
using Samples = std::vector<Index>;

/// Some samples of a sequence, in that order.
template <typename Scalar>
elegans::Sequence<Scalar> samples_of(const elegans::Sequence<Scalar>& from, const Samples& samples) {
  elegans::Sequence<Scalar> result(from.time(), static_cast<Index>(samples.size()), from.features());
  for (Index t = 0; t < from.time(); ++t) result.step(t) = from.step(t)(samples, Eigen::all);
  return result;
}

/// Some steps of a sequence.
template <typename Scalar>
elegans::Sequence<Scalar> steps_of(const elegans::Sequence<Scalar>& from, Index first, Index count) {
  elegans::Sequence<Scalar> result(count, from.batch(), from.features());
  for (Index t = 0; t < count; ++t) result.step(t) = from.step(first + t);
  return result;
}

/// All that a model is given for a forward and a backward pass.
template <typename Model>
struct Problem {
  using Scalar = typename Model::Scalar;
  using StateType = elegans::State<Scalar, Model::state_size_at_compile_time>;

  elegans::Sequence<Scalar> x;
  Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> elapsed;  // (time, batch)
  Eigen::ArrayXXi exists;                                        // (time, batch), 0 where a step is masked
  StateType initial;
  elegans::Sequence<Scalar> d_y;
  StateType d_final;

  [[nodiscard]] elegans::Context<Scalar, Model::state_size_at_compile_time> context() const {
    return {.timespans = elapsed, .initial_state = initial, .mask = elegans::Mask(exists)};
  }
};

/// Random values for a model. All of them are floats, so that they mean the same in float and in double.
template <typename Model>
Problem<Model> problem_of(const Model& model, Index time, Index batch) {
  using Scalar = typename Model::Scalar;
  std::mt19937 random(static_cast<unsigned>(100 * time + batch));
  const auto fill = [&](auto&& values, float low, float high) {
    std::uniform_real_distribution<float> uniform(low, high);
    for (Index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<Scalar>(uniform(random));
  };
  Problem<Model> p{.x = elegans::Sequence<Scalar>(time, batch, model.input_dim()),
                   .elapsed = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>(time, batch),
                   .exists = Eigen::ArrayXXi::Ones(time, batch),
                   .initial = model.initial_state(batch),
                   .d_y = elegans::Sequence<Scalar>(model.return_sequences() ? time : 1, batch, model.output_dim()),
                   .d_final = model.initial_state(batch)};
  fill(p.x.values(), -1, 1);
  fill(p.elapsed, 0.1f, 1.1f);
  fill(p.initial.array(), -1, 1);
  fill(p.d_y.values(), -1, 1);
  fill(p.d_final.array(), -1, 1);
  return p;
}

/// The same problem for some of its samples, in that order.
template <typename Model>
Problem<Model> samples_of(const Problem<Model>& p, const Samples& samples) {
  Problem<Model> result = p;
  result.x = samples_of(p.x, samples);
  result.elapsed = p.elapsed(Eigen::all, samples).eval();
  result.exists = p.exists(Eigen::all, samples).eval();
  result.d_y = samples_of(p.d_y, samples);
  result.initial.resize(static_cast<Index>(samples.size()));
  result.initial.array() = p.initial.array()(samples, Eigen::all);
  result.d_final.resize(static_cast<Index>(samples.size()));
  result.d_final.array() = p.d_final.array()(samples, Eigen::all);
  return result;
}

/// The same problem for some of its steps, for a model that returns sequences.
template <typename Model>
Problem<Model> steps_of(const Problem<Model>& p, Index first, Index count) {
  Problem<Model> result = p;
  result.x = steps_of(p.x, first, count);
  result.elapsed = p.elapsed.middleRows(first, count).eval();
  result.exists = p.exists.middleRows(first, count).eval();
  result.d_y = steps_of(p.d_y, first, count);
  return result;
}

/// All that a model makes of a problem.
struct Results {
  elegans::Sequence<double> y;
  Eigen::ArrayXXd final_state;
  Eigen::ArrayXd gradient;
  elegans::Sequence<double> d_x;
  Eigen::ArrayXXd d_initial;
  Eigen::ArrayXXd d_elapsed;  // empty where a model has none

  /// Calls visit(name, values) for each.
  template <typename Visit>
  void for_each(Visit visit) const {
    visit("outputs", y.values());
    visit("final state", final_state.reshaped());
    visit("parameters' gradient", gradient);
    visit("input gradient", d_x.values());
    visit("initial state's gradient", d_initial.reshaped());
    visit("timespans' gradient", d_elapsed.reshaped());
  }
};

template <typename Scalar>
elegans::Sequence<double> as_double(const elegans::Sequence<Scalar>& from) {
  elegans::Sequence<double> result(from.time(), from.batch(), from.features());
  result.values() = from.values().template cast<double>();
  return result;
}

/// The results of the last backward pass of a model.
template <typename Model>
Results results_of(const Model& model, const elegans::Sequence<typename Model::Scalar>& y) {
  Results r{.y = as_double(y),
            .final_state = model.final_state().array().template cast<double>(),
            .gradient = model.gradient().template cast<double>(),
            .d_x = as_double(model.input_gradient()),
            .d_initial = model.initial_state_gradient().array().template cast<double>(),
            .d_elapsed = {}};
  if constexpr (requires { model.timespans_gradient(); }) {
    r.d_elapsed = model.timespans_gradient().template cast<double>();
  }
  return r;
}

/// Runs a model forward and back.
template <typename Model>
Results run(Model& model, const Problem<Model>& p) {
  const auto y = model.forward(p.x, p.context());
  model.backward(p.d_y, &p.d_final);
  return results_of(model, y);
}

/// The results for some of the samples. The parameters' gradient stays that of all.
inline Results samples_of(const Results& r, const Samples& samples) {
  Results result = r;
  result.y = samples_of(r.y, samples);
  result.final_state = r.final_state(samples, Eigen::all).eval();
  result.d_x = samples_of(r.d_x, samples);
  result.d_initial = r.d_initial(samples, Eigen::all).eval();
  if (r.d_elapsed.size() > 0) result.d_elapsed = r.d_elapsed(Eigen::all, samples).eval();
  return result;
}

/// Each value of one is that of the other, up to a share of the largest value of its kind, or of 1.
inline void require_close(const Results& got, const Results& wanted, double tolerance) {
  std::vector<Eigen::ArrayXd> of_wanted;
  wanted.for_each([&](const char*, const auto& values) { of_wanted.emplace_back(values); });
  std::size_t k = 0;
  got.for_each([&](const char* name, const auto& values) {
    const Eigen::ArrayXd& other = of_wanted[k++];
    INFO(name);
    REQUIRE(values.size() == other.size());
    if (other.size() == 0) return;
    const double largest = (std::max)(1.0, other.abs().maxCoeff());
    const double difference = (values - other).abs().maxCoeff();
    CAPTURE(difference, largest);
    REQUIRE(((values - other).abs() <= tolerance * largest).all());  // false for a NaN
  });
}

/// The same bits.
inline void require_same(const Results& got, const Results& wanted) { require_close(got, wanted, 0); }

}  // namespace support
