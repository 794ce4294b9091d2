// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include <elegans/core/error.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/training_group.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"
#include "support/shared_training.hpp"
#include "support/thread_group.hpp"

using namespace elegans;
using support::ThreadGroup;
using support::ThreadShared;
using support::TinyModel;

static_assert(TrainingGroup<detail::SingleProcess, float>);
static_assert(TrainingGroup<ThreadGroup, double>);
static_assert(SharedModel<ThreadShared<TinyModel>>);
static_assert(!SharedModel<TinyModel>);

TEST_CASE("Every share of the grains is as large as the others, or one larger", "[train][group]") {
  for (Index count = 0; count < 30; ++count) {
    for (int ranks = 1; ranks < 9; ++ranks) {
      Index next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const detail::Share share = detail::share_of(count, rank, ranks);
        CHECK(share.first == next);
        CHECK(share.size() >= count / ranks);
        CHECK(share.size() <= (count + ranks - 1) / ranks);
        next = share.last;
        CHECK(detail::share_of(count, 0, ranks, rank + 1).last == next);
      }
      CHECK(next == count);
    }
  }
}

TEST_CASE("A training that processes share is the training of one, to the bit", "[train][group][fit]") {
  std::map<std::string, support::Outcome> alone;
  support::for_each_shared_training([](auto& model) -> auto& { return model; },
                                    [&](const char* name, const support::Outcome& outcome) { alone[name] = outcome; });
  CHECK(alone.size() == 14);
  for (const int size : {1, 2, 3, 4, 7}) {
    std::mutex mutex;
    int same = 0;
    std::string different;
    support::run_in_threads(size, [&](ThreadGroup& group) {
      support::for_each_shared_training([&]<typename Model>(Model& model) { return ThreadShared<Model>{model, group}; },
                                        [&](const char* name, const support::Outcome& outcome) {
                                          const std::lock_guard lock(mutex);
                                          if (support::same_bits(outcome, alone.at(name))) {
                                            ++same;
                                          } else {
                                            different += detail::concatenate(name, " on process ", group.rank(), " of ",
                                                                             size, "; ");
                                          }
                                        });
    });
    CHECK(different == "");
    CHECK(same == 14 * size);
  }
}

TEST_CASE("A process reads its own samples only", "[train][group][fit]") {
  for (const int size : {1, 3}) {
    std::atomic<Index> reads = 0, most = 0;
    support::run_in_threads(size, [&](ThreadGroup& group) {
      TinyModel model;
      ThreadShared<TinyModel> shared{model, group};
      support::CountingSource source{support::tiny_data(4, 24)};
      fit(shared, source, Adam<double>(), {.epochs = 2, .batch_size = 12, .grain = 2, .validation_split = 0.5});
      reads += source.reads;
      for (Index seen = most; seen < source.reads && !most.compare_exchange_weak(seen, source.reads);) {
      }
    });
    CHECK(reads == 2 * 24);
    CHECK(most == 2 * 24 / size);
  }
}

TEST_CASE("One process stops the training of all", "[train][group][fit]") {
  std::atomic<int> epochs = 0, batches = 0;
  support::run_in_threads(3, [&](ThreadGroup& group) {
    TinyModel model;
    ThreadShared<TinyModel> shared{model, group};
    epochs += static_cast<int>(fit(shared, support::tiny_data(4, 6), Adam<double>(), {.epochs = 9, .grain = 2},
                                   [&](const Epoch<double>& epoch) { return group.rank() != 1 || epoch.number < 4; })
                                   .loss.size());
    batches += static_cast<int>(fit(shared, support::tiny_data(4, 6), Adam<double>(), {.epochs = 9, .grain = 2},
                                    on_batch_end([&](TinyModel&, const BatchEnd<double>& batch) {
                                      return group.rank() != 2 || batch.epoch < 3;
                                    }))
                                    .loss.size());
  });
  CHECK(epochs == 3 * 4);
  CHECK(batches == 3 * 3);
}

TEST_CASE("Processes that train otherwise than the first one are refused", "[train][group][fit]") {
  const auto refusal = [](auto train) {
    std::mutex mutex;
    std::string message;
    support::run_in_threads(2, [&](ThreadGroup& group) {
      TinyModel model;
      ThreadShared<TinyModel> shared{model, group};
      try {
        train(shared, group.rank());
      } catch (const Error& error) {
        const std::lock_guard lock(mutex);
        message = error.what();
      }
    });
    return message;
  };
  CHECK(refusal([](auto& shared, int) { fit(shared, support::tiny_data(4, 6), Adam<double>()); }) ==
        "fit: processes share the grains of a batch, so grain must be at least 1, got 0");
  CHECK(refusal([](auto& shared, int rank) {
          detail::require_same_settings(shared.group(), {{"seed", rank == 0 ? "1" : "2"}, {"grain", "4"}}, 3 + rank);
        }) == "fit: process 1 trains otherwise than process 0: seed was 1, is 2; epochs was 3, is 4");
  CHECK(refusal([](auto& shared, int rank) {
          shared.model().update([&](VectorView<double> all) { all[0] = rank; });
          fit(shared, support::tiny_data(4, 6), Adam<double>(), {.epochs = 2, .grain = 2});
        }) ==
        "fit: after 0 epochs the processes do not have the same parameters: start with the same, and change them "
        "alike in every process");
}
