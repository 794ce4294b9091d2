// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <type_traits>

#include <elegans/core/packet.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// What a layer of neurons without a memory makes of its weighted sums.
enum class Activation {
  linear,      ///< z
  lecun_tanh,  ///< 1.7159 tanh(0.666 z): LeCun et al., Efficient BackProp, 1998, with ncps' constants
  relu,        ///< max(z, 0)
  tanh,
  gelu,  ///< z Phi(z), Phi the normal distribution's: exact, with erf, as PyTorch's default
  silu,  ///< z sigmoid(z)
  sigmoid
};

namespace detail {

template <typename Scalar>
inline constexpr Scalar lecun_scale = Scalar(1.7159);
template <typename Scalar>
inline constexpr Scalar lecun_slope = Scalar(0.666);

/// The distribution function of the standard normal distribution.
template <typename Scalar>
Scalar normal_cdf(Scalar z) {
  return Scalar(0.5) * (Scalar(1) + std::erf(z * Scalar(0.70710678118654752440)));
}

/// tanh of each lane: Eigen's, where it has one for packets.
template <typename P>
EIGEN_STRONG_INLINE P packet_tanh(const P& x) {
  using Scalar = ScalarOf<P>;
  if constexpr (std::is_same_v<P, Scalar>) {
    return std::tanh(x);
  } else if constexpr (Eigen::internal::packet_traits<Scalar>::HasTanh) {
    return Eigen::internal::ptanh(x);
  } else {
    Scalar values[Eigen::internal::unpacket_traits<P>::size];
    store<P>(values, x);
    for (Scalar& value : values) value = std::tanh(value);
    return load<P>(values);
  }
}

/// exp of each lane, likewise.
template <typename P>
EIGEN_STRONG_INLINE P packet_exp(const P& x) {
  using Scalar = ScalarOf<P>;
  if constexpr (std::is_same_v<P, Scalar>) {
    return std::exp(x);
  } else if constexpr (Eigen::internal::packet_traits<Scalar>::HasExp) {
    return Eigen::internal::pexp(x);
  } else {
    Scalar values[Eigen::internal::unpacket_traits<P>::size];
    store<P>(values, x);
    for (Scalar& value : values) value = std::exp(value);
    return load<P>(values);
  }
}

/// y = activation(z); y may be z.
template <typename Scalar>
void activate(Activation activation, ConstVectorView<Scalar> z, VectorView<Scalar> y) {
  switch (activation) {
    case Activation::linear:
      y = z;
      break;
    case Activation::lecun_tanh:
      y = lecun_scale<Scalar> * (lecun_slope<Scalar> * z).tanh();
      break;
    case Activation::relu:
      y = z.max(Scalar(0));
      break;
    case Activation::tanh:
      y = z.tanh();
      break;
    case Activation::gelu:
      y = z * z.unaryExpr([](Scalar value) { return normal_cdf(value); });
      break;
    case Activation::silu:
      y = z * z.logistic();
      break;
    case Activation::sigmoid:
      y = z.logistic();
      break;
  }
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
      d *= lecun_slope<Scalar> * (lecun_scale<Scalar> - y.square() * (one / lecun_scale<Scalar>));
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

}  // namespace detail
}  // namespace elegans
