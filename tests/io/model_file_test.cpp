// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <string>
#include <variant>

#include <elegans/io/model_file.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/raw_safetensors.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::RawFile;
using support::RawTensor;

namespace {

/// The tensors of a golden file's model.
RawFile golden(const std::string& name) {
  RawFile raw(SafeTensors(std::filesystem::path(ELEGANS_TEST_DATA) / (name + ".safetensors")), "param.");
  raw.metadata.clear();
  return raw;
}

ModelDescription describe(const RawFile& raw, const ModelFileOptions& options = {}) {
  return describe_model(SafeTensors(raw.bytes(), "f"), options);
}

const LTCOptions& ltc(const ModelDescription& description) { return std::get<LTCOptions>(description.options); }
const CfCOptions& cfc(const ModelDescription& description) { return std::get<CfCOptions>(description.options); }

/// The message with which a file is refused.
std::string refusal(const RawFile& raw, const ModelFileOptions& options = {}) {
  return support::refusal_of([&] { load_model<double>(SafeTensors(raw.bytes(), "f"), options); });
}

constexpr std::array golden_names{"ltc_sine_random", "ltc_implicit",   "ltc_linear",          "ltc_nomap", "ltc_mixed",
                                  "cfc_no_gate",     "cfc_pure",       "cfc_no_backbone",     "cfc_proj",  "cfc_mixed",
                                  "cfc_wired_fc",    "cfc_wired_pure", "cfc_wired_auto_mixed"};

}  // namespace

TEST_CASE("Load and save change no bit of any tensor, not even of synapses that do not exist", "[io][model_file]") {
  const support::Folder folder;
  for (const char* name : golden_names) {
    INFO(name);
    RawFile raw = golden(name);
    auto any_model = load_model<double>(SafeTensors(raw.bytes(), "f"));
    std::visit([&](const auto& model) { save(model, folder.path / "m"); }, any_model);
    RawFile saved{SafeTensors(folder.path / "m")};
    REQUIRE(saved.tensors.size() == raw.tensors.size());
    for (const auto& [key, tensor] : raw.tensors) {
      INFO(key);
      CHECK(saved.tensors.at(key).type == tensor.type);
      CHECK(saved.tensors.at(key).shape == tensor.shape);
      CHECK(saved.tensors.at(key).bytes == tensor.bytes);
    }
    // A second round trip changes no byte of the file.
    any_model = load_model<double>(folder.path / "m");
    std::visit([&](const auto& model) { save(model, folder.path / "again"); }, any_model);
    CHECK(support::read(folder.path / "m") == support::read(folder.path / "again"));
  }
}

TEST_CASE("Names and shapes of the tensors tell kind, sizes, mappings and memory", "[io][model_file]") {
  auto what = describe(golden("ltc_mixed"));
  CHECK(what.kind == "MixedLTC");
  CHECK((what.units == 14 && what.input_dim == 4 && what.output_dim == 3));
  what = describe(golden("ltc_linear"));
  CHECK(what.kind == "LTC");
  CHECK(ltc(what).input_mapping == Mapping::linear);
  CHECK(ltc(what).output_mapping == Mapping::linear);
  CHECK((ltc(what).ode_unfolds == 6 && ltc(what).epsilon == 1e-8 && ltc(what).implicit_param_constraints));
  CHECK(what.wiring->synapse_count() == 23);
  what = describe(golden("ltc_nomap"), {.output_dim = 1});
  CHECK(ltc(what).output_mapping == Mapping::none);
  CHECK(what.output_dim == 1);
  CHECK(describe(golden("ltc_nomap")).output_dim == 8);
  what = describe(golden("cfc_no_gate"));
  CHECK(what.kind == "CfC");
  CHECK((cfc(what).backbone_layers == 2 && cfc(what).backbone_units == 16));
  CHECK(cfc(what).mode == CfCMode::standard);
  CHECK(cfc(describe(golden("cfc_pure"))).mode == CfCMode::pure);
  what = describe(golden("cfc_wired_auto_mixed"));
  CHECK(what.kind == "MixedCfC");
  CHECK((what.units == 20 && what.output_dim == 2 && cfc(what).proj_size == 2));
  CHECK(what.wiring->num_layers() == 3);
  CHECK(what.wiring->neurons_of_layer(2) == std::vector<int>{0, 1, 2});
}

