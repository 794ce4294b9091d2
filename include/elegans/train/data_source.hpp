// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/dataset.hpp>

namespace elegans {

// mutate all: train.data_source
/// Training data that need not be in memory: `fit` and `evaluate` ask for the samples of each batch by their numbers.
///
/// - `samples()`: how many samples there are; it must not change
/// - `read(numbers, part)`: writes the samples with these numbers, from 0 on, to `part`, a `Dataset` whose memory comes
///   back with each batch. Batches may differ in their number of steps
///
/// Optional: `fingerprint(add)`, see `Fingerprinted`. Without it, a checkpoint recognises the data by the number of
/// samples, the first sample and the last one.
///
/// `Dataset` satisfies it, and so does PyTorch's idea of a map-style data set.
template <typename D, typename Scalar>
concept DataSource = requires(D& source, std::span<const Index> numbers, Dataset<Scalar>& part) {
  { source.samples() } -> std::convertible_to<Index>;
  source.read(numbers, part);
};

namespace detail {

/// Takes samples out of a data source. Those of a `Dataset` stay where they are.
template <typename Source, typename Scalar>
class SourceReader {
 public:
  static constexpr bool in_memory = std::is_same_v<std::remove_const_t<Source>, Dataset<Scalar>>;

  explicit SourceReader(Source& source) : source_(source) {}

  /// Makes the samples with these numbers available.
  /// \throws InvalidArgument if what the source reads is no data set of so many samples
  void read(std::span<const Index> samples, const char* who) {
    if constexpr (in_memory) {
      numbers_ = samples;
    } else {
      source_.read(samples, part_);
      check_dataset(part_, who);
      if (part_.samples() != static_cast<Index>(samples.size())) {
        refuse(who, ": the data source must read ", samples.size(), " samples, got ", part_.samples());
      }
      while (own_numbers_.size() < samples.size()) own_numbers_.push_back(static_cast<Index>(own_numbers_.size()));
      numbers_ = std::span<const Index>(own_numbers_).first(samples.size());
    }
  }

  /// Where the samples are.
  [[nodiscard]] const Dataset<Scalar>& data() const& noexcept {
    if constexpr (in_memory) {
      return source_;
    } else {
      return part_;
    }
  }
  /// Their numbers there.
  [[nodiscard]] std::span<const Index> numbers() const& noexcept { return numbers_; }

 private:
  Source& source_;
  Dataset<Scalar> part_;
  std::vector<Index> own_numbers_;
  std::span<const Index> numbers_;
};

}  // namespace detail
}  // namespace elegans
