// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/cell.hpp>
#include <elegans/cell/cfc/options.hpp>
#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>
#include <elegans/io/c_source/functions.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// The blocks of a CfC, with everything in their weights that is known before a step: the wiring's masks, and a fixed
/// elapsed time, which makes one map of time_a and time_b.
struct CBlock {
  int inputs = 0, units = 0;
  std::vector<CLinearMaps> backbone;
  CLinearMaps heads;  ///< ff1, ff2, time_a, time_b; or ff1, ff2, time; or, if pure, ff1
  std::vector<double> w_tau, A;
};
struct CBlocks {
  std::vector<CBlock> blocks;
  CLinearMaps projection;  ///< no outputs if there is none
  CfCOptions options;

  template <typename Cell>
  CBlocks(const Cell& cell, const double* parameters, const CStepOptions& step) : options(cell.options()) {
    const auto& list = cell.parameters();
    const auto map_of = [&](const LinearOffsets& at, int outputs, int columns) {
      return CLinearMaps(parameters + at.weight, outputs, columns, parameters + at.bias);
    };
    for (const CfCLayout& layout : cell.layout()) {
      const CfCOffsets<> at(list, layout, options);
      CBlock block{static_cast<int>(layout.inputs), static_cast<int>(layout.units), {}, {}, {}, {}};
      int features = block.inputs + block.units;
      for (const LinearOffsets& layer : at.backbone) {
        block.backbone.push_back(map_of(layer, options.backbone_units, features));
        features = options.backbone_units;
      }
      block.heads = map_of(at.ff1, block.units, features);
      if (layout.mask.size() > 0) block.heads.mask(layout.mask.data());
      if (options.mode == CfCMode::pure) {
        for (int i = 0; i < block.units; ++i) {
          block.w_tau.push_back(std::fabs(parameters[at.w_tau + i]));
          block.A.push_back(parameters[at.A + i]);
        }
      } else {
        CLinearMaps second = map_of(at.ff2, block.units, features);
        if (layout.mask.size() > 0) second.mask(layout.mask.data());
        block.heads.append(second);
        const CLinearMaps a = map_of(at.time_a, block.units, features);
        CLinearMaps b = map_of(at.time_b, block.units, features);
        if (step.elapsed_time) {
          b.add(a, *step.elapsed_time);
        } else {
          block.heads.append(a);
        }
        block.heads.append(b);
      }
      blocks.push_back(std::move(block));
    }
    if (options.proj_size > 0) projection = map_of({list, "fc"}, options.proj_size, blocks.back().units);
  }

  /// Writes the weights into a parameter vector of the cell, for which the elapsed time was fixed.
  template <typename Cell>
  void copy_weights(const Cell& cell, double* parameters) const {
    const auto& list = cell.parameters();
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      const CfCOffsets at(list, cell.layout()[static_cast<Index>(k)], options);
      Index layer = 0;
      for (const CLinearMaps& map : blocks[k].backbone) {
        map.copy_weight(0, parameters + at.backbone[layer++].weight);
      }
      const CLinearMaps& heads = blocks[k].heads;
      heads.copy_weight(0, parameters + at.ff1.weight);
      heads.copy_weight(1, parameters + at.ff2.weight);
      // All weights of the time go into time_b.
      std::fill_n(parameters + at.time_a.weight, heads.inputs() * heads.outputs(), 0.0);
      heads.copy_weight(2, parameters + at.time_b.weight);
    }
    if (options.proj_size > 0) projection.copy_weight(0, parameters + LinearOffsets{list, "fc"}.weight);
  }

  [[nodiscard]] int units() const {
    int units = 0;
    for (const CBlock& block : blocks) units += block.units;
    return units;
  }
  [[nodiscard]] int outputs() const { return projection.outputs() > 0 ? projection.outputs() : blocks.back().units; }
};

/// Writes a CfC's step in float.
class CCfCWriter {
 public:
  CCfCWriter(CWriter& out, CBlocks cell, const CStepOptions& step, std::string part)
      : out_(out), cell_(std::move(cell)), step_(step), part_(std::move(part)) {}