TEST_CASE("The numbers in the names tell how deep a backbone is, with dropouts or without", "[io][model_file]") {
  const support::Folder folder;
  for (int layers = 0; layers <= 5; ++layers) {
    for (const double dropout : {0.0, 0.25}) {
      const CfC<float> model(3, 2, {.backbone_units = 4, .backbone_layers = layers, .backbone_dropout = dropout});
      save(model, folder.path / "m");
      RawFile raw{SafeTensors(folder.path / "m")};
      CHECK(cfc(describe(raw)).backbone_layers == layers);
      CHECK(cfc(describe(raw)).backbone_dropout == (layers > 0 ? dropout : 0.0));
      raw.metadata.clear();
      CHECK(cfc(describe(raw)).backbone_layers == layers);
      // From the third layer on, the names tell that there is a dropout, but not its rate.
      CHECK((cfc(describe(raw)).backbone_dropout > 0) == (dropout > 0 && layers > 2));
    }
  }
}

TEST_CASE("A model is found behind any prefix", "[io][model_file]") {
  for (const char* name : {"ltc_mixed", "cfc_wired_auto_mixed", "cfc_proj"}) {
    const RawFile raw = golden(name);
    for (const std::string prefix : {"0.", "model.", "module.net.0.", "param.", "layer_3."}) {
      INFO(prefix);
      const RawFile moved = raw.renamed([&](const std::string& key) { return prefix + key; });
      CHECK(refusal(moved) == "(not refused)");
      CHECK(describe(moved).names.layer == prefix);
    }
  }
  // The state_dict of a cell without its layer.
  for (const char* name : {"ltc_linear", "cfc_wired_pure", "cfc_pure"}) {
    for (const std::string prefix : {"", "cell."}) {
      const RawFile bare = golden(name).renamed([&](const std::string& key) { return prefix + key.substr(9); });
      CHECK(refusal(bare) == "(not refused)");
      CHECK(describe(bare).names.cell == prefix);
    }
  }
}

TEST_CASE("A file must hold one model and nothing else, unless a prefix chooses", "[io][model_file]") {
  const RawFile raw = golden("ltc_linear");
  RawFile two = raw.renamed([](const std::string& key) { return "0." + key; });
  two.tensors["1.weight"] = RawTensor::of<double>("F64", {1, 1}, {1});
  CHECK(refusal(two) == "f: the tensor '1.bias' is missing, which a Dense has");
  CHECK(refusal(two, {.prefix = "0."}) == "(not refused)");
  CHECK(refusal(two, {.prefix = "0"}) == "(not refused)");
  CHECK(refusal(two, {.prefix = "3"}).find("f: no model behind the prefix '3'") == 0);
  for (const auto& [key, tensor] : raw.tensors) two.tensors["2." + key] = tensor;
  two.tensors.erase("1.weight");
  CHECK(refusal(two).find("f: there are 2 layers behind '', but none has number 1: what a module without tensors") ==
        0);
  CHECK(refusal(two, {.prefix = "2."}) == "(not refused)");
  RawFile named = raw.renamed([](const std::string& key) { return "a." + key; });
  for (const auto& [key, tensor] : raw.tensors) named.tensors["b." + key] = tensor;
  CHECK(refusal(named) == "f: more than one model, behind the prefixes 'a.', 'b.': choose one");

  RawFile beside = raw.renamed([](const std::string& key) { return "param." + key; });
  for (const auto& [key, tensor] : raw.tensors) beside.tensors["grad." + key] = tensor;
  beside.tensors["x"] = RawTensor::of<double>("F64", {1}, {1});
  CHECK(refusal(beside) == "(not refused)");
  beside.tensors["param.x"] = beside.tensors["x"];
  CHECK(refusal(beside) == "f: the tensor 'param.x' is no part of the LTC that the others make up");

  CHECK(refusal(RawFile()) ==
        "f: no model: there is no tensor 'gleak' (of an LTC) or 'ff1.weight' (of a CfC), with or without a prefix; the "
        "file is empty");
}

