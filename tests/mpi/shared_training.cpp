// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// mpirun -n N elegans_mpi_shared_training: trains in many ways by N ranks together, and compares with one process.
// Sweeps. Prints what differs, and then ends with 1.

#include "support/shared_training.hpp"

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <elegans/mpi/mpi.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/evaluate.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/r2_score.hpp>

using namespace elegans;
using support::TinyModel;

static_assert(TrainableModel<mpi::DataParallel<TinyModel>>);
static_assert(SharedModel<mpi::DataParallel<LTC<float>>>);
static_assert(!std::is_copy_constructible_v<mpi::Session>);

namespace {

/// Counts what does not hold in this rank.
class Checks {
 public:
  explicit Checks(const mpi::Session& session) : session_(session) {}

  void require(bool holds, const std::string& what) {
    ++count_;
    if (holds) return;
    ++failures_;
    std::cerr << "rank " + std::to_string(session_.rank()) + " of " + std::to_string(session_.size()) + ": " + what +
                     "\n";
  }
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  const mpi::Session& session_;
  int count_ = 0, failures_ = 0;
};

void check_training(mpi::Session& session, Checks& checks) {
  std::map<std::string, support::Outcome> alone;
  support::for_each_shared_training([](auto& model) -> auto& { return model; },
                                    [&](const char* name, const support::Outcome& outcome) { alone[name] = outcome; });
  std::size_t trained = 0;
  support::for_each_shared_training(
      [&]<typename Model>(Model& model) { return mpi::DataParallel<Model>(session, model); },
      [&](const char* name, const support::Outcome& outcome) {
        ++trained;
        checks.require(support::same_bits(outcome, alone.at(name)), std::string(name) + " differs from one process");
      });
  checks.require(trained == alone.size() && trained == 14, "not every training ran");
}

void check_data_parallel(mpi::Session& session, Checks& checks) {
  // Every rank gets the parameters of rank 0.
  TinyModel model;
  model.update_unconstrained([&](VectorView<double> all) { all[0] = 0.5 + session.rank(); });
  mpi::DataParallel parallel(session, model);
  checks.require(model.at(0) == 0.5, "rank 0's parameters did not arrive");

  // The ranks share an evaluation.
  const Dataset<double> data = support::uneven_data();
  const auto together = evaluate(parallel, data, {.batch_size = 3}, MeanSquaredError{}, R2{});
  const auto alone = evaluate(model, data, {.batch_size = 3}, MeanSquaredError{}, R2{});
  checks.require(together == alone, "an evaluation by all ranks differs from one by one");

  // A callback on rank 0 alone runs there, and stops all.
  int calls = 0, batches = 0;
  const auto history =
      fit(parallel, data, Adam<double>(), {.epochs = 9, .grain = 4},
          mpi::on_root(session,
                       [&](const Epoch<double>& epoch) {
                         ++calls;
                         return epoch.number < 3;
                       }),
          mpi::on_root(session, on_batch_end([&](TinyModel&, const BatchEnd<double>&) { ++batches; })));
  checks.require(history.loss.size() == 3 && history.stopped_by == StopReason::callback,
                 "rank 0 did not stop all ranks");
  checks.require(calls == (session.is_root() ? 3 : 0), "a callback of rank 0 ran elsewhere");
  checks.require(batches == calls, "a batch callback of rank 0 ran elsewhere");
}

/// A message of several megabytes comes whole, and so do numbers of ranks that have none.
void check_group(mpi::Session& session, Checks& checks) {
  mpi::Group group(session);
  std::vector<float> large(3'000'000, session.is_root() ? 7.0f : 0.0f);
  group.broadcast(large.data(), static_cast<Index>(large.size()));
  checks.require(large.front() == 7 && large.back() == 7, "a large broadcast did not arrive");
  std::vector<double> all;
  group.gather(std::vector<double>(session.rank() % 2 == 0 ? 2U : 0U, session.rank()), all);
  checks.require(all.size() == 2 * ((static_cast<std::size_t>(session.size()) + 1) / 2) &&
                     all.back() == 2 * ((session.size() - 1) / 2),
                 "numbers of all ranks did not arrive");
  checks.require(group.smallest(5 - session.rank()) == 6 - session.size(), "the smallest value is another");
}

void check_sweep(mpi::Session& session, Checks& checks) {
  std::vector<int> numbers;
  for (int i = 0; i < 23; ++i) numbers.push_back(i);
  const auto squares = mpi::sweep(session, numbers, [](int number) {
    if (number % 5 == 3) throw std::invalid_argument("no " + std::to_string(number));
    return static_cast<double>(number) * number;
  });
  checks.require(squares.size() == 23, "a sweep lost configurations");
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const auto& outcome = squares[i];
    const bool fails = i % 5 == 3;
    checks.require(outcome.result.has_value() != fails,
                   "a sweep has no result where there is one, or the other way round");
    checks.require(fails ? outcome.error == "no " + std::to_string(i)
                         : *outcome.result == static_cast<double>(i * i) && outcome.error.empty(),
                   "a sweep's result is wrong");
    checks.require(outcome.rank >= 0 && outcome.rank < session.size(), "a sweep's rank is wrong");
  }
  // Results of any length, and none at all.
  const auto texts =
      mpi::sweep(session, numbers, [](int number) { return std::string(static_cast<std::size_t>(number), 'x'); });
  const auto lists =
      mpi::sweep(session, numbers, [](int number) { return std::vector<float>(1, 0.5f * static_cast<float>(number)); });
  checks.require(texts[0].result == "" && texts[22].result == std::string(22, 'x'), "a text is wrong");
  checks.require(lists[21].result == std::vector<float>{10.5f}, "a list is wrong");
  checks.require(mpi::sweep(session, std::vector<int>{}, [](int number) { return number; }).empty(),
                 "a sweep of nothing");

  // Trainings, each by one rank: the same as without MPI.
  const std::vector<std::uint64_t> seeds{1, 2, 3, 4, 5};
  const auto train = [](std::uint64_t seed) {
    TinyModel model;
    return fit(model, support::tiny_data(6, 12), Adam<double>(), {.epochs = 3, .batch_size = 4, .seed = seed}).loss;
  };
  const auto losses = mpi::sweep(session, seeds, train);
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    checks.require(losses[i].result == train(seeds[i]), "a training of a sweep is another");
  }
}

}  // namespace

int main(int argc, char** argv) {
  mpi::Session session(argc, argv);
  Checks checks(session);
  check_group(session, checks);
  check_training(session, checks);
  check_data_parallel(session, checks);
  check_sweep(session, checks);
  mpi::Group group(session);
  const bool all_hold = elegans::detail::all_of(group, checks.failures() == 0);
  if (session.is_root() && all_hold) {
    std::cout << session.size() << " ranks: " << checks.count() << " checks hold in each\n";
  }
  return all_hold ? 0 : 1;
}
