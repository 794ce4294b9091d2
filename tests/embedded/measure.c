/* SPDX-FileCopyrightText: The elegans authors
   SPDX-License-Identifier: Apache-2.0

   Runs a network over a sequence, and prints the deepest stack, the instructions per step, and the bits of all outputs.
   inputs.h has the sequence. */
#include "board.h"
#include "call.h"
#include "inputs.h"

extern uint32_t stack_end[], stack_begin[];

static net_state state;
static uint32_t instructions;
static int refused;

/* As in device.c. */
__attribute__((noinline)) static void run(void) {
  NUMBER x[NET_INPUTS], y[NET_OUTPUTS];
  int t, i;
  net_reset(&state);
  for (t = 0; t < STEPS; ++t) {
    uint32_t before;
    for (i = 0; i < NET_INPUTS; ++i) x[i] = inputs[t][i];
    before = count_instructions();
    refused |= NET_STEP(&state, x, y);
    instructions += instructions_between(before, count_instructions());
  }
}

int main(void) {
  volatile uint32_t *mark;
  NUMBER y[NET_OUTPUTS];
  int t, i;
  start_counting();
  for (mark = stack_end; mark < stack_pointer(); ++mark) *mark = 0x5a5a5a5a;
  run();
  for (mark = stack_end; *mark == 0x5a5a5a5a;) ++mark;
  print("measured ");
  print_hex((uint32_t)((char *)stack_pointer() - (char *)mark));
  print_hex(instructions / STEPS);
  print_hex((uint32_t)refused);
  print("\n");
  net_reset(&state);
  for (t = 0; t < STEPS; ++t) {
    NET_STEP(&state, inputs[t], y);
    for (i = 0; i < NET_OUTPUTS; ++i) {
#ifdef INTEGERS
      print_hex((uint32_t)(int32_t)y[i]);
#else
      union {
        float value;
        uint32_t bits;
      } word;
      word.value = y[i];
      print_hex(word.bits);
#endif
    }
    print("\n");
  }
#ifdef NET_SELF_TEST
  print(net_self_test() ? "self-test failed\n" : "self-test passed\n");
#endif
  leave();
  return 0;
}