TEST_CASE("The message names the tensor that is missing, surplus or of a wrong shape", "[io][model_file]") {
  for (const char* name : golden_names) {
    const RawFile raw = golden(name);
    REQUIRE(refusal(raw) == "(not refused)");
    for (const auto& [key, tensor] : raw.tensors) {
      INFO(name << ", " << key);
      RawFile missing = raw;
      missing.tensors.erase(key);
      // Without these tensors, the rest is another model, with a linear mapping or with none.
      if (key.find("input_w") == std::string::npos && key.find("input_b") == std::string::npos &&
          key.find("output_") == std::string::npos) {
        CHECK(refusal(missing).find("f: ") == 0);
      }
      RawFile misshapen = raw;
      misshapen.tensors[key].shape.push_back(1);
      CHECK(refusal(misshapen).find(key) != std::string::npos);
      RawFile empty = raw;
      empty.tensors[key].shape = std::vector<std::uint64_t>(tensor.shape.size(), 0);
      empty.tensors[key].bytes.clear();
      CHECK(refusal(empty).find("f: ") == 0);
      RawFile surplus = raw;
      surplus.tensors[key + "x"] = tensor;
      CHECK(refusal(surplus).find("f: the tensor '" + key + "x' is no part of the ") == 0);
    }
  }
  RawFile missing = golden("ltc_linear");
  missing.tensors.erase("rnn_cell.sigma");
  CHECK(refusal(missing) == "f: the tensor 'rnn_cell.sigma' is missing, which an LTC has");
}

TEST_CASE("A parameter must be finite, and a mask must hold 0 and 1", "[io][model_file]") {
  RawFile raw = golden("ltc_linear");
  raw.tensors["rnn_cell.w"].set(5, std::nan(""));
  CHECK(refusal(raw) == "f: rnn_cell.w: value 5 (counted row by row) must be finite, got nan");
  raw = golden("ltc_linear");
  raw.tensors["rnn_cell.sparsity_mask"].set(15, 0.5);
  CHECK(refusal(raw) == "f: rnn_cell.sparsity_mask: a mask must have values 0 and 1, got 0.5 in row 1, column 1");
  raw = golden("ltc_linear");
  raw.tensors["rnn_cell.gleak"].type = "I64";
  CHECK(refusal(raw) == "f: rnn_cell.gleak: a parameter must be F64, F32, F16 or BF16, got I64");
  raw = golden("cfc_wired_pure");
  const std::vector<float> zeros(60, 0.0f);
  raw.tensors["rnn_cell.layer_0.sparsity_mask"] = RawTensor::of<float>("F32", {6, 10}, zeros);
  CHECK(refusal(raw) ==
        "f: rnn_cell.layer_0.sparsity_mask: must be 1 between a layer's own neurons, in the last 6 columns");
}

TEST_CASE("Masks may be of any type that holds 0 and 1", "[io][model_file]") {
  const RawFile raw = golden("ltc_linear");
  const auto expected = describe(raw).wiring->adjacency_matrix().eval();
  RawFile other = raw;
  for (const char* name : {"rnn_cell.sparsity_mask", "rnn_cell.sensory_sparsity_mask"}) {
    const RawTensor& mask = raw.tensors.at(name);
    std::vector<double> values(mask.bytes.size() / 8);
    std::memcpy(values.data(), mask.bytes.data(), mask.bytes.size());
    const std::vector<std::int64_t> whole(values.begin(), values.end());
    other.tensors[name] = RawTensor::of("I64", mask.shape, whole);
    if (std::string(name) == "rnn_cell.sparsity_mask") {
      const std::vector<std::uint8_t> bits(values.begin(), values.end());
      other.tensors[name] = RawTensor::of("BOOL", mask.shape, bits);
    }
  }
  CHECK(describe(other).wiring->adjacency_matrix() == expected);
}

