// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <ios>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#define ELEGANS_POSIX_FILES 1
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#define ELEGANS_POSIX_FILES 0
#endif

#include <elegans/core/error.hpp>

namespace elegans {

namespace detail {

/// The text of an `errno`, in English where the system can say it without asking the locale.
[[nodiscard]] inline std::string system_reason(int reason) {
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
#if __GLIBC_PREREQ(2, 32)
  if (const char* const text = ::strerrordesc_np(reason)) return text;
#endif
#endif
  return std::generic_category().message(reason);
}

/// A file that is being written under a temporary name. It replaces its target when it is finished, and is removed if
/// it is destroyed before.
///
/// The temporary name lies beside the target, is short whatever the target's name is, and has a number: the first
/// writer of a target takes 0, another one at the same time takes 1. The writer holds a lock (flock) on its temporary
/// file. The lock ends with the process, however it ends: so a temporary file without a lock is what a killed writer
/// left, and the next writer of the same target removes it.
class UnfinishedFile {
 public:
  /// \throws RuntimeError if it cannot be made, or if the file at `target` may not be written
  explicit UnfinishedFile(const std::filesystem::path& target) : target_(target), path_(target) {
    std::error_code ignored;
    const auto kind = std::filesystem::status(target, ignored).type();
    if (kind == std::filesystem::file_type::directory) fail_for(EISDIR);
    follow_links();
    // A pipe or a device is written to as it is: to rename a file over it would remove it.
    in_place_ = in_place_ || kind == std::filesystem::file_type::fifo ||
                kind == std::filesystem::file_type::character || kind == std::filesystem::file_type::block ||
                kind == std::filesystem::file_type::socket;
    if (in_place_) {
      file_ = std::fopen(target.string().c_str(), "wb");
      if (!file_) fail_for(errno);
    } else {
      open_temporary();
    }
  }
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile() {
    // Removed under the lock, so that it cannot be another writer's.
    std::error_code ignored;
    if (!finished_ && !in_place_) std::filesystem::remove(temporary_, ignored);
    if (file_) std::fclose(file_);
  }

  /// The path under which the bytes lie until the file is finished. Another program may write them there, instead of
  /// `write`.
  [[nodiscard]] const std::filesystem::path& temporary() const noexcept { return in_place_ ? target_ : temporary_; }

  void write(const void* bytes, std::size_t size) {
    if (size > 0 && std::fwrite(bytes, 1, size, file_) != size) fail_for(errno);
  }

  /// Flushes the file to the disk, then lets it replace its target.
  void finish() {
    if (std::fflush(file_) != 0) fail_for(errno);
#if ELEGANS_POSIX_FILES
    // A pipe or a device cannot be flushed to a disk.
    if (::fsync(::fileno(file_)) != 0 && !in_place_ && errno != EINVAL) fail_for(errno);
#endif
    if (!in_place_) {
#if !ELEGANS_POSIX_FILES
      close();  // other systems do not rename an open file
#endif
      std::error_code failure;
      std::filesystem::rename(temporary_, path_, failure);
      if (failure) fail_for(failure.value());
      finished_ = true;
      flush_folder();
      // The new file is in place and on the disk: a failure to close it must not look like a failure to write it.
      if (file_) std::fclose(std::exchange(file_, nullptr));
      return;
    }
    close();
  }

 private:
  ELEGANS_COLD [[noreturn]] void fail_for(int reason) const {
    fail("cannot write ", target_.string(), ": ", system_reason(reason));
  }

  void close() {
    std::FILE* const file = std::exchange(file_, nullptr);
    if (file && std::fclose(file) != 0) fail_for(errno);
  }

  /// The file behind symbolic links is the one to replace, whether it is there yet or not.
  void follow_links() {
    std::error_code ignored;
    for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(path_, ignored)); ++links) {
      if (links == 40) fail_for(ELOOP);
      // A link such as /dev/stdout stands for an open file, which keeps its name or has none.
      if (path_.parent_path().string().starts_with("/proc/")) {
        in_place_ = true;
        return;
      }
      std::error_code failure;
      const std::filesystem::path next = std::filesystem::read_symlink(path_, failure);
      if (failure) fail_for(failure.value());
      path_ = path_.parent_path() / next;
    }
  }

#if ELEGANS_POSIX_FILES
  /// A new name is on the disk once its folder is. Not every file system can do that; the file is whole either way.
  void flush_folder() const noexcept {
    const int descriptor = ::open(folder_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
  }

  /// The temporary name of a number. The name of the target is in it as a hash (FNV-1a).
  [[nodiscard]] std::filesystem::path temporary_of(int number) const {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : path_.filename().string()) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    return path_.parent_path() / concatenate(".elegans-", std::hex, hash, "-", std::dec, number, ".unfinished");
  }

