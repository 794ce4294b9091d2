// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The CMake target elegans::compiled defines ELEGANS_COMPILED for its users. Their compilers then leave to its library
// what it has: models of run-time sizes, `fit` with Adam and without extras, and, if nlohmann_json was there when it
// was compiled, `load_model`.
//
// Only functions that are not inline can be left to a library, as compilers also compile inline functions that it has.
// So functions that cost a compiler much are defined outside of their classes.
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/session.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/history.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/wiring.hpp>

#ifdef ELEGANS_COMPILED

// What the library has. `storage` is `extern` here, to declare it, and nothing in the library, which defines it:
// cmake/elegansCompiled.cmake.
#define ELEGANS_COMPILED_WIRINGS(storage) \
  storage template class Wiring<>;        \
  storage template class NCP<>

#define ELEGANS_COMPILED_LAYER(storage, Layer, Scalar)       \
  storage template class Rnn<detail::CellOf<Layer<Scalar>>>; \
  storage template class Layer<Scalar>

#define ELEGANS_COMPILED_MODEL(storage, Model, Scalar)                                                     \
  ELEGANS_COMPILED_LAYER(storage, Model, Scalar);                                                          \
  storage template History<Scalar> detail::fit_source<Model<Scalar>, const Dataset<Scalar>, Adam<Scalar>>( \
      Model<Scalar>&, const Dataset<Scalar>&, Adam<Scalar>&, const FitOptions<Scalar>&)

namespace elegans {

ELEGANS_COMPILED_WIRINGS(extern);
ELEGANS_COMPILED_MODEL(extern, LTC, float);
ELEGANS_COMPILED_MODEL(extern, LTC, double);
ELEGANS_COMPILED_MODEL(extern, CfC, float);
ELEGANS_COMPILED_MODEL(extern, CfC, double);
ELEGANS_COMPILED_MODEL(extern, MixedLTC, float);
ELEGANS_COMPILED_MODEL(extern, MixedLTC, double);
ELEGANS_COMPILED_MODEL(extern, MixedCfC, float);
ELEGANS_COMPILED_MODEL(extern, MixedCfC, double);
ELEGANS_COMPILED_LAYER(extern, LSTM, float);
ELEGANS_COMPILED_LAYER(extern, LSTM, double);
ELEGANS_COMPILED_LAYER(extern, GRU, float);
ELEGANS_COMPILED_LAYER(extern, GRU, double);

}  // namespace elegans

#endif
