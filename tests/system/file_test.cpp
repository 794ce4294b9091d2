// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <elegans/system/file.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Folder {
  fs::path path = fs::temp_directory_path() / "elegans_file_test";
  Folder() {
    fs::remove_all(path);
    fs::create_directory(path);
  }
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] auto entries() const { return std::distance(fs::directory_iterator(path), {}); }
};

}  // namespace

TEST_CASE("A file holds what was written, every byte, and nothing else is left", "[core][file]") {
  const Folder folder;
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes.push_back(static_cast<char>(i * 7));
  elegans::write_file(folder.path / "a", bytes);
  CHECK(read(folder.path / "a") == bytes);
  elegans::write_file(folder.path / "a", "");
  CHECK(read(folder.path / "a").empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("A file that cannot be written is an error that names it and leaves nothing", "[core][file]") {
  const Folder folder;
  const fs::path nowhere = folder.path / "no" / "such";
  CHECK(support::refusal_of<elegans::RuntimeError>([&] { elegans::write_file(nowhere, "x"); }) ==
        "cannot write " + nowhere.string() + ": No such file or directory");
  // A folder in the way: the bytes were written, the rename fails.
  fs::create_directory(folder.path / "taken");
  std::ofstream(folder.path / "taken" / "inside") << "kept";
  const std::string message =
      support::refusal_of<elegans::RuntimeError>([&] { elegans::write_file(folder.path / "taken", "x"); });
  CHECK(message.find("taken") != std::string::npos);
  CHECK(folder.entries() == 1);
  CHECK(read(folder.path / "taken" / "inside") == "kept");
}

TEST_CASE("A file in pieces appears whole, or not at all if a piece fails", "[core][file]") {
  const Folder folder;
  elegans::write_file_in_pieces(folder.path / "a", [](const auto& write) {
    for (const char* piece : {"one ", "", "two"}) write(piece, std::string(piece).size());
  });
  CHECK(read(folder.path / "a") == "one two");
  CHECK(support::refusal_of([&] {
          elegans::write_file_in_pieces(folder.path / "a", [](const auto& write) {
            write("three", 5);
            elegans::detail::refuse("no more");
          });
        }) == "no more");
  CHECK(read(folder.path / "a") == "one two");
  CHECK(folder.entries() == 1);
}
