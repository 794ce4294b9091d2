// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/simd/avx512.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// Tables for packets: each lane looks up, or adds to, the entry at its own index.

/// Looks up values of a table: lane k of `look_up(index)` is table[index[k]].
template <typename Scalar, int Lanes>
class LaneTable {
 public:
  LaneTable(const Scalar* values, Index) : values_(values) {}

  [[nodiscard]] EIGEN_ALWAYS_INLINE Packet<Scalar, Lanes> look_up(const int* index) const {
    Scalar values[Lanes];
    for (int k = 0; k < Lanes; ++k) values[k] = values_[index[k]];
    return load<Packet<Scalar, Lanes>>(values);
  }

 private:
  const Scalar* values_;
};

/// The largest `LaneTableSums::capacity` of any target.
inline constexpr int lane_table_sums = 64;
/// A route by which no lane goes to any sum: see `set_route`.
inline constexpr int no_route = 0x10101010;

/// Sends a lane's value to a sum. No other lane of the same packet may go to that sum. A packet has 16 routes: byte m
/// of the k-th route says which lane goes to sum 16 m + k.
inline void set_route(int* routes, int sum, int lane) {
  const unsigned shift = static_cast<unsigned>(sum) / 16 * 8;
  int& route = routes[sum % 16];
  route = static_cast<int>((static_cast<unsigned>(route) & ~(0xffU << shift)) | static_cast<unsigned>(lane) << shift);
}

/// Up to `capacity` sums. Each lane of a packet adds its value to a sum of its own. On a target that cannot do this,
/// the capacity is 0.
template <typename Scalar, int Lanes>
struct LaneTableSums {
  static constexpr int capacity = 0;
};

#ifdef EIGEN_VECTORIZE_AVX512
template <>
class LaneTable<float, 16> : public avx512::FloatTable {
  using avx512::FloatTable::FloatTable;
};
template <>
struct LaneTableSums<float, 16> : avx512::FloatTableSums {
  static constexpr int capacity = lane_table_sums;
};
#endif

}  // namespace elegans::detail