  /// Makes the temporary file, with the lowest number that no other writer has.
  void open_temporary() {
    struct ::stat old{};
    const bool replaces = ::stat(path_.c_str(), &old) == 0;
    if (replaces && ::access(path_.c_str(), W_OK) != 0) fail_for(errno);
    folder_ = path_.has_parent_path() ? path_.parent_path() : ".";
    for (int number = 0; number < 16; ++number) remove_if_abandoned(temporary_of(number));
    // The file keeps its mode. A new one gets the mode that the process gives to all of its files.
    const mode_t mode = replaces ? old.st_mode & 0777 : 0666;
    for (int number = 0; number < 1000; ++number) {
      temporary_ = temporary_of(number);
      const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
      if (descriptor < 0 && errno == EEXIST) continue;
      if (descriptor < 0) fail_for(errno);
      // Another writer may have found the file before we locked it, and removed it as abandoned.
      const bool is_ours =
          ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? is_named(descriptor, temporary_) : errno != EWOULDBLOCK;
      if (is_ours) {
        // Only the superuser may give files away. If we may not, the file becomes ours, as with any other editor.
        if (replaces && (old.st_uid != ::geteuid() || old.st_gid != ::getegid()) &&
            ::fchown(descriptor, old.st_uid, old.st_gid) != 0) {
          errno = 0;
        }
        if (replaces && ::fchmod(descriptor, mode) != 0) errno = 0;
        file_ = ::fdopen(descriptor, "wb");
        if (file_) return;
        const int reason = errno;
        ::unlink(temporary_.c_str());
        ::close(descriptor);
        fail_for(reason);
      }
      ::close(descriptor);
    }
    fail_for(EEXIST);
  }

  /// True if the name still belongs to the open file.
  [[nodiscard]] static bool is_named(int descriptor, const std::filesystem::path& name) noexcept {
    struct ::stat open_file{}, named_file{};
    return ::fstat(descriptor, &open_file) == 0 && ::lstat(name.c_str(), &named_file) == 0 &&
           open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
  }

  /// Removes a temporary file whose writer is gone.
  static void remove_if_abandoned(const std::filesystem::path& name) noexcept {
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return;
    struct ::stat found{};
    // The superuser's temporary file may belong to the owner of its target.
    const bool may_be_ours =
        ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && (found.st_uid == ::geteuid() || ::geteuid() == 0);
    if (may_be_ours && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_named(descriptor, name)) {
      ::unlink(name.c_str());
    }
    ::close(descriptor);
  }
#else
  void open_temporary() {
    temporary_ = path_;
    temporary_ += ".unfinished";
    file_ = std::fopen(temporary_.string().c_str(), "wb");
    if (!file_) fail_for(errno);
  }

  void flush_folder() const noexcept {}
#endif

  std::filesystem::path target_;     // as the caller names it
  std::filesystem::path path_;       // behind symbolic links
  std::filesystem::path temporary_;  // beside it
  std::filesystem::path folder_;     // of both
  std::FILE* file_ = nullptr;
  bool in_place_ = false;
  bool finished_ = false;
};

}  // namespace detail

/// Writes a file whole, piece by piece, to a temporary file beside it, which then replaces it: whoever reads `path`
/// sees the old bytes or all of the new ones. A symbolic link stays one: the file behind it is replaced. A file that is
/// replaced keeps its mode. A pipe or a device is written to directly.
///
/// \param produce  calls its argument, `write(const void* bytes, std::size_t size)`, as often as it likes
/// \throws RuntimeError with the path and the system's reason, and whatever `produce` throws; the old file is then
///         still there, and nothing else is left behind. What a killed process leaves (`.elegans-*.unfinished`), the
///         next write of the same file removes
template <typename Produce>
void write_file_in_pieces(const std::filesystem::path& path, Produce&& produce) {
  detail::UnfinishedFile file(path);
  produce([&file](const void* bytes, std::size_t size) { file.write(bytes, size); });
  file.finish();
}

/// Writes a file whole, from bytes that are in memory. See `write_file_in_pieces`.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  write_file_in_pieces(path, [&](const auto& write) { write(bytes.data(), bytes.size()); });
}

}  // namespace elegans
