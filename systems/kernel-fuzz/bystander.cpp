// SPDX-License-Identifier: BSD-2-Clause
#include "systems/kernel-fuzz/bystander.hpp"

extern "C" {
// Changed by the bystander only, read by the root task.
volatile lona::abi::Word bystander_beat = 0;
volatile lona::abi::Word bystander_damage = 0;
volatile lona::abi::Word bystander_spin = 0;
void bystander_round();
}

// One round: every register gets a value of its own, some time passes with interrupts and other
// threads in between, and every register must still have it. A register's value is a multiple of
// its number.
asm(R"(
.text
.macro VALUE register, number
    movabsq $(0x1357924680 * \number), \register
.endm
.macro SAME register, number
    pushq %rax
    movabsq $(0x1357924680 * \number), %rax
    cmpq %rax, \register
    popq %rax
    jne 9f
.endm
.macro XMM_VALUE register, number
    movl $(0x1234567 * \number), %eax
    movd %eax, \register
    pshufd $0, \register, \register
.endm
.macro XMM_SAME register, number
    movd \register, %eax
    cmpl $(0x1234567 * \number), %eax
    jne 9f
    psrldq $12, \register
    movd \register, %eax
    cmpl $(0x1234567 * \number), %eax
    jne 9f
.endm
.globl bystander_round
bystander_round:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    XMM_VALUE %xmm0, 1
    XMM_VALUE %xmm1, 2
    XMM_VALUE %xmm7, 3
    XMM_VALUE %xmm8, 4
    XMM_VALUE %xmm15, 5
    VALUE %rbx, 2
    VALUE %rcx, 3
    VALUE %rdx, 4
    VALUE %rsi, 5
    VALUE %rdi, 6
    VALUE %rbp, 7
    VALUE %r8, 8
    VALUE %r9, 9
    VALUE %r10, 10
    VALUE %r11, 11
    VALUE %r12, 12
    VALUE %r13, 13
    VALUE %r14, 14
    VALUE %r15, 15
    movq $20000, bystander_spin(%rip)
1:
    VALUE %rax, 1
    SAME %rax, 1
    decq bystander_spin(%rip)
    jnz 1b
    SAME %rbx, 2
    SAME %rcx, 3
    SAME %rdx, 4
    SAME %rsi, 5
    SAME %rdi, 6
    SAME %rbp, 7
    SAME %r8, 8
    SAME %r9, 9
    SAME %r10, 10
    SAME %r11, 11
    SAME %r12, 12
    SAME %r13, 13
    SAME %r14, 14
    SAME %r15, 15
    XMM_SAME %xmm0, 1
    XMM_SAME %xmm1, 2
    XMM_SAME %xmm7, 3
    XMM_SAME %xmm8, 4
    XMM_SAME %xmm15, 5
    jmp 2f
9:
    movq $1, bystander_damage(%rip)
2:
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
)");

namespace lona::fuzz {

namespace {

constexpr Word kBudgetUs = 300, kPeriodUs = 3000, kPriority = 200;

alignas(4096) volatile Word memory[512];
alignas(16) char stack[4096];

Word pattern(unsigned index, Word round) {
  return (round + 1) * 0x9e37'79b9'7f4a'7c15 ^ index;
}

[[noreturn]] void run() {
  for (Word round = 0;; ++round) {
    for (unsigned i = 0; i < 512; ++i) memory[i] = pattern(i, round);
    bystander_round();
    for (unsigned i = 0; i < 512; ++i) {
      if (memory[i] != pattern(i, round)) bystander_damage = 2;
    }
    bystander_beat = round + 1;
  }
}

}  // namespace

void start_bystander(CPtr untyped) {
  const CPtr tcb = new_slot(), context = new_slot();
  const abi::SlotAddress root{abi::kSlotInitCNode, 0, 0};
  must(abi::untyped_retype(untyped, ObjectType::kTcb, 0, root, tcb, 1), "the bystander's thread");
  must(abi::untyped_retype(untyped, ObjectType::kSchedContext, 9, root, context, 1),
       "the bystander's time");
  must(abi::sched_control_configure(info->sched_control.start, context, kBudgetUs, kPeriodUs, 4, 0,
                                    0),
       "the bystander's budget");
  must(abi::tcb_set_space(tcb, 0, abi::kSlotInitCNode, abi::CNodeData{0}, abi::kSlotInitVSpace),
       "the bystander's space");
  must(abi::tcb_set_sched_params(tcb, abi::kSlotInitTcb, 0, kPriority, context, 0),
       "the bystander's priority");
  abi::UserRegisters registers{};
  registers.rip = reinterpret_cast<Word>(run);
  registers.rsp = reinterpret_cast<Word>(stack + sizeof(stack)) - 8;
  registers.rflags = 0x202;
  must(abi::tcb_write_registers(tcb, true, abi::kUserRegisterCount, registers),
       "the bystander's start");
}

Word bystander_beats() {
  return bystander_beat;
}

bool bystander_hurt() {
  return bystander_damage != 0;
}

}  // namespace lona::fuzz
