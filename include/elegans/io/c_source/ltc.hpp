// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/solver.hpp>
#include <elegans/core/error.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/ltc_neurons.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// Writes an LTC's step in float.
class CLTCWriter {
 public:
  /// \param part  with which the names of its tables and of its function begin
  CLTCWriter(CWriter& out, const CNeurons& cell, const CStepOptions& step, std::string part)
      : out_(out), cell_(cell), step_(step), part_(std::move(part)), recurrent_(has(&CNeurons::Neuron::recurrent)) {}

  CLayer write() {
    CLayer layer{.function = part_ + "_step",
                 .spoken = concatenate("LTC, ", cell_.units(), " neurons"),
                 .inputs = cell_.inputs,
                 .outputs = cell_.outputs,
                 .state = cell_.units()};
    if (is_fused() && cell_.is_convex) bound(layer);
    for (const CNeurons::Neuron& neuron : cell_.neurons) require_capacitance(neuron);
    write_synapses("sensory", &CNeurons::Neuron::sensory);
    write_synapses("recurrent", &CNeurons::Neuron::recurrent);
    write_neurons();
    if (!cell_.output_w.empty()) {
      out_.float_table(part_ + "_output_w", cell_.output_w);
      out_.float_table(part_ + "_output_b", cell_.output_b);
    }
    layer.is_in_place = steps_in_place(layer);
    const bool needs_other = layer.is_in_place || cell_.options.ode_unfolds > 1;
    const Tableau tableau = with_solver(cell_.options.solver, [](const auto& solver) {
      if constexpr (requires { solver.tableau; }) return solver.tableau;
      return explicit_euler_tableau;
    });
    const bool has_stages = !is_fused() && tableau.stages > 1;
    if (has_stages) write_tableau(tableau);
    const int arrays = 2 + needs_other + (has_stages ? 3 : 0);
    layer.stack_values = static_cast<std::size_t>(arrays) * cell_.neurons.size();

    out_.code("\nstatic void @$function$(const float *x$elapsed$, $states$, float *y) {\n",
              {{"function", layer.function},
               {"elapsed", step_.elapsed_parameter()},
               {"states", layer.is_in_place ? "float *state" : "const float *v, float *next"}});
    out_.code("  float numerator[$units$], denominator[$units$]$other$$stages$;\n",
              {{"units", units()},
               {"other", needs_other ? ", other[" + units() + "]" : ""},
               {"stages", has_stages ? ", sum[" + units() + "], stage[2][" + units() + "]" : ""}});
    write_sensing();
    is_fused() ? write_fused(layer) : write_explicit(tableau);
    if (layer.is_in_place && cell_.options.ode_unfolds % 2 == 1) {
      out_.need("copy");
      out_.code("  @copy($units$, other, state);\n", {{"units", units()}});
    }
    write_outputs(layer.is_in_place ? "state" : "next");
    out_.code("}\n");
    return layer;
  }

 private:
  using Synapses = std::vector<CSynapse> CNeurons::Neuron::*;

  [[nodiscard]] bool is_fused() const noexcept { return cell_.options.solver == ODESolver::semi_implicit; }
  [[nodiscard]] std::string units() const { return CWriter::number(cell_.units()); }
  [[nodiscard]] bool has(Synapses synapses) const {
    return std::any_of(cell_.neurons.begin(), cell_.neurons.end(),
                       [&](const auto& n) { return !(n.*synapses).empty(); });
  }
  /// True if a neuron has sensors only: nothing that drives it changes between the sub-steps of a step.
  [[nodiscard]] bool has_sensors_only() const {
    return std::any_of(cell_.neurons.begin(), cell_.neurons.end(), [](const auto& n) { return n.recurrent.empty(); });
  }

  void bound(CLayer& layer) const {
    layer.is_bounded = true;
    layer.low = cell_.low();
    layer.high = cell_.high();
    // There is room around the hull, so that rounding leaves no state outside, and neither does a memory in front.
    const double limit = 1 + 2 * (std::max)(-layer.low, layer.high);
    if (cell_.largest_exponent(limit) <= 99) layer.state_limit = limit;
  }

  /// True if no step can fail: whatever the finite inputs are, the states stay in their hull. For the increment then
  /// is at most the way to N / D, as D is above 0.
  [[nodiscard]] bool steps_in_place(const CLayer& layer) const {
    return step_.is_alone && layer.state_limit &&
           std::all_of(cell_.neurons.begin(), cell_.neurons.end(),
                       [](const CNeurons::Neuron& n) { return n.leak_d > 1e-12 && n.largest_d() < 1e6; });
  }

