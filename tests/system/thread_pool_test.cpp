// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <elegans/system/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::refusal_of;

TEST_CASE("A pool does each task once, and no two at a time with the same worker", "[core][executor]") {
  ThreadPool pool(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<int> done(37);
    std::array<std::atomic<int>, 4> active{};
    std::atomic<bool> clash = false;
    pool.run(37, [&](Index i, int worker) {
      if (active[static_cast<std::size_t>(worker)]++ != 0) clash = true;
      ++done[static_cast<std::size_t>(i)];
      --active[static_cast<std::size_t>(worker)];
    });
    REQUIRE(done == std::vector<int>(37, 1));
    REQUIRE_FALSE(clash);
  }
  pool.run(0, [](Index, int) { FAIL(); });
}

TEST_CASE("A task sees what earlier tasks of its worker wrote, and the caller sees all of it", "[core][executor]") {
  // The relaxed counter orders nothing, so the pool must order the sums. ThreadSanitizer judges whether it does.
  ThreadPool pool(3);
  std::array<Index, 3> sums{};
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> arrived = 0;
    pool.run(3, [&](Index i, int worker) {
      arrived.fetch_add(1, std::memory_order_relaxed);
      while (arrived.load(std::memory_order_relaxed) < 3)
        std::this_thread::yield();  // so that all three run at the same time
      sums[static_cast<std::size_t>(worker)] += i;
    });
    REQUIRE(sums[0] + sums[1] + sums[2] == 3 * (round + 1));
  }
}

TEST_CASE("A pool has at least one worker", "[core][executor]") {
  CHECK_THROWS_WITH(ThreadPool(0), "ThreadPool: workers must be at least 1, got 0");
}

TEST_CASE("An exception of a task reaches the caller of run when all tasks are done", "[core][executor]") {
  for (const int workers : {1, 2, 5}) {
    INFO("workers " << workers);
    ThreadPool pool(workers);
    for (int round = 0; round < 50; ++round) {
      std::vector<int> done(23);
      const std::string thrown = refusal_of<std::out_of_range>([&] {
        pool.run(23, [&](Index i, int) {
          ++done[static_cast<std::size_t>(i)];
          if (i % 5 == 3) throw std::out_of_range("task " + std::to_string(i));
        });
      });
      // Task 3 is the first one that would throw without threads.
      CHECK(thrown == "task 3");
      CHECK(done == std::vector<int>(23, 1));
    }
    // An exception may be of any type, and the pool works on afterwards.
    CHECK_THROWS_AS(pool.run(3, [](Index, int) { throw 7; }), int);
    std::atomic<int> count = 0;
    pool.run(9, [&](Index, int) { ++count; });
    CHECK(count == 9);
  }
}

TEST_CASE("An exception of a task keeps its type and its members", "[core][executor]") {
  struct Own : InvalidArgument {
    using InvalidArgument::InvalidArgument;
    int number = 42;
  };
  ThreadPool pool(2);
  try {
    pool.run(4, [](Index i, int) {
      if (i == 2) throw Own("mine");
    });
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "mine");
    CHECK(dynamic_cast<const Own&>(error).number == 42);
  }
}

namespace {

/// Runs `inner` tasks in each of `outer` tasks, and returns how often each pair ran.
std::vector<int> run_nested(ThreadPool& pool, ThreadPool& inner_pool, Index outer, Index inner) {
  std::vector<std::atomic<int>> done(static_cast<std::size_t>(outer * inner));
  std::atomic<bool> is_worker_in_range = true;
  pool.run(outer, [&](Index i, int) {
    inner_pool.run(inner, [&](Index j, int worker) {
      if (worker < 0 || worker >= inner_pool.workers()) is_worker_in_range = false;
      ++done[static_cast<std::size_t>(i * inner + j)];
    });
  });
  CHECK(is_worker_in_range);
  return {done.begin(), done.end()};
}

}  // namespace

TEST_CASE("A task may use the pool that runs it", "[core][executor]") {
  for (const int workers : {1, 2, 4}) {
    INFO("workers " << workers);
    ThreadPool pool(workers);
    for (int round = 0; round < 50; ++round) CHECK(run_nested(pool, pool, 7, 5) == std::vector<int>(35, 1));
  }
}

TEST_CASE("Pools may use each other in their tasks", "[core][executor]") {
  ThreadPool pool(2);
  ThreadPool other(3);
  std::atomic<int> done = 0;
  for (int round = 0; round < 50; ++round) {
    pool.run(4, [&](Index, int) { other.run(6, [&](Index, int) { pool.run(2, [&](Index, int) { ++done; }); }); });
  }
  CHECK(done == 50 * 4 * 6 * 2);
  CHECK(run_nested(pool, other, 3, 4) == std::vector<int>(12, 1));
}

TEST_CASE("An exception of an inner task passes through the outer one", "[core][executor]") {
  ThreadPool pool(3);
  const std::string thrown = refusal_of<std::out_of_range>([&] {
    pool.run(5, [&](Index i, int) {
      pool.run(4, [&](Index j, int) {
        if (i == 2 && j >= 1) throw std::out_of_range("task " + std::to_string(j));
      });
    });
  });
  CHECK(thrown == "task 1");
  CHECK(run_nested(pool, pool, 2, 2) == std::vector<int>(4, 1));
}

TEST_CASE("Several threads may use one pool at the same time", "[core][executor]") {
  ThreadPool pool(3);
  std::array<std::vector<int>, 4> done;
  {
    std::vector<std::jthread> threads;
    for (std::vector<int>& mine : done) {
      mine.resize(23);
      threads.emplace_back([&] {
        for (int round = 0; round < 100; ++round)
          pool.run(23, [&](Index i, int) { ++mine[static_cast<std::size_t>(i)]; });
      });
    }
  }
  for (const std::vector<int>& mine : done) CHECK(mine == std::vector<int>(23, 100));
}
