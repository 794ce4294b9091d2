// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <locale>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/cell/ltc/solver.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/core/softplus.hpp>
#include <elegans/core/version.hpp>
#include <elegans/io/formats.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
#include <elegans/model/mixed.hpp>

namespace examples {

/// Writes a model or a stack as a C++ header of constants, which its cells and layers read where they lie.
template <typename Scalar>
class ModelHeader {
 public:
  /// \param name  the namespace of the header
  /// \throws InvalidArgument if a layer of a stack cannot be exported
  template <typename Model>
  ModelHeader(const Model& model, std::string name) : name_(std::move(name)) {
    out_.imbue(std::locale::classic());
    write_model(model);
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream all;
    all.imbue(std::locale::classic());
    all << "// Made by export_header of elegans " << ELEGANS_VERSION_STRING
        << " from a model file; do not edit, export again.\n"
        << "//\n"
        << "//     " << name_ << "::Model net;\n"
        << "//     auto state = net.initial_state();\n"
        << "//     " << name_ << "::Scalar y = net.step(x, state, elapsed_time)(0, 0);\n"
        << "#pragma once\n\n#include <array>\n\n";
    all << "#include <elegans/model/embedded.hpp>\n\nnamespace " << name_ << " {\n\n"
        << "using Scalar = " << (sizeof(Scalar) == 4 ? "float" : "double") << ";\n\n"
        << out_.str() << "}  // namespace " << name_ << "\n";
    return all.str();
  }

 private:
  using Index = elegans::Index;
  // Each writes constants and the class `Model`.

  template <typename Model>
  void write_model(const Model& model) {
    write_sizes(model);
    out_ << "inline constexpr int units = " << model.units() << ";\n\n";
    auto cell = model.cell();
    // Where there are packets, a larger LTC has too much memory in one object for compilers.
    if (requires { model.wiring(); } && (model.units() > 256 || model.input_dim() > 256)) {
      elegans::detail::refuse("an LTC to export must have at most 256 units and 256 inputs, got ", model.units(),
                              " and ", model.input_dim());
    }
    cell.pack(model.parameters().data(), true);
    const std::string parts = write(cell, model.parameters().data());
    write_class("elegans::embedded::Stream<Cell>", "Model() : Stream(" + parts + ") {}");
  }

  void write_model(const elegans::Dense<Scalar>& dense) {
    write_sizes(dense);
    elegans::detail::Linear<Scalar> map(dense.units(), dense.input_dim());
    map.pack_weight(0, dense.parameters().data(), dense.units(), 0, dense.input_dim());
    map.pack_bias(0, dense.parameters().data() + dense.units() * dense.input_dim());
    const std::string view = write_map("dense", map);
    write_class("elegans::embedded::DenseView<Scalar, outputs, inputs>",
                elegans::detail::concatenate("Model() : DenseView(", view, ", elegans::embedded::Activation::",
                                             name_of(dense.options().activation), ") {}"));
  }

  void write_model(const elegans::LayerNorm<Scalar>& layer) {
    write_sizes(layer);
    const auto norm = layer.normalization();
    const Index size = elegans::detail::pad_neurons(norm.features);
    write_values("weight", norm.weight, size);
    write_values("bias", norm.bias, size);
    write_class(
        "elegans::embedded::LayerNormView<Scalar, inputs>",
        elegans::detail::concatenate("Model() : LayerNormView(elegans::embedded::Normalization<Scalar>{", norm.features,
                                     ", ", literal(norm.epsilon), ", weight.data(), bias.data()}) {}"));
  }

  /// A stack: its layers one after the other, each in a namespace of its own.
  void write_model(const elegans::AnyStack<Scalar>& stack) {
    std::string layers;
    write_layers(stack, layers);
    if (layers.empty()) elegans::detail::refuse("a stack to export must have a layer besides dropout");
    write_sizes(stack);
    write_class("elegans::embedded::StreamChain<" + layers + ">", "Model() = default;");
  }

