// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Stacks in files: what model_file_test.cpp says of a single layer, for layers of layers.

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include <elegans/io/model_file.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/layer_norm.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>
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

const LTC<double>& last_ltc() {
  static const LTC<double> layer(AutoNCP(7, 2), 3, {.ode_unfolds = 2, .return_sequences = false});
  return layer;
}
LTC<double> plain_ltc(int inputs, std::uint64_t seed = 1) {
  return {FullyConnected(4, 2), inputs, {.output_mapping = Mapping::none, .ode_unfolds = 3, .seed = seed}};
}
// The seed is beyond what a double holds.
constexpr DropoutOptions some_dropout{.share = 0.3, .seed = 0xfedcba9876543211};
CfC<double> plain_cfc(int inputs) { return {5, inputs, {.activation = Activation::relu, .backbone_units = 4}}; }

/// Calls visit(name, model) for stacks of every layer.
template <typename Visit>
void for_each_stack(Visit visit) {
  const Dense<double> dense(3, 2, {.activation = Activation::sigmoid});
  visit("dense and LTC", Sequential(dense, plain_ltc(3), Dense<double>(1, 2, {.seed = 3})));
  visit("one layer", Sequential(plain_ltc(2)));
  visit("last output", Sequential(dense, last_ltc(), Dense<double>(2, 2), plain_cfc(2)));
  visit("mixed memory", Sequential(MixedLTC<double>(AutoNCP(6, 2), 2), MixedCfC<double>(4, 2, {.proj_size = 3})));
  visit("wired CfC", Sequential(CfC<double>(AutoNCP(8, 2), 2), dense));
  visit("both directions", Bidirectional(plain_ltc(2, 1), plain_ltc(2, 2)));
  visit("nested", Sequential(Bidirectional(plain_cfc(2), plain_cfc(2)), Sequential(Dense<double>(3, 10), plain_ltc(3)),
                             Bidirectional(Dense<double>(1, 2), Dense<double>(2, 2, {.seed = 5}))));
  visit("stacks in both directions", Bidirectional(Sequential(dense, plain_cfc(3)), Sequential(dense, plain_cfc(3))));
  visit("gates, normalized", Sequential(LSTM<double>(5, 2), LayerNorm<double>(5, {.epsilon = 0.01}), GRU<double>(3, 5),
                                        Dropout<double>(3, some_dropout), Dense<double>(1, 3)));
  visit("last outputs of gates", Bidirectional(GRU<double>(4, 2, {.return_sequences = false}),
                                               GRU<double>(4, 2, {.return_sequences = false, .seed = 2})));
  visit("nested gates",
        Sequential(Dropout<double>(2, some_dropout), Bidirectional(LSTM<double>(3, 2), LSTM<double>(3, 2, {.seed = 2})),
                   Sequential(LayerNorm<double>(6), Dropout<double>(6)),
                   Bidirectional(LayerNorm<double>(6), LayerNorm<double>(6))));
}

Sequence<double> inputs_of(const auto& model) {
  Sequence<double> x(4, 3, model.input_dim());
  for (Index i = 0; i < x.values().size(); ++i) x.values()[i] = 0.1 * static_cast<double>(i % 19) - 0.9;
  return x;
}

/// What refuses to load a file into a model, without the file's name.
template <typename Model>
std::string refusal_of_load(Model model, const std::filesystem::path& path, const ModelFileOptions& options = {}) {
  const Eigen::ArrayXd before = model.parameters();
  const std::string message = support::refusal_of([&] { load(model, path, options); });
  if (message != "(not refused)") CHECK((model.parameters() == before).all());
  return message.starts_with(path.string()) ? message.substr(path.string().size()) : message;
}
std::string refusal_of_model(const RawFile& raw, const ModelFileOptions& options = {}) {
  return support::refusal_of([&] { load_model<double>(SafeTensors(raw.bytes(), "f"), options); });
}

}  // namespace

