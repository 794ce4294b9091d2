// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// mpirun -n N elegans_mpi_bench [UPDATES]: what a training by N ranks costs. Trains an LTC of FullyConnected(64, 8) in
// batches of 32 sequences of 32 steps, and measures what a message costs.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include <elegans/model/ltc.hpp>
#include <elegans/mpi/mpi.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/wiring/fully_connected.hpp>

namespace {

double seconds_of(clockid_t clock) {
  std::timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
double cpu() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }
double wall() { return seconds_of(CLOCK_MONOTONIC); }

/// Time spent in MPI so far: on the clock, and of the processor.
double wall_in_mpi = 0, cpu_in_mpi = 0;

template <typename Call>
int timed(Call call) {
  const double wall_before = wall(), cpu_before = cpu();
  const int result = call();
  wall_in_mpi += wall() - wall_before;
  cpu_in_mpi += cpu() - cpu_before;
  return result;
}

}  // namespace

// A program may define MPI's functions anew, and call the old ones as PMPI_….
extern "C" {
int MPI_Send(const void* values, int count, MPI_Datatype type, int to, int tag, MPI_Comm ranks) {
  return timed([&] { return PMPI_Send(values, count, type, to, tag, ranks); });
}
int MPI_Recv(void* values, int count, MPI_Datatype type, int from, int tag, MPI_Comm ranks, MPI_Status* status) {
  return timed([&] { return PMPI_Recv(values, count, type, from, tag, ranks, status); });
}
int MPI_Bcast(void* values, int count, MPI_Datatype type, int from, MPI_Comm ranks) {
  return timed([&] { return PMPI_Bcast(values, count, type, from, ranks); });
}
int MPI_Allgather(const void* mine, int count, MPI_Datatype type, void* all, int counts, MPI_Datatype all_type,
                  MPI_Comm ranks) {
  return timed([&] { return PMPI_Allgather(mine, count, type, all, counts, all_type, ranks); });
}
int MPI_Allgatherv(const void* mine, int count, MPI_Datatype type, void* all, const int* counts, const int* offsets,
                   MPI_Datatype all_type, MPI_Comm ranks) {
  return timed([&] { return PMPI_Allgatherv(mine, count, type, all, counts, offsets, all_type, ranks); });
}
int MPI_Allreduce(const void* mine, void* all, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm ranks) {
  return timed([&] { return PMPI_Allreduce(mine, all, count, type, operation, ranks); });
}
}

namespace {

/// Seconds of a message of so many bytes from rank 0 to rank 1: half a round trip, the fastest of many.
double message_seconds(const elegans::mpi::Session& session, int bytes) {
  std::vector<char> values(static_cast<std::size_t>(bytes));
  double best = 1e9;
  for (int round = 0; round < 1000; ++round) {
    const double before = wall();
    for (const int sender : {0, 1}) {
      if (session.rank() == sender) {
        PMPI_Send(values.data(), bytes, MPI_BYTE, 1 - sender, 3, session.communicator());
      } else if (session.rank() == 1 - sender) {
        PMPI_Recv(values.data(), bytes, MPI_BYTE, sender, 3, session.communicator(), MPI_STATUS_IGNORE);
      }
    }
    best = (std::min)(best, (wall() - before) / 2);
  }
  return best;
}

/// The sum over all ranks.
double sum(const elegans::mpi::Session& session, double value) {
  PMPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_SUM, session.communicator());
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  elegans::mpi::Session session(argc, argv);
  const int updates = argc > 1 ? std::atoi(argv[1]) : 200;
  elegans::LTC<float> model(elegans::FullyConnected(64, 8), 4);
  elegans::mpi::DataParallel parallel(session, model);
  elegans::Sequence<float> x(32, 32, 4), y(32, 32, 8);
  x.values().setLinSpaced(-1, 1);
  y.values().setLinSpaced(-0.5, 0.5);

  // The first epoch allocates. An epoch is one update.
  double wall_before = 0, cpu_before = 0, best = 1e9, last = 0;
  elegans::fit(parallel, x, y, elegans::Adam<float>(), {.epochs = updates + 1, .grain = 16, .show_progress = false},
               [&](const elegans::Epoch<float>& epoch) {
                 const double now = wall();
                 if (epoch.number == 1) {
                   wall_before = now;
                   cpu_before = cpu();
                   wall_in_mpi = cpu_in_mpi = 0;
                 } else {
                   best = (std::min)(best, now - last);
                 }
                 last = now;
               });
  const double elapsed = wall() - wall_before, cpu_all = sum(session, cpu() - cpu_before);
  const double mpi_wall = sum(session, wall_in_mpi) / session.size(), mpi_cpu = sum(session, cpu_in_mpi);
  if (session.is_root()) {
    std::printf("%d ranks, %d parameters: %.3f ms per update, %.3f ms the fastest\n", session.size(),
                static_cast<int>(model.parameters().size()), 1e3 * elapsed / updates, 1e3 * best);
    std::printf("processor time of all ranks: %.3f ms per update, of which in MPI %.3f ms\n", 1e3 * cpu_all / updates,
                1e3 * mpi_cpu / updates);
    std::printf("time in MPI, with the wait for other ranks: %.3f ms per update and rank, %.2f %%\n",
                1e3 * mpi_wall / updates, 100 * mpi_wall / elapsed);
  }
  if (session.size() > 1) {
    const double small = message_seconds(session, 8), large = message_seconds(session, 1 << 22);
    const double gradient = message_seconds(session, static_cast<int>(model.parameters().size() * sizeof(float)));
    if (session.is_root()) {
      std::printf("a message of 8 bytes: %.2f us; of a gradient: %.1f us; of 4 MiB: %.2f GB/s\n", 1e6 * small,
                  1e6 * gradient, (1 << 22) / large / 1e9);
    }
  }
  return 0;
}
