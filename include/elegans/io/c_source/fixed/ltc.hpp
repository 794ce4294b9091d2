// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/ltc/options.hpp>
#include <elegans/core/error.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/ltc_neurons.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// The constants of a neuron in whole numbers.
///
/// The equation stays the same if all conductances of a neuron, and its capacitance, are divided by the same number. So
/// they are divided by the largest D that the neuron can have: then D is at most 1, and N within the potentials.
struct CFixedNeuron {
  double scale = 1;  ///< of the neuron's conductances
  std::int64_t leak_n, leak_d, cm;
  int shift;                ///< of D, so that it can be added to cm
  int power;                ///< 2^power / (cm + D) is the rate
  int left = 0, right = 0;  ///< shifts of the increment

  CFixedNeuron(const CFixedPoint& fixed, const CNeurons::Neuron& neuron, double capacitance, int potential_bits) {
    const auto fan_in = static_cast<double>(neuron.sensory.size() + neuron.recurrent.size());
    const int bits = fixed.number_bits(), sum_bits = bits == 15 ? 15 : 30;
    // A conductance that moves a potential by less than a millionth of the way need not be exact.
    const double largest = (std::max)(neuron.largest_d(), std::ldexp(capacitance, -20));
    if (largest <= 0) refuse("export to C: a neuron has neither a capacitance nor a conductance");
    // Roundings of the weights must not lift D above 1.
    const double room = 1 - std::ldexp(fan_in + 2, -bits - 1) - std::ldexp(1, -12);
    if (room < 0.5) refuse("export to C: a neuron has ", fan_in, " synapses, too many for ", fixed.spoken());
    scale = room / largest;
    leak_n = CFixedPoint::value(scale * neuron.leak_n, potential_bits + 1);  // as N, whose unit is that of v
    leak_d = CFixedPoint::value(scale * neuron.leak_d, 30);
    const double ratio = scale * capacitance;
    shift = 0;
    while (std::ldexp(ratio + 1, sum_bits - shift) + fan_in + 2 > std::ldexp(1.0, sum_bits + 1) - 1) ++shift;
    // Above what it is, so that no rounding makes an increment longer than the way to N / D.
    cm = static_cast<std::int64_t>((std::max)(std::floor(std::ldexp(ratio, sum_bits - shift)) + 1, (fan_in + 2)));
    const int den_bits = sum_bits - shift;
    shift = 30 - den_bits;  // D has 30 fraction bits
    const auto smallest = static_cast<double>(cm + (leak_d >> shift));
    power = fraction_bits(1 / smallest, static_cast<double>(CFixedPoint::largest(bits)));
    const int up = bits + 2 + den_bits - power;
    (up > 0 ? left : right) = up > 0 ? up : -up;
  }
};

/// Writes an LTC's step in q15 or q31. A potential is a sum of many small increments, so it has 32 bits in both.
class CFixedLTCWriter {
 public:
  CFixedLTCWriter(CWriter& out, const CNeurons& cell, const CFixedPoint& fixed, std::string part)
      : out_(out), cell_(cell), fixed_(fixed), part_(std::move(part)) {
    if (fixed.is_small()) refuse("export to C: an LTC needs float, q31 or q15; int8 is for a CfC");
    if (cell.options.solver != ODESolver::semi_implicit) {
      refuse("export to C: ", fixed.spoken(),
             " needs the semi-implicit solver; the others have no bound of the states");
    }
    if (!cell.is_convex) {
      refuse("export to C: ", fixed.spoken(),
             " needs conductances and capacitances of at least 0, which bound the states");
    }
    const double bound = (std::max)(-cell.low(), cell.high());
    bits_ = fraction_bits((std::max)(bound, 1e-3), 0.9 * std::ldexp(1.0, 29));
    for (const CNeurons::Neuron& neuron : cell.neurons) {
      neurons_.emplace_back(fixed, neuron, neuron.cm * cell.options.ode_unfolds / fixed.elapsed_time, bits_);
    }
  }

