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
#include <elegans/io/c_source/fixed/activation.hpp>
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
    if (!cell_.blocks.front().backbone.empty()) {
      CFixedActivation(fixed, cell_.options.activation, "a backbone");  // refuses what there is not
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
    CFixedOutputs outputs{out_.filled("  @copy($outputs$, $from$, y);\n",
                                      {{"outputs", CWriter::number(cell_.outputs())}, {"from", outside}}),
                          state_bits()};
    if (cell_.projection.outputs() > 0) {
      outputs = write_fixed_outputs(out_, fixed_, cell_.projection, from, part_ + "_projection", outside);
      rounded_.projection = outputs.rounded;
    }
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
      const CFixedActivation activation(fixed_, cell_.options.activation, "a backbone");
      const double scale = activation.scale();
      map.scale(0, scale);
      const CFixedMaps maps(fixed_, map, columns, fixed_.exponent_bits());
      maps.write(out_, table);
      CLinearMaps& rounded = rounded_.blocks[number].backbone[static_cast<std::size_t>(l)];
      rounded = maps.rounded();
      rounded.scale(0, 1 / scale);
      const CFixedColumns features = activation.numbers(width, maps);
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
           {"result", activation.sum(out_, maps)},
           {"l", CWriter::number(l % 2)},
           {"feature", activation.of_sum(out_, maps, features.bits)}}));
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

  CWriter& out_;
  CBlocks cell_, rounded_;
  const CFixedPoint& fixed_;
  std::string part_;
};

}  // namespace elegans::detail
