// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything for clusters. Needs MPI; target `elegans::mpi`.

#include <elegans/mpi/data_parallel.hpp>
#include <elegans/mpi/group.hpp>
#include <elegans/mpi/on_root.hpp>
#include <elegans/mpi/session.hpp>
#include <elegans/mpi/sweep.hpp>