  /// Writes the layers of a stack, and of the stacks in it. \param names  gets the names of their classes
  void write_layers(const elegans::AnyStack<Scalar>& layer, std::string& names) {
    layer.visit([&]<typename Layer>(const Layer& own) {
      constexpr bool is_stack = requires { own.layer(std::size_t{0}); };
      constexpr bool is_view =
          std::is_same_v<Layer, elegans::Dense<Scalar>> || std::is_same_v<Layer, elegans::LayerNorm<Scalar>>;
      if constexpr (is_stack) {
        for (std::size_t k = 0; k < own.size(); ++k) write_layers(own.layer(k), names);
      } else if constexpr (std::is_same_v<Layer, elegans::Dropout<Scalar>>) {
        // It drops nothing outside of training.
      } else if constexpr (is_view || requires { write(own.cell(), own.parameters().data()); }) {
        const std::string of_stack = std::exchange(name_, elegans::detail::concatenate("layer_", layers_++));
        names += (names.empty() ? "\n    " : ",\n    ") + name_ + "::Model";
        out_ << "namespace " << name_ << " {\n\n";
        write_model(own);
        out_ << "}  // namespace " << name_ << "\n\n";
        name_ = of_stack;
      } else {
        static_assert(!elegans::CausalLayer<Layer>, "ModelHeader: a layer that runs step by step must be written");
        elegans::detail::refuse("a header runs step by step, and the layer ", summary_rows_of(own).front().layer,
                                " needs the whole sequence");
      }
    });
  }

  template <typename Model>
  void write_sizes(const Model& model) {
    out_ << "inline constexpr int inputs = " << model.input_dim() << ";\n"
         << "inline constexpr int outputs = " << model.output_dim() << ";\n";
  }

  void write_class(const std::string& base, const std::string& constructor) {
    out_ << "/// All of its memory is in the object: make it static, or a member, not a variable on a small stack.\n"
         << "class Model : public " << base << " {\n public:\n  " << constructor << "\n};\n\n";
  }

  // Each writes the constants of a cell and the name of its type, and returns the arguments of its constructor.

  std::string write(const elegans::LTCCell<Scalar>& cell, const Scalar* parameters, const char* type = "Cell") {
    const elegans::LTCOptions& options = cell.options();
    const elegans::detail::LTCTensors<const Scalar*> tensors(cell.parameters(), parameters);
    const auto positive = [&](Scalar value) {
      return options.implicit_param_constraints ? elegans::detail::softplus(value) : value;
    };
    const bool implicit = options.implicit_param_constraints;
    write_synapses("synapses", cell.wiring().adjacency_matrix(), tensors.synapse, implicit);
    write_synapses("sensory_synapses", cell.wiring().sensory_adjacency_matrix(), tensors.sensory, implicit);
    const bool adds_epsilon =
        elegans::detail::with_solver(options.solver, [](const auto& solver) { return solver.adds_epsilon; });
    const Scalar epsilon = adds_epsilon ? static_cast<Scalar>(options.epsilon) : Scalar(0);
    const Index units = cell.units(), inputs = cell.input_dim(), outputs = cell.output_dim();
    write_padded("cm", units, Scalar(1), [&](Index i) { return positive(tensors.cm[i]); });
    write_padded("leak_numerator", units, Scalar(0),
                 [&](Index i) { return positive(tensors.gleak[i]) * tensors.vleak[i]; });
    write_padded("leak_denominator", units, Scalar(0), [&](Index i) { return positive(tensors.gleak[i]) + epsilon; });
    const auto write_mapping = [&](const char* name, Index count, const Scalar* values, Scalar otherwise) {
      write_padded(name, count, Scalar(0), [=](Index i) { return values ? values[i] : otherwise; });
    };
    write_mapping("input_w", inputs, tensors.input_w, Scalar(1));
    write_mapping("input_b", inputs, tensors.input_b, Scalar(0));
    write_mapping("output_w", outputs, tensors.output_w, Scalar(1));
    write_mapping("output_b", outputs, tensors.output_b, Scalar(0));
    out_ << "inline constexpr elegans::embedded::LTCConstants<Scalar> constants{\n";
    for (const char* name :
         {"cm", "leak_numerator", "leak_denominator", "input_w", "input_b", "output_w", "output_b"}) {
      out_ << "    ." << name << " = " << name << ".data(),\n";
    }
    out_ << "    .synapses = {synapses.data(), " << cell.wiring().synapse_count() << "},\n"
         << "    .sensory_synapses = {sensory_synapses.data(), " << cell.wiring().sensory_synapse_count() << "}};\n\n"
         << "using " << type << " =\n    elegans::embedded::LTCCellView<Scalar, units, inputs, outputs, "
         << "elegans::embedded::ODESolver::" << elegans::detail::name_in(elegans::detail::solver_names, options.solver)
         << ", " << options.ode_unfolds << ">;\n\n";
    return "constants";
  }

