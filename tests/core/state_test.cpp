// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <type_traits>

#include <elegans/core/state.hpp>

#include "support/catch.hpp"

using elegans::Dynamic;
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

TEST_CASE("An element and the array are one memory, neuron after neuron", "[core][state]") {
  State<double> state(2, 3);
  state(1, 2) = 5;
  CHECK(state.array()(1, 2) == 5);
  CHECK(state.data()[1 + 2 * 2] == 5);
  state.array()(0, 1) = 3;
  CHECK(state(0, 1) == 3);
  state.set_zero();
  CHECK((state.array() == 0).all());
}

TEST_CASE("A state of a single stream is a row, also with fixed sizes", "[core][state]") {
  State<float, 4, 1> state;
  CHECK(state.batch() == 1);
  CHECK(state.units() == 4);
  state(0, 3) = 2;
  CHECK(state.array()(3) == 2);
  static_assert(sizeof(State<float, 4, 1>) < 128, "a fixed state is held in place");
}

TEST_CASE("Resizing a state changes its rows", "[core][state]") {
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
