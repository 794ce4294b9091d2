// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/hash.hpp>

namespace elegans {

/// Several processes that train one model together: each computes the gradients of a part of every batch. The group of
/// a `mpi::DataParallel` satisfies it.
///
/// - `rank()`, `size()`: the number of this process, from 0 on, and of all
/// - `send(values, count, to)`, `receive(values, count, from)`: a message between two processes
/// - `broadcast(values, count)`: writes the values of process 0 in all processes
/// - `gather(mine, all)`: writes the numbers of all processes to `all` in all processes, those of process 0 first
/// - `smallest(value)`: the smallest value of all processes
/// - `watch()`: an object whose life is the work together; if an exception ends it, the others must not wait for this
///   process
template <typename G, typename Scalar>
concept TrainingGroup = requires(G& group, const Scalar* from, Scalar* to, char* text, const std::vector<double>& mine,
                                 std::vector<double>& all) {
  { group.rank() } -> std::convertible_to<int>;
  { group.size() } -> std::convertible_to<int>;
  group.send(from, Index{1}, 0);
  group.receive(to, Index{1}, 0);
  group.broadcast(to, Index{1});
  group.broadcast(text, Index{1});
  group.gather(mine, all);
  { group.smallest(1.0) } -> std::convertible_to<double>;
  group.watch();
};

/// A model that is trained by a group of processes: `group()`, and the `model()` of this process. `mpi::DataParallel`
/// satisfies it.
template <typename M>
concept SharedModel = requires(M& shared) {
  shared.model();
  requires TrainingGroup<std::remove_reference_t<decltype(shared.group())>, typename M::Scalar>;
};

namespace detail {

/// The group of a process that trains by itself.
struct SingleProcess {
  static constexpr int rank() noexcept { return 0; }
  static constexpr int size() noexcept { return 1; }
  template <typename T>
  static void send(const T*, Index, int) noexcept {}
  template <typename T>
  static void receive(T*, Index, int) noexcept {}
  template <typename T>
  static void broadcast(T*, Index) noexcept {}
  static void gather(const std::vector<double>& mine, std::vector<double>& all) { all = mine; }
  static double smallest(double value) noexcept { return value; }
  static int watch() noexcept { return 0; }
};

template <typename Group>
inline constexpr bool is_shared = !std::same_as<Group, SingleProcess>;

/// Calls body(model, group): of a shared model, the one of this process.
template <typename Model, typename Body>
decltype(auto) with_group(Model& model, Body body) {
  if constexpr (SharedModel<Model>) {
    return body(model.model(), model.group());
  } else {
    SingleProcess alone;
    return body(model, alone);
  }
}

/// The type of the model of this process.
template <typename Model>
struct OwnModelOf {
  using Type = Model;
};
template <SharedModel Model>
struct OwnModelOf<Model> {
  using Type = std::remove_reference_t<decltype(std::declval<Model&>().model())>;
};
template <typename Model>
using OwnModel = typename OwnModelOf<Model>::Type;

// mutate all: train.group
/// A range of numbers: of grains, or of other parts of the data.
struct Share {
  Index first = 0;
  Index last = 0;  ///< the one behind the last

  [[nodiscard]] Index size() const noexcept { return last - first; }
};

/// The share of a process, or of several with neighbouring ranks. Shares differ by at most one, and may be empty.
[[nodiscard]] inline Share share_of(Index count, int rank, int ranks, int several = 1) {
  const auto first_of = [&](int r) {
    return static_cast<Index>(static_cast<std::int64_t>(count) * (std::min)(r, ranks) / ranks);
  };
  return {first_of(rank), first_of(rank + several)};
}

/// True in all processes if it is true in each.
template <typename Group>
[[nodiscard]] bool all_of(Group& group, bool value) {
  return group.smallest(value ? 1 : 0) == 1;
}

/// The value of process 0.
template <typename Group>
[[nodiscard]] bool from_root(Group& group, bool value) {
  double number = value ? 1 : 0;
  group.broadcast(&number, 1);
  return number == 1;
}

/// The text of process 0.
template <typename Group>
[[nodiscard]] std::string text_of_root(Group& group, const std::string& mine) {
  auto size = static_cast<double>(mine.size());
  group.broadcast(&size, 1);
  std::string text = mine;
  text.resize(static_cast<std::size_t>(size));
  group.broadcast(text.data(), static_cast<Index>(text.size()));
  return text;
}

/// Writes the vector of process 0 in all processes.
template <typename Group, typename Scalar>
void broadcast_vector(Group& group, std::vector<Scalar>& values) {
  auto size = static_cast<double>(values.size());
  group.broadcast(&size, 1);
  values.resize(static_cast<std::size_t>(size));
  group.broadcast(values.data(), static_cast<Index>(values.size()));
}

/// \throws RuntimeError if the parameters differ between processes. \param epochs  finished ones
template <typename Group, typename Scalar>
void require_same(Group& group, ConstVectorView<Scalar> parameters, int epochs) {
  if constexpr (is_shared<Group>) {
    Hash hash;
    hash.add(parameters.data(), static_cast<std::size_t>(parameters.size()));
    // A double holds 32 bits exactly.
    const auto high = static_cast<double>(hash.value() >> 32), low = static_cast<double>(hash.value() & 0xffffffff);
    for (const double half : {high, low}) {
      if (group.smallest(half) == -group.smallest(-half)) continue;
      fail("fit: after ", epochs,
           " epochs the processes do not have the same parameters: start with the same, and "
           "change them alike in every process");
    }
  }
}

}  // namespace detail
}  // namespace elegans