  std::string write(const elegans::CfCCell<Scalar>& cell, const Scalar*, const char* type = "Cell") {
    Index widest = 0;
    std::ostringstream blocks;
    for (Index k = 0; k < cell.blocks().size(); ++k) {
      const auto& block = cell.blocks()[k];
      const std::string name = elegans::detail::concatenate("block_", k, "_");
      widest = std::max(widest, block.inputs() + block.units());
      std::ostringstream backbone;
      for (Index layer = 0; layer < block.backbone().size(); ++layer) {
        const auto& map = block.backbone()[layer];
        widest = std::max(widest, map.outputs());
        backbone << "    " << write_map(elegans::detail::concatenate(name, "backbone_", layer), map) << ",\n";
      }
      if (block.backbone().size() > 0) {
        out_ << "inline constexpr elegans::embedded::LinearView<Scalar> " << name << "backbone[] = {\n"
             << backbone.str() << "};\n";
      }
      blocks << "    {.inputs = " << block.inputs() << ",\n"
             << "     .activation = elegans::embedded::Activation::" << name_of(cell.options().activation) << ",\n";
      if (block.backbone().size() > 0) {
        blocks << "     .backbone_layers = " << block.backbone().size() << ",\n"
               << "     .backbone = " << name << "backbone,\n";
      }
      blocks << "     .heads = " << write_heads(name, block) << "},\n";
    }
    out_ << "inline constexpr elegans::embedded::CfCBlockView<Scalar> blocks[] = {\n" << blocks.str() << "};\n";
    const bool projects = cell.projection().outputs() > 0;
    const std::string projection = projects ? write_map("projection", cell.projection()) : "{}";
    out_ << "inline constexpr elegans::embedded::LinearView<Scalar> projection = " << projection << ";\n\n"
         << "using " << type << " = elegans::embedded::CfCCellView<Scalar, units, inputs, outputs, " << widest
         << ">;\n\n";
    return elegans::detail::concatenate("blocks, ", cell.blocks().size(), ", projection");
  }

  std::string write(const elegans::LSTMCell<Scalar>& cell, const Scalar*) {
    const std::string gates = write_map("gates", cell.gate_maps());
    out_ << "using Cell = elegans::embedded::LSTMCellView<Scalar, units, inputs>;\n\n";
    return "elegans::embedded::LinearView<Scalar, 4>" + gates;
  }

  std::string write(const elegans::GRUCell<Scalar>& cell, const Scalar*) {
    const std::string of_x = write_map("of_x", cell.maps_of_x()), of_h = write_map("of_h", cell.maps_of_h());
    out_ << "using Cell = elegans::embedded::GRUCellView<Scalar, units, inputs>;\n\n";
    const std::string view = "elegans::embedded::LinearView<Scalar>";
    return view + of_x + ", " + view + of_h;
  }

  template <typename Inner>
  std::string write(const elegans::MemoryCell<Inner>& cell, const Scalar* parameters) {
    const std::string gates = write_map("gates", cell.gate_maps());
    const std::string inner = write(cell.inner(), parameters, "Inner");
    out_ << "using Cell = elegans::embedded::MemoryCellView<Inner>;\n\n";
    return "elegans::embedded::LinearView<Scalar, 4>" + gates + ", " + inner;
  }

  /// Writes the heads' constants. \return  the heads, as an initializer
  std::string write_heads(const std::string& name, const elegans::detail::CfCBlock<Scalar>& block) {
    const auto& heads = block.heads();
    if (heads.mode == elegans::CfCMode::pure) {
      const std::string map = write_map(name + "pure", block.pure());
      const Index size = elegans::detail::pad_neurons(block.units());
      write_values(name + "w_tau", heads.w_tau, size);
      write_values(name + "A", heads.A, size);
      return "{.mode = elegans::embedded::CfCMode::pure, .pure = " + map + ",\n               .w_tau = " + name +
             "w_tau.data(), .A = " + name + "A.data()}";
    }
    const std::string map = write_map(name + "gated", block.gated());
    return std::string("{.mode = elegans::embedded::CfCMode::") +
           (heads.mode == elegans::CfCMode::standard ? "standard" : "no_gate") + ", .gated = " + map +
           (heads.activation == elegans::Activation::tanh ? "" : ", .activation = elegans::embedded::Activation::") +
           (heads.activation == elegans::Activation::tanh ? "" : name_of(heads.activation)) + "}";
  }

