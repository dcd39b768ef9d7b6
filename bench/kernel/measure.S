// SPDX-License-Identifier: BSD-2-Clause
// The measured windows (measure.hpp). All other registers are loaded before the window opens.

#define OP_NUMBER  0
#define OP_CAP     8
#define OP_INFO    16
#define OP_MR      24
#define OP_REPLY   56
#define OP_DEST    64
#define OP_BEFORE  72
#define OP_AFTER   80
#define OP_BADGE   88
#define OP_OUTINFO 96
#define OP_OUTMR   104
#define OP_ADDRESS 136

  .macro SAVE
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rdi, %rbp
  .endm

  .macro RESTORE
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
  .endm

  .text
  .balign 16
  .globl timed
timed:
  SAVE
  movq OP_CAP(%rbp), %rdi
  movq OP_INFO(%rbp), %rsi
  movq OP_MR(%rbp), %r10
  movq OP_MR+8(%rbp), %r8
  movq OP_MR+16(%rbp), %r9
  movq OP_MR+24(%rbp), %r15
  movq OP_REPLY(%rbp), %r12
  movq OP_DEST(%rbp), %r13
  movq %rsp, %rbx  // the ABI does not promise to keep the stack pointer
  movq $0, OP_BEFORE(%rbp)
  rdtsc
  movl %eax, OP_BEFORE(%rbp)
  movq OP_NUMBER(%rbp), %rdx
  syscall
  rdtsc
  movq %rbx, %rsp
  movl %eax, OP_AFTER(%rbp)
  movq %rdi, OP_BADGE(%rbp)
  movq %rsi, OP_OUTINFO(%rbp)
  movq %r10, OP_OUTMR(%rbp)
  movq %r8, OP_OUTMR+8(%rbp)
  movq %r9, OP_OUTMR+16(%rbp)
  movq %r15, OP_OUTMR+24(%rbp)
  RESTORE

  .balign 16
  .globl timed_read
timed_read:
  SAVE
  movq OP_ADDRESS(%rbp), %rcx
  rdtsc
  movl %eax, OP_BEFORE(%rbp)
  movq (%rcx), %rbx
  rdtsc
  movl %eax, OP_AFTER(%rbp)
  RESTORE

  .balign 16
  .globl timed_undefined
timed_undefined:
  SAVE
  rdtsc
  movl %eax, OP_BEFORE(%rbp)
  ud2
  rdtsc
  movl %eax, OP_AFTER(%rbp)
  RESTORE

// Ten instructions a round.
  .balign 16
  .globl timed_loop
timed_loop:
  xorl %esi, %esi
  rdtsc
  movl %eax, %ecx
1:
  rdtsc
  movl %eax, OP_BEFORE(%rdi)
  movl %eax, %r8d
  subl %ecx, %eax
  movl %r8d, %ecx
  cmpl %esi, %eax
  cmoval %eax, %esi
  movl %esi, OP_AFTER(%rdi)
  nop
  jmp 1b

  .balign 16
  .globl timed_entry
timed_entry:
  rdtsc
  movl %eax, OP_AFTER(%rdi)
  andq $-16, %rsp
  call park_here
  ud2
