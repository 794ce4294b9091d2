// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace plain {

/// Records every operation on a `Number`, so that the derivatives follow by the chain rule, from the last one back.
class Tape {
 public:
  struct Node {
    int a, b;       ///< the operands' nodes, -1 for a constant
    double da, db;  ///< the derivatives with respect to them
  };

  void clear() {
    nodes_.clear();
    closest_kink_ = std::numeric_limits<double>::infinity();
  }
  int record(const Node& node) {
    nodes_.push_back(node);
    return static_cast<int>(nodes_.size()) - 1;
  }
  /// Notes how close a value came to a point where a derivative jumps. In floats it may be on the other side.
  void near_kink(double distance) { closest_kink_ = (std::min)(closest_kink_, std::abs(distance)); }
  [[nodiscard]] double closest_kink() const { return closest_kink_; }

  /// Sets all adjoints to 0. Then add to those of the results, and call `go_back`.
  void begin() { adjoints_.assign(nodes_.size(), 0.0); }
  void add(int node, double adjoint) {
    if (node >= 0) adjoints_[static_cast<std::size_t>(node)] += adjoint;
  }
  void go_back() {
    for (std::size_t k = nodes_.size(); k-- > 0;) {
      const double adjoint = adjoints_[k];
      if (adjoint == 0) continue;
      const Node& node = nodes_[k];
      add(node.a, adjoint * node.da);
      add(node.b, adjoint * node.db);
    }
  }
  [[nodiscard]] double adjoint(int node) const { return node < 0 ? 0 : adjoints_[static_cast<std::size_t>(node)]; }

 private:
  std::vector<Node> nodes_;
  std::vector<double> adjoints_;
  double closest_kink_ = std::numeric_limits<double>::infinity();
};

/// The tape of the sample that is being computed.
inline Tape& tape() {
  static Tape one;
  return one;
}

/// A double with a place on the tape.
struct Number {
  double value = 0;
  int node = -1;

  Number() = default;
  Number(double constant) : value(constant) {}
  Number(double result, const Tape::Node& from) : value(result) {
    if (from.a >= 0 || from.b >= 0) node = tape().record(from);
  }

  /// A variable: something to differentiate by.
  static Number variable(double value) {
    Number result(value);
    result.node = tape().record({-1, -1, 0, 0});
    return result;
  }
};

inline Number operator+(const Number& a, const Number& b) { return {a.value + b.value, {a.node, b.node, 1, 1}}; }
inline Number operator-(const Number& a, const Number& b) { return {a.value - b.value, {a.node, b.node, 1, -1}}; }
inline Number operator*(const Number& a, const Number& b) {
  return {a.value * b.value, {a.node, b.node, b.value, a.value}};
}
inline Number operator/(const Number& a, const Number& b) {
  const double quotient = a.value / b.value;
  return {quotient, {a.node, b.node, 1 / b.value, -quotient / b.value}};
}
inline Number operator-(const Number& a) { return {-a.value, {a.node, -1, -1, 0}}; }
inline Number& operator+=(Number& a, const Number& b) { return a = a + b; }

inline Number function(const Number& a, double value, double derivative) {
  return {value, {a.node, -1, derivative, 0}};
}
inline Number exp(const Number& a) { return function(a, std::exp(a.value), std::exp(a.value)); }
inline Number tanh(const Number& a) {
  const double y = std::tanh(a.value);
  return function(a, y, 1 - y * y);
}
inline Number sigmoid(const Number& a) {
  const double y = 1 / (1 + std::exp(-a.value));
  return function(a, y, y * (1 - y));
}
inline Number softplus(const Number& a) {
  return function(a, std::log1p(std::exp(a.value)), 1 / (1 + std::exp(-a.value)));
}
inline Number abs(const Number& a) { return function(a, std::abs(a.value), a.value < 0 ? -1 : 1); }
inline Number relu(const Number& a) {
  tape().near_kink(a.value);
  return function(a, a.value > 0 ? a.value : 0, a.value > 0 ? 1 : 0);
}
/// z Phi(z), with Phi the normal distribution function.
inline Number gelu(const Number& a) {
  const double z = a.value;
  const double share = 0.5 * (1 + std::erf(z * std::sqrt(0.5)));
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * 3.14159265358979323846);
  return function(a, z * share, share + z * density);
}

using Vector = std::vector<Number>;

}  // namespace plain
