// SPDX-License-Identifier: BSD-2-Clause
// Ways into the kernel and back. All user registers go straight into the UserContext of the running
// thread (context.hpp fixes the offsets); the kernel stack starts empty on every entry, so there is
// nothing to unwind on the way out. Interrupts are off in the kernel.

#define OFF_FAULT_IP 592
#define OFF_ENTRY    600
#define OFF_RAX      616
#define OFF_RBX      624
#define OFF_RCX      632
#define OFF_RDX      640
#define OFF_RSI      648
#define OFF_RDI      656
#define OFF_RBP      664
#define OFF_R8       672
#define OFF_R9       680
#define OFF_R10      688
#define OFF_R11      696
#define OFF_R12      704
#define OFF_R13      712
#define OFF_R14      720
#define OFF_R15      728
#define OFF_ERROR    736
#define OFF_RIP      744
#define OFF_RFLAGS   760
#define OFF_RSP      768

// The core's own state (core_state.hpp): the GS base while the kernel runs. In user mode the GS base
// is the thread's, so every change between the two exchanges them.
#define CORE_CONTEXT      %gs:8
#define CORE_KERNEL_STACK %gs:16
#define CORE_USER_STACK   %gs:24

  .section .text.entry, "ax"

// SYSCALL: RCX holds the address behind the instruction, R11 the flags. The selectors in the
// context are the constants that UserContext::reset() stored.
  .macro SYSCALL_ENTRY handler
  swapgs
  movq %rsp, CORE_USER_STACK
  movq CORE_CONTEXT, %rsp
  movq %rcx, OFF_RIP(%rsp)
  movq %r11, OFF_RFLAGS(%rsp)
  subq $2, %rcx
  movq %rcx, OFF_FAULT_IP(%rsp)
  movq CORE_USER_STACK, %rcx
  movq %rcx, OFF_RSP(%rsp)
  movq $1, OFF_ENTRY(%rsp)
  movq %rax, OFF_RAX(%rsp)
  movq %rbx, OFF_RBX(%rsp)
  movq %rdx, OFF_RDX(%rsp)
  movq %rsi, OFF_RSI(%rsp)
  movq %rdi, OFF_RDI(%rsp)
  movq %rbp, OFF_RBP(%rsp)
  movq %r8,  OFF_R8(%rsp)
  movq %r9,  OFF_R9(%rsp)
  movq %r10, OFF_R10(%rsp)
  movq %r12, OFF_R12(%rsp)
  movq %r13, OFF_R13(%rsp)
  movq %r14, OFF_R14(%rsp)
  movq %r15, OFF_R15(%rsp)
  movq %rsp, %rdi
  movq CORE_KERNEL_STACK, %rsp
  xorl %ebp, %ebp
  call \handler
  jmp resume
  .endm

// With several cores the kernel is locked; which of the two is used is decided during boot.
  .balign 64
  .globl syscall_entry_locked
syscall_entry_locked:
  SYSCALL_ENTRY trap_syscall_locked

  .balign 64
  .globl syscall_entry
syscall_entry:
  SYSCALL_ENTRY trap_syscall

// %rax = context of the thread to run, or null: nobody can run.
  .globl resume
resume:
  testq %rax, %rax
  jz idle
  cmpq $0, OFF_ENTRY(%rax)
  je resume_with_all_registers
  movq OFF_RIP(%rax), %rcx
  movq OFF_RFLAGS(%rax), %r11
  movq OFF_RBX(%rax), %rbx
  movq OFF_RDX(%rax), %rdx
  movq OFF_RSI(%rax), %rsi
  movq OFF_RDI(%rax), %rdi
  movq OFF_RBP(%rax), %rbp
  movq OFF_R8(%rax), %r8
  movq OFF_R9(%rax), %r9
  movq OFF_R10(%rax), %r10
  movq OFF_R12(%rax), %r12
  movq OFF_R13(%rax), %r13
  movq OFF_R14(%rax), %r14
  movq OFF_R15(%rax), %r15
  movq OFF_RSP(%rax), %rsp
  movq OFF_RAX(%rax), %rax
  swapgs
  sysretq

resume_with_all_registers:
  leaq OFF_RIP(%rax), %rsp
  movq OFF_RBX(%rax), %rbx
  movq OFF_RCX(%rax), %rcx
  movq OFF_RDX(%rax), %rdx
  movq OFF_RSI(%rax), %rsi
  movq OFF_RDI(%rax), %rdi
  movq OFF_RBP(%rax), %rbp
  movq OFF_R8(%rax), %r8
  movq OFF_R9(%rax), %r9
  movq OFF_R10(%rax), %r10
  movq OFF_R11(%rax), %r11
  movq OFF_R12(%rax), %r12
  movq OFF_R13(%rax), %r13
  movq OFF_R14(%rax), %r14
  movq OFF_R15(%rax), %r15
  movq OFF_RAX(%rax), %rax
  swapgs
  iretq

// The kernel can be interrupted only here, without the lock. The interrupt's frame lands on the kernel stack, which
// the handler abandons.
idle:
  movq CORE_KERNEL_STACK, %rsp
  xorl %ebp, %ebp
  sti
1:
  hlt
  jmp 1b

// A SYSCALL from 32-bit code cannot happen: user space has no 32-bit code segment.
  .globl syscall_entry_compat
syscall_entry_compat:
  ud2

  .macro SAVE_REGISTERS_BELOW_R15
  pushq %r14
  pushq %r13
  pushq %r12
  pushq %r11
  pushq %r10
  pushq %r9
  pushq %r8
  pushq %rbp
  pushq %rdi
  pushq %rsi
  pushq %rdx
  pushq %rcx
  pushq %rbx
  pushq %rax
  .endm

// One stub for each vector, 16 bytes apart. The processor has pushed the interrupt frame: from user
// mode to the end of the current context (RSP0), else to the kernel stack or the fault stack. The
// GS base is the thread's exactly if user mode was interrupted.
  .balign 16
  .globl vector_stubs
vector_stubs:
  .set vector, 0
  .rept 256
  .balign 16
  .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
  .else
  pushq $0
  .endif
  pushq %r15
  movl $vector, %r15d
  .if (vector == 2) || (vector == 8) || (vector == 18)
  jmp fatal_vector
  .else
  jmp vector_common
  .endif
  .set vector, vector + 1
  .endr

vector_common:
  SAVE_REGISTERS_BELOW_R15
  cld
  testb $3, (OFF_RIP + 8 - OFF_RAX)(%rsp)
  jz from_kernel
  swapgs
  leaq -OFF_RAX(%rsp), %rdi
  movq $0, OFF_ENTRY(%rdi)
  movq OFF_RIP(%rdi), %rax
  movq %rax, OFF_FAULT_IP(%rdi)
  movq CORE_KERNEL_STACK, %rsp
  xorl %ebp, %ebp
  movl %r15d, %esi
  call trap_vector
  jmp resume

// NMI, double fault and machine check run on a stack of their own and never return.
fatal_vector:
  SAVE_REGISTERS_BELOW_R15
  cld
  jmp report

from_kernel:
  cmpl $32, %r15d
  jae idle_interrupted
report:
  movq %rsp, %rdi
  movl %r15d, %esi
  andq $-16, %rsp
  call trap_in_kernel
  ud2

idle_interrupted:
  movq CORE_KERNEL_STACK, %rsp
  movl %r15d, %edi
  call trap_while_idle
  jmp resume

// void enter_user(UserContext*): leaves the boot path for good.
  .globl enter_user
enter_user:
  movq %rdi, %rax
  jmp resume
