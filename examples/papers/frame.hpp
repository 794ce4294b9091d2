// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/system/file.hpp>
#include <elegans/train/fingerprint.hpp>

#include "../support/csv.hpp"
#include "../support/gnuplot.hpp"
#include "results.hpp"
#include "task.hpp"
#include "training.hpp"

namespace papers {

/// How a task is run.
struct RunOptions {
  std::string model = "all";
  int seeds = 5, epochs = -1;  ///< -1 for the task's number
  unsigned threads = 1;
  std::filesystem::path out = "out";
};

/// Runs a task: trains each contender with each seed, unless that was done before, and shows what came of it.
class Run {
 public:
  /// \param name  of the task and its protocol, with which the names of its files begin
  /// \param log   where progress and the table go
  Run(const Task& task, std::string name, const RunOptions& options, std::ostream& log)
      : task_(task),
        name_(std::move(name)),
        options_(options),
        log_(log),
        epochs_(options.epochs < 0 ? task.epochs : options.epochs),
        results_(options.out / (name_ + ".csv")) {
    elegans::detail::Hash hash;
    for (const auto* part : {&task.data.training, &task.data.validation, &task.data.test}) {
      for (const auto* values : {&part->x, &part->y}) {
        hash.add(values->values().data(), static_cast<std::size_t>(values->values().size()));
      }
    }
    data_hash_ = hash.text();
  }

  void run() {
    std::vector<Row> rows;
    for (const Contender& contender : task_.contenders) {
      if (options_.model != "all" && options_.model != contender.name) continue;
      rows.push_back({contender.name, contender.published, {}});
      add_jobs(contender);
    }
    if (rows.empty()) {
      std::string names;
      for (const Contender& contender : task_.contenders) names += (names.empty() ? "" : ", ") + contender.name;
      elegans::detail::refuse("--model must be all or one of ", names, ", got ", options_.model);
    }
    work();
    for (Row& row : rows) {
      for (const Job& job : jobs_) {
        if (job.contender->name == row.model) row.outcomes.push_back(job.outcome);
      }
    }
    print_table(rows, task_.measure, log_);
    elegans::write_file(options_.out / (name_ + "_table.csv"), table_csv(rows));
    plot(rows);
  }

 private:
  struct Job {
    const Contender* contender;
    int seed;
    std::string fingerprint;
    Outcome outcome;
    bool is_done;
    std::exception_ptr failure;
  };

  void add_jobs(const Contender& contender) {
    for (int seed = 1; seed <= options_.seeds; ++seed) {
      const Model model = contender.make(static_cast<std::uint64_t>(seed));
      const std::string fingerprint = fingerprint_of(contender, model);
      const auto found = results_.find(contender.name, seed, epochs_, fingerprint);
      jobs_.push_back({&contender, seed, fingerprint, found.value_or(Outcome{}), found.has_value(), {}});
    }
  }

  [[nodiscard]] std::string fingerprint_of(const Contender& contender, const Model& model) const {
    const Training& t = contender.training;
    elegans::detail::Hash hash;
    hash.add(data_hash_);
    hash.add(elegans::detail::plain_text(t.rmsprop, ' ', t.learning_rate, ' ', t.epsilon, ' ', t.decay, ' ', t.cosine,
                                         ' ', t.tensor_norm, ' ', t.global_norm, ' ', t.kernel_l2, ' ', t.batch_size,
                                         ' ', t.drop_last, ' ', t.elapsed_scale, ' ', t.elapsed_plus));
    hash.add(model.summary());
    hash.add(model.parameters().data(), static_cast<std::size_t>(model.parameters().size()));
    return hash.text();
  }

  /// The data with the elapsed times that a contender is to see.
  const Data& data_for(const Contender& contender) {
    const std::pair<double, double> key{contender.training.elapsed_scale, contender.training.elapsed_plus};
    if (key == std::pair{1.0, 0.0}) return task_.data;
    const std::lock_guard guard(mutex_);
    const auto [entry, is_new] = data_.try_emplace(key, task_.data);
    if (is_new) {
      for (auto* part : {&entry->second.training, &entry->second.validation, &entry->second.test}) {
        if (part->samples() == 0) continue;
        Eigen::ArrayXXf spans(part->x.time(), part->samples());
        for (Index b = 0; b < spans.cols(); ++b) {
          for (Index t = 0; t < spans.rows(); ++t) {
            spans(t, b) = static_cast<Scalar>(key.first * double{part->timespans(t, b)} + key.second);
          }
        }
        const bool is_uniform = spans.minCoeff() == spans.maxCoeff();
        part->timespans = is_uniform ? elegans::Timespans<Scalar>(spans(0, 0)) : elegans::Timespans<Scalar>(spans);
      }
    }
    return entry->second;
  }

  void say(const std::string& line) {
    const std::lock_guard guard(mutex_);
    log_ << line << '\n' << std::flush;
  }

