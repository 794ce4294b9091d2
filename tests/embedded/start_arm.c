/* SPDX-FileCopyrightText: The elegans authors
   SPDX-License-Identifier: Apache-2.0

   What an image for a Cortex-M needs before main. */
#include "board.h"

extern uint32_t data_source[], data_begin[], data_end[], bss_begin[], bss_end[], stack_begin[];
int main(void);

static void stop(void) {
  for (;;) {
  }
}

void reset(void) {
  const uint32_t *from = data_source;
  volatile uint32_t *to;
#ifdef __ARM_FP
  *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20; /* switches the FPU on */
  __asm__ volatile("dsb\n isb");
#endif
  for (to = data_begin; to < data_end;) *to++ = *from++;
  for (to = bss_begin; to < bss_end;) *to++ = 0;
  main();
  stop();
}

/* The stack, and the handlers of reset, NMI and faults. */
__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    stack_begin, (const void *)reset, (const void *)stop, (const void *)stop,
    (const void *)stop, (const void *)stop, (const void *)stop};