TEST_CASE("A stack comes back from a file, to the bit, as a model of its type and as one of any type", "[io][stack]") {
  const support::Folder folder;
  const auto path = folder.path / "m";
  for_each_stack([&]<typename Model>(const std::string& name, Model model) {
    INFO(name);
    double shift = 0;
    model.update([&](auto all) {
      for (double& value : all) value += 0.01 * (shift = shift > 5 ? 0 : shift + 1);
    });
    save(model, path);
    const auto x = inputs_of(model);
    const auto y = model(x);

    auto any_model = load_model<double>(path);
    REQUIRE(std::holds_alternative<AnyStack<double>>(any_model));
    auto& any = std::get<AnyStack<double>>(any_model);
    CHECK((any.parameters() == model.parameters()).all());
    CHECK((any(x).values() == y.values()).all());
    CHECK(any.summary() == model.summary());
    CHECK(any.parameter_list().size() == model.parameter_list().size());
    save(any, folder.path / "again");
    CHECK(support::read(folder.path / "again") == support::read(path));

    Model other = model;
    other.update([](auto all) { all *= 0.5; });
    load(other, path);
    CHECK((other.parameters() == model.parameters()).all());
    CHECK((other(x).values() == y.values()).all());
  });
}

TEMPLATE_TEST_CASE("LSTM, GRU, LayerNorm and Dropout come back alone, to the bit", "[io][stack]", float, double) {
  using Scalar = TestType;
  const support::Folder folder;
  const auto path = folder.path / "m";
  const auto comes_back = [&]<typename Model>(Model model) {
    INFO(model.summary_rows().front().layer);
    model.update([](auto all) { all += Scalar(0.1); });
    Sequence<Scalar> x(3, 2, model.input_dim());
    for (Index i = 0; i < x.values().size(); ++i)
      x.values()[i] = Scalar(0.1) * static_cast<Scalar>(i % 7) - Scalar(0.3);
    const auto y = model(x);
    save(model, path, {.prefix = "net."});
    auto any_model = load_model<Scalar>(path);
    auto& any = std::get<AnyStack<Scalar>>(any_model);
    CHECK((any(x).values() == y.values()).all());
    any.visit([&]<typename Own>(const Own& own) {
      if constexpr (std::is_same_v<Own, Model>) {
        CHECK(own.return_sequences() == model.return_sequences());
        if constexpr (std::is_same_v<Own, Dropout<Scalar>>) {
          CHECK((own.options().share == some_dropout.share && own.options().seed == some_dropout.seed));
        }
      } else {
        FAIL("a layer of another type");
      }
    });
    save(any, folder.path / "again", {.prefix = "net."});
    CHECK(support::read(folder.path / "again") == support::read(path));
    Model other = model;
    other.update([](auto all) { all *= Scalar(0.5); });
    load(other, path);
    CHECK((other(x).values() == y.values()).all());
  };
  comes_back(LSTM<Scalar>(5, 3));
  comes_back(LSTM<Scalar>(1, 1, {.return_sequences = false}));
  comes_back(GRU<Scalar>(4, 3));
  comes_back(LayerNorm<Scalar>(5, {.epsilon = 0.3}));
  comes_back(Dropout<Scalar>(5, some_dropout));
}

