// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elegans/system/file.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/refusal.hpp"

namespace fs = std::filesystem;
using elegans::write_file;
using elegans::detail::UnfinishedFile;
using support::Folder;
using support::read;

namespace {

unsigned mode_of(const fs::path& path) {
  struct ::stat found{};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

/// Starts to write a file in another process, which is killed in the middle.
void write_and_die(const fs::path& path) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    UnfinishedFile file(path);
    file.write("half", 4);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("A file holds what was written, every byte, and nothing else is left", "[system][file]") {
  const Folder folder;
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes.push_back(static_cast<char>(i * 7));
  write_file(folder.path / "a", bytes);
  CHECK(read(folder.path / "a") == bytes);
  write_file(folder.path / "a", "");
  CHECK(read(folder.path / "a").empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("A file that cannot be written is an error that names it and leaves nothing", "[system][file]") {
  const Folder folder;
  const auto refusal = [](const fs::path& path) {
    return support::refusal_of<elegans::RuntimeError>([&] { write_file(path, "x"); });
  };
  const fs::path nowhere = folder.path / "no" / "such";
  CHECK(refusal(nowhere) == "cannot write " + nowhere.string() + ": No such file or directory");
  fs::create_directory(folder.path / "taken");
  std::ofstream(folder.path / "taken" / "inside") << "kept";
  CHECK(refusal(folder.path / "taken") == "cannot write " + (folder.path / "taken").string() + ": Is a directory");
  CHECK(folder.entries() == 1);
  CHECK(read(folder.path / "taken" / "inside") == "kept");
  const fs::path too_long = folder.path / std::string(256, 'n');
  CHECK(refusal(too_long) == "cannot write " + too_long.string() + ": File name too long");
  CHECK(folder.entries() == 1);
  std::ofstream(folder.path / "sealed") << "before";
  fs::permissions(folder.path / "sealed", fs::perms::owner_read);
  // The superuser may write everything.
  if (::geteuid() != 0) CHECK(refusal(folder.path / "sealed").ends_with("sealed: Permission denied"));
}

TEST_CASE("A file in pieces appears whole, or not at all if a piece fails", "[system][file]") {
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

TEST_CASE("A symbolic link stays one, and the file behind it is replaced", "[system][file]") {
  const Folder folder;
  fs::create_directory(folder.path / "data");
  fs::create_directory(folder.path / "links");
  const fs::path file = folder.path / "data" / "file", first = folder.path / "first",
                 second = folder.path / "links" / "l";
  std::ofstream(file) << "before";
  fs::create_symlink(fs::path("..") / "data" / "file", second);
  fs::create_symlink(fs::path("links") / "l", first);
  write_file(first, "after");
  CHECK(fs::is_symlink(first));
  CHECK(fs::is_symlink(second));
  CHECK(read(file) == "after");
  // A link to a file that is not there yet.
  fs::remove(file);
  write_file(first, "new");
  CHECK(fs::is_symlink(second));
  CHECK(read(file) == "new");
  CHECK(folder.entries() == 3);
  // A link in a circle, and one to a pipe or a device.
  fs::create_symlink("circle", folder.path / "circle");
  CHECK(support::refusal_of<elegans::RuntimeError>([&] { write_file(folder.path / "circle", "x"); }) ==
        "cannot write " + (folder.path / "circle").string() + ": Too many levels of symbolic links");
  fs::create_symlink("/dev/null", folder.path / "device");
  write_file(folder.path / "device", "x");
  CHECK(fs::is_symlink(folder.path / "device"));
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("A file that is replaced keeps its mode, a new one has that of any new file", "[system][file]") {
  const Folder folder;
  for (const unsigned mode : {0600U, 0644U, 0660U, 0666U, 0755U}) {
    const fs::path path = folder.path / std::to_string(mode);
    std::ofstream(path) << "before";
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    write_file(path, "after");
    CHECK(mode_of(path) == mode);
    CHECK(read(path) == "after");
  }
  const mode_t before = ::umask(027);
  write_file(folder.path / "new", "x");
  ::umask(before);
  CHECK(mode_of(folder.path / "new") == 0640);
}

TEST_CASE("Nobody else can read what replaces a private file, not even while it is written", "[system][file]") {
  const Folder folder;
  std::ofstream(folder.path / "private") << "before";
  REQUIRE(::chmod((folder.path / "private").c_str(), 0600) == 0);
  const UnfinishedFile file(folder.path / "private");
  CHECK(mode_of(file.temporary()) == 0600);
}

TEST_CASE("A name may be as long as the system allows", "[system][file]") {
  const Folder folder;
  for (const std::size_t length : {200U, 240U, 255U}) {
    const fs::path path = folder.path / std::string(length, 'n');
    write_file(path, "x");
    CHECK(read(path) == "x");
  }
  CHECK(folder.entries() == 3);
  const fs::path before = fs::current_path();
  fs::current_path(folder.path);
  write_file("short", "in the current folder");
  fs::current_path(before);
  CHECK(read(folder.path / "short") == "in the current folder");
}

TEST_CASE("What a killed writer leaves, the next one removes", "[system][file]") {
  const Folder folder;
  const fs::path path = folder.path / "file";
  write_file(path, "whole");
  write_and_die(path);
  CHECK(folder.entries() == 2);
  CHECK(read(path) == "whole");
  write_file(path, "again");
  CHECK(folder.entries() == 1);
  CHECK(read(path) == "again");
  // Several at once, and one that is still at work: its file stays.
  {
    UnfinishedFile at_work(path);
    at_work.write("at work", 7);
    write_and_die(path);
    std::ofstream(folder.path / "other") << "stays";
    write_file(path, "meanwhile");
    CHECK(folder.entries() == 3);
    CHECK(read(path) == "meanwhile");
    at_work.finish();
  }
  CHECK(read(path) == "at work");
  CHECK(folder.entries() == 2);
  CHECK(read(folder.path / "other") == "stays");
}

TEST_CASE("Many writers of one file leave one of their texts whole", "[system][file]") {
  const Folder folder;
  const fs::path path = folder.path / "file";
  std::vector<pid_t> children;
  for (int writer = 0; writer < 4; ++writer) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        for (int i = 0; i < 50; ++i) write_file(path, std::string(50000, static_cast<char>('a' + writer)));
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  const std::string text = read(path);
  CHECK(text.size() == 50000);
  CHECK(text.find_first_not_of(text[0]) == std::string::npos);
  CHECK(folder.entries() == 1);
}

TEST_CASE("The system's reasons are English", "[system][file]") {
  CHECK(elegans::detail::system_reason(ENOENT) == "No such file or directory");
  CHECK_FALSE(elegans::detail::system_reason(123456).empty());
}
