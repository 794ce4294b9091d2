// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/mask.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/system/file.hpp>

#include "models.hpp"
#include "windows.hpp"

namespace papers {

/// Streams of 2 to 31 bits: a 1, then the bits of the stream, the highest bit first.
using Streams = std::vector<std::uint32_t>;

inline Streams random_streams(Index count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Streams streams;
  for (Index i = 0; i < count; ++i) {
    const auto length = static_cast<int>(2 + random() % 30);
    std::uint32_t stream = 1;
    for (int bit = 0; bit < length; ++bit) stream = 2 * stream + static_cast<std::uint32_t>(random() >> 63);
    streams.push_back(stream);
  }
  return streams;
}

inline Streams read_streams(const std::filesystem::path& path) {
  const auto numbers = read_rows<std::uint32_t>(path, 1);
  for (Index i = 0; i < numbers.rows(); ++i) {
    if (numbers(i, 0) < 4) {
      elegans::detail::refuse(path.string(), ": a stream must have at least 2 bits behind its leading 1, got number ",
                              numbers(i, 0));
    }
  }
  return {numbers.data(), numbers.data() + numbers.size()};
}

/// The streams as sequences of events, padded to 32. An event is a run of equal bits, with the time that the run takes.
///
/// As published, the input of an event is its bit alone, and its time is that of the run before it. Mended, the inputs
/// are the bit and the time of its own run. Times are bits / 32.
inline elegans::Dataset<Scalar> events(const Streams& streams, bool mended) {
  constexpr Index longest = 32;
  const auto count = static_cast<Index>(streams.size());
  elegans::Dataset<Scalar> data{.x = elegans::Sequence<Scalar>(longest, count, mended ? 2 : 1),
                                .y = elegans::Sequence<Scalar>(1, count, 1)};
  data.x.values().setZero();
  Eigen::ArrayXXf elapsed = Eigen::ArrayXXf::Zero(longest, count);
  for (Index b = 0; b < count; ++b) {
    const std::uint32_t stream = streams[static_cast<std::size_t>(b)];
    int length = 31;
    while (!(stream >> length)) --length;
    Index event = mended ? -1 : 0;
    int last = -1, parity = 0, run = 0;
    const auto emit = [&](int bit) {
      data.x(event, b, 0) = static_cast<Scalar>(bit);
      elapsed(event++, b) = static_cast<Scalar>(std::exchange(run, 0)) / Scalar(longest);
    };
    for (int i = length - 1; i >= 0; --i) {
      const auto bit = static_cast<int>(stream >> i & 1U);
      parity ^= bit;
      ++run;
      if (mended) {
        if (bit != last) ++event;
        elapsed(event, b) += Scalar(1) / Scalar(longest);
        data.x(event, b, 0) = static_cast<Scalar>(bit);
        data.x(event, b, 1) = elapsed(event, b);
      } else if (bit != last) {
        emit(bit);
      }
      last = bit;
    }
    if (!mended && run > 0) emit(last);
    data.y(0, b, 0) = static_cast<Scalar>(parity);
  }
  data.timespans = elegans::Timespans<Scalar>(elapsed);
  data.mask = elegans::Mask(elapsed);  // an event exists if it takes time
  return data;
}

/// Writes each stream as `run_model` takes it: test_0_x.csv with the inputs of its events, test_0_t.csv with their
/// elapsed times; and test_y.csv with the parity of each stream.
inline void write_streams(const elegans::Dataset<Scalar>& data, const std::filesystem::path& folder) {
  std::string parities;
  for (Index b = 0; b < data.samples(); ++b) {
    std::string x, elapsed;
    for (Index t = 0; t < data.x.time() && data.mask(t, b); ++t) {
      examples::append_csv_row(data.x.step(t).row(b), x);
      examples::append_csv_row(Eigen::Array<Scalar, 1, 1>::Constant(data.timespans(t, b)), elapsed);
    }
    elegans::write_file(folder / elegans::detail::concatenate("test_", b, "_x.csv"), x);
    elegans::write_file(folder / elegans::detail::concatenate("test_", b, "_t.csv"), elapsed);
    examples::append_csv_row(data.y.step(0).row(b), parities);
  }
  elegans::write_file(folder / "test_y.csv", parities);
}

/// The contenders of the mended task, with settings of our own.
inline void add_own_xor_contenders(Task& task, int units, int ltc_units) {
  const Training training{.learning_rate = 0.003,
                          .epsilon = elegans::keras_epsilon,
                          .cosine = true,
                          .global_norm = 5,
                          .batch_size = 32,
                          .drop_last = false};
  const auto cfc = [](std::uint64_t seed) {
    return elegans::CfCOptions{.backbone_layers = 0, .proj_size = 1, .return_sequences = false, .seed = seed};
  };
  task.contenders.push_back({"mixed_cfc",
                             [=](std::uint64_t seed) { return Model(elegans::MixedCfC<Scalar>(units, 2, cfc(seed))); },
                             training});
  task.contenders.push_back(
      {"cfc", [=](std::uint64_t seed) { return Model(elegans::CfC<Scalar>(units, 2, cfc(seed))); }, training});
  task.contenders.push_back({"ltc",
                             [=](std::uint64_t seed) {
                               return with_dense(elegans::LTC<Scalar>(elegans::FullyConnected(ltc_units, ltc_units), 2,
                                                                      {.return_sequences = false, .seed = seed}),
                                                 1, seed);
                             },
                             training});
}

/// The contenders of the paper on CfC, with its settings.
inline void add_xor_contenders(Task& task, const TaskOptions& options) {
  using elegans::Activation;
  using elegans::CfCMode;
  const auto units = [&](int of_paper) { return options.units > 0 ? options.units : of_paper; };
  const auto training = [](bool rmsprop, double rate, double decay, Index batch, double norm, double l2) {
    Training of_paper = cfc_paper_training(rate, decay, batch, norm, l2);
    of_paper.rmsprop = rmsprop;
    return of_paper;
  };
  const auto cfc = [&](const char* name, int neurons, CfCMode mode, Activation activation, int backbone, double dropout,
                       const Training& own, const Published& published) {
    task.contenders.push_back(paper_cfc(
        name, neurons, 1, 1, paper_cfc_options(mode, activation, backbone, 1, dropout, true, 0), own, published));
  };
  task.contenders.push_back(
      {"mixed_cfc",
       [n = units(64)](std::uint64_t seed) {
         return with_dense(elegans::MixedCfC<Scalar>(
                               n, 1, paper_cfc_options(CfCMode::standard, Activation::relu, 128, 1, 0, true, seed),
                               paper_memory_options(0.6)),
                           1, seed);
       },
       training(true, 0.005, 0.95, 128, 10, 2e-6), Published{.9972, .0008}});
  cfc("cfc", units(192), CfCMode::standard, Activation::relu, 128, 0, training(true, 0.05, 0.95, 128, 1, 3e-6),
      {.9942, .0042});
  cfc("cfc_no_gate", units(128), CfCMode::no_gate, Activation::silu, 192, 0.3,
      training(true, 0.005, 0.95, 128, 10, 5e-6), {.9629, .0161});
  cfc("cfc_pure", units(64), CfCMode::pure, Activation::silu, 64, 0, training(false, 0.005, 0.9, 256, 5, 3e-5),
      {.8542, .0284});
  Training ltc = training(false, 0.005, 0.9, 256, 5, 0);
  ltc.elapsed_plus = 0.001;
  task.contenders.push_back({"ltc",
                             [n = units(64)](std::uint64_t seed) {
                               elegans::LTC<Scalar> model(elegans::FullyConnected(n, n), 1,
                                                          {.return_sequences = false, .seed = seed});
                               toss_polarities(model, seed);
                               return with_dense(std::move(model), 1, seed);
                             },
                             ltc, Published{.4911, 0}});
}

/// Is the number of ones in a stream of random bits odd? Without a folder, the streams are made here.
inline Task bit_stream_xor(const TaskOptions& options) {
  Task task{.title = "Bit-stream XOR",
            .measure = Measure::yes_or_no,
            .epochs = options.mended ? 70 : 200,
            .best_epoch = false};
  const bool is_made_here = options.data.empty();
  const Streams training = is_made_here ? random_streams(100000, 1) : read_streams(options.data / "training.npy");
  const Streams test = is_made_here ? random_streams(10000, 0x5eee) : read_streams(options.data / "test.npy");
  task.data.training = events(training, options.mended);
  task.data.test = events(test, options.mended);
  if (options.mended) {
    add_own_xor_contenders(task, options.units > 0 ? options.units : 64, options.units > 0 ? options.units : 32);
  } else {
    add_xor_contenders(task, options);
  }
  return task;
}

}  // namespace papers
