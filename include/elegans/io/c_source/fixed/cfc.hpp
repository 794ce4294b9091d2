// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/options.hpp>
#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>
#include <elegans/io/c_source/cfc.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/fixed/maps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// Writes a CfC's step in q31, q15 or int8. Its states are numbers, and so are the features between its maps.
class CFixedCfCWriter {
 public:
  CFixedCfCWriter(CWriter& out, CBlocks cell, const CFixedPoint& fixed, std::string part)
      : out_(out), cell_(std::move(cell)), rounded_(cell_), fixed_(fixed), part_(std::move(part)) {
    if (cell_.options.mode == CfCMode::pure) {
      refuse("export to C: a CfC in mode pure needs float, not ", fixed.spoken());
    }
    if (cell_.options.head_activation != Activation::tanh) {
      refuse("export to C: a CfC with heads of lecun_tanh needs float, not ", fixed.spoken());
    }
    const bool has_backbone = !cell_.blocks.front().backbone.empty();
    if (has_backbone && cell_.options.activation == Activation::gelu) {
      refuse("export to C: a backbone of gelu needs float, not ", fixed.spoken());
    }
  }

  CFixedLayer write() {
    for (const char* name : {"times", "sum", "part", "bend"}) out_.need(name);
    out_.need(fixed_.gate());
    std::size_t features = 0;
    CFixedColumns from{cell_.blocks.front().inputs, fixed_.input_bits(), fixed_.input_bound()};
    for (std::size_t k = 0; k < cell_.blocks.size(); ++k) {
      features = (std::max)(features, write_block(k, from));
      from = {cell_.blocks[k].units, state_bits(), bound()};
    }
    const int last = cell_.units() - from.count;
    const std::string outside = last > 0 ? "next + " + CWriter::number(last) : "next";
    const Projection outputs =
        cell_.projection.outputs() > 0
            ? write_projection(from, outside)
            : Projection{out_.filled("  @copy($outputs$, $from$, y);\n",
                                     {{"outputs", CWriter::number(cell_.outputs())}, {"from", outside}}),
                         state_bits()};
    out_.need("copy");
    out_.code("\nstatic void @$part$_step(const @number *x, @number *v, @number *y) {\n  @number next[$units$];\n",
              {{"part", part_}, {"units", CWriter::number(cell_.units())}});
    int first = 0;
    std::string inputs = "x";
    for (std::size_t k = 0; k < cell_.blocks.size(); ++k) {
      const std::string at = first > 0 ? " + " + CWriter::number(first) : "";
      out_.code("  @$block$($from$, v$at$, next$at$);\n", {{"block", name_of(k)}, {"from", inputs}, {"at", at}});
      inputs = "next" + at;
      first += cell_.blocks[k].units;
    }
    out_.code(outputs.code);
    out_.code("  @copy($units$, next, v);\n}\n", {{"units", CWriter::number(cell_.units())}});
    const auto units = static_cast<std::size_t>(cell_.units());
    return {{.function = part_ + "_step",
             .spoken = concatenate("CfC, ", units, " neurons"),
             .inputs = cell_.blocks.front().inputs,
             .outputs = cell_.outputs(),
             .state = cell_.units(),
             .stack_values = units + features,
             .low = -bound(),
             .high = bound(),
             .is_bounded = true},
            fixed_.number_type(),
            state_bits(),
            outputs.bits,
            -fixed_.number(bound(), state_bits()),
            fixed_.number(bound(), state_bits())};
  }

  /// After `write`: the blocks with the weights that the tables have.
  [[nodiscard]] const CBlocks& rounded() const noexcept { return rounded_; }

 private:
  [[nodiscard]] double bound() const { return cell_.options.mode == CfCMode::standard ? 1 : 2; }
  [[nodiscard]] int state_bits() const { return fixed_.number_bits() - 1; }
  [[nodiscard]] std::string name_of(std::size_t block) const {
    return cell_.blocks.size() == 1 ? part_ + "_block" : concatenate(part_, "_block_", block);
  }

