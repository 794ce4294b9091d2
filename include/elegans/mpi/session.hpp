// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

// The C++ bindings that some versions of MPI still have are of no use here.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif
#include <mpi.h>

#include <elegans/core/config.hpp>
#include <elegans/core/error.hpp>

namespace elegans::mpi {

/// A process' part in an MPI job: begins MPI, and ends it. Make one at the start of `main`.
///
///     int main(int argc, char** argv) {
///       elegans::mpi::Session session(argc, argv);
///       …
///     }
///
/// An exception that nobody catches ends the whole job, with its message, as other ranks may wait for this one. So does
/// an exception that leaves the session's scope, or that left a shared training before. Without `mpirun`, the job has
/// one rank. There is one session at a time. Only the thread that made it may use it.
class Session {
 public:
  /// Begins MPI, unless that has been done. \throws RuntimeError if MPI has ended before, or there is a session
  Session(int& argc, char**& argv) : exceptions_(std::uncaught_exceptions()) {
    if (current() != nullptr) elegans::detail::fail("mpi::Session: there is one already");
    int is_there = 0;
    MPI_Finalized(&is_there);
    if (is_there != 0) elegans::detail::fail("mpi::Session: MPI has ended, and cannot begin again");
    MPI_Initialized(&is_there);
    if (is_there == 0) {
      int provided = 0;
      // A sweep runs in threads that do not call MPI.
      MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
      owns_ = true;
    }
    MPI_Comm_dup(MPI_COMM_WORLD, &communicator_);
    MPI_Comm_rank(communicator_, &rank_);
    MPI_Comm_size(communicator_, &size_);
    current() = this;
    before_ = std::set_terminate(&Session::end_by_exception);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (std::uncaught_exceptions() > exceptions_) abort("was left by an exception, which ends the job");
    if (failed_) abort("left a shared training by an exception, which ends the job");
    std::set_terminate(before_);
    current() = nullptr;
    MPI_Comm_free(&communicator_);
    if (owns_) MPI_Finalize();
  }

  /// The number of this process, from 0 on.
  [[nodiscard]] int rank() const noexcept { return rank_; }
  /// The number of processes.
  [[nodiscard]] int size() const noexcept { return size_; }
  /// True for rank 0, which writes files.
  [[nodiscard]] bool is_root() const noexcept { return rank_ == 0; }
  /// The communicator of all ranks, apart from `MPI_COMM_WORLD`, so that no message of yours is mistaken.
  [[nodiscard]] MPI_Comm communicator() const noexcept { return communicator_; }

  /// Ends the job: prints a line on standard error, and kills all ranks.
  [[noreturn]] void abort(const char* message) const {
    // If several ranks fail alike, the lowest one ends the job before the others print the same.
    std::this_thread::sleep_for(std::chrono::milliseconds(100) * (std::min)(rank_, 20));
    std::fprintf(stderr, "elegans: rank %d of %d: %s\n", rank_, size_, message);
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    std::abort();  // MPI_Abort returns in no version that we know
  }

  /// Notes that this rank left the others alone in something that needs all.
  void set_failed() noexcept { failed_ = true; }

 private:
  static Session*& current() noexcept {
    static Session* session = nullptr;
    return session;
  }

  [[noreturn]] static void end_by_exception() {
    const Session* const session = current();
    if (session == nullptr) std::abort();
#if ELEGANS_EXCEPTIONS
    if (const std::exception_ptr exception = std::current_exception()) {
      try {
        std::rethrow_exception(exception);
      } catch (const std::exception& error) {
        session->abort(error.what());
      } catch (...) {
        session->abort("an exception of an unknown type");
      }
    }
#endif
    session->abort("std::terminate was called");
  }

  int exceptions_;
  int rank_ = 0;
  int size_ = 1;
  bool owns_ = false;
  bool failed_ = false;
  MPI_Comm communicator_ = MPI_COMM_NULL;
  std::terminate_handler before_ = nullptr;
};

}  // namespace elegans::mpi
