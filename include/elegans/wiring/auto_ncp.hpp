// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <elegans/core/finite.hpp>
#include <elegans/core/rounded.hpp>
#include <elegans/wiring/ncp.hpp>

namespace elegans {

/// Options of an AutoNCP.
struct AutoNCPOptions {
  double sparsity = 0.5;       ///< fraction of synapses left out, in [0.1, 1]; ncps calls it `sparsity_level`
  std::uint64_t seed = 22222;  ///< in [0, 2^32 - 1]
};

namespace detail {

/// The layers and fan-outs that ncps derives from the three numbers of an AutoNCP.
/// \throws InvalidArgument if they make no neural circuit policy; the message names AutoNCP
inline NCPOptions auto_ncp_options(int units, int output_dim, const AutoNCPOptions& options) {
  if (output_dim < 1) refuse("AutoNCP: output_dim must be at least 1, got ", output_dim);
  if (units < 1 || units > 46340) refuse("AutoNCP: units must be in [1, 46340], got ", units);
  if (output_dim >= units - 2) {
    refuse("AutoNCP: output_dim must be below units - 2", " = ", units - 2, ", got ", output_dim);
  }
  if (is_nan(options.sparsity) || options.sparsity < 0.1 || options.sparsity > 1.0) {
    refuse("AutoNCP: sparsity must be in [0.1, 1], got ", options.sparsity);
  }
  check_ncp_seed("AutoNCP", options.seed);
  const auto at_least_one = [](double value) { return (std::max)(static_cast<int>(rounded(value)), 1); };
  // mutate: auto_ncp.density
  const double density = 1.0 - options.sparsity;
  // mutate: auto_ncp.command
  const int command = at_least_one(0.4 * (units - output_dim));
  // mutate: auto_ncp.inter
  const int inter = units - output_dim - command;
  // mutate: auto_ncp.fans
  return {.inter_neurons = inter,
          .command_neurons = command,
          .motor_neurons = output_dim,
          .sensory_fanout = at_least_one(inter * density),
          .inter_fanout = at_least_one(command * density),
          .recurrent_command_synapses = at_least_one(command * density * 2),
          .motor_fanin = at_least_one(command * density),
          .seed = options.seed};
}

}  // namespace detail

/// A neural circuit policy that needs only the number of neurons and of outputs. Of the other neurons 40 % are command
/// neurons and 60 % are inter neurons. The fan-outs follow from the sparsity.
///
/// The matrices are those of `ncps.wirings.AutoNCP`, bit for bit. Lechner et al., Nature Machine Intelligence 2020.
///
/// \tparam Units, Outputs, Inputs  sizes, or Dynamic; with all three fixed a wiring uses no heap
template <int Units = Dynamic, int Outputs = Dynamic, int Inputs = Dynamic>
class AutoNCP : public NCP<Units, Outputs, Inputs> {
  using Base = NCP<Units, Outputs, Inputs>;

 public:
  static_assert(Units == Dynamic || Outputs == Dynamic || Outputs < Units - 2,
                "elegans::AutoNCP: Outputs must be below Units - 2");

  /// A wiring without synapses: `build` draws all of them.
  /// \throws InvalidArgument if `output_dim >= units - 2`, an option is out of its range, or a size differs from a
  /// fixed one
  AutoNCP(int units, int output_dim, AutoNCPOptions options = {})
      : Base(detail::auto_ncp_options(units, output_dim, options)), sparsity_(options.sparsity) {}

  AutoNCP()
    requires(Units != Dynamic && Outputs != Dynamic)
      : AutoNCP(Units, Outputs) {}
  explicit AutoNCP(AutoNCPOptions options)
    requires(Units != Dynamic && Outputs != Dynamic)
      : AutoNCP(Units, Outputs, options) {}

  [[nodiscard]] double sparsity() const noexcept { return sparsity_; }

 private:
  double sparsity_;
};

AutoNCP(int, int, AutoNCPOptions = {}) -> AutoNCP<>;

}  // namespace elegans