TEST_CASE("A given option wins over the metadata, unless the tensors contradict it", "[io][model_file]") {
  CHECK(refusal(golden("cfc_pure"), {.mode = CfCMode::no_gate}) ==
        "f: mode cannot be no_gate: the file has a tensor rnn_cell.w_tau");
  CHECK(refusal(golden("cfc_no_gate"), {.mode = CfCMode::pure}) ==
        "f: mode cannot be pure: the file has no tensor rnn_cell.w_tau");
  CHECK(refusal(golden("ltc_linear"), {.output_dim = 2}) ==
        "f: the model has 3 outputs, as rnn_cell.output_w says, and cannot have 2");
  CHECK(refusal(golden("ltc_nomap"), {.output_dim = 9}) == "f: Wiring: output_dim must be in [1, units = 8], got 9");
  CHECK(refusal(golden("ltc_nomap"), {.ode_unfolds = 0}) == "f: LTC: ode_unfolds must be at least 1, got 0");
  RawFile raw = golden("ltc_nomap");
  const auto says = [&](const std::string& text) {
    raw.metadata["elegans"] = text;
    return refusal(raw);
  };
  CHECK(says(R"({"version":1,"ode_unfolds":3,"output_dim":2,"solver":"runge_kutta"})") == "(not refused)");
  CHECK(ltc(describe(raw)).ode_unfolds == 3);
  CHECK(ltc(describe(raw)).solver == ODESolver::runge_kutta);
  CHECK(describe(raw).output_dim == 2);
  CHECK(ltc(describe(raw, {.ode_unfolds = 4})).ode_unfolds == 4);
  CHECK(says("{") == "f: __metadata__: 'elegans' must be a JSON object");
  CHECK(says("{}") == "f: __metadata__: 'elegans' has no version");
  CHECK(says(R"({"version":2})") == "f: __metadata__: version must be at most 1, got 2: a newer elegans wrote it");
  CHECK(says(R"({"version":1,"ode_unfolds":"x"})") == "f: __metadata__: ode_unfolds cannot be \"x\"");
  CHECK(says(R"({"version":1,"solver":"magic"})") ==
        "f: __metadata__: solver must be one of semi_implicit, explicit_euler, heun, runge_kutta, got magic");
  CHECK(says(R"({"version":1,"model":"CfC"})") ==
        "f: the tensors are those of a model of kind LTC, the metadata says CfC");
  CHECK(says(R"({"version":1,"polarity":"+"})") ==
        "f: __metadata__: polarity has 1 signs, sparsity_mask has 64 synapses");
  CHECK(says(R"({"version":1,"neuron_types":[],"layers":[]})") ==
        "f: __metadata__: neuron_types and layers must have an entry for each of 8 neurons");
}

TEST_CASE("Every solver comes back", "[io][model_file]") {
  const support::Folder folder;
  for (const ODESolver solver :
       {ODESolver::semi_implicit, ODESolver::explicit_euler, ODESolver::heun, ODESolver::runge_kutta}) {
    LTC<double> model(AutoNCP(6, 1), 2, {.solver = solver});
    save(model, folder.path / "m");
    CHECK(ltc(describe_model(SafeTensors(folder.path / "m"))).solver == solver);
    load(model, folder.path / "m");
  }
}

