// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/testing/world.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "kernel/check/check.hpp"

namespace lona::kernel::testing {

namespace {
constexpr Word kFakeIp = 0x400000;
constexpr Word kSyscallBytes = 2;
}  // namespace

void* World::allocate(unsigned bits) {
  const std::size_t size = std::size_t{1} << bits;
  void* memory = std::aligned_alloc(size, size);
  std::memset(memory, 0, size);
  owned_.push_back(memory);
  return memory;
}

World::World() {
  machine = FakeMachine{};
  derivation_anchor = Slot{};
  static Core both[2];
  cores.count = 2;
  for (unsigned i = cores.count; i-- > 0;) {
    std::destroy_at(&both[i]);
    std::construct_at(&both[i]);
    both[i].id = i;
    cores.all[i] = &both[i];
    on_core(i);
    initialise_scheduler();
  }
  root_slots_ = static_cast<Slot*>(allocate(kRootBits + abi::kSlotBits));
  root_ = static_cast<Tcb*>(allocate(abi::kTcbBits));
  root_context_ = static_cast<SchedContext*>(allocate(abi::kMinSchedContextBits));
  root_buffer_ = static_cast<abi::IpcBuffer*>(allocate(12));
  void* untyped = allocate(kMemoryBits);
  std::memset(untyped, 0xa5, std::size_t{1} << kMemoryBits);  // nothing may rely on clean memory

  const Cap cnode = Cap::cnode(to_phys(root_slots_), kRootBits, 0, 64 - kRootBits);
  place_cap(slot(kTcbSlot), Cap::tcb(to_phys(root_)));
  place_cap(slot(kCNodeSlot), cnode);
  place_cap(slot(kUntypedSlot), Cap::untyped(to_phys(untyped), kMemoryBits, false));
  place_cap(slot(kSchedControlSlot), Cap::sched_control(0));
  place_cap(slot(kSecondSchedControlSlot), Cap::sched_control(1));
  place_cap(slot(kVSpaceSlot), Cap::table(CapType::kPml4, to_phys(allocate(12))));
  place_cap(slot(kIrqControlSlot), Cap::irq_control());
  place_cap(slot(kDomainSlot), Cap::domain());
  place_cap(slot(kContextSlot),
            Cap::sched_context(to_phys(root_context_), abi::kMinSchedContextBits));
  place_cap(slot(kBufferSlot),
            Cap::page(to_phys(root_buffer_), PageSize::k4K, false, abi::kReadWrite));
  create_tcb(*root_);
  insert_copy(slot(kCNodeSlot), root_->slots[Tcb::kCSpace], cnode);
  insert_copy(slot(kBufferSlot), root_->slots[Tcb::kIpcBuffer], slot(kBufferSlot).cap);
  bind_initial_thread(*root_, *root_context_, 5000);
  set_initial_thread(*root_);
  start();
}

World::~World() {
  for (void* memory : owned_) std::free(memory);
}

Message World::last_reply(Tcb& tcb) {
  Message m{abi::MessageInfo(tcb.context.msg_info()), tcb.context.rdi, {}};
  for (unsigned i = 0; i < 4; ++i) m.words[i] = tcb.context.message_register(i);
  return m;
}

Message World::syscall(abi::Syscall number, Word cap, abi::MessageInfo info,
                       std::vector<Word> words, Word reply, Word dest) {
  Tcb& tcb = *current_thread();
  UserContext& context = tcb.context;
  context.rdx = static_cast<Word>(static_cast<long>(number));
  context.rdi = cap;
  context.rsi = info.raw();
  context.r12 = reply;
  context.r13 = dest;
  for (unsigned i = 0; i < words.size(); ++i) {
    if (i < 4) {
      context.set_message_register(i, words[i]);
    } else {
      const Cap& frame = tcb.slots[Tcb::kIpcBuffer].cap;
      frame.object<abi::IpcBuffer>()->msg[i] = words[i];
    }
  }
  context.fault_ip = kFakeIp;
  context.rip = kFakeIp + kSyscallBytes;
  handle_syscall();
  return last_reply(tcb);
}

abi::Error World::invoke(Word cap, abi::Label label, std::vector<Word> words,
                         std::vector<Word> caps) {
  Tcb& tcb = *current_thread();
  auto* buffer = tcb.slots[Tcb::kIpcBuffer].cap.object<abi::IpcBuffer>();
  for (unsigned i = 0; i < caps.size(); ++i) buffer->caps_or_badges[i] = caps[i];
  const abi::MessageInfo info(static_cast<Word>(label), 0, static_cast<unsigned>(caps.size()),
                              static_cast<unsigned>(words.size()));
  return syscall(abi::Syscall::kCall, cap, info, words).info.error();
}

abi::Error World::invoke_until_done(Word cap, abi::Label label, std::vector<Word> words,
                                    std::vector<Word> caps) {
  for (;;) {
    Tcb& tcb = *current_thread();
    const abi::Error error = invoke(cap, label, words, caps);
    check_invariants();
    if (tcb.context.rip != kFakeIp) return error;
  }
}

Word World::make(abi::ObjectType type, Word size_bits) {
  const Word at = new_slot();
  EXPECT_EQ(invoke_until_done(kUntypedSlot, abi::Label::kUntypedRetype,
                              {static_cast<Word>(type), size_bits, 0, 0, at, 1}, {kCNodeSlot}),
            abi::Error::kNone);
  return at;
}

abi::Error World::configure(Word context_slot, Word budget_us, Word period_us, Word extra,
                            unsigned core) {
  return invoke(core == 0 ? kSchedControlSlot : kSecondSchedControlSlot,
                abi::Label::kSchedControlConfigureFlags, {budget_us, period_us, extra, 0x77, 0},
                {context_slot});
}

World::Thread World::make_thread(unsigned priority, bool passive) {
  Thread t{};
  t.tcb_slot = make(abi::ObjectType::kTcb);
  t.tcb = slot(t.tcb_slot).cap.object<Tcb>();
  const Word frame = make(abi::ObjectType::kPage4K);
  t.buffer = slot(frame).cap.object<abi::IpcBuffer>();
  const Word guard = 64 - kRootBits;
  EXPECT_EQ(invoke(t.tcb_slot, abi::Label::kTcbConfigure, {guard, 0, 0x1000},
                   {kCNodeSlot, kVSpaceSlot, frame}),
            abi::Error::kNone);
  if (!passive) {
    t.context_slot = make(abi::ObjectType::kSchedContext, abi::kMinSchedContextBits);
    EXPECT_EQ(configure(t.context_slot, 5000, 5000), abi::Error::kNone);
    EXPECT_EQ(invoke(t.tcb_slot, abi::Label::kTcbSetSchedParams, {255, priority},
                     {kTcbSlot, t.context_slot, 0}),
              abi::Error::kNone);
  } else {
    EXPECT_EQ(invoke(t.tcb_slot, abi::Label::kTcbSetPriority, {priority}, {kTcbSlot}),
              abi::Error::kNone);
  }
  EXPECT_EQ(invoke(t.tcb_slot, abi::Label::kTcbResume, {}), abi::Error::kNone);
  return t;
}

abi::Error World::copy(Word from, Word to, abi::CapRights rights) {
  return invoke(kCNodeSlot, abi::Label::kCNodeCopy, {to, 64, from, 64, rights.raw()}, {kCNodeSlot});
}
abi::Error World::mint(Word from, Word to, Word badge, abi::CapRights rights) {
  return invoke(kCNodeSlot, abi::Label::kCNodeMint, {to, 64, from, 64, rights.raw(), badge},
                {kCNodeSlot});
}
abi::Error World::remove(Word index) {
  return invoke_until_done(kCNodeSlot, abi::Label::kCNodeDelete, {index, 64});
}
abi::Error World::revoke(Word index) {
  return invoke_until_done(kCNodeSlot, abi::Label::kCNodeRevoke, {index, 64});
}

void World::check_invariants() {
  const CheckResult result = kernel::check_invariants();
  ASSERT_TRUE(result.complete);
  ASSERT_EQ(result.complaint.what, nullptr)
      << result.complaint.what << ", 0x" << std::hex << result.complaint.where;
}

}  // namespace lona::kernel::testing
