// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The program run_model, on every golden file of ncps, sample by sample.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/safetensors.hpp"

using elegans_test::GoldenFile;

namespace {

using Values = std::vector<double>;

/// Rows of numbers to a CSV file.
void write(const std::filesystem::path& path, const Values& values, std::size_t columns) {
  std::ofstream file(path);
  file << std::setprecision(17);
  for (std::size_t i = 0; i < values.size(); ++i) file << values[i] << ((i + 1) % columns ? ',' : '\n');
}

Values read(const std::filesystem::path& path) {
  std::string text = support::read(path);
  for (char& c : text) c = c == ',' ? ' ' : c;
  std::istringstream stream(text);
  Values values;
  for (double value = 0; stream >> value;) values.push_back(value);
  return values;
}

/// The part of a tensor that belongs to a sample.
Values sample_of(const elegans_test::Tensor& tensor, std::size_t sample) {
  const std::size_t size = tensor.values.size() / static_cast<std::size_t>(tensor.shape[0]);
  const auto first = tensor.values.begin() + static_cast<std::ptrdiff_t>(sample * size);
  return {first, first + static_cast<std::ptrdiff_t>(size)};
}

/// What a golden case passed to ncps, as run_model's arguments.
std::string arguments_of(const nlohmann::json& golden_case, std::size_t outputs) {
  const nlohmann::json given = golden_case.value("options", nlohmann::json::object());
  std::ostringstream text;
  if (!given.value("implicit_param_constraints", true)) text << " --constraints explicit";
  if (given.contains("ode_unfolds")) text << " --ode-unfolds " << given["ode_unfolds"];
  if (given.contains("epsilon")) text << " --epsilon " << given["epsilon"];
  if (given.contains("output_mapping") && given["output_mapping"].is_null()) text << " --outputs " << outputs;
  if (given.contains("mode")) text << " --mode " << given["mode"];
  if (given.contains("activation")) text << " --activation " << given["activation"];
  return text.str();
}

double largest(const Values& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

/// The largest difference, relative to the largest value; of unequal lengths the last values of `got` count.
double difference(const Values& got, const Values& expected) {
  if (got.size() < expected.size() || expected.empty()) return 1;
  double result = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    result = std::max(result, std::abs(got[got.size() - expected.size() + i] - expected[i]));
  }
  return result / largest(expected);
}

}  // namespace

TEST_CASE("run_model gives ncps' numbers for every golden file", "[examples][golden]") {
  const support::Folder folder;
  const auto in_folder = [&](const char* name) { return (folder.path / name).string(); };
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ELEGANS_TEST_DATA)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".safetensors" || name.starts_with("training_")) continue;
    ++files;
    INFO(name);
    const GoldenFile file(name);
    const auto batch = static_cast<std::size_t>(file["x"].shape[0]);
    for (std::size_t sample = 0; sample < batch; ++sample) {
      write(folder.path / "x", sample_of(file["x"], sample), static_cast<std::size_t>(file["x"].shape[2]));
      std::string command = std::string(ELEGANS_PROGRAMS) + "/run_model " + entry.path().string() + " --input " +
                            in_folder("x") + " --output " + in_folder("y") + " --final-state " + in_folder("state") +
                            arguments_of(file.metadata, static_cast<std::size_t>(file["output"].shape.back()));
      if (file.has("timespans")) {
        write(folder.path / "times", sample_of(file["timespans"], sample), 1);
        command += " --timespans " + in_folder("times");
      }
      if (file.has("h0")) {
        Values state = sample_of(file["h0"], sample);
        if (file.has("c0")) {
          for (const double value : sample_of(file["c0"], sample)) state.push_back(value);
        }
        write(folder.path / "initial", state, state.size());
        command += " --initial-state " + in_folder("initial");
      }
      for (const auto& [precision, tolerance] : {std::pair{"double", 1e-10}, std::pair{"float", 1e-5}}) {
        INFO("sample " << sample << ", " << precision);
        REQUIRE(std::system((command + " --precision " + precision).c_str()) == 0);
        CHECK(difference(read(folder.path / "y"), sample_of(file["output"], sample)) < tolerance);
        CHECK(difference(read(folder.path / "state"), sample_of(file["final_state"], sample)) < tolerance);
      }
    }
  }
  CHECK(files >= 29);
}