TEST_CASE("Options that the tensors cannot tell come back", "[io][model_file]") {
  const support::Folder folder;
  LTC<float> model(AutoNCP(12, 2), 3,
                   {.output_mapping = Mapping::none,
                    .solver = ODESolver::explicit_euler,
                    .ode_unfolds = 4,
                    .epsilon = 1e-3,
                    .implicit_param_constraints = true,
                    .return_sequences = false});
  // Training may change the sign of a reversal potential. The polarity of the wiring stays.
  model.set_parameter("erev", -model.parameter("erev").eval());
  save(model, folder.path / "m", {.prefix = "0."});
  const auto what = describe_model(SafeTensors(folder.path / "m"));
  CHECK(what.has_metadata);
  CHECK(what.names.layer == "0.");
  CHECK(ltc(what).solver == ODESolver::explicit_euler);
  CHECK((ltc(what).ode_unfolds == 4 && ltc(what).epsilon == 1e-3 && ltc(what).implicit_param_constraints));
  CHECK((what.output_dim == 2 && !ltc(what).return_sequences));
  CHECK(what.wiring->adjacency_matrix() == model.wiring().adjacency_matrix());
  CHECK(what.wiring->sensory_adjacency_matrix() == model.wiring().sensory_adjacency_matrix());
  for (int i = 0; i < 12; ++i) {
    CHECK(what.wiring->neuron_type(i) == model.wiring().neuron_type(i));
    CHECK(what.wiring->layer_of(i) == model.wiring().layer_of(i));
  }
}

TEST_CASE("A negative weight stays as the file has it until the next update", "[io][model_file]") {
  RawFile raw = golden("ltc_linear");
  raw.tensors["rnn_cell.w"].set(0, -0.25);
  for (const bool implicit : {true, false}) {
    auto any_model = load_model<double>(SafeTensors(raw.bytes(), "f"), {.implicit_param_constraints = implicit});
    auto& model = std::get<LTC<double>>(any_model);
    CHECK(model.parameter("w")(0, 0) == -0.25);
    model.update([](auto) {});
    CHECK(model.parameter("w")(0, 0) == (implicit ? -0.25 : 0.0));
  }
}

TEST_CASE("load changes all parameters of a model, or none", "[io][model_file]") {
  const support::Folder folder;
  const auto path = folder.path / "m";
  const LTC<double> trained(AutoNCP(8, 1), 2, {.seed = 7});
  save(trained, path);
  LTC<double> model(AutoNCP(8, 1), 2);
  load(model, path);
  CHECK((model.parameters() == trained.parameters()).all());
  LTC<float, AutoNCP<8, 1>, 2> fixed(AutoNCP<8, 1>{});
  load(fixed, path);
  CHECK((fixed.parameters() == trained.parameters().cast<float>()).all());
  const CfC<float, CfCSizes{.units = 5, .inputs = 2, .backbone_units = 6}> in_place({.backbone_units = 6, .seed = 7});
  save(in_place, folder.path / "cfc");
  CfC<float> on_heap(5, 2, {.backbone_units = 6});
  load(on_heap, folder.path / "cfc");
  CHECK((on_heap.parameters() == in_place.parameters()).all());
  auto loaded = in_place;
  loaded.update([](auto all) { all.setZero(); });
  load(loaded, folder.path / "cfc");
  CHECK((loaded.parameters() == in_place.parameters()).all());

  const auto refusal_of_load = [&](auto other) {
    const auto before = other.parameters().eval();
    const std::string message = support::refusal_of([&] { load(other, path); });
    CHECK((other.parameters() == before).all());
    return message.substr(path.string().size());
  };
  CHECK(refusal_of_load(LTC<double>(FullyConnected(8, 1), 2)) ==
        ": sparsity_mask: the model's wiring is another, at (0, 0)");
  CHECK(refusal_of_load(LTC<double>(AutoNCP(9, 1), 2)) == ": gleak: the model's shape is (9, 1), the file's (8, 1)");
  CHECK(refusal_of_load(LTC<double>(AutoNCP(8, 1), 2, {.input_mapping = Mapping::none})) ==
        ": has a 'input_w', which the model does not have");
  CHECK(refusal_of_load(MixedLTC<double>(AutoNCP(8, 1), 2)) == ": has no 'lstm.input_map.weight', which the model has");
  CHECK(refusal_of_load(CfC<double>(8, 2)) == ": has no 'backbone.0.weight', which the model has");

  RawFile raw{SafeTensors(path)};
  raw.tensors["rnn_cell.output_b"].set(0, std::nan(""));
  write_file(path, raw.bytes());
  CHECK(refusal_of_load(LTC<double>(AutoNCP(8, 1), 2)) ==
        ": rnn_cell.output_b: value 0 (counted row by row) must be finite, got nan");
}

