// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <exception>

#include <elegans/core/config.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

namespace detail {

/// Of the tasks that threw, the first one's exception: the one that would have come without threads.
class FirstException {
 public:
  /// Takes over the exception that is being handled, unless an earlier task's is there.
  void keep(Index task) noexcept {
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

/// Runs tasks that do not depend on each other, perhaps at the same time: how a model splits a batch over cores. The
/// core needs no threads; `ThreadPool` is an Executor, and so may be what an application has already.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// The most tasks that run at the same time, at least 1.
  [[nodiscard]] virtual int workers() const noexcept = 0;

  /// Calls task(i, worker) once for each i in [0, count), and returns when all have returned. Of tasks that run at the
  /// same time, no two have the same worker, in [0, workers()).
  ///
  /// Where tasks throw, the others run nevertheless; then the exception with the lowest i is thrown on.
  template <typename Task>
  void run(Index count, Task task) {
#if ELEGANS_EXCEPTIONS
    struct Call {
      Task& task;
      detail::FirstException failure;
    } call{task, {}};
    // An exception must not leave the thread it is thrown in: that would end the program.
    const auto guarded = [](void* context, Index i, int worker) {
      auto& mine = *static_cast<Call*>(context);
      try {
        mine.task(i, worker);
      } catch (...) {
        mine.failure.keep(i);
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
  /// Does what `run` says; neither allocates nor throws. The task that it is given does not throw either.
  virtual void run_tasks(Index count, Function task, void* context) = 0;
};

}  // namespace elegans
