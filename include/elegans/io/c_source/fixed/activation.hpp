// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>

#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/fixed/maps.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// The activation behind a linear map, in whole numbers: what it does to a sum s, and the numbers that it gives.
class CFixedActivation {
 public:
  /// \throws InvalidArgument if there is none in whole numbers. \param what  the layer, for the message
  CFixedActivation(const CFixedPoint& fixed, Activation activation, const char* what)
      : fixed_(fixed), activation_(activation) {
    if (activation == Activation::gelu) refuse("export to C: ", what, " of gelu needs float, not ", fixed.spoken());
  }

  /// By which the weights of the map are multiplied, so that the sum is the exponent of a sigmoid; or 1.
  [[nodiscard]] double scale() const noexcept {
    switch (activation_) {
      case Activation::tanh:
        return -2 * log2_of_e;
      case Activation::lecun_tanh:
        return -2 * log2_of_e * lecun_slope<double>;
      case Activation::sigmoid:
        return -log2_of_e;
      default:
        return 1;
    }
  }

  /// The numbers that come out. \param maps  of the sum
  [[nodiscard]] CFixedColumns numbers(int count, const CFixedMaps& maps) const {
    const int bits = fixed_.number_bits() - 1;
    if (activation_ == Activation::tanh || activation_ == Activation::sigmoid) return {count, bits, 1};
    if (activation_ == Activation::lecun_tanh) return {count, bits, lecun_scale<double>};
    return {count, (std::min)(fixed_.bits_for(maps.reach()), maps.bits()), maps.reach()};
  }

  /// The sum of a map, in C, as the function below wants it.
  [[nodiscard]] std::string sum(CWriter& out, const CFixedMaps& maps) const {
    return scale() != 1 ? maps.exponent(out, 0) : maps.result(out, 0);
  }
  /// The activation of a sum s, in C. \param bits  fraction bits of `numbers`
  [[nodiscard]] std::string of_sum(CWriter& out, const CFixedMaps& maps, int bits) const {
    const int sum_bits = maps.bits();
    const std::string shifting = sum_bits > bits ? " >> " + CWriter::number(sum_bits - bits) : "";
    const auto factor = [&](double value) { return CWriter::number(fixed_.number(value, fixed_.number_bits())); };
    out.need("times");
    switch (activation_) {
      case Activation::linear:
        return "s" + shifting;
      case Activation::relu:
        return "s < 0 ? 0 : s" + shifting;
      case Activation::tanh:
        need(out, {"bend"});
        return out.filled("@bend(s)", {});
      case Activation::lecun_tanh:
        need(out, {"bend", "part"});
        return out.filled("2 * @part(@bend(s), $half$)", {{"half", factor(lecun_scale<double> / 2)}});
      case Activation::sigmoid:
        need(out, {});
        return out.filled("@gate(s) >> 1", {});
      case Activation::silu:
        need(out, {});
        return out.filled(
            "2 * @times(s, @gate($exponent$))$shift$",
            {{"exponent", shifted(out, out.filled("(-s - 2 * @times(s, $rest$))", {{"rest", factor(log2_of_e - 1)}}),
                                  sum_bits - fixed_.exponent_bits())},
             {"shift", shifting}});
      case Activation::gelu:
        break;
    }
    refuse("export to C: there is no activation number ", static_cast<int>(activation_), " in ", fixed_.spoken());
  }

 private:
  void need(CWriter& out, std::initializer_list<const char*> functions) const {
    out.need(fixed_.gate());
    for (const char* function : functions) out.need(function);
  }

  const CFixedPoint& fixed_;
  Activation activation_;
};

}  // namespace elegans::detail
