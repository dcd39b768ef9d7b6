// SPDX-License-Identifier: BSD-2-Clause
#include "systems/kernel-fuzz/puppet.hpp"

#include "abi/sel4/syscall.hpp"

namespace lona::fuzz {

extern "C" [[noreturn]] void puppet_main(PuppetMemory* memory);

namespace {

using abi::Word;
using kernel::testing::RandomCall;

// Any system call, with every register that one may read.
Word make_call(const RandomCall& call) {
  Word cap = call.cap, info = call.info;
  register Word r10 asm("r10") = call.words[0];
  register Word r8 asm("r8") = call.words[1];
  register Word r9 asm("r9") = call.words[2];
  register Word r15 asm("r15") = call.words[3];
  register Word r12 asm("r12") = call.reply;
  register Word r13 asm("r13") = call.dest;
  asm volatile("syscall"
               : "+D"(cap), "+S"(info), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r15)
               : "d"(call.number), "r"(r12), "r"(r13)
               : "rcx", "r11", "memory");
  return info;
}

}  // namespace

// Resuming alone would repeat the operation that the puppet waits in.
void nurse_main(PuppetMemory* puppets, Word count) {
  RandomCall call;
  call.number = static_cast<long>(abi::Syscall::kCall);
  call.info = abi::MessageInfo(static_cast<Word>(abi::Label::kTcbWriteRegisters), 0, 0, 4).raw();
  call.words[0] = 1;  // resume
  call.words[1] = 2;  // instruction and stack pointer
  call.words[2] = reinterpret_cast<Word>(puppet_entry);
  kernel::testing::Random random(count);
  for (;;) {
    const Word index = random.below(count);
    call.cap = 1 + index;
    call.words[3] = puppet_stack(puppets[index]);
    (void)make_call(call);
  }
}

asm(R"(
.text
.globl puppet_entry
puppet_entry:
    movq %rsp, %rdi
    andq $-8192, %rdi
    call puppet_main
)");

void puppet_main(PuppetMemory* memory) {
  for (;;) {
    const RandomCall call = memory->generator.next();
    for (unsigned i = 0; i < RandomCall::kWords; ++i) memory->buffer.msg[i] = call.words[i];
    for (unsigned i = 0; i < 3; ++i) memory->buffer.caps_or_badges[i] = call.caps[i];
    memory->buffer.receive_cnode = call.receive_cnode;
    memory->buffer.receive_index = call.receive_index;
    memory->buffer.receive_depth = call.receive_depth;
    ++memory->calls;
    const Word info = make_call(call);
    if (call.number == static_cast<long>(abi::Syscall::kCall)) {
      memory->generator.learn(abi::MessageInfo(info).label());
    }
  }
}

}  // namespace lona::fuzz
