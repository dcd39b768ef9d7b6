// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/testing/random_calls.hpp"

#include <iterator>

namespace lona::kernel::testing {

using abi::Syscall;

// Numbers at which arithmetic goes wrong.
Word CallGenerator::hostile() {
  switch (random_.below(8)) {
    case 0:
      return ~Word{0} - random_.below(3);
    case 1:
      return Word{1} << random_.below(64);
    case 2:
      return (Word{1} << random_.below(64)) - 1;
    case 3:
      return 0x7fff'ffff'f000 + random_.below(0x2000);
    case 4:
      return 0xffff'8000'0000'0000 | random_.below(Word{1} << 47);
    case 5:
      return random_.below(300);
    case 6:
      return 0;
    default:
      return random_.next();
  }
}

Word CallGenerator::pick(ObjectType type) {
  if (random_.one_in(64)) return hostile();
  for (int tries = 0; tries < 12; ++tries) {
    const Word slot = any_slot();
    if (guesses_[slot % CallSpace::kSlots] == static_cast<unsigned char>(type)) return slot;
  }
  switch (type) {
    case ObjectType::kUntyped:
      return space_.untyped;
    case ObjectType::kTcb:
      return space_.tcb;
    case ObjectType::kCNode:
      return space_.cnode;
    case ObjectType::kPml4:
      return space_.vspace;
    default:
      return any_slot();
  }
}

Word CallGenerator::free_slot() {
  for (int tries = 0; tries < 12; ++tries) {
    const Word slot = any_slot();
    if (guesses_[slot % CallSpace::kSlots] == kUnknown) return slot;
  }
  return any_slot();
}

// Few enough places that mappings meet each other.
Word CallGenerator::address() {
  if (random_.one_in(16)) return hostile();
  static constexpr unsigned kSteps[] = {12, 12, 12, 21, 30, 39};
  const unsigned step = kSteps[random_.below(std::size(kSteps))];
  return space_.free_address + (random_.below(4) << step);
}

void CallGenerator::retype() {
  Word type = random_.below(abi::kObjectTypeCount + (random_.one_in(16) ? 2 : 0));
  // Huge objects never fit.
  if (type == static_cast<Word>(ObjectType::kHugePage) && !random_.one_in(8)) type = 10;
  Word size = 0;
  switch (static_cast<ObjectType>(type)) {
    case ObjectType::kUntyped:
      size = 4 + random_.below(11);
      break;
    case ObjectType::kCNode:
      size = 1 + random_.below(4);
      break;
    case ObjectType::kSchedContext:
      size = 7 + random_.below(3);
      break;
    default:
      break;
  }
  if (random_.one_in(32)) size = hostile();
  method(pick(ObjectType::kUntyped), Label::kUntypedRetype);
  arg(type);
  arg(size);
  arg(0);
  arg(0);
  made_ = free_slot();
  arg(random_.one_in(32) ? hostile() : made_);
  arg(random_.one_in(32) ? hostile() : 1 + random_.below(2));
  extra(random_.one_in(16) ? pick(ObjectType::kCNode) : space_.cnode);
  making_ = static_cast<unsigned char>(type);
}

void CallGenerator::cnode_method() {
  static constexpr Label kLabels[] = {
      Label::kCNodeRevoke, Label::kCNodeDelete, Label::kCNodeDelete,
      Label::kCNodeCopy,   Label::kCNodeCopy,   Label::kCNodeMint,
      Label::kCNodeMint,   Label::kCNodeMove,   Label::kCNodeMutate,
      Label::kCNodeRotate, Label::kCNodeRevoke, Label::kCNodeCancelBadgedSends};
  const Label label = kLabels[random_.below(std::size(kLabels))];
  const Word root = random_.one_in(16) ? pick(ObjectType::kCNode) : space_.cnode;
  method(root, label);
  const bool one_slot = label == Label::kCNodeRevoke || label == Label::kCNodeDelete ||
                        label == Label::kCNodeCancelBadgedSends;
  if (one_slot) {
    to_ = any_slot();
    // Giving everything up ends the world; now and then is enough.
    if (random_.one_in(200)) to_ = random_.below(space_.first);
    slot_arg(to_);
    return;
  }
  to_ = free_slot();
  from_ = random_.one_in(8) ? random_.below(space_.first) : any_slot();
  slot_arg(to_);
  if (label == Label::kCNodeRotate) {
    arg(random_.below(3));
    slot_arg(any_slot());
    arg(random_.below(3));
    if (random_.one_in(4)) from_ = to_;
    slot_arg(from_);
    extra(root);
    extra(root);
    return;
  }
  slot_arg(from_);
  if (label == Label::kCNodeMutate) {
    arg(random_.below(3) << 6);
  } else if (label != Label::kCNodeMove) {
    arg(rights());
    if (label == Label::kCNodeMint) arg(random_.below(4));
  }
  extra(random_.one_in(16) ? pick(ObjectType::kCNode) : space_.cnode);
}

void CallGenerator::write_registers() {
  method(pick(ObjectType::kTcb), Label::kTcbWriteRegisters);
  arg(random_.below(4) != 0);
  arg(random_.one_in(8) ? random_.below(30) : 20);
  if (random_.one_in(4) || space_.entry_ip == 0) {
    for (unsigned i = 0; i < 20; ++i) arg(hostile());
    return;
  }
  arg(space_.entry_ip);
  arg(space_.entry_sp);
  arg(0x202);
  for (unsigned i = 3; i < 20; ++i) arg(hostile());
}

void CallGenerator::tcb_space_method() {
  const Word data = random_.one_in(8) ? hostile() : 0;
  switch (random_.below(5)) {
    case 0:
    case 1:
      method(pick(ObjectType::kTcb), Label::kTcbConfigure);
      arg(random_.one_in(4) ? data : space_.guard);
      arg(0);
      arg(random_.one_in(4) ? 0 : random_.below(4) << 10);
      extra(pick(ObjectType::kCNode));
      extra(space_.vspace);
      extra(pick(ObjectType::kPage4K));
      return;
    case 2:
      method(pick(ObjectType::kTcb), Label::kTcbSetSpace);
      arg(data);
      arg(0);
      extra(pick(ObjectType::kEndpoint));
      extra(random_.one_in(4) ? pick(ObjectType::kCNode) : space_.cnode);
      extra(random_.one_in(4) ? pick(ObjectType::kPml4) : space_.vspace);
      return;
    case 3:
      method(pick(ObjectType::kTcb), Label::kTcbSetIpcBuffer);
      arg(random_.below(4) << 10);
      extra(pick(ObjectType::kPage4K));
      return;
    default:
      method(pick(ObjectType::kTcb), Label::kTcbSetTimeoutEndpoint);
      extra(pick(ObjectType::kEndpoint));
      return;
  }
}

void CallGenerator::tcb_method() {
  switch (random_.below(14)) {
    case 0:
    case 1:
    case 2:
      return tcb_space_method();
    case 3:
    case 4:
      method(pick(ObjectType::kTcb), Label::kTcbSetSchedParams);
      arg(number(256));
      arg(number(256));
      extra(space_.tcb);
      extra(random_.one_in(4) ? 0 : pick(ObjectType::kSchedContext));
      extra(pick(ObjectType::kEndpoint));
      return;
    case 5:
      method(pick(ObjectType::kTcb),
             random_.one_in(4) ? Label::kTcbSetMCPriority : Label::kTcbSetPriority);
      arg(number(256));
      extra(space_.tcb);
      return;
    case 6:
      method(pick(ObjectType::kTcb), Label::kTcbBindNotification);
      extra(pick(ObjectType::kNotification));
      return;
    case 7:
      return method(pick(ObjectType::kTcb), Label::kTcbUnbindNotification);
    case 8:
      method(pick(ObjectType::kTcb),
             random_.one_in(2) ? Label::kTcbSetFlags : Label::kTcbSetTlsBase);
      arg(hostile());
      arg(random_.below(4));
      return;
    case 9:
      method(pick(ObjectType::kTcb),
             random_.one_in(2) ? Label::kTcbReadRegisters : Label::kTcbCopyRegisters);
      arg(random_.below(16));
      arg(number(24));
      extra(pick(ObjectType::kTcb));
      return;
    case 10:
      return method(pick(ObjectType::kTcb), Label::kTcbSuspend);
    case 11:
      return write_registers();
    default:
      return method(pick(ObjectType::kTcb), Label::kTcbResume);
  }
}

void CallGenerator::time_method() {
  const Word context = pick(ObjectType::kSchedContext);
  switch (random_.below(8)) {
    case 0:
    case 1:
    case 2: {
      method(space_.sched_control, Label::kSchedControlConfigureFlags);
      const Word budget = 20 + random_.below(400);
      arg(random_.one_in(16) ? hostile() : budget);
      arg(random_.one_in(16) ? hostile() : random_.one_in(2) ? budget : budget * 3);
      arg(number(8));
      arg(random_.next());
      arg(random_.below(4));
      extra(context);
      return;
    }
    case 3:
    case 4:
      method(context,
             random_.one_in(4) ? Label::kSchedContextUnbindObject : Label::kSchedContextBind);
      extra(random_.one_in(2) ? pick(ObjectType::kTcb) : pick(ObjectType::kNotification));
      return;
    case 5:
      return method(context, Label::kSchedContextUnbind);
    case 6:
      return method(context, Label::kSchedContextConsumed);
    default:
      return method(context, Label::kSchedContextYieldTo);
  }
}

void CallGenerator::space_method() {
  const Word space = random_.one_in(3) ? pick(ObjectType::kPml4) : space_.vspace;
  struct Table {
    ObjectType type;
    Label map, unmap;
  };
  static constexpr Table kTables[] = {
      {ObjectType::kPdpt, Label::kX86PdptMap, Label::kX86PdptUnmap},
      {ObjectType::kPageDirectory, Label::kX86PageDirectoryMap, Label::kX86PageDirectoryUnmap},
      {ObjectType::kPageTable, Label::kX86PageTableMap, Label::kX86PageTableUnmap}};
  const Table& table = kTables[random_.below(std::size(kTables))];
  const ObjectType frame = random_.one_in(8) ? ObjectType::kLargePage : ObjectType::kPage4K;
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2:
      method(pick(table.type), table.map);
      arg(address());
      arg(random_.below(8));
      extra(space);
      return;
    case 3:
      return method(pick(table.type), table.unmap);
    case 4:
    case 5:
    case 6:
      method(pick(frame), Label::kX86PageMap);
      arg(address());
      arg(rights());
      arg(random_.below(8));
      extra(space);
      return;
    case 7:
      return method(pick(frame),
                    random_.one_in(4) ? Label::kX86PageGetAddress : Label::kX86PageUnmap);
    case 8:
      method(space_.asid_pool, Label::kX86AsidPoolAssign);
      extra(pick(ObjectType::kPml4));
      return;
    default:
      method(space_.asid_control, Label::kX86AsidControlMakePool);
      slot_arg(free_slot());
      extra(pick(ObjectType::kUntyped));
      extra(space_.cnode);
      return;
  }
}

