// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/config.hpp>
#include <elegans/core/error.hpp>
#include <elegans/mpi/group.hpp>
#include <elegans/mpi/session.hpp>
#include <elegans/train/training_group.hpp>

namespace elegans::mpi {

/// What became of a configuration of a `sweep`.
template <typename Result>
struct Outcome {
  std::optional<Result> result;  ///< empty if the configuration failed
  std::string error;             ///< then why
  int rank = 0;                  ///< the rank that ran it
};

}  // namespace elegans::mpi

namespace elegans::detail {

template <typename T>
inline constexpr bool is_array_of_plain = false;
template <typename T>
inline constexpr bool is_array_of_plain<std::vector<T>> = std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>;
template <>
inline constexpr bool is_array_of_plain<std::string> = true;

/// A result as bytes, and back.
template <typename Result>
[[nodiscard]] std::string to_bytes(const Result& result) {
  if constexpr (is_array_of_plain<Result>) {
    return {reinterpret_cast<const char*>(result.data()), result.size() * sizeof(typename Result::value_type)};
  } else {
    return {reinterpret_cast<const char*>(&result), sizeof(Result)};
  }
}
template <typename Result>
[[nodiscard]] Result from_bytes(const std::string& bytes) {
  Result result{};
  if constexpr (is_array_of_plain<Result>) {
    result.resize(bytes.size() / sizeof(typename Result::value_type));
    if (!bytes.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
  } else {
    std::memcpy(&result, bytes.data(), sizeof(Result));
  }
  return result;
}

/// A finished configuration: its number, whether it has a result, and the bytes of that or of the error.
struct Finished {
  std::int64_t number = -1;  ///< -1 for none, in a worker's first message
  std::int32_t has_result = 0;
  std::int32_t rank = 0;
  std::string bytes{};

  [[nodiscard]] std::string message() const {
    std::string text(sizeof number + sizeof has_result + sizeof rank, '\0');
    std::memcpy(text.data(), &number, sizeof number);
    std::memcpy(text.data() + sizeof number, &has_result, sizeof has_result);
    std::memcpy(text.data() + sizeof number + sizeof has_result, &rank, sizeof rank);
    return text + bytes;
  }
  static Finished of(const std::string& text) {
    Finished finished;
    std::memcpy(&finished.number, text.data(), sizeof number);
    std::memcpy(&finished.has_result, text.data() + sizeof number, sizeof has_result);
    std::memcpy(&finished.rank, text.data() + sizeof number + sizeof has_result, sizeof rank);
    finished.bytes = text.substr(sizeof number + sizeof has_result + sizeof rank);
    return finished;
  }
};

/// The bytes of a configuration's result. A message has no more.
template <typename Run>
[[nodiscard]] std::string bytes_of_result(Run& run, std::int64_t number) {
  std::string bytes = to_bytes(run(number));
  constexpr std::size_t most = std::size_t{1} << 30;
  if (bytes.size() > most) fail("mpi::sweep: a result may have ", most, " bytes, got ", bytes.size());
  return bytes;
}

/// Runs a configuration. An exception becomes its outcome.
template <typename Run>
Finished run_one(Run& run, std::int64_t number, int rank) {
  Finished finished{.number = number, .has_result = 1, .rank = rank};
#if ELEGANS_EXCEPTIONS
  try {
    finished.bytes = bytes_of_result(run, number);
  } catch (const std::exception& error) {
    finished.has_result = 0;
    finished.bytes = error.what();
  } catch (...) {
    finished.has_result = 0;
    finished.bytes = "an exception of an unknown type";
  }
#else
  finished.bytes = bytes_of_result(run, number);
#endif
  return finished;
}

/// Hands out the numbers of configurations, and collects what becomes of them.
class SweepRoot {
 public:
  explicit SweepRoot(std::int64_t count) : finished_(static_cast<std::size_t>(count)) {}

  /// The next number, or -1. Any thread may call it.
  [[nodiscard]] std::int64_t next() {
    const std::lock_guard lock(mutex_);
    return std::cmp_less(next_, finished_.size()) ? next_++ : -1;
  }
  void finish(Finished&& finished) {
    const std::lock_guard lock(mutex_);
    const auto number = static_cast<std::size_t>(finished.number);
    finished_[number] = std::move(finished);
  }
  [[nodiscard]] std::vector<Finished>& all() noexcept { return finished_; }

 private:
  std::mutex mutex_;
  std::int64_t next_ = 0;
  std::vector<Finished> finished_;
};

inline constexpr int sweep_tag = 2;

/// Answers the workers until each of them knows that there is nothing left.
inline void serve(const mpi::Session& session, SweepRoot& root) {
  for (int waiting = session.size() - 1; waiting > 0;) {
    int is_there = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, sweep_tag, session.communicator(), &is_there, &status);
    if (is_there == 0) {
      // A blocking call would take a whole core from the configuration that runs here.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    int size = 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    std::string text(static_cast<std::size_t>(size), '\0');
    MPI_Recv(text.data(), size, MPI_BYTE, status.MPI_SOURCE, sweep_tag, session.communicator(), MPI_STATUS_IGNORE);
    if (Finished finished = Finished::of(text); finished.number >= 0) root.finish(std::move(finished));
    const std::int64_t next = root.next();
    MPI_Send(&next, 1, MPI_INT64_T, status.MPI_SOURCE, sweep_tag, session.communicator());
    if (next < 0) --waiting;
  }
}

/// Runs what the root hands out.
template <typename Run>
void work(const mpi::Session& session, Run& run) {
  for (Finished finished{.rank = session.rank()};;) {
    const std::string text = finished.message();
    MPI_Send(text.data(), static_cast<int>(text.size()), MPI_BYTE, 0, sweep_tag, session.communicator());
    std::int64_t next = -1;
    MPI_Recv(&next, 1, MPI_INT64_T, 0, sweep_tag, session.communicator(), MPI_STATUS_IGNORE);
    if (next < 0) return;
    finished = run_one(run, next, session.rank());
  }
}

/// The outcomes of all configurations in all ranks.
template <typename Result>
[[nodiscard]] std::vector<mpi::Outcome<Result>> share_outcomes(mpi::Session& session,
                                                               const std::vector<Finished>& finished) {
  mpi::Group group(session);
  std::vector<mpi::Outcome<Result>> outcomes;
  for (const Finished& one : finished) {
    const Finished of_root = Finished::of(text_of_root(group, one.message()));
    mpi::Outcome<Result> outcome{.result = {}, .error = {}, .rank = of_root.rank};
    if (of_root.has_result != 0) {
      outcome.result = from_bytes<Result>(of_root.bytes);
    } else {
      outcome.error = of_root.bytes;
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace elegans::detail

namespace elegans::mpi {

/// Runs configurations that do not depend on each other, such as seeds, on all ranks of a session. A rank gets the next
/// one when it is free.
///
///     const auto outcomes = elegans::mpi::sweep(session, seeds, [&](std::uint64_t seed) { return error_of(seed); });
///
/// If `run` throws, its configuration alone has failed, and the rank takes the next. If a rank is killed, the job ends.
/// Give each configuration a `Checkpoint` in a file of its own: then the same job, started again, loses little.
///
/// \param configurations  the same in every rank
/// \param run  run(configuration), which must not use the session. Rank 0 calls it in a thread of its own. It returns a
///             trivially copyable type, or a `std::string` or `std::vector` of such
/// \return in every rank: what became of each configuration, in their order
template <typename Configuration, typename Run>
auto sweep(Session& session, const std::vector<Configuration>& configurations, Run run) {
  using Result = std::remove_cvref_t<decltype(run(configurations.front()))>;
  static_assert(std::is_trivially_copyable_v<Result> || elegans::detail::is_array_of_plain<Result>,
                "elegans::mpi::sweep: a result must be trivially copyable, or a std::string or std::vector of such");
  auto run_number = [&](std::int64_t number) { return run(configurations[static_cast<std::size_t>(number)]); };
  elegans::detail::SweepRoot root(static_cast<std::int64_t>(configurations.size()));
  if (session.is_root()) {
    const auto work_here = [&] {
      for (std::int64_t next = root.next(); next >= 0; next = root.next()) {
        root.finish(elegans::detail::run_one(run_number, next, 0));
      }
    };
    if (session.size() == 1) {
      work_here();
    } else {
      std::thread worker(work_here);
      elegans::detail::serve(session, root);
      worker.join();
    }
  } else {
    elegans::detail::work(session, run_number);
  }
  return elegans::detail::share_outcomes<Result>(session, std::move(root.all()));
}

}  // namespace elegans::mpi