  /// Writes a map's constants. \return  the map, as an initializer
  template <int Maps>
  std::string write_map(const std::string& name, const elegans::detail::Linear<Scalar, Maps>& map) {
    write_values(name + "_weight", map.packed_weight().data(), map.packed_weight().size());
    write_values(name + "_bias", map.packed_bias().data(), map.packed_bias().size());
    return elegans::detail::concatenate("{", map.outputs(), ", ", map.inputs(), ", ", name, "_weight.data(), ", name,
                                        "_bias.data()}");
  }

  /// Writes the synapses of a drive, sorted by destination. \param implicit  see `read_synapse`
  template <typename Matrix>
  void write_synapses(const char* name, const Matrix& polarity,
                      const elegans::detail::SynapseTensors<const Scalar*>& tensors, bool implicit) {
    std::vector<std::string> synapses;
    for (Index d = 0; d < polarity.cols(); ++d) {
      for (Index s = 0; s < polarity.rows(); ++s) {
        if (polarity(s, d) == 0) continue;
        const auto weight = elegans::detail::read_synapse<Scalar>(tensors, s + polarity.rows() * d, implicit);
        synapses.push_back(elegans::detail::concatenate("{", s, ", ", d, ", ", literal(weight.steepness), ", ",
                                                        literal(weight.mu), ", ", literal(weight.w), ", ",
                                                        literal(weight.w_erev), "}"));
      }
    }
    out_ << "inline constexpr std::array<elegans::embedded::SynapseConstant<Scalar>, " << synapses.size() << "> "
         << name << "{{\n";
    write_list(static_cast<Index>(synapses.size()), [&](Index i) { return synapses[static_cast<std::size_t>(i)]; });
    out_ << "}};\n";
  }

  /// Writes `count` values and as many of another as fill up a packet. \param value  index -> value
  template <typename Value>
  void write_padded(const char* name, Index count, Scalar behind, const Value& value) {
    std::vector<Scalar> values(static_cast<std::size_t>(elegans::detail::pad_neurons(count)), behind);
    for (Index i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = value(i);
    write_values(name, values.data(), static_cast<Index>(values.size()));
  }

  void write_values(const std::string& name, const Scalar* values, Index count) {
    out_ << "alignas(64) inline constexpr std::array<Scalar, " << count << "> " << name << "{\n";
    write_list(count, [&](Index i) { return literal(values[i]); });
    out_ << "};\n";
  }

  /// Writes a list, broken into lines.
  template <typename Item>
  void write_list(Index count, Item&& item) {
    std::string line = "   ";
    for (Index i = 0; i < count; ++i) {
      const std::string text = elegans::detail::concatenate(" ", item(i), i + 1 < count ? "," : "");
      if (line.size() + text.size() > 118) {
        out_ << line << "\n";
        line = "   ";
      }
      line += text;
    }
    out_ << line << "\n";
  }

  /// A number as a hexadecimal literal, which is exact.
  template <typename Number>
  static std::string literal(Number value) {
    if (value == 0) return std::signbit(value) ? "-0.0" : "0";
    return elegans::detail::exact_text(static_cast<double>(value)) + (sizeof(Number) == 4 ? "f" : "");
  }

  static const char* name_of(elegans::Activation activation) {
    switch (activation) {
      case elegans::Activation::linear:
        return "linear";
      case elegans::Activation::lecun_tanh:
        return "lecun_tanh";
      case elegans::Activation::relu:
        return "relu";
      case elegans::Activation::tanh:
        return "tanh";
      case elegans::Activation::gelu:
        return "gelu";
      case elegans::Activation::silu:
        return "silu";
      case elegans::Activation::sigmoid:
        return "sigmoid";
    }
    return "";
  }

  std::string name_;  // of the namespace that is being written
  int layers_ = 0;    // of a stack
  std::ostringstream out_;
};

}  // namespace examples
