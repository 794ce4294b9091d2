/* SPDX-FileCopyrightText: The elegans authors
   SPDX-License-Identifier: Apache-2.0

   How to call the network net.c: with an elapsed time of 1, unless it has one of its own. */
#pragma once

#include "net.h"

#ifdef INTEGERS
#define NUMBER net_number
#define NET_STEP(state, x, y) net_step_integer(state, x, y)
#else
#define NUMBER float
#ifdef FIXED_ELAPSED_TIME
#define NET_STEP(state, x, y) net_step(state, x, y)
#else
#define NET_STEP(state, x, y) net_step(state, x, 1.0f, y)
#endif
#endif