  /// Does what is not done yet. A training gives the same numbers whatever runs beside it.
  void work() {
    std::atomic<std::size_t> next = 0;
    {
      std::vector<std::jthread> threads;
      for (unsigned t = 0; t < options_.threads; ++t) {
        threads.emplace_back([&] {
          for (std::size_t k = next++; k < jobs_.size(); k = next++) {
            if (jobs_[k].is_done) continue;
            try {
              do_job(jobs_[k]);
            } catch (...) {
              jobs_[k].failure = std::current_exception();
            }
          }
        });
      }
    }
    for (const Job& job : jobs_) {
      if (job.failure) std::rethrow_exception(job.failure);
    }
  }

  void do_job(Job& job) {
    Model model = job.contender->make(static_cast<std::uint64_t>(job.seed));
    job.outcome = train(task_, data_for(*job.contender), *job.contender, model, job.seed, epochs_, options_.out / name_,
                        [this](const std::string& line) { say(line); });
    job.outcome.fingerprint = job.fingerprint;
    std::ostringstream line;
    line << job.contender->name << ", seed " << job.seed << ": test score " << job.outcome.score << " of epoch "
         << job.outcome.best_epoch << " of " << epochs_ << ", " << job.outcome.seconds << " s";
    say(line.str());
    if (job.seed == 1 && task_.data.recording.rows() > 0) write_prediction(model, *job.contender);
    const std::lock_guard guard(mutex_);
    results_.add(job.outcome);
  }

  [[nodiscard]] std::filesystem::path file_of(const Contender& contender, const char* end) const {
    return options_.out / (name_ + "_" + contender.name + "_1" + end);
  }

  /// Predicts the first 200 steps of a recording, each from those before it, and writes prediction and truth side by
  /// side.
  void write_prediction(Model& model, const Contender& contender) const {
    const auto& recording = task_.data.recording;
    const Index steps = std::min<Index>(recording.rows() - 1, 200);
    const double elapsed = contender.training.elapsed_scale + contender.training.elapsed_plus;
    const elegans::Sequence<Scalar> prediction =
        model(elegans::Sequence<Scalar>(recording.topRows(steps)), {.timespans = static_cast<Scalar>(elapsed)});
    std::vector<std::string> names{"step"};
    for (Index f = 0; f < recording.cols(); ++f) {
      for (const char* what : {"true_", "predicted_"}) names.push_back(what + std::to_string(f));
    }
    elegans::write_file(file_of(contender, "_prediction.csv"),
                        examples::csv(names, steps, [&](Eigen::Index t, std::size_t c) {
                          if (c == 0) return static_cast<double>(t);
                          const auto f = static_cast<Eigen::Index>((c - 1) / 2);
                          return c % 2 == 1 ? recording(t + 1, f) : double{prediction(t, 0, f)};
                        }));
  }

  /// Draws the table; and of the first seed of each contender the losses, and the prediction of a recording.
  void plot(const std::vector<Row>& rows) const {
    double low = rows.front().mean_of(&Outcome::score), high = low;
    const auto widen = [&](double mean, double deviation) {
      low = std::min(low, mean - deviation);
      high = std::max(high, mean + deviation);
    };
    for (const Row& row : rows) {
      widen(row.mean_of(&Outcome::score), row.deviation());
      if (row.published) widen(row.published->mean, row.published->deviation);
    }
    const auto draw = [&](const char* script, const std::filesystem::path& picture,
                          const std::vector<std::string>& arguments) {
      return examples::gnuplot(std::filesystem::path(ELEGANS_EXAMPLES_DIR) / "plots" / script, picture, arguments);
    };
    if (!draw("papers.gp", options_.out / (name_ + ".png"),
              {(options_.out / (name_ + "_table.csv")).string(), task_.title,
               larger_is_better(task_.measure) ? "score, larger is better" : "mean squared error",
               std::to_string(rows.size()), elegans::detail::number_text(low, 9),
               elegans::detail::number_text(high, 9)})) {
      log_ << "\nThere is no gnuplot here, so there are no plots. All numbers are written.\n";
      return;
    }
    for (const Job& job : jobs_) {
      if (job.seed != 1 || epochs_ < 2) continue;
      const auto numbers = file_of(*job.contender, "_losses.csv"),
                 prediction = file_of(*job.contender, "_prediction.csv");
      if (std::filesystem::exists(numbers)) {
        draw("losses.gp", file_of(*job.contender, "_losses.png"), {numbers.string(), job.contender->name});
      }
      if (std::filesystem::exists(prediction)) {
        draw("half_cheetah.gp", file_of(*job.contender, "_prediction.png"), {prediction.string(), job.contender->name});
      }
    }
  }

  const Task& task_;
  std::string name_;
  const RunOptions& options_;
  std::ostream& log_;
  int epochs_;
  Results results_;
  std::string data_hash_;
  std::vector<Job> jobs_;
  std::map<std::pair<double, double>, Data> data_;
  std::mutex mutex_;  // of the results, the log and the data
};

}  // namespace papers