  CFixedLayer write() {
    const double bound = (std::max)(-cell_.low(), cell_.high());
    // An input becomes a value by zeros behind it.
    const bool widens = !fixed_.is_wide();
    const std::string senses =
        write_synapses("sensory", &CNeurons::Neuron::sensory, fixed_.input_bits() + (widens ? 16 : 0),
                       fixed_.input_bound(), widens ? "(int32_t)x[synapse->source] * 65536" : "x[synapse->source]");
    const std::string gathers =
        write_synapses("recurrent", &CNeurons::Neuron::recurrent, bits_, bound, "from[synapse->source]");
    write_neurons();
    const Outputs outputs = write_outputs(bound);
    for (const char* name : {"times", "rate"}) out_.need(name);
    const bool is_driven = !senses.empty() || !gathers.empty();
    const bool is_odd = cell_.options.ode_unfolds % 2 == 1;
    out_.code(
        R"(
static void @$part$_step(const @number *x, int32_t *v, @number *y) {
  int32_t numerator[$units$], denominator[$units$], rate[$units$], other[$units$], *from = v, *to = other;
$synapse$  int i, $k$l;
  const @neuron *neuron = @$part$_neurons;
$start_sensory$  for (i = 0; i < $units$; ++i, ++neuron) {
    int32_t n = neuron->leak_n, d = neuron->leak_d;
$senses$    numerator[i] = n;
    denominator[i] = d;
    rate[i] = @rate(d, neuron);
  }
  for (l = 0; l < $unfolds$; ++l) {
    int32_t *const reached = to;
    neuron = @$part$_neurons;
$start_recurrent$    for (i = 0; i < $units$; ++i, ++neuron) {
      int32_t n = numerator[i], d = denominator[i], way, next;
$gathers$      way = @times((n >> 2) - @times(from[i], $d$), $rate$);
      next = from[i] + $way$;
      to[i] = next < $low$ ? $low$ : next > $high$ ? $high$ : next;
    }
    to = from;
    from = reached;
  }
$back$)",
        {{"part", part_},
         {"units", units()},
         {"synapse", is_driven ? out_.filled("  const @synapse *synapse;\n", {}) : ""},
         {"k", is_driven ? "k, " : ""},
         {"start_sensory", senses.empty() ? "  (void)x;\n" : start("  ", "sensory")},
         {"senses", senses},
         {"unfolds", CWriter::number(cell_.options.ode_unfolds)},
         {"start_recurrent", gathers.empty() ? "" : start("    ", "recurrent")},
         {"gathers", gathers},
         {"d", widens ? "d >> 15" : "d << 1"},
         {"rate", gathers.empty() ? "rate[i]" : out_.filled("neuron->recurrent == 0 ? rate[i] : @rate(d, neuron)", {})},
         {"way", way()},
         {"low", CWriter::number(low())},
         {"high", CWriter::number(high())},
         {"back", is_odd
                      ? "  {\n    volatile int32_t *state = v; /* so that no compiler makes a call of memcpy of it */\n"
                        "    for (i = 0; i < " +
                            units() + "; ++i) state[i] = other[i];\n  }\n"
                      : ""}});
    out_.code(outputs.statement + "}\n");
    return {{.function = part_ + "_step",
             .spoken = concatenate("LTC, ", cell_.units(), " neurons"),
             .inputs = cell_.inputs,
             .outputs = cell_.outputs,
             .state = cell_.units(),
             .stack_values = 4 * cell_.neurons.size(),
             .low = cell_.low(),
             .high = cell_.high(),
             .is_bounded = true},
            "int32_t",
            bits_,
            outputs.bits,
            low(),
            high()};
  }

 private:
  using Synapses = std::vector<CSynapse> CNeurons::Neuron::*;

  [[nodiscard]] std::string units() const { return CWriter::number(cell_.units()); }
  [[nodiscard]] std::int64_t low() const { return CFixedPoint::value(cell_.low(), bits_); }
  [[nodiscard]] std::int64_t high() const { return CFixedPoint::value(cell_.high(), bits_); }
  [[nodiscard]] std::string start(const char* indent, const char* kind) const {
    return out_.filled("$indent$synapse = @$part$_$kind$;\n", {{"indent", indent}, {"part", part_}, {"kind", kind}});
  }

