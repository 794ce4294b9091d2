// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>

namespace elegans {

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
  template <typename Task>
  void run(Index count, Task task) {
    run_tasks(
        count, [](void* context, Index i, int worker) { (*static_cast<Task*>(context))(i, worker); }, &task);
  }

 protected:
  using Function = void (*)(void* context, Index i, int worker);
  /// Does what `run` says; neither allocates nor throws.
  virtual void run_tasks(Index count, Function task, void* context) = 0;
};

}  // namespace elegans
