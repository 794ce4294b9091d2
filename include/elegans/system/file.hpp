// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#if defined(__unix__) || defined(__APPLE__)
#define ELEGANS_POSIX_FILES 1
#include <fcntl.h>
#include <unistd.h>
#else
#define ELEGANS_POSIX_FILES 0
#endif

#include <elegans/core/error.hpp>

namespace elegans {

namespace detail {

/// A file that is being written, under a name that nobody looks for. Gone again unless it is finished.
class UnfinishedFile {
 public:
  /// \throws RuntimeError if it cannot be made, or if what is at `target` may not be overwritten
  explicit UnfinishedFile(const std::filesystem::path& target) : path_(target), name_(target) {
    std::error_code ignored;
    const auto kind = std::filesystem::status(target, ignored).type();
    // Into a pipe or a device one writes: renamed over, it would be gone.
    in_place_ = kind == std::filesystem::file_type::fifo || kind == std::filesystem::file_type::character ||
                kind == std::filesystem::file_type::block || kind == std::filesystem::file_type::socket;
#if ELEGANS_POSIX_FILES
    if (kind == std::filesystem::file_type::regular && ::access(target.c_str(), W_OK) != 0) fail_for(errno);
    // Threads, too, may write the same file at the same time.
    static std::atomic<unsigned> count{0};
    if (!in_place_) name_ += concatenate(".unfinished-", ::getpid(), "-", count++);
#else
    if (!in_place_) name_ += ".unfinished";
#endif
    file_ = std::fopen(name_.string().c_str(), "wb");
    if (!file_) fail_for(errno);
  }
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile() {
    if (file_) std::fclose(file_);
    std::error_code ignored;
    if (!finished_ && !in_place_) std::filesystem::remove(name_, ignored);
  }

  void write(const void* bytes, std::size_t size) {
    if (size > 0 && std::fwrite(bytes, 1, size, file_) != size) fail_for(errno);
  }

  /// Flushes it to the disk, then gives it its name.
  void finish() {
    if (std::fflush(file_) != 0) fail_for(errno);
#if ELEGANS_POSIX_FILES
    // A pipe or a device has nothing to flush to.
    if (::fsync(::fileno(file_)) != 0 && !in_place_ && errno != EINVAL) fail_for(errno);
#endif
    std::FILE* const file = file_;
    file_ = nullptr;
    if (std::fclose(file) != 0) fail_for(errno);
    if (in_place_) return;
    std::error_code failure;
    std::filesystem::rename(name_, path_, failure);
    if (failure) fail_for(failure.value());
    finished_ = true;
    flush_folder();
  }

 private:
  ELEGANS_COLD [[noreturn]] void fail_for(int reason) const {
    fail("cannot write ", path_.string(), ": ", std::generic_category().message(reason));
  }

  /// A new name is on the disk once its folder is. Not every file system can; the file itself is whole either way.
  void flush_folder() const noexcept {
#if ELEGANS_POSIX_FILES
    const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
    const int descriptor = ::open(folder.c_str(), O_RDONLY);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
#endif
  }

  std::filesystem::path path_;
  std::filesystem::path name_;
  std::FILE* file_ = nullptr;
  bool in_place_ = false;
  bool finished_ = false;
};

}  // namespace detail

/// Writes a file whole, piece by piece: to a temporary name beside it, flushed to the disk, then renamed. Whoever reads
/// `path` sees what was there before, or all of the new bytes. A pipe or a device is written to as it is.
///
/// \param produce  calls its argument, `write(const void* bytes, std::size_t size)`, as often as it likes
/// \throws RuntimeError with the path and the system's reason, and whatever `produce` throws; nothing is then left
/// behind
template <typename Produce>
void write_file_in_pieces(const std::filesystem::path& path, Produce&& produce) {
  detail::UnfinishedFile file(path);
  produce([&file](const void* bytes, std::size_t size) { file.write(bytes, size); });
  file.finish();
}

/// The same, at once.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  write_file_in_pieces(path, [&](const auto& write) { write(bytes.data(), bytes.size()); });
}

}  // namespace elegans