void CallGenerator::interrupt_method() {
  static constexpr Label kLabels[] = {Label::kIrqAck, Label::kIrqSetHandler,
                                      Label::kIrqClearHandler};
  method(space_.irq_handler, kLabels[random_.below(std::size(kLabels))]);
  extra(pick(ObjectType::kNotification));
}

void CallGenerator::message() {
  static constexpr Syscall kCalls[] = {
      Syscall::kCall,     Syscall::kCall,      Syscall::kSend,       Syscall::kNBSend,
      Syscall::kRecv,     Syscall::kReplyRecv, Syscall::kWait,       Syscall::kNBWait,
      Syscall::kNBRecv,   Syscall::kYield,     Syscall::kNBSendRecv, Syscall::kNBSendWait,
      Syscall::kReplyRecv};
  const Word object =
      random_.one_in(3) ? pick(ObjectType::kNotification) : pick(ObjectType::kEndpoint);
  method(random_.one_in(8) ? pick(ObjectType::kReply) : object, Label::kInvalid);
  call_.number = static_cast<long>(kCalls[random_.below(std::size(kCalls))]);
  call_.reply = pick(ObjectType::kReply);
  if (call_.number == static_cast<long>(Syscall::kNBSendWait)) {
    call_.reply = pick(ObjectType::kEndpoint);
  }
  call_.dest = pick(random_.one_in(2) ? ObjectType::kEndpoint : ObjectType::kReply);
  const Word words = random_.below(8);
  for (Word i = 0; i < words; ++i) arg(hostile());
  const Word caps = random_.one_in(2) ? random_.below(4) : 0;
  for (Word i = 0; i < caps; ++i) extra(any_slot());
}

