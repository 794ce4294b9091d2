# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# What an image for a RISC-V needs before main.
.section .vectors, "ax"
.globl reset
reset:
  la sp, stack_begin
  la a0, data_source
  la a1, data_begin
  la a2, data_end
1: bgeu a1, a2, 2f
  lw a3, 0(a0)
  sw a3, 0(a1)
  addi a0, a0, 4
  addi a1, a1, 4
  j 1b
2: la a1, bss_begin
  la a2, bss_end
3: bgeu a1, a2, 4f
  sw zero, 0(a1)
  addi a1, a1, 4
  j 3b
4: call main
5: j 5b

# The three instructions by which an emulator knows such a call must not be compressed, and must lie in one page.
.text
.globl semihosting
.option push
.option norvc
.option norelax
.balign 16
semihosting:
  slli zero, zero, 0x1f
  ebreak
  srai zero, zero, 7
  ret
.option pop
