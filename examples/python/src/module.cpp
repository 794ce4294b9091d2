// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The module that the Python package imports: `elegans/_native.py` chooses the build of it for this processor. Nobody
// else calls it, so it believes the shapes and pointers that it gets: the Python code in front of it checks them.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <elegans/elegans.hpp>

#include "network.hpp"
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

/// The entry of a name, for options that are words.
template <typename Value, std::size_t Count>
Value choose(const char* option, const std::string& name, const std::pair<const char*, Value> (&choices)[Count]) {
  std::string names;
  for (const auto& [word, value] : choices) {
    if (name == word) return value;
    names.append(names.empty() ? "'" : ", '").append(word).append("'");
  }
  detail::refuse(option, " must be one of ", names, ", got '", name, "'");
}

Mapping mapping_of(const char* option, const std::string& name) {
  return choose<Mapping>(option, name,
                         {{"affine", Mapping::affine}, {"linear", Mapping::linear}, {"none", Mapping::none}});
}

std::shared_ptr<Network> make_ltc(bool is_double, bool mixed_memory, const WiringTables& tables,
                                  const std::string& input_mapping, const std::string& output_mapping,
                                  const std::string& solver, int ode_unfolds, double epsilon,
                                  bool implicit_param_constraints, bool return_sequences, std::uint64_t seed) {
  const LTCOptions options{.input_mapping = mapping_of("input_mapping", input_mapping),
                           .output_mapping = mapping_of("output_mapping", output_mapping),
                           .solver = choose<ODESolver>("solver", solver,
                                                       {{"semi_implicit", ODESolver::semi_implicit},
                                                        {"explicit_euler", ODESolver::explicit_euler},
                                                        {"heun", ODESolver::heun},
                                                        {"runge_kutta", ODESolver::runge_kutta}}),
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
  const CfCOptions options{
      .mode = choose<CfCMode>("mode", mode,
                              {{"default", CfCMode::standard}, {"pure", CfCMode::pure}, {"no_gate", CfCMode::no_gate}}),
      .activation = choose<Activation>("activation", activation,
                                       {{"lecun_tanh", Activation::lecun_tanh},
                                        {"relu", Activation::relu},
                                        {"tanh", Activation::tanh},
                                        {"gelu", Activation::gelu},
                                        {"silu", Activation::silu}}),
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
      .def("forward", &forward);
  module.def("make_ltc", &make_ltc);
  module.def("make_cfc", &make_cfc, "is_double"_a, "mixed_memory"_a, "tables"_a.none(), "units"_a, "input_dim"_a,
             "mode"_a, "activation"_a, "backbone_units"_a, "backbone_layers"_a, "backbone_dropout"_a, "proj_size"_a,
             "return_sequences"_a, "seed"_a);
  bind_wirings(module);
}

}  // namespace elegans::python

NB_MODULE(ELEGANS_PYTHON_MODULE, module) { elegans::python::bind(module); }
