// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Makes every allocation, every file operation and every call of a user's function fail once during a short `fit`, as
// SQLite's tests do. Replaces operator new and the C library's file functions, so it is a program of its own.

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlfcn.h>

#include <elegans/io/checkpoint.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/csv_log.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/schedule.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

namespace {

enum class Kind { none, allocation, file, user };

/// Which operations are counted, how many there were, and which one fails; the first is number 1, and 0 fails none.
struct Faults {
  Kind kind = Kind::none;
  long count = 0;
  long fails_at = 0;
} faults;

bool fails(Kind kind) noexcept { return faults.kind == kind && ++faults.count == faults.fails_at; }

void user_function() {
  if (fails(Kind::user)) throw std::runtime_error("a user's function");
}

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (fails(Kind::allocation)) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const memory = allocate(size, alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int io_error() {
  errno = EIO;
  return -1;
}

}  // namespace

void* operator new(std::size_t size) { return allocate_or_throw(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
// The buffer of std::stable_sort comes from here.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, alignof(std::max_align_t));
}
// Not inlined: g++ would see the memory of one function given back to another, and warn.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" {
std::FILE* fopen(const char* path, const char* mode) {
  if (fails(Kind::file)) return io_error(), nullptr;
  return next<std::FILE*(const char*, const char*)>("fopen")(path, mode);
}
std::size_t fwrite(const void* bytes, std::size_t size, std::size_t count, std::FILE* file) {
  if (fails(Kind::file)) return io_error(), 0;
  return next<std::size_t(const void*, std::size_t, std::size_t, std::FILE*)>("fwrite")(bytes, size, count, file);
}
int fflush(std::FILE* file) { return fails(Kind::file) ? io_error() : next<int(std::FILE*)>("fflush")(file); }
int fsync(int) { return fails(Kind::file) ? io_error() : 0; }  // thousands of true ones would take minutes
int fclose(std::FILE* file) {
  const bool failed = fails(Kind::file);
  const int result = next<int(std::FILE*)>("fclose")(file);
  return failed ? io_error() : result;
}
int rename(const char* from, const char* to) noexcept {
  return fails(Kind::file) ? io_error() : next<int(const char*, const char*)>("rename")(from, to);
}
}

using namespace elegans;

namespace {

struct FaultyLoss : MeanSquaredError {
  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
                    ArrayView<Scalar> d_prediction) const {
    user_function();
    return MeanSquaredError::operator()(prediction, target, weight, d_prediction);
  }
};

struct FaultyMetric {
  static constexpr const char* name = "faulty";
  double operator()(ConstArrayView<double>, ConstArrayView<double>, const auto& weight) const {
    user_function();
    return weight.sum();
  }
};

struct FaultyAdam : Adam<double> {
  using Adam<double>::Adam;
  void step(VectorView<double> parameters, ConstVectorView<double> gradient,
            std::span<const ParameterRange> ranges = {}) {
    parameters *= 1.0;
    Adam<double>::step(parameters, gradient, ranges);
    user_function();  // after the parameters changed
  }
};

/// A training whose result can be looked at after it failed.
struct Run {
  static constexpr int epochs = 3;

  explicit Run(const std::filesystem::path& folder) : checkpoint(folder / "run.safetensors"), log(folder / "log.csv") {
    data = {.x = Sequence<double>(3, 4, 2), .y = Sequence<double>(3, 4, 1)};
    data.x.values().setLinSpaced(-1, 1);
    data.y.values().setLinSpaced(0, 1);
  }

  void fit() {
    Checkpoint file(checkpoint, {.every = 1, .seconds = 0});
    CsvLog csv(log);
    elegans::fit(
        model, data, std::ref(optimizer),
        {.epochs = epochs,
         .batch_size = 2,
         .grain = 1,
         .validation_split = 0.25,
         .schedule =
             [](int epoch, int of) {
               user_function();
               return CosineDecay{}(epoch, of);
             },
         .freeze = {"sigma"},
         .groups = {{.parameters = {"w"}, .learning_rate_factor = 0.5}},
         .show_progress = false},
        [](const Epoch<double>&) { user_function(); }, on_batch_end([](auto&, const auto&) { user_function(); }), file,
        csv, loss(FaultyLoss{}), FaultyMetric{},
        [](VectorView<double> gradient, double) {
          gradient *= 0.5;
          user_function();
        },
        [&](const Epoch<double>& epoch) {
          user_function();
          if (boundaries) (*boundaries)[epoch.number] = model.parameters();
        });
  }

  std::filesystem::path checkpoint, log;
  Dataset<double> data;
  LTC<double> model{AutoNCP(4, 1), 2};
  FaultyAdam optimizer{AdamOptions{.learning_rate = 0.02}};
  std::map<int, Eigen::ArrayXd>* boundaries = nullptr;
};

/// The first lines of a text.
std::string head(const std::string& text, int lines) {
  std::size_t end = 0;
  while (lines-- > 0) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

}  // namespace

TEST_CASE("Whatever fails in fit, model, optimizer and files are as they were before the epoch", "[io][fit][faults]") {
  constexpr const char* earlier = "the log of an earlier run\n";
  std::map<int, Eigen::ArrayXd> after;
  std::string whole_log;
  {
    support::Folder folder;
    Run run(folder.path);
    after[0] = run.model.parameters();
    run.boundaries = &after;
    run.fit();
    whole_log = support::read(run.log);
    REQUIRE(after.size() == 4);
  }

  for (const Kind kind : {Kind::user, Kind::file, Kind::allocation}) {
    long failures = 0;
    for (long k = 1;; ++k) {
      support::Folder folder;
      Run run(folder.path);
      std::ofstream(run.log) << earlier;
      bool failed = false;
      faults = {kind, 0, k};
      try {
        run.fit();
      } catch (const std::exception&) {
        failed = true;
      }
      const bool reached = faults.count >= k;
      faults = {};
      if (!reached) break;
      INFO("operation " << k << " of kind " << static_cast<int>(kind));
      if (failed) {
        ++failures;
        int epoch = 0;
        while (epoch < Run::epochs && !(run.model.parameters() == after[epoch]).all()) ++epoch;
        REQUIRE(epoch < Run::epochs);
        CHECK(run.optimizer.learning_rate() == 0.02);
        CHECK(run.optimizer.steps() == 2 * epoch);
        TrainingState<double> state;
        CHECK(Checkpoint(run.checkpoint).load(state) == (epoch > 0));
        CHECK(state.epochs == epoch);
        CHECK(support::read(run.log) == (epoch == 0 ? earlier : head(whole_log, 1 + epoch)));
        CHECK(folder.entries() == (epoch == 0 ? 1 : 2));
      }
      // Nothing stands in the way of a second attempt. Of the many allocations, one in ten is enough for that.
      if (kind == Kind::allocation && k % 10 != 0) continue;
      Run again(folder.path);
      again.fit();
      CHECK((again.model.parameters() == after[Run::epochs]).all());
      CHECK(again.optimizer.steps() == 2 * Run::epochs);
      CHECK(support::read(run.log) == whole_log);
    }
    INFO("kind " << static_cast<int>(kind));
    CHECK(failures > (kind == Kind::allocation ? 300 : 20));
  }
}
