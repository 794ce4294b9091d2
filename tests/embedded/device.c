/* SPDX-FileCopyrightText: The elegans authors
   SPDX-License-Identifier: Apache-2.0

   The smallest program around a network: sensors in, motors out. Its size is what a network needs. */
#include "call.h"

static net_state state;

int main(void) {
  NUMBER x[NET_INPUTS], y[NET_OUTPUTS];
  int i;
  net_reset(&state);
  for (;;) {
    for (i = 0; i < NET_INPUTS; ++i) x[i] = ((volatile NUMBER *)0x40000000)[i];
    if (NET_STEP(&state, x, y)) continue;
    for (i = 0; i < NET_OUTPUTS; ++i) ((volatile NUMBER *)0x40000000)[i] = y[i];
  }
}