TEST_CASE("A stack's tensors have PyTorch's names", "[io][stack]") {
  const support::Folder folder;
  const auto names_of = [&](const auto& model, const SaveOptions& options = {}) {
    save(model, folder.path / "m", options);
    std::set<std::string> names;
    for (const auto& [name, tensor] : RawFile{SafeTensors(folder.path / "m")}.tensors) names.insert(name);
    return names;
  };
  const Dense<double> dense(1, 5);
  const CfC<double> cfc(5, 2, {.mode = CfCMode::pure, .backbone_layers = 0});
  CHECK(names_of(Sequential(cfc, dense)) == std::set<std::string>{"0.rnn_cell.w_tau", "0.rnn_cell.A",
                                                                  "0.rnn_cell.ff1.weight", "0.rnn_cell.ff1.bias",
                                                                  "1.weight", "1.bias"});
  const std::set<std::string> of_lstm{"0.weight_ih_l0", "0.weight_hh_l0", "0.bias_ih_l0", "0.bias_hh_l0"};
  CHECK(names_of(Sequential(LSTM<double>(3, 2), Dropout<double>(3))) == of_lstm);
  const auto shape_of = [&](const std::string& name) {
    return RawFile{SafeTensors(folder.path / "m")}.tensors.at(name).shape;
  };
  CHECK(shape_of("0.weight_ih_l0") == std::vector<std::uint64_t>{12, 2});
  CHECK(shape_of("0.bias_hh_l0") == std::vector<std::uint64_t>{12});
  // A dropout has a number, but no tensors.
  CHECK(names_of(Sequential(Dropout<double>(2), GRU<double>(3, 2))) ==
        std::set<std::string>{"1.weight_ih_l0", "1.weight_hh_l0", "1.bias_ih_l0", "1.bias_hh_l0"});
  CHECK(shape_of("1.weight_hh_l0") == std::vector<std::uint64_t>{9, 3});
  CHECK(names_of(LayerNorm<double>(3)) == std::set<std::string>{"weight", "bias"});
  CHECK(shape_of("weight") == std::vector<std::uint64_t>{3});
  CHECK(names_of(Dropout<double>(3)).empty());
  CHECK(names_of(Bidirectional(dense, dense)) == std::set<std::string>{"forward_layer.weight", "forward_layer.bias",
                                                                       "backward_layer.weight", "backward_layer.bias"});
  CHECK(names_of(Sequential(dense), {.prefix = "net."}) == std::set<std::string>{"net.0.weight", "net.0.bias"});
  // Linear's weight is (outputs, inputs), and its bias a vector.
  CHECK(RawFile{SafeTensors(folder.path / "m")}.tensors.at("net.0.weight").shape == std::vector<std::uint64_t>{1, 5});
  CHECK(RawFile{SafeTensors(folder.path / "m")}.tensors.at("net.0.bias").shape == std::vector<std::uint64_t>{1});
}

TEST_CASE("The names of a Python file tell its layers, behind any prefix", "[io][stack]") {
  const support::Folder folder;
  const Sequential model(Dense<double>(3, 2), plain_ltc(3), Dense<double>(1, 2));
  save(model, folder.path / "m");
  RawFile raw{SafeTensors(folder.path / "m")};
  raw.metadata.clear();
  for (const std::string prefix : {"", "net.", "module.net.", "param."}) {
    INFO(prefix);
    const RawFile moved = raw.renamed([&](const std::string& key) { return prefix + key; });
    const ModelDescription description = describe_model(SafeTensors(moved.bytes(), "f"));
    CHECK(description.kind == "Sequential");
    REQUIRE(description.layers.size() == 3);
    CHECK(description.layers[1].kind == "LTC");
    CHECK(description.layers[1].names.layer == prefix + "1.");
    // Without an output mapping, the next layer tells the number of outputs.
    CHECK(description.layers[1].output_dim == 2);
    CHECK(description.layers[2].kind == "Dense");
    CHECK((description.input_dim == 2 && description.output_dim == 1));
    CHECK_FALSE(description.has_metadata);
    CHECK(description.parameters.at("1.gleak").rows == 4);
    auto other = model;
    other.update([](auto all) { all *= 0.5; });
    write_file(folder.path / "moved", moved.bytes());
    load(other, folder.path / "moved");
    CHECK((other.parameters() == model.parameters()).all());
  }
  // What is next to a Bidirectional tells the sum of its outputs only.
  const LTC<double> ltc(AutoNCP(7, 2), 2);
  save(Sequential(Bidirectional(ltc, ltc), Dense<double>(1, 4)), folder.path / "both");
  RawFile both{SafeTensors(folder.path / "both")};
  both.metadata.clear();
  const ModelDescription ways = describe_model(SafeTensors(both.bytes(), "f"));
  CHECK((ways.layers[0].kind == "Bidirectional" && ways.layers[0].output_dim == 4 && ways.output_dim == 1));
  // A wrapper within the stack puts its own name in between.
  const RawFile wrapped =
      raw.renamed([](const std::string& key) { return key.starts_with("1.") ? "1.rnn." + key.substr(2) : key; });
  CHECK(describe_model(SafeTensors(wrapped.bytes(), "f")).layers[1].names.layer == "1.rnn.");
  // A prefix chooses a layer, with what the metadata says of it.
  const SafeTensors file(folder.path / "m");
  const ModelDescription layer = describe_model(file, {.prefix = "1."});
  CHECK((layer.kind == "LTC" && layer.has_metadata && std::get<LTCOptions>(layer.options).ode_unfolds == 3));
  CHECK(describe_model(file, {.prefix = "2"}).kind == "Dense");
  // A file of one layer is that layer, unless it is read into a stack or says that it is one.
  const RawFile one = raw.renamed([](const std::string& key) { return key.starts_with("0.") ? key : "0.9." + key; });
  Sequential<Dense<double>> single(Dense<double>(3, 2));
  RawFile lone;
  for (const auto& [key, tensor] : one.tensors) {
    if (!key.starts_with("0.9.")) lone.tensors[key] = tensor;
  }
  CHECK(describe_model(SafeTensors(lone.bytes(), "f")).kind == "Dense");
  write_file(folder.path / "lone", lone.bytes());
  load(single, folder.path / "lone");
  CHECK((single.parameter("0.weight") == model.parameter("0.weight")).all());
  CHECK(std::holds_alternative<AnyStack<double>>(load_model<double>(folder.path / "lone")));
}

