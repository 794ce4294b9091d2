// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <elegans/elegans.hpp>
#include <elegans/mpi/mpi.hpp>

// A job of one rank: nothing but the library of MPI is needed.
int main(int argc, char** argv) {
  elegans::mpi::Session session(argc, argv);
  return session.size() == 1 && session.is_root() ? 0 : 1;
}
