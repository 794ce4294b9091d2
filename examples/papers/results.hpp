// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <iomanip>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/number_text.hpp>
#include <elegans/system/file.hpp>

#include "../support/csv.hpp"
#include "task.hpp"
#include "training.hpp"

namespace papers {

/// The outcomes of a task in a CSV file, a row each. A row that was finished once is not trained again.
class Results {
 public:
  static constexpr std::size_t columns = 10;

  /// Reads what is there. \throws elegans::InvalidArgument if the file is something else
  explicit Results(std::filesystem::path path) : path_(std::move(path)) {
    if (!std::filesystem::exists(path_)) return;
    const std::string text = examples::read_text(path_), name = path_.string();
    examples::CsvReader reader(text, name);
    std::vector<std::string> fields;
    for (bool is_first = true; reader.next(fields); is_first = false) {
      if (fields.size() != columns) reader.refuse(0, "must have ", columns, " columns, got ", fields.size());
      if (is_first) continue;
      Outcome outcome{.model = fields[0], .fingerprint = fields[9]};
      double numbers[columns - 2];
      for (std::size_t c = 1; c + 1 < columns; ++c) {
        if (!examples::read_number(fields[c], numbers[c - 1])) {
          reader.refuse(c + 1, "must be a number, got ", examples::shown(fields[c]));
        }
      }
      outcome.seed = static_cast<int>(numbers[0]);
      outcome.epochs = static_cast<int>(numbers[1]);
      outcome.score = numbers[2];
      outcome.best_epoch = static_cast<int>(numbers[3]);
      outcome.parameters = static_cast<Index>(numbers[4]);
      outcome.synapses = static_cast<int>(numbers[5]);
      outcome.seconds = numbers[6];
      outcome.resumed_after = static_cast<int>(numbers[7]);
      all_.push_back(std::move(outcome));
    }
  }

  /// The outcome of a run, if it is there.
  [[nodiscard]] std::optional<Outcome> find(const std::string& model, int seed, int epochs,
                                            const std::string& fingerprint) const {
    for (const Outcome& outcome : all_) {
      if (outcome.model == model && outcome.seed == seed && outcome.epochs == epochs &&
          outcome.fingerprint == fingerprint) {
        return outcome;
      }
    }
    return std::nullopt;
  }

  /// Adds an outcome, in place of one of the same model and seed, and writes the file.
  void add(const Outcome& outcome) {
    std::erase_if(all_,
                  [&](const Outcome& other) { return other.model == outcome.model && other.seed == outcome.seed; });
    all_.push_back(outcome);
    std::string text =
        "model,seed,epochs,test_score,best_epoch,parameters,synapses,seconds,resumed_after,fingerprint\n";
    for (const Outcome& o : all_) {
      text += elegans::detail::concatenate(
          o.model, ",", o.seed, ",", o.epochs, ",", elegans::detail::number_text(o.score, 9), ",", o.best_epoch, ",",
          o.parameters, ",", o.synapses, ",", elegans::detail::number_text(o.seconds, 4), ",", o.resumed_after, ",",
          o.fingerprint, "\n");
    }
    elegans::write_file(path_, text);
  }

 private:
  std::filesystem::path path_;
  std::vector<Outcome> all_;
};

/// What came of a contender over all seeds.
struct Row {
  std::string model;
  std::optional<Published> published;
  std::vector<Outcome> outcomes;

  /// Mean of a member of the outcomes.
  [[nodiscard]] double mean_of(double Outcome::* member) const {
    double sum = 0;
    for (const Outcome& outcome : outcomes) sum += outcome.*member;
    return sum / static_cast<double>(outcomes.size());
  }
  /// Standard deviation of the scores, as `numpy.std` has it.
  [[nodiscard]] double deviation() const {
    const double mean = mean_of(&Outcome::score);
    double sum = 0;
    for (const Outcome& outcome : outcomes) sum += (outcome.score - mean) * (outcome.score - mean);
    return std::sqrt(sum / static_cast<double>(outcomes.size()));
  }
};

/// A score as the papers print it: a share in per cent.
inline std::string score_text(Measure measure, double mean, double deviation) {
  const bool is_share = measure == Measure::accuracy || measure == Measure::yes_or_no;
  std::ostringstream text;
  text << std::fixed << std::setprecision(is_share ? 2 : 4) << (is_share ? 100 : 1) * mean << " +- "
       << (is_share ? 100 : 1) * deviation << (is_share ? " %" : "");
  return text.str();
}

inline void print_table(const std::vector<Row>& rows, Measure measure, std::ostream& out) {
  out << "\n"
      << std::left << std::setw(14) << "model" << std::right << std::setw(6) << "seeds" << std::setw(20) << "test score"
      << std::setw(20) << "published" << std::setw(12) << "parameters" << std::setw(10) << "synapses" << std::setw(15)
      << "seconds / run\n";
  for (const Row& row : rows) {
    out << std::left << std::setw(14) << row.model << std::right << std::setw(6) << row.outcomes.size() << std::setw(20)
        << score_text(measure, row.mean_of(&Outcome::score), row.deviation()) << std::setw(20)
        << (row.published ? score_text(measure, row.published->mean, row.published->deviation) : "-") << std::setw(12)
        << row.outcomes.front().parameters << std::setw(10) << row.outcomes.front().synapses << std::setw(14)
        << std::fixed << std::setprecision(1) << row.mean_of(&Outcome::seconds) << "\n";
  }
}

inline std::string table_csv(const std::vector<Row>& rows) {
  std::string text = "model,seeds,mean,deviation,published_mean,published_deviation,parameters,synapses,seconds\n";
  const auto number = [](double value) { return elegans::detail::number_text(value, 9); };
  for (const Row& row : rows) {
    text += elegans::detail::concatenate(
        row.model, ",", row.outcomes.size(), ",", number(row.mean_of(&Outcome::score)), ",", number(row.deviation()),
        ",", row.published ? number(row.published->mean) : "", ",",
        row.published ? number(row.published->deviation) : "", ",", row.outcomes.front().parameters, ",",
        row.outcomes.front().synapses, ",", number(row.mean_of(&Outcome::seconds)), "\n");
  }
  return text;
}

}  // namespace papers