TEST_CASE("Files of PyTorch's own layers tell LSTM, GRU, LayerNorm and Linear apart by shapes", "[io][stack]") {
  const support::Folder folder;
  // As an nn.Sequential of wrappers around nn.LSTM and nn.GRU writes it.
  RawFile raw;
  const auto add = [&](const std::string& name, const std::vector<std::uint64_t>& shape) {
    std::vector<float> values(shape[0] * (shape.size() == 2 ? shape[1] : 1));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.125F * static_cast<float>(i % 7) - 0.25F;
    raw.tensors[name] = RawTensor::of<float>("F32", shape, values);
  };
  const auto add_gates = [&](const std::string& prefix, std::uint64_t gates, std::uint64_t units,
                             std::uint64_t inputs) {
    add(prefix + "weight_ih_l0", {gates * units, inputs});
    add(prefix + "weight_hh_l0", {gates * units, units});
    for (const char* bias : {"bias_ih_l0", "bias_hh_l0"}) add(prefix + bias, {gates * units});
  };
  add_gates("0.lstm.", 4, 3, 2);
  for (const char* name : {"1.weight", "1.bias"}) add(name, {3});
  add_gates("2.", 3, 4, 3);
  add("3.weight", {1, 4}), add("3.bias", {1});
  const ModelDescription description = describe_model(SafeTensors(raw.bytes(), "f"));
  REQUIRE(description.layers.size() == 4);
  CHECK((description.kind == "Sequential" && description.input_dim == 2 && description.output_dim == 1));
  const char* kinds[] = {"LSTM", "LayerNorm", "GRU", "Dense"};
  for (std::size_t k = 0; k < 4; ++k) CHECK(description.layers[k].kind == kinds[k]);
  CHECK(std::get<LayerNormOptions>(description.layers[1].options).epsilon == 1e-5);
  const auto other_epsilon = describe_model(SafeTensors(raw.bytes(), "f"), {.layer_norm_epsilon = 0.5});
  CHECK(std::get<LayerNormOptions>(other_epsilon.layers[1].options).epsilon == 0.5);

  // The file's values go to the tensors of their names.
  Sequential model(LSTM<float>(3, 2), LayerNorm<float>(3), GRU<float>(4, 3), Dense<float>(1, 4));
  write_file(folder.path / "m", raw.bytes());
  load(model, folder.path / "m");
  CHECK(model.parameter("0.weight_ih_l0")(4, 1) == 0.125F * (9 % 7) - 0.25F);
  CHECK(model.parameter("2.weight_hh_l0")(5, 2) == 0.125F * (22 % 7) - 0.25F);
  CHECK(model.parameter("1.bias")(2, 0) == 0.0F);
  const Sequence<float> x(3, 1, 2);
  auto any = load_model<float>(folder.path / "m");
  CHECK((std::get<AnyStack<float>>(any)(x).values() == model(x).values()).all());
  const std::string refusal = support::refusal_of([&] { load(model, folder.path / "m", {.layer_norm_epsilon = 0.5}); });
  CHECK(refusal.ends_with("1.epsilon: the model has 1e-05, the file is said to have 0.5"));

  // Alone, without a number.
  RawFile lone;
  for (const auto& [name, tensor] : raw.tensors) {
    if (name.starts_with("2.")) lone.tensors[name.substr(2)] = tensor;
  }
  CHECK(describe_model(SafeTensors(lone.bytes(), "f")).kind == "GRU");

  // What PyTorch's layers may have besides, and these have not.
  const auto refuses = [&](const std::string& name, const std::vector<std::uint64_t>& shape) {
    const RawFile before = raw;
    add(name, shape);
    std::string message = refusal_of_model(raw);
    raw = before;
    return message;
  };
  CHECK(refuses("2.weight_ih_l1", {12, 4}) ==
        "f: the tensor '2.weight_ih_l1' is no part of the Sequential that the others make up");
  CHECK(refuses("2.weight_ih_l0_reverse", {12, 3}) ==
        "f: the tensor '2.weight_ih_l0_reverse' is no part of the Sequential that the others make up");
  CHECK(refuses("2.weight_hh_l0", {4, 4}) ==
        "f: the tensors behind '2.' are those of no layer that elegans knows, such as '2.bias_hh_l0'");
  CHECK(refuses("2.weight_ih_l0", {11, 3}) == "f: 2.weight_ih_l0: the shape must be (12, 3), got (11, 3)");
  CHECK(refuses("2.weight_ih_l0", {12}) == "f: 2.weight_ih_l0: must have 2 dimensions, got (12)");
  CHECK(refuses("1.weight", {4}) == "f: 1.bias: the shape must be (4), got (3)");
  // A weight of two dimensions is that of a Linear.
  CHECK(refuses("1.weight", {2, 3}) == "f: 1.bias: the shape must be (2), got (3)");
  raw.tensors.erase("2.bias_hh_l0");
  CHECK(refusal_of_model(raw) == "f: the tensor '2.bias_hh_l0' is missing, which a GRU has");
}

