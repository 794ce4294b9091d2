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

TEST_CASE("A pool does each task once, with no worker twice at a time", "[core][executor]") {
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

TEST_CASE("What a worker has is seen by the next one with its number, and by the caller", "[core][executor]") {
  // That the sums are ordered is the pool's doing, and ThreadSanitizer's to judge: relaxed, the counter orders nothing.
  ThreadPool pool(3);
  std::array<Index, 3> sums{};
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> arrived = 0;
    pool.run(3, [&](Index i, int worker) {
      arrived.fetch_add(1, std::memory_order_relaxed);
      while (arrived.load(std::memory_order_relaxed) < 3) std::this_thread::yield();  // all three at a time
      sums[static_cast<std::size_t>(worker)] += i;
    });
    REQUIRE(sums[0] + sums[1] + sums[2] == 3 * (round + 1));
  }
}

TEST_CASE("A pool has at least one worker", "[core][executor]") {
  CHECK_THROWS_WITH(ThreadPool(0), "ThreadPool: workers must be at least 1, got 0");
}

TEST_CASE("What a task throws is thrown by run, when all tasks are done", "[core][executor]") {
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
      // Of several, the one that would have come without threads.
      CHECK(thrown == "task 3");
      CHECK(done == std::vector<int>(23, 1));
    }
    // What is no std::exception, too; and the pool goes on as before.
    CHECK_THROWS_AS(pool.run(3, [](Index, int) { throw 7; }), int);
    std::atomic<int> count = 0;
    pool.run(9, [&](Index, int) { ++count; });
    CHECK(count == 9);
  }
}

TEST_CASE("An exception thrown on is the one that was thrown", "[core][executor]") {
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
