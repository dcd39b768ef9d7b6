// SPDX-License-Identifier: BSD-2-Clause
// An invocation of a kernel object as the decoders see it, and how they answer.
//
// A decoder checks everything first; only then does it start effects, in a function named invoke_*.
#pragma once

#include "abi/sel4/labels.hpp"
#include "kernel/api/failure.hpp"
#include "kernel/object/slot.hpp"
#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// What follows after the effects.
struct Done {
  enum Kind : unsigned {
    kReply,      // a Call gets an empty reply, or one of `words` words already in its registers
    kSilent,     // no reply from the kernel (a message went to another thread)
    kPreempted,  // an interrupt waits: the invocation is made again afterwards
  };
  Kind kind = kReply;
  unsigned words = 0;
};

struct Invocation {
  Tcb& caller;
  abi::Label label;
  unsigned length;               // message words
  const abi::IpcBuffer* buffer;  // may be null
  Slot* slot;                    // of the invoked cap
  Cap cap;
  Slot* extra[abi::kMsgMaxExtraCaps];
  unsigned extra_count;
  bool is_call;
  bool is_blocking;
  bool can_donate;
  bool first_phase;  // of a system call that receives afterwards

  // The message lacks words or capabilities that its method needs (abi/sel4/methods.def).
  template <abi::Label kLabel>
  bool too_short() const {
    constexpr abi::MethodInfo kMethod = abi::info_of(kLabel);
    return (kMethod.words != 0 && length < kMethod.words) ||
           (kMethod.caps != 0 && extra_count < kMethod.caps);
  }

  // Message word; 0 where neither register nor buffer holds it. Check `length` first.
  Word arg(unsigned index) const {
    if (index < abi::kMsgRegisters) return caller.context.message_register(index);
    return buffer != nullptr ? buffer->msg[index] : 0;
  }
};

// Puts result word `index` where the caller of a Call finds it.
void set_reply_word(Tcb& caller, unsigned index, Word value);

}  // namespace lona::kernel