TEST_CASE("A dropout without metadata is a gap, which is refused", "[io][stack]") {
  const support::Folder folder;
  const Sequential model(GRU<double>(3, 2), Dropout<double>(3, some_dropout), Dense<double>(1, 3));
  save(model, folder.path / "m");
  RawFile raw{SafeTensors(folder.path / "m")};
  raw.metadata.clear();
  CHECK(refusal_of_model(raw).starts_with("f: there are 2 layers behind '', but none has number 1: what a module"));
  const auto with_dropout = [&](const std::string& dropout) {
    raw.metadata["elegans"] =
        R"({"version":1,"model":"Sequential","stack":[{"model":"GRU"},)" + dropout + R"(,{"model":"Dense"}]})";
    return refusal_of_model(raw);
  };
  // All that a user of PyTorch must say.
  CHECK(with_dropout(R"({"model":"Dropout","features":3})") == "(not refused)");
  CHECK(with_dropout(R"({"model":"Dropout"})") ==
        "f: __metadata__: the Dropout '1.' must have features, a number of at least 1, got 0");
  CHECK(with_dropout(R"({"model":"Dropout","features":-1})").starts_with("f: __metadata__: the Dropout '1.' must"));
  CHECK(with_dropout(R"({"model":"Dropout","features":1e99})") == "f: __metadata__: features cannot be 1e+99");
  CHECK(with_dropout(R"({"model":"Dropout","features":4})") == "f: the layer '1' must have 3 inputs, got 4");
  CHECK(with_dropout(R"({"model":"Dropout","features":3,"share":1})") == "f: Dropout: share must be in [0, 1), got 1");
  CHECK(with_dropout(R"({"model":"Dropout","features":3,"seed":-1})") == "f: __metadata__: seed cannot be -1");
  CHECK(with_dropout("{}") == "f: the tensors behind '1.' are those of no layer that elegans knows");
  CHECK(with_dropout(R"({"model":"GRU"})") == "f: the tensor '1.weight_hh_l0' is missing, which a GRU has");
  // Nothing bounds the size of a dropout but that of its neighbours.
  RawFile wide;
  const std::string widest = R"({"model":"Dropout","features":2147483647})";
  wide.metadata["elegans"] = R"({"version":1,"model":"Bidirectional","stack":[)" + widest + "," + widest + "]}";
  CHECK(refusal_of_model(wide) == "f: the Bidirectional '' has too many outputs, 2147483647 and 2147483647");

  CHECK(refusal_of_load(Sequential(GRU<double>(3, 2), Dense<double>(1, 3)), folder.path / "m")
            .starts_with(": has no '1.weight', which the model has"));
  CHECK(refusal_of_load(Sequential(GRU<double>(3, 2), LayerNorm<double>(3), Dense<double>(1, 3)), folder.path / "m")
            .starts_with(": has no '1.weight', which the model has"));
  // Only training drops, so the file may be of a model with another share.
  CHECK(refusal_of_load(Sequential(GRU<double>(3, 2), Dropout<double>(3), Dense<double>(1, 3)), folder.path / "m") ==
        "(not refused)");
  save(Dropout<double>(3), folder.path / "m");
  CHECK(refusal_of_load(Dropout<double>(4), folder.path / "m") ==
        ": features: the model has 4, the file is said to have 3");
  CHECK(refusal_of_load(GRU<double>(3, 2), folder.path / "m") == ": has no 'weight_ih_l0', which the model has");
}