  CLayer write() {
    const bool has_projection = cell_.projection.outputs() > 0;
    CLayer layer{.function = part_ + "_step",
                 .spoken = concatenate("CfC, ", cell_.units(), " neurons"),
                 .inputs = cell_.blocks.front().inputs,
                 .outputs = cell_.outputs(),
                 .state = cell_.units(),
                 .outputs_are_state = !has_projection && cell_.blocks.size() == 1};
    if (cell_.options.mode != CfCMode::pure) {
      layer.is_bounded = true;
      layer.high = (cell_.options.mode == CfCMode::standard ? 1 : 2) * (has_lecun_heads() ? lecun_scale<double> : 1);
      layer.low = -layer.high;
    }
    for (std::size_t k = 0; k < cell_.blocks.size(); ++k) {
      layer.stack_values = (std::max)(layer.stack_values, write_block(cell_.blocks[k], name_of(k)));
    }
    if (has_projection) {
      out_.need("add_one");
      out_.float_table(part_ + "_projection", cell_.projection.interleaved());
    }
    out_.code("\nstatic void @$function$(const float *x$elapsed$, const float *state, float *next$y$) {\n",
              {{"function", layer.function},
               {"elapsed", step_.elapsed_parameter()},
               {"y", layer.outputs_are_state ? "" : ", float *y"}});
    int first = 0;
    for (std::size_t k = 0; k < cell_.blocks.size(); ++k) {
      const std::string at = CWriter::number(first);
      const std::string from = k == 0 ? "x" : "next + " + CWriter::number(first - cell_.blocks[k - 1].units);
      out_.code("  @$block$($from$$elapsed$, state + $at$, next + $at$);\n",
                {{"block", name_of(k)}, {"from", from}, {"elapsed", step_.elapsed_argument()}, {"at", at}});
      first += cell_.blocks[k].units;
    }
    first -= cell_.blocks.back().units;
    if (has_projection) {
      out_.code(
          "  {\n    const float *w = @$part$_projection;\n    int i;\n"
          "    for (i = 0; i < $outputs$; ++i) {\n      y[i] = *w++;\n"
          "      w = @add_one(w, next + $first$, $last$, y + i);\n    }\n  }\n",
          {{"part", part_},
           {"outputs", CWriter::number(layer.outputs)},
           {"first", CWriter::number(first)},
           {"last", CWriter::number(cell_.blocks.back().units)}});
    } else if (!layer.outputs_are_state) {
      out_.need("copy");
      out_.code("  @copy($outputs$, next + $first$, y);\n",
                {{"outputs", CWriter::number(layer.outputs)}, {"first", CWriter::number(first)}});
    }
    out_.code("}\n");
    return layer;
  }

 private:
  [[nodiscard]] bool has_lecun_heads() const { return cell_.options.head_activation == Activation::lecun_tanh; }

  [[nodiscard]] std::string name_of(std::size_t block) const {
    return cell_.blocks.size() == 1 ? part_ + "_block" : concatenate(part_, "_block_", block);
  }

