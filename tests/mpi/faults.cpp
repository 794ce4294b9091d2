// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// mpirun -n N elegans_mpi_faults FAULT RANK CHECKPOINT: trains, with a checkpoint after each epoch. In the fourth epoch
// something happens to a rank; the file CHECKPOINT.fault then says when. If nothing does, rank 0 prints the hash of the
// parameters and of the history.

#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include <sys/resource.h>

#include <elegans/io/checkpoint.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/mpi/mpi.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/hash.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/shared_training.hpp"

namespace {

/// A data source that turns bad.
struct Sensor {
  elegans::Dataset<double> data;
  bool is_broken = false;

  [[nodiscard]] elegans::Index samples() const { return data.samples(); }
  void read(std::span<const elegans::Index> numbers, elegans::Dataset<double>& part) const {
    data.read(numbers, part);
    if (is_broken) part.x.values().setConstant(std::numeric_limits<double>::quiet_NaN());
  }
  template <typename Add>
  void fingerprint(Add add) const {
    add("kind", "sensor");
  }
};

/// No file of this process may grow beyond a few bytes: writing fails as on a full disk.
void fill_disk() {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit few{64, 64};
  setrlimit(RLIMIT_FSIZE, &few);
}

int train(elegans::mpi::Session& session, const std::string& fault, int rank, const std::string& path) {
  const bool is_here = session.rank() == rank;
  elegans::LTC<double> model(elegans::AutoNCP(8, 1), 1, {.seed = 3});
  elegans::mpi::DataParallel parallel(session, model);
  Sensor sensor{support::uneven_data()};
  elegans::Checkpoint checkpoint(path, {.seconds = 0});
  auto trouble = elegans::on_batch_end([&](auto&, const elegans::BatchEnd<double>& batch) {
    if (!is_here || batch.epoch != 4 || batch.number != 1 || fault == "none") return;
    std::ofstream(path + ".fault") << fault << '\n';
    if (fault == "kill") std::raise(SIGKILL);
    if (fault == "exception" || fault == "caught") throw std::runtime_error("the sensor has gone");
    if (fault == "nan") sensor.is_broken = true;
    if (fault == "disk") fill_disk();
  });
  const auto history =
      elegans::fit(parallel, sensor, elegans::Adam<double>({.beta1 = fault == "options" && is_here ? 0.5 : 0.9}),
                   {.epochs = 8, .batch_size = 6, .grain = 2, .validation_split = 0.2}, trouble, checkpoint);
  elegans::detail::Hash hash;
  for (const double value : support::outcome_of(model.parameters(), history)) hash.add(&value, 1);
  if (session.is_root()) std::cout << hash.text() << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  elegans::mpi::Session session(argc, argv);
  if (argc != 4) session.abort("faults FAULT RANK CHECKPOINT");
  const std::string fault = argv[1];
  if (fault != "caught") return train(session, fault, std::atoi(argv[2]), argv[3]);
  try {
    return train(session, fault, std::atoi(argv[2]), argv[3]);
  } catch (const std::exception& error) {
    std::cerr << "caught: " << error.what() << '\n';
    return 1;
  }
}
