// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <elegans/core/activation.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/neon.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

// mutate all: activate
/// The distribution function of the standard normal distribution.
template <typename Scalar>
[[nodiscard]] Scalar normal_cdf(Scalar z) {
  return Scalar(0.5) * (Scalar(1) + std::erf(z * Scalar(0.70710678118654752440)));
}

/// tanh of each lane: Eigen's, where it has one for packets.
template <typename Scalar, int Lanes>
[[nodiscard]] EIGEN_ALWAYS_INLINE Packet<Scalar, Lanes> tanh(const Packet<Scalar, Lanes>& x) {
  if constexpr (Lanes == 1 || !Eigen::internal::packet_traits<Scalar>::HasTanh) {
    return each_lane(x, [](Scalar value) { return std::tanh(value); });
  } else {
    const auto y = Packet<Scalar, Lanes>::from_native(Eigen::internal::ptanh(x.native));
    if constexpr (neon::is_target) {
      // Eigen's ends one rounding below 1 there, so a derivative would not be 0 where tanh is flat.
      using P = Packet<Scalar, Lanes>;
      const P flat(Scalar(9)), one(Scalar(1));
      return select(minimum(absolute(x), flat) == flat, minimum(maximum(x, -one), one), y);
    }
    return y;
  }
}

/// exp of each lane: Eigen's, where it has one for packets.
template <typename Scalar, int Lanes>
[[nodiscard]] EIGEN_ALWAYS_INLINE Packet<Scalar, Lanes> exp(const Packet<Scalar, Lanes>& x) {
  if constexpr (Lanes == 1 || !Eigen::internal::packet_traits<Scalar>::HasExp) {
    return each_lane(x, [](Scalar value) { return std::exp(value); });
  } else {
    return Packet<Scalar, Lanes>::from_native(Eigen::internal::pexp(x.native));
  }
}

/// activation(z)
template <Activation activation, typename P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P activated(const P& z) {
  using Scalar = typename P::Scalar;
  switch (activation) {
    case Activation::linear:
      return z;
    case Activation::lecun_tanh:
      return P(lecun_scale<Scalar>) * tanh(P(lecun_slope<Scalar>) * z);
    case Activation::relu:
      return maximum(z, P(Scalar(0)));
    case Activation::tanh:
      return tanh(z);
    case Activation::gelu:
      return z * each_lane(z, [](Scalar value) { return normal_cdf(value); });
    case Activation::silu:
      return z * sigmoid(z);
    case Activation::sigmoid:
      return sigmoid(z);
  }
  return z;
}

/// Calls body<activation>() for an activation that is known at run time only.
template <typename Body>
decltype(auto) with_activation(Activation activation, Body&& body) {
  switch (activation) {
    case Activation::linear:
      return body.template operator()<Activation::linear>();
    case Activation::lecun_tanh:
      return body.template operator()<Activation::lecun_tanh>();
    case Activation::relu:
      return body.template operator()<Activation::relu>();
    case Activation::tanh:
      return body.template operator()<Activation::tanh>();
    case Activation::gelu:
      return body.template operator()<Activation::gelu>();
    case Activation::silu:
      return body.template operator()<Activation::silu>();
    case Activation::sigmoid:
      return body.template operator()<Activation::sigmoid>();
  }
}

/// y = activation(z), in packets P. y and z may be the same memory.
template <typename P>
void activate(Activation activation, const typename P::Scalar* z, typename P::Scalar* y, Index size) {
  with_activation(activation, [&]<Activation chosen>() {
    for_each_packet<P>(size, [&]<typename Any>(Index i) { store(y + i, activated<chosen>(load<Any>(z + i))); });
  });
}

/// Multiplies an adjoint by activation'(z), in place, with y = activation(z).
template <typename Scalar>
void activate_backward(Activation activation, ConstVectorView<Scalar> z, ConstVectorView<Scalar> y,
                       VectorView<Scalar> d) {
  constexpr Scalar one(1);
  switch (activation) {
    case Activation::linear:
      break;
    case Activation::lecun_tanh:
      // As a product, it is exactly 0 where tanh is 1: the adjoint may meet an input of 1e30 next.
      d *= (lecun_slope<Scalar> / lecun_scale<Scalar>)*(lecun_scale<Scalar> - y) * (lecun_scale<Scalar> + y);
      break;
    case Activation::relu:
      d = (z > Scalar(0)).select(d, Scalar(0));
      break;
    case Activation::tanh:
      d *= one - y.square();
      break;
    case Activation::gelu:
      d *= z.unaryExpr([](Scalar value) {
        return normal_cdf(value) + value * Scalar(0.39894228040143267794) * std::exp(Scalar(-0.5) * value * value);
      });
      break;
    case Activation::silu:
      d *= z.logistic() * (one + z - y);
      break;
    case Activation::sigmoid:
      d *= y * (one - y);
      break;
  }
}

}  // namespace elegans::detail