TEST_CASE("load refuses a stack that is not the model's, names what differs, and changes nothing", "[io][stack]") {
  const support::Folder folder;
  const auto path = folder.path / "m";
  const Dense<double> tanh(3, 2, {.activation = Activation::tanh});
  save(Sequential(tanh, plain_ltc(3)), path);
  CHECK(refusal_of_load(Sequential(tanh, plain_ltc(3)), path) == "(not refused)");
  CHECK(refusal_of_load(Sequential(Dense<double>(3, 2), plain_ltc(3)), path) ==
        ": 0.activation: the model has \"linear\", the file is said to have \"tanh\"");
  const LTC<double> other(FullyConnected(4, 2), 3, {.output_mapping = Mapping::none});
  CHECK(refusal_of_load(Sequential(tanh, other), path) ==
        ": 1.ode_unfolds: the model has 6, the file is said to have 3");
  CHECK(refusal_of_load(Sequential(tanh, plain_ltc(3)), path, {.ode_unfolds = 4}) ==
        ": 1.ode_unfolds: the model has 3, the file is said to have 4");
  CHECK(refusal_of_load(Sequential(tanh, plain_ltc(3), Dense<double>(1, 2)), path) ==
        ": has no '2.weight', which the model has");
  CHECK(refusal_of_load(Sequential(tanh), path) == ": has a '1.gleak', which the model does not have");
  CHECK(refusal_of_load(Sequential(Dense<double>(4, 2), Dense<double>(1, 4)), path)
            .starts_with(": 0.weight: the model's shape is (4, 2), the file's (3, 2)"));
  CHECK(refusal_of_load(plain_ltc(3), path) == ": has no 'gleak', which the model has");
  CHECK(refusal_of_load(plain_ltc(3), path, {.prefix = "1."}) == "(not refused)");
  const LTC<double> sparse(AutoNCP(4, 1), 3, {.output_mapping = Mapping::none, .ode_unfolds = 3});
  CHECK(refusal_of_load(Sequential(tanh, sparse), path).starts_with(": 1."));
  save(Bidirectional(plain_ltc(3), plain_ltc(3)), path);
  CHECK(refusal_of_load(Sequential(plain_ltc(3), plain_ltc(2)), path).starts_with(": has no '0.gleak'"));
}

