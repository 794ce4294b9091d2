// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/rounded.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

/// The numbers from `first` on.
[[nodiscard]] inline std::vector<Index> numbers(Index first, Index count) {
  std::vector<Index> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), first);
  return result;
}

// mutate all: train.sample_order
/// Calls body(numbers of the samples) for each batch of an order.
///
/// \param batch_size  0 for all samples at once
/// \param drop_last   leaves out a last batch that is smaller than the others
template <typename Body>
void for_each_batch(std::span<const Index> order, Index batch_size, bool drop_last, Body body) {
  const auto size = batch_size == 0 ? order.size() : static_cast<std::size_t>(batch_size);
  for (std::size_t first = 0; first < order.size(); first += size) {
    const std::size_t count = (std::min)(size, order.size() - first);
    if (drop_last && count < size && first > 0) break;
    body(order.subspan(first, count));
  }
}

/// The number of these batches. \param samples  at least 1
[[nodiscard]] inline int batch_count(Index samples, Index batch_size, bool drop_last) {
  if (batch_size == 0 || batch_size >= samples) return 1;
  return static_cast<int>(samples / batch_size + (!drop_last && samples % batch_size != 0 ? 1 : 0));
}

/// Which samples are trained on, in which order, and which are held back for validation.
class SampleOrder {
 public:
  /// Holds back the last of the samples, before any shuffling, as Keras does.
  /// \throws InvalidArgument if no sample is left to train on
  SampleOrder(Index samples, double validation_split) {
    const auto trained = static_cast<Index>(std::floor(rounded(static_cast<double>(samples) * (1 - validation_split))));
    if (trained == 0) refuse("fit: validation_split leaves none of ", samples, " samples to train on");
    training_ = numbers(0, trained);
    held_back_ = numbers(trained, samples - trained);
  }

  [[nodiscard]] std::span<const Index> training() const noexcept { return training_; }
  /// True if a batch of this size holds all samples to train on; 0 is as large as that.
  [[nodiscard]] bool is_one_batch(Index batch_size) const noexcept {
    return batch_size == 0 || std::cmp_greater_equal(batch_size, training_.size());
  }
  [[nodiscard]] std::span<const Index> held_back() const noexcept { return held_back_; }

  /// The order of an epoch. It follows from the arguments alone, and is the same on every platform, unlike
  /// std::shuffle's.
  void shuffle(std::uint64_t seed, int epoch) {
    std::mt19937_64 random(seed * 0x9e3779b97f4a7c15ULL + static_cast<std::uint64_t>(epoch));
    std::iota(training_.begin(), training_.end(), Index{0});
    for (std::size_t i = training_.size(); i-- > 1;) {
      std::swap(training_[i], training_[static_cast<std::size_t>(random() % (i + 1))]);
    }
  }

 private:
  std::vector<Index> training_, held_back_;
};

}  // namespace elegans::detail
