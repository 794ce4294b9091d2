// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <exception>

#include <elegans/core/config.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

namespace detail {

/// Holds the exception of one of several tasks: the one with the lowest number, because that exception would also come
/// without threads.
class FirstException {
 public:
  /// Records the exception that is being handled, unless it has the exception of an earlier task.
  void record(Index task) noexcept {
    while (busy_.test_and_set(std::memory_order_acquire)) {
    }
    if (!exception_ || task < task_) {
      exception_ = std::current_exception();
      task_ = task;
    }
    busy_.clear(std::memory_order_release);
  }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic_flag busy_;
  std::exception_ptr exception_;
  Index task_ = 0;
};

}  // namespace detail

/// Runs tasks that do not depend on each other, perhaps at the same time. A model uses an Executor to spread a batch
/// over cores. The library itself needs no threads. `ThreadPool` is an Executor, and an application can wrap its own
/// threads in another.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// The largest number of tasks that one `run` does at the same time, at least 1.
  [[nodiscard]] virtual int workers() const noexcept = 0;

  /// Calls task(i, worker) once for each i in [0, count), and returns when all calls have returned. While a task runs,
  /// no other task of the same `run` has its worker, which is in [0, workers()).
  ///
  /// If tasks throw, the others run nevertheless. Then `run` throws the exception of the task with the lowest i.
  template <typename Task>
  void run(Index count, Task task) {
#if ELEGANS_EXCEPTIONS
    struct Call {
      Task& task;
      detail::FirstException failure;
    } call{task, {}};
    // An exception that leaves the function of a thread ends the program, so no task may let one out.
    const auto guarded = [](void* context, Index i, int worker) {
      auto& mine = *static_cast<Call*>(context);
      try {
        mine.task(i, worker);
      } catch (...) {
        mine.failure.record(i);
      }
    };
    run_tasks(count, guarded, &call);
    call.failure.rethrow();
#else
    run_tasks(count, [](void* context, Index i, int worker) { (*static_cast<Task*>(context))(i, worker); }, &task);
#endif
  }

 protected:
  using Function = void (*)(void* context, Index i, int worker);
  /// Does what `run` promises, without allocating or throwing. The task does not throw either. `context` lives until
  /// the call returns.
  virtual void run_tasks(Index count, Function task, void* context) = 0;
};

}  // namespace elegans