  void require_capacitance(const CNeurons::Neuron& neuron) const {
    if (!is_fused() && neuron.cm == 0) {
      refuse("export to C: a membrane capacitance cm is 0, by which an explicit solver would divide");
    }
  }

  void write_synapses(const std::string& kind, Synapses synapses) {
    if (!has(synapses)) return;
    std::vector<std::string> items;
    std::vector<int> sources, counts;
    for (const CNeurons::Neuron& neuron : cell_.neurons) {
      counts.push_back(static_cast<int>((neuron.*synapses).size()));
      for (const CSynapse& s : neuron.*synapses) {
        items.push_back("{" + float_literal(8388608 * s.slope) + ", " + float_literal(8388608 * s.offset) + ", " +
                        float_literal(s.w * s.erev) + ", " + float_literal(s.w) + "}");
        sources.push_back(s.source);
      }
    }
    out_.need("synapse");
    out_.table("@synapse", part_ + "_" + kind, items, 4 * sizeof(float));
    source_type_[kind == "sensory"] = out_.index_table(part_ + "_" + kind + "_source", sources);
    out_.index_table(part_ + "_" + kind + "_count", counts);
  }

  void write_neurons() {
    std::vector<std::string> items;
    for (const CNeurons::Neuron& neuron : cell_.neurons) {
      const double h = step_.elapsed_time.value_or(1) / cell_.options.ode_unfolds;
      double cm = h / neuron.cm;
      if (is_fused()) {
        cm = neuron.cm / h;
        // As good as 0 if time elapses; if none does, the state stays as it is.
        if (cm == 0 && !step_.elapsed_time) cm = 1e-30;
      }
      items.push_back("{" + float_literal(neuron.leak_n) + ", " + float_literal(neuron.leak_d) + ", " +
                      float_literal(cm) + "}");
    }
    out_.need("neuron");
    out_.table("@neuron", part_ + "_neurons", items, 3 * sizeof(float));
  }

  void write_tableau(const Tableau& tableau) {
    out_.float_table(part_ + "_weight", {tableau.weight, tableau.weight + tableau.stages});
    std::vector<double> reach(tableau.reach + 1, tableau.reach + tableau.stages);
    reach.push_back(0);
    out_.float_table(part_ + "_reach", reach);
  }

