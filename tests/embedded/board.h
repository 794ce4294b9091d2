/* SPDX-FileCopyrightText: The elegans authors
   SPDX-License-Identifier: Apache-2.0

   What the emulated boards differ in: how to count instructions, and how to speak to the emulator. */
#pragma once

#include <stdint.h>

#ifdef __riscv

static inline uint32_t count_instructions(void) {
  uint32_t count;
  __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(count) : : "memory");
  return count;
}
static inline void start_counting(void) {}
static inline uint32_t *stack_pointer(void) {
  uint32_t *pointer;
  __asm__ volatile("mv %0, sp" : "=r"(pointer));
  return pointer;
}
static inline uint32_t instructions_between(uint32_t before, uint32_t after) { return after - before; }

int semihosting(int operation, const void *argument); /* in start_riscv.S */

#else

/* SysTick counts down at CLOCK; with `-icount shift=0`, the emulator takes a nanosecond for each instruction. */
static inline void start_counting(void) {
  *(volatile uint32_t *)0xe000e014 = 0xffffff;
  *(volatile uint32_t *)0xe000e018 = 0;
  *(volatile uint32_t *)0xe000e010 = 5;
}
static inline uint32_t *stack_pointer(void) {
  uint32_t *pointer;
  __asm__ volatile("mov %0, sp" : "=r"(pointer));
  return pointer;
}
static inline uint32_t count_instructions(void) { return *(volatile uint32_t *)0xe000e018; }
static inline uint32_t instructions_between(uint32_t before, uint32_t after) {
  return ((before - after) & 0xffffff) * (1000000000u / CLOCK);
}

static inline int semihosting(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

#endif

static inline void print(const char *text) { semihosting(4, text); }
static inline void print_hex(uint32_t value) {
  char text[10];
  int i;
  for (i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  text[8] = ' ';
  text[9] = 0;
  print(text);
}
/* Ends the emulator. */
static inline void leave(void) { semihosting(0x18, (const void *)0x20026); }
