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

/// Threads that wait for work: the caller is one of the workers, the others are `std::jthread`s.
///
///     model.set_executor(std::make_shared<elegans::ThreadPool>(2));
///
/// The standard's threads rather than OpenMP's: they need no flag and no run-time library, and ThreadSanitizer
/// understands them. Include this header where you want it: `elegans.hpp` does without threads. Where the C library
/// keeps them apart, link `Threads::Threads`.
class ThreadPool : public Executor {
 public:
  /// Starts the threads; the one that calls is a worker too.
  ///
  /// \param workers  threads that work, the caller's included, at least 1. \throws InvalidArgument
  explicit ThreadPool(int workers) {
    if (workers < 1) detail::refuse("ThreadPool: workers must be at least 1, got ", workers);
    threads_.reserve(static_cast<std::size_t>(workers - 1));
    // If a thread cannot be made, those that could must not wait for ever.
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
    const std::lock_guard one_at_a_time(run_);
    {
      const std::lock_guard lock(mutex_);
      job_ = {task, context, count};
      next_.store(0, std::memory_order_relaxed);
      open_ = true;
      ++round_;
    }
    starts_.notify_all();
    work(job_, 0);
    // Who comes too late is not waited for.
    std::unique_lock lock(mutex_);
    open_ = false;
    done_.wait(lock, [this] { return busy_ == 0; });
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

  std::mutex run_;
  std::mutex mutex_;  // guards all but next_
  std::condition_variable starts_, done_;
  Job job_;
  unsigned round_ = 0;
  int busy_ = 0;       // threads at work in this round
  bool open_ = false;  // others may still join them
  bool ends_ = false;
  std::atomic<Index> next_{0};
  std::vector<std::jthread> threads_;  // last, as they use all of the above
};

}  // namespace elegans
