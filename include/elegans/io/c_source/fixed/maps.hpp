// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// Numbers that a linear map reads: so many of one format.
struct CFixedColumns {
  int count;
  int bits;      ///< fraction bits
  double bound;  ///< of their magnitudes
};

/// Linear maps in whole numbers. Each row, the weights of one output of one map, has a scale of its own, so that its
/// largest weight uses all the bits, unless the sum of its products could then overflow.
class CFixedMaps {
 public:
  /// \param columns      what the maps read
  /// \param result_bits  fraction bits of what they compute, unless that reaches too far
  CFixedMaps(const CFixedPoint& fixed, const CLinearMaps& maps, const std::vector<CFixedColumns>& columns,
             int result_bits)
      : fixed_(fixed), maps_(maps), columns_(columns), rounded_(maps) {
    double largest = 0;
    for (int o = 0; o < maps.outputs(); ++o) {
      for (int m = 0; m < maps.maps(); ++m) largest = (std::max)(largest, add_row(m, o));
    }
    result_bits_ = (std::min)(result_bits, fraction_bits(reach_, std::ldexp(1.0, 30)));
    if (result_bits_ < result_bits - 12) {
      refuse("export to C: a sum of weights times inputs reaches ", reach_, ", too much for ", fixed.spoken());
    }
    largest = std::ldexp(largest, result_bits_);
    scale_bits_ = (std::min)(fraction_bits(largest, static_cast<double>(CFixedPoint::largest(fixed.number_bits()))),
                             fixed.number_bits() + 1 + 30);
    if (shift() < -8) refuse("export to C: weights are too large for ", fixed.spoken());
  }

  /// The largest magnitude of what the maps compute.
  [[nodiscard]] double reach() const noexcept { return reach_; }
  /// Fraction bits of what the maps compute.
  [[nodiscard]] int bits() const noexcept { return result_bits_; }
  [[nodiscard]] int shift() const noexcept { return scale_bits_ - fixed_.number_bits() - 1; }

  /// The maps with the weights that the tables have.
  [[nodiscard]] const CLinearMaps& rounded() const noexcept { return rounded_; }