TEST_CASE("load refuses a file that states other options than the model has", "[io][model_file]") {
  const support::Folder folder;
  const auto path = folder.path / "m";
  const auto refusal_of_load = [&](auto model, const ModelFileOptions& options = {}) {
    const std::string message = support::refusal_of([&] { load(model, path, options); });
    return message.starts_with(path.string()) ? message.substr(path.string().size()) : message;
  };
  const AutoNCP wiring(8, 1);
  const LTCOptions written{.output_mapping = Mapping::none,
                           .solver = ODESolver::explicit_euler,
                           .ode_unfolds = 4,
                           .epsilon = 1e-3,
                           .implicit_param_constraints = true};
  save(LTC<double>(wiring, 2, written), path);
  CHECK(refusal_of_load(LTC<double>(wiring, 2, written)) == "(not refused)");
  // These options do not change what a step computes.
  LTCOptions other = written;
  other.return_sequences = false;
  other.seed = 9;
  CHECK(refusal_of_load(LTC<float>(wiring, 2, other)) == "(not refused)");
  other = written;
  other.ode_unfolds = 6;
  CHECK(refusal_of_load(LTC<double>(wiring, 2, other)) == ": ode_unfolds: the model has 6, the file is said to have 4");
  CHECK(refusal_of_load(LTC<double>(wiring, 2, other), {.ode_unfolds = 6}) == "(not refused)");
  CHECK(refusal_of_load(LTC<double>(wiring, 2, written), {.ode_unfolds = 6}) ==
        ": ode_unfolds: the model has 4, the file is said to have 6");
  other = written;
  other.epsilon = 1e-8;
  CHECK(refusal_of_load(LTC<double>(wiring, 2, other)) ==
        ": epsilon: the model has 1e-08, the file is said to have 0.001");
  other = written;
  other.implicit_param_constraints = false;
  CHECK(refusal_of_load(LTC<double>(wiring, 2, other)) ==
        ": implicit_param_constraints: the model has false, the file is said to have true");
  other = written;
  other.solver = ODESolver::semi_implicit;
  CHECK(refusal_of_load(LTC<double>(wiring, 2, other)) ==
        ": solver: the model has \"semi_implicit\", the file is said to have \"explicit_euler\"");
  CHECK(refusal_of_load(MixedLTC<double>(wiring, 2, written)) ==
        ": has no 'lstm.input_map.weight', which the model has");
  // Without an output mapping, no tensor tells the number of outputs.
  CHECK(refusal_of_load(LTC<double>(AutoNCP(8, 2), 2, written)).starts_with(": output_dim: the model has 2"));

  save(CfC<double>(5, 2, {.mode = CfCMode::no_gate, .activation = Activation::relu, .backbone_units = 4}), path);
  CHECK(refusal_of_load(CfC<double>(5, 2, {.activation = Activation::relu, .backbone_units = 4})) ==
        ": mode: the model has \"default\", the file is said to have \"no_gate\"");
  CHECK(refusal_of_load(CfC<double>(5, 2, {.mode = CfCMode::no_gate, .backbone_units = 4})) ==
        ": activation: the model has \"lecun_tanh\", the file is said to have \"relu\"");
  const CfCOptions lecun{.backbone_units = 4,
                         .backbone_layers = 1,
                         .backbone_dropout = 0.5,
                         .head_activation = Activation::lecun_tanh,
                         .dropout_behind_first_layer = true};
  save(CfC<double>(5, 2, lecun), path);
  CHECK(refusal_of_load(CfC<double>(5, 2, {.backbone_units = 4})) ==
        ": head_activation: the model has \"tanh\", the file is said to have \"lecun_tanh\"");
  const auto again = std::get<CfC<double>>(load_model<double>(path));
  CHECK(again.options().head_activation == Activation::lecun_tanh);
  CHECK(again.options().dropout_behind_first_layer);
  save(CfC<double>(5, 2, {.backbone_units = 4}), path);
  CHECK(refusal_of_load(CfC<double>(5, 2, lecun)) ==
        ": head_activation: the model has \"lecun_tanh\", the file is said to have \"tanh\"");
  const CfCOptions no_backbone{.mode = CfCMode::no_gate, .activation = Activation::relu, .backbone_layers = 0};
  save(CfC<double>(5, 2, no_backbone), path);
  CfCOptions other_activation = no_backbone;
  other_activation.activation = Activation::tanh;
  CHECK(refusal_of_load(CfC<double>(5, 2, other_activation)) == "(not refused)");
  save(MixedCfC<double>(5, 2, no_backbone), path);
  CHECK(refusal_of_load(MixedCfC<double>(5, 2, {.backbone_layers = 0})) ==
        ": mode: the model has \"default\", the file is said to have \"no_gate\"");

  // A file of ncps states no options. The model's own stay.
  write_file(path, golden("ltc_linear").bytes());
  const auto description = describe_model(SafeTensors(path));
  LTC<double> model(*description.wiring, 3,
                    {.input_mapping = Mapping::linear, .output_mapping = Mapping::linear, .ode_unfolds = 2});
  load(model, path);
  CHECK(model.options().ode_unfolds == 2);
  CHECK(refusal_of_load(model, {.ode_unfolds = 3}) == ": ode_unfolds: the model has 2, the file is said to have 3");
}

