// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#define ELEGANS_POSIX_TERMINAL 1
#include <sys/ioctl.h>
#include <unistd.h>
#else
#define ELEGANS_POSIX_TERMINAL 0
#endif

#include <elegans/core/number_text.hpp>
#include <elegans/train/callback.hpp>

namespace elegans {

/// True if the stream is a terminal, so that somebody may be watching.
[[nodiscard]] inline bool is_terminal([[maybe_unused]] std::FILE* stream) {
#if ELEGANS_POSIX_TERMINAL
  return isatty(fileno(stream)) == 1;
#else
  return false;
#endif
}

/// The columns of a terminal as it is now; 80 if the stream is none, or does not say.
[[nodiscard]] inline int terminal_columns([[maybe_unused]] std::FILE* stream) {
#if ELEGANS_POSIX_TERMINAL && defined(TIOCGWINSZ)
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
#endif
  return 80;
}

/// Draws a line on a terminal that says how far a training is: epoch, loss, time left. It redraws the line at most ten
/// times per second, and asks for the terminal's width each time.
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
  void finish() noexcept {
    if (shown_) std::fputc('\n', stream_);
    shown_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// A number with so many decimals, whatever the locale is.
  static std::string fixed(double value, int decimals) {
    return detail::number_text(value, decimals, std::chars_format::fixed);
  }

  template <typename Scalar>
  void draw(const Epoch<Scalar>& epoch, double seconds) {
    // In the last column, some terminals wrap.
    const auto columns = static_cast<std::size_t>((std::max)(terminal_columns(stream_) - 1, 0));
    const std::string short_number = std::to_string(epoch.number) + "/" + std::to_string(epoch.of);
    const std::string number = "Epoch " + short_number;
    const std::string loss = " loss " + fixed(double{epoch.loss}, 6);
    const std::string validation =
        epoch.validation_loss ? ", validation loss " + fixed(double{*epoch.validation_loss}, 6) : "";
    // A resumed run starts in the middle, so the time left follows from the epochs of this run.
    const std::string left =
        ", " + fixed(std::ceil(seconds / (epoch.number - first_ + 1) * (epoch.of - epoch.number)), 0) + " s left";

    // What fits, the most useful part first: the loss, the time, the validation loss, and a bar in the rest.
    std::string line = number + loss;
    if (line.size() <= columns) {
      const bool has_left = line.size() + left.size() <= columns;
      if (line.size() + (has_left ? left.size() : 0) + validation.size() <= columns) line += validation;
      if (has_left) line += left;
      constexpr std::size_t least = 5, most = 30, frame = 3;
      if (line.size() + least + frame <= columns) {
        line.insert(number.size(), " " + bar(epoch.number, epoch.of, (std::min)(most, columns - line.size() - frame)));
      }
    } else {
      line = short_number;
      const std::string short_loss = detail::number_text(double{epoch.loss}, 3);
      for (const std::string& text : {" loss " + short_loss, " " + short_loss}) {
        if (line.size() == short_number.size() && line.size() + text.size() <= columns) line += text;
      }
      line.resize((std::min)(line.size(), columns));
    }
    std::fprintf(stream_, "\r%s\x1b[K", line.c_str());
    std::fflush(stream_);
  }

  /// [=====>....] of so many columns between the brackets.
  static std::string bar(int number, int of, std::size_t columns) {
    const auto done =
        (std::min)(columns, static_cast<std::size_t>(static_cast<double>(columns) * static_cast<double>(number) / of));
    std::string text(1 + columns + 1, '.');
    text.front() = '[';
    text.back() = ']';
    std::fill_n(text.begin() + 1, done, '=');
    if (done < columns) text[1 + done] = '>';
    return text;
  }

  std::FILE* stream_;
  Clock::time_point start_;
  Clock::time_point drawn_;
  bool shown_ = false;
  int first_ = 0;  // the first epoch of this run
};

}  // namespace elegans
