// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <limits>
#include <type_traits>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/mpi/session.hpp>
#include <elegans/train/training_group.hpp>

namespace elegans::mpi {

/// All ranks of a session, as a `TrainingGroup`. All of them must make the same calls.
///
/// An error of MPI ends the job, as MPI does by default.
class Group {
 public:
  explicit Group(Session& session) : session_(session) {}

  [[nodiscard]] int rank() const noexcept { return session_.rank(); }
  [[nodiscard]] int size() const noexcept { return session_.size(); }

  /// Sends values to another rank.
  template <typename T>
  void send(const T* values, Index count, int to) {
    for_each_piece(values, count, [&](const void* bytes, int size) {
      MPI_Send(bytes, size, MPI_BYTE, to, tag, session_.communicator());
    });
  }
  /// Receives as many values as another rank sends.
  template <typename T>
  void receive(T* values, Index count, int from) {
    for_each_piece(values, count, [&](void* bytes, int size) {
      MPI_Recv(bytes, size, MPI_BYTE, from, tag, session_.communicator(), MPI_STATUS_IGNORE);
    });
  }
  /// Writes the values of rank 0 in all ranks.
  template <typename T>
  void broadcast(T* values, Index count) {
    for_each_piece(values, count,
                   [&](void* bytes, int size) { MPI_Bcast(bytes, size, MPI_BYTE, 0, session_.communicator()); });
  }

  /// Writes the numbers of all ranks to `all` in all ranks, those of rank 0 first. A rank may have any number of them.
  void gather(const std::vector<double>& mine, std::vector<double>& all) {
    const auto ranks = static_cast<std::size_t>(size());
    counts_.resize(ranks);
    offsets_.resize(ranks);
    const int count = static_cast<int>(mine.size());
    MPI_Allgather(&count, 1, MPI_INT, counts_.data(), 1, MPI_INT, session_.communicator());
    std::size_t total = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      offsets_[rank] = static_cast<int>(total);
      total += static_cast<std::size_t>(counts_[rank]);
    }
    constexpr auto most = static_cast<std::size_t>((std::numeric_limits<int>::max)());
    if (total > most) elegans::detail::refuse("mpi: all ranks may gather at most ", most, " numbers, got ", total);
    all.resize(total);
    MPI_Allgatherv(mine.data(), count, MPI_DOUBLE, all.data(), counts_.data(), offsets_.data(), MPI_DOUBLE,
                   session_.communicator());
  }

  /// The smallest value of all ranks.
  [[nodiscard]] double smallest(double value) {
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MIN, session_.communicator());
    return value;
  }

  /// Lives as long as the ranks work together. If an exception ends it, other ranks may wait for this one: the session
  /// then ends the job, even if somebody catches the exception.
  class Watch {
   public:
    /// Begins the work together.
    explicit Watch(Session& session) : session_(session), exceptions_(std::uncaught_exceptions()) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
      if (std::uncaught_exceptions() > exceptions_) session_.set_failed();
    }

   private:
    Session& session_;
    int exceptions_;
  };
  [[nodiscard]] Watch watch() { return Watch(session_); }

 private:
  static constexpr int tag = 1;

  /// MPI counts bytes by an int.
  template <typename T, typename Visit>
  static void for_each_piece(T* values, Index count, Visit visit) {
    static_assert(std::is_trivially_copyable_v<T>);
    using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
    auto* bytes = reinterpret_cast<Byte*>(values);
    auto left = static_cast<std::size_t>(count) * sizeof(T);
    constexpr std::size_t most = std::size_t{1} << 30;
    while (left > 0) {
      const std::size_t size = (std::min)(left, most);
      visit(bytes, static_cast<int>(size));
      bytes += size;
      left -= size;
    }
  }

  Session& session_;
  std::vector<int> counts_, offsets_;
};

static_assert(TrainingGroup<Group, float> && TrainingGroup<Group, double>);

}  // namespace elegans::mpi
