// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>

/// Numbers that measurements chose. docs/performance.md has the measurements. None of these numbers changes a result by
/// more than its rounding.
namespace elegans::detail::tuning {

/// Sums that a kernel holds in registers. Half of the target's registers: the other half holds the addends.
inline constexpr int sums_in_registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 16 : 8;

/// The largest share of the lanes that the packets of a single sample may waste: wasted_lanes / wasted_lanes_of. The
/// kernels halve the number of lanes until they waste no more.
inline constexpr Index wasted_lanes = 1, wasted_lanes_of = 6;

/// Samples per tile where a batch would otherwise be a single tile. From 16 samples on there is then work for two
/// cores, which train FullyConnected(32) at batch 16 1.4 times as fast.
inline constexpr Index small_tile = 8;

/// A slot of a sparse column looks up its source. It may cost as much as this many slots of a dense row. AutoNCP(64, 8)
/// has 1792 slots in rows and 624 in columns; a forward pass takes 2.5 times the bound of docs/performance.md in rows,
/// and 1.8 times in columns.
inline constexpr Index dense_slots_per_sparse_slot = 2;
/// Synapses that take at most so many slots in rows are always stored in rows. AutoNCP(8, 1) trains in 25 us in rows,
/// and in 33 us in columns.
inline constexpr Index always_dense_slots = 256;

/// Steps whose outer products `LinearAdjoint` adds up at a time: few enough for the first-level cache.
inline constexpr Index steps_per_sum = 16;
/// Groups of inputs that stay in the first-level cache while the outputs pass by.
inline constexpr Index groups_per_pass = 4;

/// The most bytes for the records of a sequence's last steps. So many stay in a second-level cache of 1 MiB, where it
/// is faster to read them than to compute their values again. A wired CfC of AutoNCP(64, 8) at batch 32 trains in 1.52
/// ms instead of 1.78.
inline constexpr Index recorded_bytes = Index{896} * 1024;

}  // namespace elegans::detail::tuning
