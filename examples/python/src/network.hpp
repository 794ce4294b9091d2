// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <memory>
#include <string>
#include <vector>

#include <elegans/core/types.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/train/history.hpp>
#include <elegans/wiring/wiring.hpp>

#include "training.hpp"

namespace elegans::python {

/// One tensor of a network: its name in ncps' `state_dict`, and its shape there.
struct TensorShape {
  std::string name;
  std::vector<Index> shape;
};

/// Pointers to all tensors of a network, in the order of `Network::tensors`. Each tensor is row-major. Empty for the
/// parameters that the network has.
using Tensors = std::vector<void*>;

/// The arguments and results of a forward pass.
struct Forward {
  Index time = 0, batch = 0;
  Strided x;                            ///< (time, batch, input_dim)
  const void* h = nullptr;              ///< (batch, units) row-major, or null for zeros
  const void* c = nullptr;              ///< the same of a mixed memory
  Strided timespans;                    ///< (time, batch), or null for 1
  const unsigned char* mask = nullptr;  ///< (time, batch) row-major, or null for all steps
  Strided y;                            ///< (time, batch, output_dim), or time 1; written
  void* final_h = nullptr;              ///< (batch, units) row-major; written
  void* final_c = nullptr;
  bool has_tape = false;  ///< whether a backward pass may follow; also turns dropout on
  int epoch = 0;          ///< which values dropout drops follows from it
};

/// The arguments and results of a backward pass. What is written and null is not wanted.
struct Backward {
  Strided d_y;
  const void* d_final_h = nullptr;  ///< (batch, units) row-major, or null for zeros
  const void* d_final_c = nullptr;
  Strided d_x;          ///< written
  void* d_h = nullptr;  ///< (batch, units) row-major; written
  void* d_c = nullptr;
  Strided d_timespans;  ///< (time, batch); written
  Tensors gradients;    ///< row-major; written
};

/// A forward pass that can go back. It has a tape of its own, so any number of them may exist at the same time.
class Pass {
 public:
  virtual ~Pass() = default;
  /// \param parameters  those of the forward pass
  virtual void backward(const Tensors& parameters, const Backward& results) = 0;
};

/// A model of any kind, float or double.
///
/// Several threads may run one network at the same time. The parameters may be Python's: then each pass gets pointers
/// to them, and the network takes over those that have changed.
class Network : public std::enable_shared_from_this<Network> {
 public:
  virtual ~Network() = default;

  [[nodiscard]] virtual bool is_double() const = 0;
  /// Number of values of h: the neurons of a recurrent layer, all states of a stack, 0 without a state.
  [[nodiscard]] virtual Index units() const = 0;
  [[nodiscard]] virtual Index input_dim() const = 0;
  [[nodiscard]] virtual Index output_dim() const = 0;
  /// Whether the state has a c beside h: that of an LSTM, or of a mixed memory.
  [[nodiscard]] virtual bool has_memory() const = 0;
  [[nodiscard]] virtual bool return_sequences() const = 0;
  [[nodiscard]] virtual std::vector<TensorShape> tensors() const = 0;
  [[nodiscard]] virtual std::string summary() const = 0;
  /// "LTC", "CfC", "MixedLTC", "MixedCfC", or what `AnyStack` may be: "LSTM", "Sequential", …
  [[nodiscard]] virtual std::string kind() const = 0;
  /// The wiring of an LTC; null for other models.
  [[nodiscard]] virtual const Wiring<>* wiring() const = 0;
  /// A copy of the model in its own type: `LTC<float>`, `AnyStack<double>`, …
  [[nodiscard]] virtual std::any copy_of_model() const = 0;

  virtual void read_parameters(const Tensors& to) const = 0;
  virtual void write_parameters(const Tensors& from) = 0;

  /// \return null if the pass has no tape
  virtual std::unique_ptr<Pass> forward(const Tensors& parameters, const Forward& arguments) = 0;

  /// Trains the network. Others may run it meanwhile; they see the parameters of the last epoch.
  virtual History<double> fit(const Training& training) = 0;
  /// \param prefix  see `SaveOptions`
  virtual void save(const std::string& path, const std::string& prefix) const = 0;
};

/// A network of a type of model, from the arguments of its constructor: a model of ncps, or an `AnyStack` for all else.
/// The definition is in network_of.hpp; a source file per model instantiates it.
template <typename Model, typename... Arguments>
std::shared_ptr<Network> make_network(const Arguments&... arguments);

/// The network of a model file. \param scalar  "float32", "float64", or "" for that of the file
std::shared_ptr<Network> load_network(const std::string& path, const std::string& scalar,
                                      const ModelFileOptions& options);

}  // namespace elegans::python