  /// \param value  the source of a synapse, in C  \return  the sums over the synapses of neuron i; nothing without any
  std::string write_synapses(const std::string& kind, Synapses synapses, int value_bits, double bound,
                             const std::string& value) {
    double steepest = 0, reach = 0;
    for (const CNeurons::Neuron& neuron : cell_.neurons) {
      for (const CSynapse& s : neuron.*synapses) {
        steepest = (std::max)(steepest, std::fabs(s.slope));
        reach = (std::max)(reach, std::fabs(s.slope) * bound + std::fabs(s.offset));
      }
    }
    const CScaling slope(fixed_, value_bits, steepest, reach, fixed_.exponent_bits(), "the exponent of a synapse");
    std::vector<std::string> items;
    const int bits = fixed_.number_bits();
    for (std::size_t i = 0; i < neurons_.size(); ++i) {
      for (const CSynapse& s : cell_.neurons[i].*synapses) {
        const double w = neurons_[i].scale * s.w;
        const std::string offset = CWriter::number(CFixedPoint::value(s.offset, slope.sum));
        const std::string factor = CWriter::number(fixed_.number(s.slope, slope.bits));
        const int reversal_bits = bits_ + (fixed_.is_wide() ? 2 : 1 - bits);
        items.push_back(concatenate("{", offset, ", ", factor, ", ",
                                    CWriter::number(fixed_.number(w * s.erev, reversal_bits)), ", ",
                                    CWriter::number(fixed_.number(w, bits)), ", ", CWriter::number(s.source), "}"));
      }
    }
    if (items.empty()) return "";
    out_.need("synapse");
    out_.need(fixed_.gate());
    out_.table("@synapse", part_ + "_" + kind, items, fixed_.is_wide() ? 20 : 12);
    return out_.filled(
        R"($in$    for (k = neuron->$kind$; k > 0; --k, ++synapse) {
$in$      const int32_t gate = @gate($exponent$);
$in$      n += $drive$;
$in$      d += $w$;
$in$    }
)",
        {{"in", kind == "sensory" ? "" : "  "},
         {"kind", kind},
         {"exponent",
          shifted(out_, out_.filled("(@times($value$, synapse->slope) + synapse->offset)", {{"value", value}}),
                  slope.shift)},
         {"drive", fixed_.is_wide() ? out_.filled("@times(gate, synapse->drive)", {}) : "synapse->drive * gate"},
         {"w", fixed_.is_wide() ? out_.filled("@times(gate, synapse->w)", {}) : "synapse->w * gate"}});
  }

  void write_neurons() {
    std::vector<std::string> items;
    for (std::size_t i = 0; i < neurons_.size(); ++i) {
      const CFixedNeuron& n = neurons_[i];
      std::string item;
      const auto add = [&](auto value) { item += (item.empty() ? "{" : ", ") + CWriter::number(value); };
      add(n.leak_n);
      add(n.leak_d);
      item += ", " + CWriter::number(n.cm) + "u";
      add(cell_.neurons[i].sensory.size());
      add(cell_.neurons[i].recurrent.size());
      add(n.shift);
      add(n.power);
      add(n.left);
      add(n.right);
      items.push_back(item + "}");
    }
    out_.table("@neuron", part_ + "_neurons", items, 20);
  }

  /// The increment of a potential.
  [[nodiscard]] std::string way() const {
    const auto some = [&](int CFixedNeuron::* shift) {
      return std::any_of(neurons_.begin(), neurons_.end(), [&](const CFixedNeuron& n) { return n.*shift > 0; });
    };
    const std::string left = some(&CFixedNeuron::left) ? "(int32_t)((uint32_t)way << neuron->left)" : "way";
    return some(&CFixedNeuron::right) ? "(" + left + " >> neuron->right)" : left;
  }

  struct Outputs {
    std::string statement;
    int bits;
  };
  /// How the outputs come from the potentials v.
  Outputs write_outputs(double bound) {
    const std::string count = CWriter::number(cell_.outputs);
    if (cell_.output_w.empty()) {
      const int bits = (std::min)(fixed_.bits_for(bound), bits_ - 1);
      return {out_.filled("  for (i = 0; i < $count$; ++i) y[i] = (@number)((v[i] + $half$) >> $shift$);\n",
                          {{"count", count},
                           {"half", CWriter::number(1 << (bits_ - bits - 1))},
                           {"shift", CWriter::number(bits_ - bits)}}),
              bits};
    }
    double largest = 0, reach = 0;
    for (std::size_t i = 0; i < cell_.output_w.size(); ++i) {
      largest = (std::max)(largest, std::fabs(cell_.output_w[i]));
      reach = (std::max)(reach, std::fabs(cell_.output_w[i]) * bound + std::fabs(cell_.output_b[i]));
    }
    const int most = bits_ + fraction_bits(largest, std::ldexp(1.0, fixed_.number_bits())) - fixed_.number_bits() - 2;
    const int bits = (std::min)({fixed_.bits_for(reach), most, fraction_bits(reach, std::ldexp(1.0, 30))});
    const CScaling w(fixed_, bits_, largest, reach, bits, "an output");
    std::vector<std::string> items;
    for (std::size_t i = 0; i < cell_.output_w.size(); ++i) {
      const std::int64_t half = w.shift > 0 ? std::int64_t{1} << (w.shift - 1) : 0;
      items.push_back("{" + CWriter::number(CFixedPoint::value(cell_.output_b[i], w.sum) + half) + ", " +
                      CWriter::number(fixed_.number(cell_.output_w[i], w.bits)) + "}");
    }
    out_.need("row");
    out_.table("@row", part_ + "_outputs", items, 8);
    return {out_.filled("  for (i = 0; i < $count$; ++i) {\n"
                        "    const @row *row = @$part$_outputs + i;\n"
                        "    y[i] = (@number)($sum$);\n  }\n",
                        {{"count", count},
                         {"part", part_},
                         {"sum", shifted(out_, out_.filled("(@times(v[i], row->scale) + row->bias)", {}), w.shift)}}),
            bits};
  }

  CWriter& out_;
  const CNeurons& cell_;
  const CFixedPoint& fixed_;
  std::string part_;
  int bits_ = 0;
  std::vector<CFixedNeuron> neurons_;
};

}  // namespace elegans::detail