TEST_CASE("A tensor of any type may lie beside a model, but not be part of it", "[io][model_file]") {
  RawFile raw = golden("ltc_linear").renamed([](const std::string& key) { return "rnn." + key; });
  for (const auto& type : elegans::detail::tensor_types) {
    raw.tensors["other." + std::string(type.name)] = {std::string(type.name), {8}, std::string(type.bits, '\x7f')};
  }
  CHECK(refusal(raw, {.prefix = "rnn"}) == "(not refused)");
  CHECK(refusal(raw).find("is no part of the LTC") != std::string::npos);
  raw = golden("ltc_linear");
  RawTensor& mask = raw.tensors["rnn_cell.sparsity_mask"];
  mask.type = "C64";
  CHECK(refusal(raw) == "f: rnn_cell.sparsity_mask: values of type C64 cannot be read");
  raw = golden("ltc_linear");
  raw.tensors["rnn_cell.gleak"].type = "C64";
  CHECK(refusal(raw) == "f: rnn_cell.gleak: a parameter must be F64, F32, F16 or BF16, got C64");
}

TEST_CASE("save refuses a parameter that is not finite, and leaves the old file", "[io][model_file]") {
  const support::Folder folder;
  LTC<double> model(AutoNCP(8, 1), 2);
  save(model, folder.path / "m");
  const std::string before = support::read(folder.path / "m");
  model.update([](auto all) { all[3] = std::nan(""); });
  CHECK(support::refusal_of([&] { save(model, folder.path / "m"); }).find("gleak must be finite") != std::string::npos);
  CHECK(support::read(folder.path / "m") == before);
}

TEST_CASE("A file with changed bytes gives a model or an Error", "[io][model_file]") {
  std::uint32_t random = 1;
  const auto draw = [&](std::size_t below) {
    random = random * 1664525U + 1013904223U;
    return static_cast<std::size_t>(random >> 8) % below;
  };
  for (const char* name : {"ltc_linear", "cfc_wired_pure"}) {
    const std::string whole = golden(name).bytes();
    std::uint64_t header = 0;
    std::memcpy(&header, whole.data(), 8);
    int refused = 0;
    for (int i = 0; i < 1000; ++i) {
      std::string bytes = whole;
      for (std::size_t n = 0; n <= draw(3); ++n) bytes[draw(8 + header)] = static_cast<char>(draw(256));
      refused += support::refusal_of<Error>([&] { load_model<float>(SafeTensors(bytes, "f")); }) != "(not refused)";
    }
    CHECK(refused > 900);
  }
}
