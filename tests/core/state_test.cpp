// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>
#include <type_traits>
#include <utility>

#include <elegans/core/state.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using elegans::Dynamic;
using elegans::Index;
using elegans::State;

TEMPLATE_TEST_CASE("A state is a (batch, units) array of zeros", "[core][state]", (State<float>), (State<double, 3>),
                   (State<double, Dynamic, 2>), (State<float, 3, 2>)) {
  TestType state(2, 3);
  CHECK(state.batch() == 2);
  CHECK(state.units() == 3);
  CHECK(state.array().rows() == 2);
  CHECK(state.array().cols() == 3);
  CHECK((state.array() == 0).all());
}

TEST_CASE("Elements and array share one memory, neuron after neuron", "[core][state]") {
  State<double> state(2, 3);
  state(1, 2) = 5;
  CHECK(state.array()(1, 2) == 5);
  CHECK(state.data()[1 + 2 * 2] == 5);
  state.array()(0, 1) = 3;
  CHECK(state(0, 1) == 3);
  state.set_zero();
  CHECK((state.array() == 0).all());
}

TEST_CASE("A state of one sample is a row, also with fixed sizes", "[core][state]") {
  State<float, 4, 1> state;
  CHECK(state.batch() == 1);
  CHECK(state.units() == 4);
  state(0, 3) = 2;
  CHECK(state.array()(3) == 2);
  static_assert(sizeof(State<float, 4, 1>) < 128, "a fixed state is held in place");
}

TEST_CASE("A state that is resized has another number of samples", "[core][state]") {
  State<float> state(2, 3);
  state.resize(5);
  CHECK(state.batch() == 5);
  CHECK(state.units() == 3);
  CHECK(state.array().size() == 15);
}

TEST_CASE("A state that does not fit its type is refused", "[core][state]") {
  CHECK_THROWS_WITH((State<float, 3>(2, 4)), "State: shape does not fit the type, got (2, 4)");
  CHECK_THROWS_WITH((State<float, Dynamic, 2>(3, 4)), "State: shape does not fit the type, got (3, 4)");
  CHECK_THROWS_AS(State<float>(-1, 4), elegans::InvalidArgument);
  CHECK_THROWS_AS(State<float>(1, -4), elegans::InvalidArgument);
  CHECK_NOTHROW(State<float>(0, 4));
}

TEST_CASE("A state of more values than memory can hold is refused, and stays as it was", "[core][state]") {
  constexpr Index most = (std::numeric_limits<Index>::max)();
  CHECK_THROWS_AS(State<double>(most, 2), elegans::InvalidArgument);
  State<double> state(2, 3);
  CHECK_THROWS_AS(state.resize(most), elegans::InvalidArgument);
  CHECK_THROWS_WITH(state.resize(-1), "State: sizes must not be negative, got (-1, 3)");
  CHECK(state.batch() == 2);
}

TEST_CASE("A state that was moved from is empty where its type fixes no size, and can be used again", "[core][state]") {
  State<float> state(2, 3);
  state(1, 2) = 5;
  State<float> other = std::move(state);
  CHECK(other(1, 2) == 5);
  CHECK(state.batch() == 0);
  CHECK(state.units() == 0);
  CHECK(state.array().size() == 0);
  state = std::move(other);
  CHECK(state(1, 2) == 5);
  State<float>& itself = state;
  state = std::move(itself);
  CHECK(state.batch() == 2);
  CHECK(state(1, 2) == 5);

  State<float, 3> units_fixed(2, 3);
  const State<float, 3> taken = std::move(units_fixed);
  CHECK(taken.batch() == 2);
  CHECK(units_fixed.batch() == 0);
  CHECK(units_fixed.units() == 3);
  units_fixed.resize(4);
  CHECK(units_fixed.array().rows() == 4);

  State<float, 3, 2> fixed;
  fixed(1, 2) = 5;
  const State<float, 3, 2> twin = std::move(fixed);
  CHECK(fixed.batch() == 2);
  CHECK(fixed(1, 2) == 5);
  CHECK(twin(1, 2) == 5);
  static_assert(std::is_trivially_copyable_v<State<float, 3, 2>>);
}

TEMPLATE_TEST_CASE("A temporary state gives values that outlive it", "[core][state]", (State<float>),
                   (State<double, 4, 1>)) {
  const auto make = [] {
    TestType state(1, 4);
    state(0, 2) = 5;
    return state;
  };
  const auto array = make().array();
  const auto& element = make()(0, 2);
  CHECK(array.rows() == 1);
  CHECK(array.cols() == 4);
  CHECK(array(0, 2) == 5);
  CHECK(element == 5);
  static_assert(!requires { make().data(); });
}

TEMPLATE_TEST_CASE("A sample or a unit that a state does not have is refused", "[core][state]", (State<float>),
                   (State<double, 3>), (State<float, 3, 2>)) {
  TestType state(2, 3);
  const auto value = [&](Index b, Index unit) { return support::refusal_of([&] { (void)state(b, unit); }); };
  CHECK(value(1, 2) == "(not refused)");
  CHECK(value(2, 0) == "State: there is no value (2, 0) in (batch, units) = (2, 3)");
  CHECK(value(0, 3) != "(not refused)");
  CHECK(value(-1, 0) != "(not refused)");
  CHECK(value(0, -1) != "(not refused)");
  const TestType& constant = state;
  CHECK(support::refusal_of([&] { (void)constant(0, 3); }) != "(not refused)");
}