void CallGenerator::nonsense() {
  method(random_.one_in(4) ? hostile() : random_.below(space_.first + space_.count),
         static_cast<Label>(random_.below(72)));
  const Word words = random_.below(RandomCall::kWords);
  for (Word i = 0; i < words; ++i) arg(random_.one_in(2) ? any_slot() : hostile());
  const Word caps = random_.below(4);
  for (Word i = 0; i < caps; ++i) extra(random_.below(space_.first + space_.count));
  if (random_.one_in(4)) call_.number = -static_cast<long>(random_.below(12));
  // Not the debug calls: one of them stops the machine.
  if (random_.one_in(16)) call_.number = static_cast<long>(random_.next() >> 16);
}

RandomCall CallGenerator::next() {
  call_ = RandomCall{};
  call_.number = static_cast<long>(Syscall::kCall);
  to_ = from_ = made_ = 0;
  making_ = kUnknown;
  const Word choice = random_.below(100);
  if (choice < 12) {
    retype();
  } else if (choice < 27) {
    cnode_method();
  } else if (choice < 45) {
    tcb_method();
  } else if (choice < 54) {
    time_method();
  } else if (choice < 66) {
    space_method();
  } else if (choice < 69) {
    interrupt_method();
  } else if (choice < 94) {
    message();
  } else {
    nonsense();
  }
  if (random_.one_in(50)) label_ = static_cast<Label>(random_.below(70));
  Word length = length_;
  if (random_.one_in(40)) length = random_.below(128);
  call_.info = abi::MessageInfo(static_cast<Word>(label_), random_.one_in(64) ? 7 : 0, cap_count_,
                                static_cast<unsigned>(length))
                   .raw();
  call_.receive_cnode = space_.cnode;
  call_.receive_index = free_slot();
  call_.receive_depth = random_.one_in(16) ? random_.below(70) : 64;
  return call_;
}

void CallGenerator::learn(Word error) {
  if (error != 0) return;
  auto& to = guesses_[to_ % CallSpace::kSlots];
  auto& from = guesses_[from_ % CallSpace::kSlots];
  switch (label_) {
    case Label::kUntypedRetype:
      guesses_[made_ % CallSpace::kSlots] = making_;
      return;
    case Label::kCNodeDelete:
      to = kUnknown;
      return;
    case Label::kCNodeCopy:
    case Label::kCNodeMint:
      to = from;
      return;
    case Label::kCNodeMove:
    case Label::kCNodeMutate:
      to = from;
      from = kUnknown;
      return;
    default:
      return;
  }
}

}  // namespace lona::kernel::testing