  /// \return  the number of values in the arrays of the block's function
  std::size_t write_block(const CBlock& block, const std::string& name) {
    const CfCMode mode = cell_.options.mode;
    CLinearMaps heads = block.heads;
    // The functions of the helpers are in powers of 2.
    if (mode != CfCMode::pure) {
      const double slope = has_lecun_heads() ? lecun_slope<double> : 1;
      heads.scale(0, -2 * float_log2_of_e * slope);
      heads.scale(1, -2 * float_log2_of_e * slope);
      for (int map = 2; map < heads.maps(); ++map) heads.scale(map, -float_log2_of_e);
    }
    for (std::size_t l = 0; l < block.backbone.size(); ++l) {
      out_.float_table(concatenate(name, "_backbone_", l), block.backbone[l].interleaved());
    }
    out_.float_table(name + "_heads", heads.interleaved());
    if (mode == CfCMode::pure) {
      std::vector<double> w_tau = block.w_tau;
      for (double& w : w_tau) w *= float_log2_of_e;
      out_.float_table(name + "_w_tau", w_tau);
      out_.float_table(name + "_a", block.A);
    }
    out_.code("\nstatic void @$name$(const float *x$elapsed$, const float *h, float *next) {\n",
              {{"name", name}, {"elapsed", step_.elapsed_parameter()}});
    const int layers = static_cast<int>(block.backbone.size());
    const int width = cell_.options.backbone_units;
    for (int l = 0; l < (std::min)(layers, 2); ++l) {
      out_.code("  float features_$l$[$width$];\n", {{"l", CWriter::number(l)}, {"width", CWriter::number(width)}});
    }
    out_.code("  const float *w;\n  int i;\n");
    for (int l = 0; l < layers; ++l) {
      const std::string activation = c_function_of(cell_.options.activation);
      out_.need("add_one");
      out_.need(activation);
      out_.code(
          "  w = @$name$_backbone_$l$;\n  for (i = 0; i < $width$; ++i) {\n    float sum[1];\n    sum[0] = *w++;\n",
          {{"name", name}, {"l", CWriter::number(l)}, {"width", CWriter::number(width)}});
      write_adding("add_one", block, l);
      out_.code("    features_$l$[i] = @$activation$(sum[0]);\n  }\n",
                {{"l", CWriter::number(l % 2)}, {"activation", activation}});
    }
    write_heads(block, name, heads.maps());
    out_.code("}\n");
    return static_cast<std::size_t>((std::min)(layers, 2)) * static_cast<std::size_t>(width);
  }

  /// Adds linear maps of the features that layer l of the backbone, or the heads behind it, read.
  void write_adding(const std::string& add, const CBlock& block, int l) {
    if (l == 0) {
      out_.code("    w = @$add$(w, x, $inputs$, sum);\n    w = @$add$(w, h, $units$, sum);\n",
                {{"add", add}, {"inputs", CWriter::number(block.inputs)}, {"units", CWriter::number(block.units)}});
    } else {
      out_.code("    w = @$add$(w, features_$l$, $width$, sum);\n",
                {{"add", add},
                 {"l", CWriter::number((l - 1) % 2)},
                 {"width", CWriter::number(cell_.options.backbone_units)}});
    }
  }

  void write_heads(const CBlock& block, const std::string& name, int maps) {
    const std::string add = maps == 1 ? "add_one" : maps == 3 ? "add_three" : "add_four";
    out_.need(add);
    out_.code("  w = @$name$_heads;\n  for (i = 0; i < $units$; ++i) {\n    float sum[$maps$];\n",
              {{"name", name}, {"units", CWriter::number(block.units)}, {"maps", CWriter::number(maps)}});
    for (int map = 0; map < maps; ++map) out_.code("    sum[$m$] = *w++;\n", {{"m", CWriter::number(map)}});
    write_adding(add, block, static_cast<int>(block.backbone.size()));
    const std::string elapsed = step_.elapsed_time ? float_literal(*step_.elapsed_time) : "elapsed";
    if (cell_.options.mode == CfCMode::pure) {
      out_.need("exp2");
      out_.code(
          "    next[i] = @$name$_a[i] * (1.0f - sum[0] * @exp2(-$elapsed$ * (@$name$_w_tau[i] + 12102203.0f *\n"
          "        (sum[0] < 0.0f ? -sum[0] : sum[0]))));\n",
          {{"name", name}, {"elapsed", elapsed}});
    } else {
      out_.need("bend");
      out_.need("gate");
      const std::string time = step_.elapsed_time ? "sum[2]" : "sum[2] * elapsed + sum[3]";
      out_.code(
          "    {\n      const float first = @bend(sum[0]), second = @bend(sum[1]), time = @gate($time$);\n"
          "      next[i] = $scale$first + time * $other$$end$;\n    }\n",
          {{"time", time},
           {"scale", has_lecun_heads() ? "1.7159f * (" : ""},
           {"end", has_lecun_heads() ? ")" : ""},
           {"other", cell_.options.mode == CfCMode::standard ? "(second - first)" : "second"}});
    }
    out_.code("  }\n");
  }

  CWriter& out_;
  CBlocks cell_;
  const CStepOptions& step_;
  std::string part_;
};

}  // namespace elegans::detail
