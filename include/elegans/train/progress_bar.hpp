// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include <elegans/train/callback.hpp>

namespace elegans {

/// True if somebody may be watching: the stream is a terminal.
[[nodiscard]] inline bool is_terminal([[maybe_unused]] std::FILE* stream) {
#if defined(__unix__) || defined(__APPLE__)
  return isatty(fileno(stream)) == 1;
#else
  return false;
#endif
}

/// A line on a terminal that says how far a training is: epoch, loss, time left. Redrawn ten times a second at most.
class ProgressBar {
 public:
  explicit ProgressBar(std::FILE* stream = stderr) : stream_(stream), start_(Clock::now()), drawn_(start_) {}

  template <typename Scalar>
  void operator()(const Epoch<Scalar>& epoch) {
    const auto now = Clock::now();
    if (first_ == 0) first_ = epoch.number;
    const bool last = epoch.number == epoch.of;
    if (!last && now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    shown_ = true;
    draw(epoch, std::chrono::duration<double>(now - start_).count());
  }

  /// Ends the line, if there is one.
  void finish() {
    if (shown_) std::fputc('\n', stream_);
    shown_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int width_ = 30;

  template <typename Scalar>
  void draw(const Epoch<Scalar>& epoch, double seconds) {
    char bar[width_ + 1];
    const int done = static_cast<int>(static_cast<double>(width_) * epoch.number / epoch.of);
    std::fill_n(bar, width_, '.');
    std::fill_n(bar, done, '=');
    if (done < width_) bar[done] = '>';
    bar[width_] = '\0';
    // A resumed run starts in the middle.
    const double left = std::ceil(seconds / (epoch.number - first_ + 1) * (epoch.of - epoch.number));
    std::fprintf(stream_, "\rEpoch %d/%d [%s] loss %.6f, ", epoch.number, epoch.of, bar, double{epoch.loss});
    if (epoch.validation_loss) std::fprintf(stream_, "validation loss %.6f, ", double{*epoch.validation_loss});
    std::fprintf(stream_, "%.0f s left \x1b[K", left);
    std::fflush(stream_);
  }

  std::FILE* stream_;
  Clock::time_point start_;
  Clock::time_point drawn_;
  bool shown_ = false;
  int first_ = 0;  // epoch that was told of
};

}  // namespace elegans