TEST_CASE("A stack's file that makes no sense is refused, and the message says why", "[io][stack]") {
  const support::Folder folder;
  save(Sequential(Dense<double>(3, 2), plain_ltc(3), Dense<double>(1, 2)), folder.path / "m");
  const RawFile raw{SafeTensors(folder.path / "m")};
  REQUIRE(refusal_of_model(raw) == "(not refused)");
  const auto with_metadata = [&](const std::string& text) {
    RawFile changed = raw;
    changed.metadata["elegans"] = text;
    return refusal_of_model(changed);
  };
  const std::string ltc = R"({"model":"LTC","output_dim":2})";
  CHECK(with_metadata(R"({"version":1,"model":"Sequential","stack":[{},)" + ltc + ",{}]}") == "(not refused)");
  CHECK(with_metadata(R"({"version":1,"model":"Sequential"})") ==
        "f: __metadata__: the Sequential '' has no list of layers");
  CHECK(with_metadata(R"({"version":1,"model":"Sequential","stack":{}})") ==
        "f: __metadata__: the Sequential '' has no list of layers");
  CHECK(with_metadata(R"({"version":1,"model":"Sequential","stack":[]})") == "f: a Sequential cannot have 0 layers");
  CHECK(with_metadata(R"({"version":1,"model":"Bidirectional","stack":[{}]})") ==
        "f: a Bidirectional cannot have 1 layers");
  CHECK(with_metadata(R"({"version":1,"model":"Sequential","stack":[{},)" + ltc + "]}") ==
        "f: the tensor '2.bias' is no part of the Sequential that the others make up");
  CHECK(with_metadata(R"({"version":1,"model":"Sequential","stack":[{},)" + ltc + R"(,{"model":"CfC"}]})") ==
        "f: the tensors behind '2.' are those of no layer that elegans knows, such as '2.bias'");
  CHECK(with_metadata(R"({"version":1,"model":"Sequential","stack":[{},)" + ltc + R"(,{"activation":"cubic"}]})")
            .starts_with("f: __metadata__: activation must be one of linear, lecun_tanh, relu"));
  std::string deep = ltc;
  for (int i = 0; i < 40; ++i) deep = R"({"version":1,"model":"Sequential","stack":[)" + deep + "]}";
  CHECK(with_metadata(deep).starts_with("f: stacks may be at most 16 deep"));

  RawFile other = raw;
  other.metadata.clear();
  // The next layer's inputs are the LTC's outputs, of which there cannot be more than neurons.
  other.tensors["2.weight"] = RawTensor::of<double>("F64", {1, 5}, {1, 2, 3, 4, 5});
  CHECK(refusal_of_model(other).find("output_dim") != std::string::npos);
  other.tensors["2.weight"] = RawTensor::of<double>("F64", {1, 1, 2}, {1, 2});
  CHECK(refusal_of_model(other).starts_with("f: the tensors behind '2.' are those of no layer"));
  other.tensors.erase("2.weight");
  CHECK(refusal_of_model(other).starts_with("f: the tensors behind '2.' are those of no layer"));
  other.tensors.erase("2.bias");
  other.tensors["2.a"] = RawTensor::of<double>("F64", {1}, {1});
  CHECK(refusal_of_model(other).starts_with("f: the tensors behind '2.' are those of no layer"));
}

TEST_CASE("A stack's file with changed bytes gives a model or an Error", "[io][stack]") {
  const support::Folder folder;
  save(Sequential(Bidirectional(plain_cfc(2), plain_cfc(2)), Sequential(Dense<double>(3, 10), plain_ltc(3)),
                  GRU<double>(2, 2), LayerNorm<double>(2), Dropout<double>(2), LSTM<double>(2, 2)),
       folder.path / "m");
  std::string whole = support::read(folder.path / "m");
  std::uint32_t random = 7;
  const auto draw = [&](std::size_t below) {
    random = random * 1664525U + 1013904223U;
    return static_cast<std::size_t>(random >> 8) % below;
  };
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string changed = whole;
    for (int k = 0; k < 3; ++k) changed[8 + draw(3000)] = static_cast<char>(draw(256));
    try {
      auto any_model = load_model<double>(SafeTensors(changed, "f"));
      std::visit([](auto& model) { static_cast<void>(model(inputs_of(model))); }, any_model);
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}