  /// Writes the tables NAME, of weights, and NAME_rows.
  void write(CWriter& out, const std::string& name) const {
    out.table(out.filled("@weight", {}), name, weights_, static_cast<std::size_t>(fixed_.map_bits() + 1) / 8);
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < scales_.size(); ++i) {
      rows.push_back("{" + CWriter::number(CFixedPoint::value(biases_[i], result_bits_)) + ", " +
                     CWriter::number(fixed_.number(std::ldexp(scales_[i], result_bits_), scale_bits_)) + "}");
    }
    out.need("row");
    out.table("@row", name + "_rows", rows, 8);
  }

  /// What map m computes, in C: `row` points to the first of the rows of an output.
  [[nodiscard]] std::string result(CWriter& out, int m) const {
    const std::string sum = out.filled("@times(@sum(sum[$m$]), row[$m$].scale)", {{"m", CWriter::number(m)}});
    return concatenate("((", shifted(out, sum, shift()), ") + row[", m, "].bias)");
  }
  /// The same with the fraction bits of what goes into a sigmoid.
  [[nodiscard]] std::string exponent(CWriter& out, int m) const {
    return shifted(out, result(out, m), result_bits_ - fixed_.exponent_bits());
  }

 private:
  /// \return  the scale of the row
  double add_row(int m, int o) {
    double largest = 0, sum = 0, reach = std::fabs(maps_.bias(m, o));
    each_weight(m, o, [&](double weight, const CFixedColumns& column) {
      largest = (std::max)(largest, std::ldexp(std::fabs(weight), -column.bits));
      sum += std::fabs(weight) * column.bound;
      reach += std::fabs(weight) * column.bound;
    });
    reach_ = (std::max)(reach_, reach);
    // Products are summed up in 64 bits in q31.
    const int headroom = fixed_.is_wide() ? 61 : 30;
    const double factor = largest == 0
                              ? 1
                              : (std::min)(static_cast<double>(CFixedPoint::largest(fixed_.map_bits())) / largest,
                                           std::ldexp(0.99, headroom) / sum);
    int i = 0;
    each_weight(m, o, [&](double weight, const CFixedColumns& column) {
      row_.push_back(to_fixed(std::ldexp(weight, -column.bits) * factor, 0, CFixedPoint::largest(fixed_.map_bits())));
      rounded_.set_weight(m, o, i++, std::ldexp(static_cast<double>(row_.back()) / factor, column.bits));
    });
    // The weights of all maps of an output lie side by side.
    if (m + 1 == maps_.maps()) {
      const auto maps = static_cast<std::size_t>(maps_.maps());
      const std::size_t inputs = row_.size() / maps;
      for (std::size_t j = 0; j < inputs; ++j) {
        for (std::size_t k = 0; k < maps; ++k) {
          weights_.push_back(CWriter::number(row_[k * inputs + j]));
        }
      }
      row_.clear();
    }
    biases_.push_back(maps_.bias(m, o));
    scales_.push_back(std::ldexp(1 / factor, fixed_.is_wide() ? 31 : 0));
    return largest == 0 ? 0 : scales_.back();
  }

  template <typename Function>
  void each_weight(int m, int o, const Function& function) const {
    int i = 0;
    for (const CFixedColumns& column : columns_) {
      for (int k = 0; k < column.count; ++k) function(maps_.weight(m, o, i++), column);
    }
  }

  const CFixedPoint& fixed_;
  const CLinearMaps& maps_;
  const std::vector<CFixedColumns>& columns_;
  CLinearMaps rounded_;
  int result_bits_ = 0, scale_bits_ = 0;
  double reach_ = 0;
  std::vector<std::int64_t> row_;
  std::vector<std::string> weights_;
  std::vector<double> biases_, scales_;
};

/// A linear map to outputs y, in C.
struct CFixedOutputs {
  std::string code;
  int bits;  ///< fraction bits of an output
  CLinearMaps rounded{};
};

/// \param from   what the outputs are made of  \param where  it is, in C  \param table  of the weights
inline CFixedOutputs write_fixed_outputs(CWriter& out, const CFixedPoint& fixed, const CLinearMaps& map,
                                         const CFixedColumns& from, const std::string& table,
                                         const std::string& where) {
  const std::vector<CFixedColumns> columns{from};
  double reach = 0;
  for (int o = 0; o < map.outputs(); ++o) {
    double sum = std::fabs(map.bias(0, o));
    for (int i = 0; i < from.count; ++i) sum += std::fabs(map.weight(0, o, i)) * from.bound;
    reach = (std::max)(reach, sum);
  }
  const int most = fraction_bits(reach, std::ldexp(0.9, 30));
  const int bits = (std::min)(fixed.bits_for(reach), most - 1);
  const int inner = (std::min)(bits + 6, most);
  const CFixedMaps maps(fixed, map, columns, inner);
  maps.write(out, table);
  for (const char* name : {"add_1", "times", "sum"}) out.need(name);
  return {out.filled(R"(  {
    const @weight *w = @$table$;
    const @row *row = @$table$_rows;
    int i;
    for (i = 0; i < $outputs$; ++i, ++row) {
      @total sum[1] = {0};
      w = @add_1(w, $where$, $count$, sum);
      y[i] = (@number)(($result$ + $half$) >> $shift$);
    }
  }
)",
                     {{"table", table},
                      {"outputs", CWriter::number(map.outputs())},
                      {"where", where},
                      {"count", CWriter::number(from.count)},
                      {"result", maps.result(out, 0)},
                      {"half", CWriter::number(1 << (inner - bits - 1))},
                      {"shift", CWriter::number(inner - bits)}}),
          bits, maps.rounded()};
}

}  // namespace elegans::detail
