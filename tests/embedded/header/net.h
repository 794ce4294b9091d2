/* SPDX-FileCopyrightText: The elegans authors
   SPDX-License-Identifier: Apache-2.0

   A network in a header of C++, with the functions of one in C. The command line says how many inputs and outputs. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  char unused; /* the state is in net.cpp */
} net_state;

void net_reset(net_state *state);
int net_step(net_state *state, const float x[NET_INPUTS], float elapsed, float y[NET_OUTPUTS]);

#ifdef __cplusplus
}
#endif