  /// \return  the number of features in the arrays of the block's function
  std::size_t write_block(std::size_t number, const CFixedColumns& x) {
    const CBlock& block = cell_.blocks[number];
    const std::string name = name_of(number);
    std::vector<CFixedColumns> columns{x, {block.units, state_bits(), bound()}};
    const int layers = static_cast<int>(block.backbone.size());
    const int width = cell_.options.backbone_units;
    std::vector<std::string> steps;
    for (int l = 0; l < layers; ++l) {
      const std::string table = concatenate(name, "_backbone_", l);
      CLinearMaps map = block.backbone[static_cast<std::size_t>(l)];
      const Activation activation = cell_.options.activation;
      const double scale = activation == Activation::tanh         ? -2 * log2_of_e
                           : activation == Activation::lecun_tanh ? -2 * log2_of_e * lecun_slope<double>
                                                                  : 1;
      map.scale(0, scale);
      const CFixedMaps maps(fixed_, map, columns, fixed_.exponent_bits());
      maps.write(out_, table);
      CLinearMaps& rounded = rounded_.blocks[number].backbone[static_cast<std::size_t>(l)];
      rounded = maps.rounded();
      rounded.scale(0, 1 / scale);
      const CFixedColumns features = features_of(activation, width, maps);
      const bool is_tanh = activation == Activation::tanh || activation == Activation::lecun_tanh;
      out_.need("add_1");
      steps.push_back(out_.filled(
          R"(  w = @$table$;
  row = @$table$_rows;
  for (i = 0; i < $width$; ++i, ++row) {
    @total sum[1] = {0};
    int32_t s;
$adds$    s = $result$;
    features_$l$[i] = (@number)($feature$);
  }
)",
          {{"table", table},
           {"width", CWriter::number(width)},
           {"adds", adds("add_1", block, l)},
           {"result", is_tanh ? maps.exponent(out_, 0) : maps.result(out_, 0)},
           {"l", CWriter::number(l % 2)},
           {"feature", feature(activation, maps.bits(), features.bits)}}));
      columns = {features};
    }
    CLinearMaps heads = block.heads;
    const double scales[] = {-2 * log2_of_e, -2 * log2_of_e, -log2_of_e};
    for (int m = 0; m < 3; ++m) heads.scale(m, scales[m]);
    const CFixedMaps maps(fixed_, heads, columns, fixed_.exponent_bits());
    maps.write(out_, name + "_heads");
    CLinearMaps& rounded_heads = rounded_.blocks[number].heads;
    rounded_heads = maps.rounded();
    for (int m = 0; m < 3; ++m) rounded_heads.scale(m, 1 / scales[m]);
    out_.need("add_3");
    out_.code("\nstatic void @$name$(const @number *x, const @number *h, @number *next) {\n", {{"name", name}});
    for (int l = 0; l < (std::min)(layers, 2); ++l) {
      out_.code("  @number features_$l$[$width$];\n", {{"l", CWriter::number(l)}, {"width", CWriter::number(width)}});
    }
    out_.code("  const @weight *w;\n  const @row *row;\n  int i;\n");
    for (const std::string& step : steps) out_.code(step);
    const bool is_standard = cell_.options.mode == CfCMode::standard;
    out_.code(
        R"(  w = @$name$_heads;
  row = @$name$_heads_rows;
  for (i = 0; i < $units$; ++i, row += 3) {
    @total sum[3] = {0, 0, 0};
    int32_t first, second, time;
$adds$    first = @bend($first$);
    second = @bend($second$);
    time = @gate($time$);
    $next$
  }
}
)",
        {{"name", name},
         {"units", CWriter::number(block.units)},
         {"adds", adds("add_3", block, layers)},
         {"first", maps.exponent(out_, 0)},
         {"second", maps.exponent(out_, 1)},
         {"time", maps.exponent(out_, 2)},
         {"next",
          out_.filled(is_standard ? "next[i] = (@number)(first + @part(($wide$)second - first, time));"
                                  : "first += @part(second, time);\n"
                                    "    next[i] = (@number)(first > $most$ ? $most$ : first < -$most$ ? -$most$ : "
                                    "first);",
                      {{"wide", fixed_.is_wide() ? "int64_t" : "int32_t"},
                       {"most", CWriter::number(CFixedPoint::largest(fixed_.number_bits()))}})}});
    return static_cast<std::size_t>((std::min)(layers, 2)) * static_cast<std::size_t>(width);
  }

  /// The statements that add up what layer l of the backbone, or the heads behind it, read.
  [[nodiscard]] std::string adds(const char* add, const CBlock& block, int l) const {
    const auto statement = [&](const std::string& from, int count) {
      return out_.filled("    w = @$add$(w, $from$, $count$, sum);\n",
                         {{"add", add}, {"from", from}, {"count", CWriter::number(count)}});
    };
    if (l == 0) return statement("x", block.inputs) + statement("h", block.units);
    return statement(concatenate("features_", (l - 1) % 2), cell_.options.backbone_units);
  }

  /// The format of a layer's features. \param maps  what goes into the activation
  [[nodiscard]] CFixedColumns features_of(Activation activation, int width, const CFixedMaps& maps) const {
    if (activation == Activation::tanh) return {width, state_bits(), 1};
    if (activation == Activation::lecun_tanh) return {width, state_bits(), lecun_scale<double>};
    return {width, (std::min)(fixed_.bits_for(maps.reach()), maps.bits()), maps.reach()};
  }

  /// The activation of a sum s of so many fraction bits, as a number. Those of tanh have its scale in the weights.
  [[nodiscard]] std::string feature(Activation activation, int sum_bits, int bits) {
    const std::string shifting = sum_bits > bits ? " >> " + CWriter::number(sum_bits - bits) : "";
    const auto factor = [&](double value) { return CWriter::number(fixed_.number(value, fixed_.number_bits())); };
    switch (activation) {
      case Activation::tanh:
        return out_.filled("@bend(s)", {});
      case Activation::lecun_tanh:
        return out_.filled("2 * @part(@bend(s), $half$)", {{"half", factor(lecun_scale<double> / 2)}});
      case Activation::relu:
        return "s < 0 ? 0 : s" + shifting;
      case Activation::silu:
        return out_.filled(
            "2 * @times(s, @gate($exponent$))$shift$",
            {{"exponent", shifted(out_, out_.filled("(-s - 2 * @times(s, $rest$))", {{"rest", factor(log2_of_e - 1)}}),
                                  sum_bits - fixed_.exponent_bits())},
             {"shift", shifting}});
      case Activation::gelu:
      case Activation::linear:
      case Activation::sigmoid:
        break;
    }
    refuse("export to C: a backbone has no activation number ", static_cast<int>(activation), " in ", fixed_.spoken());
  }

  struct Projection {
    std::string code;
    int bits;  ///< fraction bits of an output
  };
  /// \param from   what the outputs are made of  \param where  it is, in C
  Projection write_projection(const CFixedColumns& from, const std::string& where) {
    const std::vector<CFixedColumns> columns{from};
    double reach = 0;
    for (int o = 0; o < cell_.projection.outputs(); ++o) {
      double sum = std::fabs(cell_.projection.bias(0, o));
      for (int i = 0; i < from.count; ++i) sum += std::fabs(cell_.projection.weight(0, o, i)) * from.bound;
      reach = (std::max)(reach, sum);
    }
    const int most = fraction_bits(reach, std::ldexp(0.9, 30));
    const int bits = (std::min)(fixed_.bits_for(reach), most - 1);
    const int inner = (std::min)(bits + 6, most);
    const CFixedMaps maps(fixed_, cell_.projection, columns, inner);
    maps.write(out_, part_ + "_projection");
    rounded_.projection = maps.rounded();
    out_.need("add_1");
    return {out_.filled(R"(  {
    const @weight *w = @$part$_projection;
    const @row *row = @$part$_projection_rows;
    int i;
    for (i = 0; i < $outputs$; ++i, ++row) {
      @total sum[1] = {0};
      w = @add_1(w, $where$, $count$, sum);
      y[i] = (@number)(($result$ + $half$) >> $shift$);
    }
  }
)",
                        {{"part", part_},
                         {"outputs", CWriter::number(cell_.projection.outputs())},
                         {"where", where},
                         {"count", CWriter::number(from.count)},
                         {"result", maps.result(out_, 0)},
                         {"half", CWriter::number(1 << (inner - bits - 1))},
                         {"shift", CWriter::number(inner - bits)}}),
            bits};
  }

  CWriter& out_;
  CBlocks cell_, rounded_;
  const CFixedPoint& fixed_;
  std::string part_;
};

}  // namespace elegans::detail
