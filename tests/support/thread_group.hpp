// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <elegans/core/types.hpp>

namespace support {

/// The messages of a few threads that stand for the processes of a group.
class Mail {
 public:
  void send(int from, int to, std::vector<char> message) {
    const std::lock_guard lock(mutex_);
    messages_[{from, to}].push_back(std::move(message));
    came_.notify_all();
  }
  std::vector<char> receive(int from, int to) {
    std::unique_lock lock(mutex_);
    auto& waiting = messages_[{from, to}];
    came_.wait(lock, [&] { return !waiting.empty(); });
    std::vector<char> message = std::move(waiting.front());
    waiting.pop_front();
    return message;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::map<std::pair<int, int>, std::deque<std::vector<char>>> messages_;
};

/// A `TrainingGroup` of threads, each with a model of its own.
class ThreadGroup {
 public:
  ThreadGroup(Mail& mail, int rank, int size) : mail_(mail), rank_(rank), size_(size) {}

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

  template <typename T>
  void send(const T* values, elegans::Index count, int to) {
    std::vector<char> bytes(static_cast<std::size_t>(count) * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), values, bytes.size());
    mail_.send(rank_, to, std::move(bytes));
  }
  template <typename T>
  void receive(T* values, elegans::Index count, int from) {
    const std::vector<char> bytes = mail_.receive(from, rank_);
    if (bytes.size() != static_cast<std::size_t>(count) * sizeof(T)) std::terminate();
    if (!bytes.empty()) std::memcpy(values, bytes.data(), bytes.size());
  }
  template <typename T>
  void broadcast(T* values, elegans::Index count) {
    if (rank_ != 0) return receive(values, count, 0);
    for (int other = 1; other < size_; ++other) send(values, count, other);
  }
  void gather(const std::vector<double>& mine, std::vector<double>& all) {
    all = mine;
    if (rank_ != 0) send(mine.data(), static_cast<elegans::Index>(mine.size()), 0);
    for (int other = 1; rank_ == 0 && other < size_; ++other) {
      const std::vector<char> bytes = mail_.receive(other, 0);
      const std::size_t before = all.size();
      all.resize(before + bytes.size() / sizeof(double));
      if (!bytes.empty()) std::memcpy(all.data() + before, bytes.data(), bytes.size());
    }
    auto size = static_cast<double>(all.size());
    broadcast(&size, 1);
    all.resize(static_cast<std::size_t>(size));
    broadcast(all.data(), static_cast<elegans::Index>(all.size()));
  }
  double smallest(double value) {
    std::vector<double> all;
    gather({value}, all);
    return *std::min_element(all.begin(), all.end());
  }
  static int watch() { return 0; }

 private:
  Mail& mail_;
  int rank_, size_;
};

/// A `SharedModel` of threads.
template <typename ModelType>
struct ThreadShared {
  using Scalar = typename ModelType::Scalar;
  static constexpr int state_size_at_compile_time = ModelType::state_size_at_compile_time;

  ModelType& own;
  ThreadGroup& threads;

  [[nodiscard]] ModelType& model() { return own; }
  [[nodiscard]] ThreadGroup& group() { return threads; }
};

/// Calls work(group) in so many threads.
template <typename Work>
void run_in_threads(int size, Work work) {
  Mail mail;
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadGroup group(mail, rank, size);
      work(group);
    });
  }
}

}  // namespace support
