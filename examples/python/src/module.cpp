// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The module that the Python package imports: `elegans/_native.py` chooses the build of it for this processor. Nobody
// else calls it, so it believes the shapes and pointers that it gets: the Python code in front of it checks them.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <elegans/elegans.hpp>
#include <elegans/io/model_options.hpp>

#include "network.hpp"
#include "stacks.hpp"
#include "wirings.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace elegans::python {
namespace {

using Address = std::uintptr_t;
/// An address, and the distances to the next step, sample and feature; the address is 0 for none.
using Array3 = std::tuple<Address, Index, Index, Index>;

void* pointer(Address address) { return reinterpret_cast<void*>(address); }
Strided strided(const Array3& array) {
  return {pointer(std::get<0>(array)), std::get<1>(array), std::get<2>(array), std::get<3>(array)};
}
Tensors tensors(const std::vector<Address>& addresses) {
  Tensors all;
  all.reserve(addresses.size());
  for (const Address address : addresses) all.push_back(pointer(address));
  return all;
}

constexpr std::array<detail::NamedValue<Mapping>, 3> mapping_names{
    {{"affine", Mapping::affine}, {"linear", Mapping::linear}, {"none", Mapping::none}}};

std::shared_ptr<Network> make_ltc(bool is_double, bool mixed_memory, const WiringTables& tables,
                                  const std::string& input_mapping, const std::string& output_mapping,
                                  const std::string& solver, int ode_unfolds, double epsilon,
                                  bool implicit_param_constraints, bool return_sequences, std::uint64_t seed) {
  const LTCOptions options{.input_mapping = detail::value_in(mapping_names, "input_mapping", input_mapping),
                           .output_mapping = detail::value_in(mapping_names, "output_mapping", output_mapping),
                           .solver = detail::value_in(detail::solver_names, "solver", solver),
                           .ode_unfolds = ode_unfolds,
                           .epsilon = epsilon,
                           .implicit_param_constraints = implicit_param_constraints,
                           .return_sequences = return_sequences,
                           .seed = seed};
  const Wiring<> wiring = wiring_of(tables);
  const int input_dim = wiring.input_dim();
  if (mixed_memory) {
    return is_double ? make_network<MixedLTC<double>>(wiring, input_dim, options)
                     : make_network<MixedLTC<float>>(wiring, input_dim, options);
  }
  return is_double ? make_network<LTC<double>>(wiring, input_dim, options)
                   : make_network<LTC<float>>(wiring, input_dim, options);
}

template <typename Given>
std::shared_ptr<Network> make_cfc_of(bool is_double, bool mixed_memory, const Given& wiring_or_units, int input_dim,
                                     const CfCOptions& options) {
  if (mixed_memory) {
    return is_double ? make_network<MixedCfC<double>>(wiring_or_units, input_dim, options)
                     : make_network<MixedCfC<float>>(wiring_or_units, input_dim, options);
  }
  return is_double ? make_network<CfC<double>>(wiring_or_units, input_dim, options)
                   : make_network<CfC<float>>(wiring_or_units, input_dim, options);
}

std::shared_ptr<Network> make_cfc(bool is_double, bool mixed_memory, const nb::object& tables, int units, int input_dim,
                                  const std::string& mode, const std::string& activation, int backbone_units,
                                  int backbone_layers, double backbone_dropout, int proj_size, bool return_sequences,
                                  std::uint64_t seed) {
  const CfCOptions options{.mode = detail::value_in(detail::mode_names, "mode", mode),
                           .activation = detail::value_in(detail::activation_names, "activation", activation),
                           .backbone_units = backbone_units,
                           .backbone_layers = backbone_layers,
                           .backbone_dropout = backbone_dropout,
                           .proj_size = proj_size,
                           .return_sequences = return_sequences,
                           .seed = seed};
  if (tables.is_none()) return make_cfc_of(is_double, mixed_memory, units, input_dim, options);
  return make_cfc_of(is_double, mixed_memory, wiring_of(nb::cast<WiringTables>(tables)), input_dim, options);
}

std::unique_ptr<Pass> forward(Network& network, const std::vector<Address>& parameters, Index time, Index batch,
                              const Array3& x, Address h, Address c, const Array3& timespans, Address mask,
                              const Array3& y, Address final_h, Address final_c, bool has_tape, int epoch) {
  const Forward arguments{.time = time,
                          .batch = batch,
                          .x = strided(x),
                          .h = pointer(h),
                          .c = pointer(c),
                          .timespans = strided(timespans),
                          .mask = static_cast<const unsigned char*>(pointer(mask)),
                          .y = strided(y),
                          .final_h = pointer(final_h),
                          .final_c = pointer(final_c),
                          .has_tape = has_tape,
                          .epoch = epoch};
  const Tensors all = tensors(parameters);
  const nb::gil_scoped_release release;
  return network.forward(all, arguments);
}

void backward(Pass& pass, const std::vector<Address>& parameters, const Array3& d_y, Address d_final_h,
              Address d_final_c, const Array3& d_x, Address d_h, Address d_c, const Array3& d_timespans,
              const std::vector<Address>& gradients) {
  const Backward results{.d_y = strided(d_y),
                         .d_final_h = pointer(d_final_h),
                         .d_final_c = pointer(d_final_c),
                         .d_x = strided(d_x),
                         .d_h = pointer(d_h),
                         .d_c = pointer(d_c),
                         .d_timespans = strided(d_timespans),
                         .gradients = tensors(gradients)};
  const Tensors all = tensors(parameters);
  const nb::gil_scoped_release release;
  pass.backward(all, results);
}

std::vector<std::pair<std::string, std::vector<Index>>> tensor_list(const Network& network) {
  std::vector<std::pair<std::string, std::vector<Index>>> all;
  for (const TensorShape& tensor : network.tensors()) all.emplace_back(tensor.name, tensor.shape);
  return all;
}

// --- training --------------------------------------------------------------------------------------------------------

/// What the arrays of a data set tell: see `TrainingData`. The shape is (time, samples, time of y, targets).
using DataArrays =
    std::tuple<std::tuple<Index, Index, Index, Index>, Array3, Array3, Array3, Address, std::vector<double>>;

TrainingData data_of(const DataArrays& arrays) {
  const auto& [shape, x, y, timespans, mask, weights] = arrays;
  return {.time = std::get<0>(shape),
          .samples = std::get<1>(shape),
          .x = strided(x),
          .y = strided(y),
          .y_time = std::get<2>(shape),
          .targets = std::get<3>(shape),
          .timespans = strided(timespans),
          .mask = static_cast<const unsigned char*>(pointer(mask)),
          .weights = weights};
}

constexpr const char* loss_names =
    "mean_squared_error, mean_absolute_error, huber, binary_cross_entropy, softmax_cross_entropy";

std::optional<AnyLoss> find_loss(const std::string& name, double delta) {
  if (name == Huber::name) return Huber(delta);
  const std::array<detail::NamedValue<AnyLoss>, 4> losses{{{MeanSquaredError::name, MeanSquaredError{}},
                                                           {MeanAbsoluteError::name, MeanAbsoluteError{}},
                                                           {BinaryCrossEntropy::name, BinaryCrossEntropy{}},
                                                           {SoftmaxCrossEntropy::name, SoftmaxCrossEntropy{}}}};
  for (const auto& [own, loss] : losses) {
    if (name == own) return loss;
  }
  return std::nullopt;
}

AnyLoss loss_of(const std::string& name, double delta) {
  if (const auto loss = find_loss(name, delta)) return *loss;
  detail::refuse("fit: loss must be one of ", loss_names, ", got ", name);
}

AnyMetric metric_of(const std::string& name, double delta) {
  if (name == Accuracy::name) return Accuracy{};
  if (name == Precision::name) return Precision();
  if (name == Recall::name) return Recall();
  if (name == F1::name) return F1();
  if (name == R2::name) return R2{};
  if (const auto loss = find_loss(name, delta)) return *loss;
  detail::refuse("fit: a metric must be one of accuracy, precision, recall, f1, r2, ", loss_names, ", got ", name);
}

/// Reads the options of an optimizer by their names in C++.
class OptionReader {
 public:
  explicit OptionReader(nb::dict given) : given_(std::move(given)) {}