  /// The sums over the synapses of neuron i, indented.
  [[nodiscard]] std::string gathering(const std::string& kind, const std::string& from, bool is_near,
                                      bool has_count = false) {
    const std::string gate = is_near ? "gate_near" : "gate";
    out_.need(gate);
    return out_.filled(
        R"(      for ($start$; k > 0; --k, ++synapse) {
        const float gate = @$gate$(synapse->slope * $from$[*source++] + synapse->offset);
        n += synapse->drive * gate;
        d += synapse->w * gate;
      }
)",
        {{"start", has_count ? "" : out_.filled("k = @$part$_$kind$_count[i]", {{"part", part_}, {"kind", kind}})},
         {"gate", gate},
         {"from", from}});
  }
  /// Declarations for a walk over the synapses.
  [[nodiscard]] std::string walk(const std::string& kind) const {
    return out_.filled(
        "    const @synapse *synapse = @$part$_$kind$;\n    const $type$ *source = @$part$_$kind$_source;\n",
        {{"part", part_}, {"kind", kind}, {"type", source_type_[kind == "sensory"]}});
  }

  /// n and d of each neuron from leak and sensors, once a step.
  void write_sensing() {
    const bool senses = has(&CNeurons::Neuron::sensory);
    out_.code("  int i, l;\n");
    if (senses) {
      out_.code("  {\n" + walk("sensory"));
    } else {
      out_.code("  (void)x;\n  {\n");
    }
    out_.code(
        "    for (i = 0; i < $units$; ++i) {\n      float n = @$part$_neurons[i].leak_n, d = "
        "@$part$_neurons[i].leak_d;\n",
        {{"units", units()}, {"part", part_}});
    if (senses) out_.code("      int k;\n" + gathering("sensory", "x", false));
    if (is_fused() && has_sensors_only()) {
      out_.code(
          "      $if${ /* Its sub-steps are all the same: n and d are now those of the increment. */\n"
          "        const float rate = $rate$;\n        n *= rate;\n        d *= rate;\n      }\n",
          {{"if", recurrent_ ? out_.filled("if (@$part$_recurrent_count[i] == 0) ", {{"part", part_}}) : ""},
           {"rate", rate()}});
    }
    out_.code("      numerator[i] = n;\n      denominator[i] = d;\n    }\n  }\n");
  }

  /// T / (cm + T D), or 1 / (cm / T + D) if T is fixed.
  [[nodiscard]] std::string rate() const {
    return out_.filled(
        step_.elapsed_time ? "1.0f / (@$part$_neurons[i].cm + d)" : "elapsed / (@$part$_neurons[i].cm + elapsed * d)",
        {{"part", part_}});
  }

  /// The array that a sub-step writes to. The last one writes to the next state.
  [[nodiscard]] const char* target(bool is_in_place = false) const {
    if (is_in_place) return "v == state ? other : state";
    return cell_.options.ode_unfolds > 1 ? "l % 2 == 0 ? next : other" : "next";
  }

  void write_fused(const CLayer& layer) {
    if (layer.is_in_place) out_.code("  const float *v = state;\n");
    out_.code("  for (l = $last$; l >= 0; --l) {\n    float *const to = $target$;\n",
              {{"last", CWriter::number(cell_.options.ode_unfolds - 1)}, {"target", target(layer.is_in_place)}});
    if (recurrent_) out_.code(walk("recurrent"));
    out_.code("    for (i = 0; i < $units$; ++i) {\n      float n = numerator[i], d = denominator[i];\n",
              {{"units", units()}});
    if (recurrent_ && has_sensors_only()) {
      out_.code(
          "      int k = @$part$_recurrent_count[i];\n      if (k == 0) {\n        to[i] = v[i] + (n - d * v[i]);\n"
          "        continue;\n      }\n",
          {{"part", part_}});
    }
    if (!recurrent_) {
      out_.code("      to[i] = v[i] + (n - d * v[i]);\n");
    } else {
      if (!has_sensors_only()) out_.code("      int k;\n");
      out_.code(gathering("recurrent", "v", layer.state_limit.has_value(), has_sensors_only()) +
                    "      to[i] = v[i] + (n - d * v[i]) * ($rate$);\n",
                {{"rate", rate()}});
    }
    out_.code("    }\n    v = to;\n  }\n");
  }

  /// The slope (N - v D) / cm in each stage: see `RungeKutta`. The table has h / cm.
  void write_explicit(const Tableau& tableau) {
    const std::string last = CWriter::number(tableau.stages - 1);
    const std::string slope = out_.filled("(n - d * from[i]) * $scaled$", {{"scaled", scaled_rate()}});
    out_.code("  for (l = $last$; l >= 0; --l) {\n    float *const end = $target$;\n    const float *from = v;\n",
              {{"last", CWriter::number(cell_.options.ode_unfolds - 1)}, {"target", target()}});
    if (tableau.stages > 1) {
      out_.code(
          "    int s;\n    for (i = 0; i < $units$; ++i) sum[i] = 0.0f;\n    for (s = 0; s < $stages$; ++s) {\n"
          "    float *const to = s == $last$ ? end : stage[s % 2];\n",
          {{"units", units()}, {"stages", CWriter::number(tableau.stages)}, {"last", last}});
    } else {
      out_.code("    {\n    float *const to = end;\n");
    }
    if (recurrent_) out_.code(walk("recurrent"));
    out_.code("    for (i = 0; i < $units$; ++i) {\n      float n = numerator[i], d = denominator[i];\n",
              {{"units", units()}});
    if (recurrent_) out_.code("      int k;\n" + gathering("recurrent", "from", false));
    if (tableau.stages > 1) {
      out_.code(
          "      n = $slope$;\n"
          "      sum[i] += @$part$_weight[s] * n;\n"
          "      to[i] = v[i] + (s == $last$ ? sum[i] : @$part$_reach[s] * n);\n",
          {{"slope", slope}, {"part", part_}, {"last", last}});
    } else {
      out_.code("      to[i] = v[i] + $slope$;\n", {{"slope", slope}});
    }
    out_.code("    }\n    from = to;\n    }\n    v = from;\n  }\n");
  }

  [[nodiscard]] std::string scaled_rate() const {
    return out_.filled(step_.elapsed_time ? "@$part$_neurons[i].cm" : "(elapsed * @$part$_neurons[i].cm)",
                       {{"part", part_}});
  }

  void write_outputs(const char* from) {
    if (cell_.output_w.empty()) {
      out_.need("copy");
      out_.code("  @copy($outputs$, $from$, y);\n", {{"outputs", CWriter::number(cell_.outputs)}, {"from", from}});
    } else {
      out_.code("  for (i = 0; i < $outputs$; ++i) y[i] = @$part$_output_w[i] * $from$[i] + @$part$_output_b[i];\n",
                {{"outputs", CWriter::number(cell_.outputs)}, {"part", part_}, {"from", from}});
    }
  }

  CWriter& out_;
  const CNeurons& cell_;
  const CStepOptions& step_;
  std::string part_;
  bool recurrent_;
  std::string source_type_[2];
};

}  // namespace elegans::detail
