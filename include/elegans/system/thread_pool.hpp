// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/system/executor.hpp>

namespace elegans {

/// Threads that wait for work. The thread that calls `run` is one of the workers, the others are `std::jthread`s.
///
///     model.set_executor(std::make_shared<elegans::ThreadPool>(2));
///
/// Several threads may use one pool, and a task may use the pool that runs it: models with the same pool can be run
/// side by side in that pool. While the pool is busy with one `run`, another `run` does its tasks on the thread that
/// calls it.
/// The threads are those of the C++ standard, not of OpenMP: they need no flag and no run-time library, and
/// ThreadSanitizer understands them. `elegans.hpp` leaves this header out, so include it yourself. If your system has
/// its threads in a library of their own, link `Threads::Threads`.
class ThreadPool : public Executor {
 public:
  /// Starts the threads.
  ///
  /// \param workers  number of threads that work, at least 1; it counts the thread that calls `run`
  /// \throws InvalidArgument if workers is below 1
  explicit ThreadPool(int workers) {
    if (workers < 1) detail::refuse("ThreadPool: workers must be at least 1, got ", workers);
    threads_.reserve(static_cast<std::size_t>(workers - 1));
    // If the system cannot start a thread, those that it did start must not wait for ever.
    Ending end_if_unfinished{*this};
    for (int worker = 1; worker < workers; ++worker) {
      threads_.emplace_back([this, worker] { serve(worker); });
    }
    end_if_unfinished.is_wanted = false;
  }
  ~ThreadPool() override { end(); }

  [[nodiscard]] int workers() const noexcept override { return static_cast<int>(threads_.size()) + 1; }

 protected:
  void run_tasks(Index count, Function task, void* context) override {
    // Do not wait for the other `run`: it may wait for this one. That is so when a task uses its own pool.
    if (is_running_.test_and_set(std::memory_order_acquire)) {
      for (Index i = 0; i < count; ++i) task(context, i, 0);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      job_ = {task, context, count};
      next_.store(0, std::memory_order_relaxed);
      open_ = true;
      ++round_;
    }
    starts_.notify_all();
    work(job_, 0);
    // Do not wait for threads that have not joined this round yet.
    std::unique_lock lock(mutex_);
    open_ = false;
    done_.wait(lock, [this] { return busy_ == 0; });
    is_running_.clear(std::memory_order_release);
  }

 private:
  struct Job {
    Function task = nullptr;
    void* context = nullptr;
    Index count = 0;
  };

  struct Ending {
    ThreadPool& pool;
    bool is_wanted = true;
    ~Ending() {
      if (is_wanted) pool.end();
    }
  };

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    starts_.notify_all();
  }

  void work(const Job& job, int worker) {
    for (Index i = next_++; i < job.count; i = next_++) job.task(job.context, i, worker);
  }

  void serve(int worker) {
    for (unsigned seen = 0;;) {
      Job job;
      {
        std::unique_lock lock(mutex_);
        starts_.wait(lock, [&] { return ends_ || (open_ && round_ != seen); });
        if (ends_) return;
        seen = round_;
        job = job_;
        ++busy_;
      }
      work(job, worker);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::atomic_flag is_running_;  // a `run` has the threads
  std::mutex mutex_;             // guards what follows, but for next_
  std::condition_variable starts_, done_;
  Job job_;
  unsigned round_ = 0;
  int busy_ = 0;       // threads that are at work in this round
  bool open_ = false;  // whether other threads may still join them
  bool ends_ = false;
  std::atomic<Index> next_{0};
  std::vector<std::jthread> threads_;  // last, because the threads use all of the above
};

}  // namespace elegans