  template <typename Value>
  void read(const char* name, Value& value) {
    names_.append(names_.empty() ? "" : ", ").append(name);
    if (!given_.contains(name)) return;
    value = nb::cast<Value>(given_[name]);
    ++read_;
  }
  void refuse_others(const std::string& whose) const {
    if (read_ != nb::len(given_)) {
      detail::refuse("fit: ", whose, " has the options ", names_, ", got ",
                     nb::cast<std::string>(nb::str(given_.keys())));
    }
  }

 private:
  nb::dict given_;
  std::string names_;
  std::size_t read_ = 0;
};

decltype(Training::optimizer) optimizer_of(const std::string& name, const nb::dict& given) {
  OptionReader reader(given);
  const auto read = [&](auto options) -> decltype(Training::optimizer) {
    reader.read("learning_rate", options.learning_rate);
    reader.read("weight_decay", options.weight_decay);
    if constexpr (requires { options.beta1; }) {
      reader.read("beta1", options.beta1);
      reader.read("beta2", options.beta2);
    }
    if constexpr (requires { options.rho; }) reader.read("rho", options.rho);
    if constexpr (requires { options.momentum; }) reader.read("momentum", options.momentum);
    if constexpr (requires { options.nesterov; }) reader.read("nesterov", options.nesterov);
    if constexpr (requires { options.epsilon; }) reader.read("epsilon", options.epsilon);
    reader.refuse_others(name);
    return options;
  };
  if (name == "adam") return read(AdamOptions{});
  if (name == "adamw") return read(AdamWOptions{});
  if (name == "rmsprop") return read(RMSpropOptions{});
  if (name == "sgd") return read(SGDOptions{});
  detail::refuse("fit: optimizer must be one of adam, adamw, rmsprop, sgd, got ", name);
}

/// Lets Python act on Ctrl-C now and then: 20 times per second, since a thread that wants the GIL may wait for it.
class SignalCheck {
 public:
  void operator()() {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return;
    last_ = now;
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

/// Trains a network. The options are those of `elegans.fit`; `on_epoch` is a function of a dictionary, or None.
nb::dict fit(Network& network, const DataArrays& data, const nb::object& validation, const std::string& loss,
             double delta, const std::string& optimizer, const nb::dict& optimizer_options, const nb::dict& options,
             const nb::object& schedule, const nb::object& on_epoch) {
  Training training;
  training.data = data_of(data);
  training.loss = loss_of(loss, delta);
  training.optimizer = optimizer_of(optimizer, optimizer_options);
  if (!validation.is_none()) training.validation = data_of(nb::cast<DataArrays>(validation));
  OptionReader reader(options);
  reader.read("epochs", training.epochs);
  reader.read("batch_size", training.batch_size);
  reader.read("shuffle", training.shuffle);
  reader.read("seed", training.seed);
  reader.read("validation_split", training.validation_split);
  reader.read("patience", training.patience);
  reader.read("min_delta", training.min_delta);
  reader.read("restore_best_weights", training.restore_best_weights);
  reader.read("monitor", training.monitor);
  std::vector<std::string> metrics;
  reader.read("metrics", metrics);
  for (const std::string& name : metrics) training.metrics.push_back(metric_of(name, delta));
  reader.read("clip_norm", training.clip_norm);
  reader.read("clip_value", training.clip_value);
  reader.read("freeze", training.freeze);
  reader.read("last_step", training.last_step);
  reader.read("bptt_steps", training.bptt_steps);
  reader.read("stateful", training.stateful);
  reader.read("show_progress", training.show_progress);
  reader.read("workers", training.workers);
  reader.refuse_others("fit");
  if (!schedule.is_none()) {
    training.schedule = [&](std::int64_t step, std::int64_t steps) {
      const nb::gil_scoped_acquire acquire;
      return nb::cast<double>(schedule(step, steps));
    };
  }
  if (!on_epoch.is_none()) {
    training.on_epoch = [&](const Epoch<double>& epoch) {
      const nb::gil_scoped_acquire acquire;
      nb::dict about;
      about["number"] = epoch.number;
      about["of"] = epoch.of;
      about["loss"] = epoch.loss;
      if (epoch.validation_loss) about["validation_loss"] = *epoch.validation_loss;
      if (epoch.learning_rate) about["learning_rate"] = *epoch.learning_rate;
      about["is_best"] = epoch.is_best;
      for (const MetricHistory<double>& metric : epoch.metrics) {
        about[metric.name.c_str()] = metric.training.back();
        if (!metric.validation.empty()) about[("validation_" + metric.name).c_str()] = metric.validation.back();
      }
      return !on_epoch(about).is(nb::bool_(false));
    };
  }
  training.on_batch = SignalCheck();
  const History<double> history = [&] {
    const nb::gil_scoped_release release;
    return network.fit(training);
  }();
  nb::dict result;
  result["loss"] = history.loss;
  result["validation_loss"] = history.validation_loss;
  result["learning_rate"] = history.learning_rate;
  result["best_epoch"] = history.best_epoch;
  result["stopped_by"] = name_of(history.stopped_by);
  for (const MetricHistory<double>& metric : history.metrics) {
    result[metric.name.c_str()] = metric.training;
    result[("validation_" + metric.name).c_str()] = metric.validation;
  }
  return result;
}

/// Reads a model file. What is None follows from the file, or has the default of ncps.
std::shared_ptr<Network> load(const std::string& path, const std::string& scalar, std::optional<int> ode_unfolds,
                              std::optional<double> epsilon, std::optional<bool> implicit_param_constraints,
                              std::optional<int> output_dim, const std::optional<std::string>& mode,
                              const std::optional<std::string>& activation, std::optional<bool> return_sequences,
                              const std::optional<std::string>& prefix) {
  ModelFileOptions options{.ode_unfolds = ode_unfolds,
                           .epsilon = epsilon,
                           .implicit_param_constraints = implicit_param_constraints,
                           .output_dim = output_dim,
                           .return_sequences = return_sequences,
                           .prefix = prefix};
  if (mode) options.mode = detail::value_in(detail::mode_names, "mode", *mode);
  if (activation) options.activation = detail::value_in(detail::activation_names, "activation", *activation);
  return load_network(path, scalar, options);
}

}  // namespace

void bind(nb::module_& module) {
  // PyTorch keeps graphs of what is still reachable when the program ends.
  nb::set_leak_warnings(false);
  // An error is a ValueError and a RuntimeError too: PyTorch and ncps raise either for a wrong shape.
  const nb::object bases = nb::make_tuple(nb::handle(PyExc_ValueError), nb::handle(PyExc_RuntimeError));
  nb::exception<InvalidArgument>(module, "InvalidArgument", bases);
  nb::exception<RuntimeError>(module, "RuntimeError", PyExc_RuntimeError);

  nb::class_<Pass>(module, "Pass").def("backward", &backward);
  nb::class_<Network>(module, "Network")
      .def_prop_ro("is_double", &Network::is_double)
      .def_prop_ro("units", &Network::units)
      .def_prop_ro("input_dim", &Network::input_dim)
      .def_prop_ro("output_dim", &Network::output_dim)
      .def_prop_ro("has_memory", &Network::has_memory)
      .def_prop_ro("return_sequences", &Network::return_sequences)
      .def_prop_ro("tensors", &tensor_list)
      .def("summary", &Network::summary)
      .def("read_parameters",
           [](const Network& network, const std::vector<Address>& to) { network.read_parameters(tensors(to)); })
      .def("write_parameters",
           [](Network& network, const std::vector<Address>& from) { network.write_parameters(tensors(from)); })
      .def_prop_ro("kind", &Network::kind)
      .def_prop_ro(
          "wiring_tables",
          [](const Network& network) -> std::optional<WiringTables> {
            if (!network.wiring()) return std::nullopt;
            return tables_of(*network.wiring());
          },
          nb::rv_policy::move)
      .def("forward", &forward)
      .def("fit", &fit, "data"_a, "validation"_a.none(), "loss"_a, "delta"_a, "optimizer"_a, "optimizer_options"_a,
           "options"_a, "schedule"_a.none(), "on_epoch"_a.none())
      .def("save", &Network::save);
  module.def("load", &load, "path"_a, "scalar"_a, "ode_unfolds"_a.none(), "epsilon"_a.none(),
             "implicit_param_constraints"_a.none(), "output_dim"_a.none(), "mode"_a.none(), "activation"_a.none(),
             "return_sequences"_a.none(), "prefix"_a.none());
  module.def("make_ltc", &make_ltc);
  module.def("make_cfc", &make_cfc, "is_double"_a, "mixed_memory"_a, "tables"_a.none(), "units"_a, "input_dim"_a,
             "mode"_a, "activation"_a, "backbone_units"_a, "backbone_layers"_a, "backbone_dropout"_a, "proj_size"_a,
             "return_sequences"_a, "seed"_a);
  bind_wirings(module);
  bind_stacks(module);
}

}  // namespace elegans::python

NB_MODULE(ELEGANS_PYTHON_MODULE, module) { elegans::python::bind(module); }
