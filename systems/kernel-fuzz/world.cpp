// SPDX-License-Identifier: BSD-2-Clause
#include "systems/kernel-fuzz/world.hpp"

#include <new>

extern "C" {
// Set by the linker: the image's first byte, and the end of its read-only part.
extern const char __executable_start[], etext[];
}

namespace lona::fuzz {

namespace {

using kernel::testing::CallGenerator;
using kernel::testing::CallSpace;
using kernel::testing::Random;

constexpr Word kPage = 4096;
constexpr unsigned kRadix = 8;
constexpr abi::CNodeData kGuard{0, abi::kWordBits - kRadix};
// Puppets cannot raise anybody above this.
constexpr Word kMaxPriority = 120, kNursePriority = 90;

// The puppets' CNode.
enum : Word {
  kSlotTcb = 1,
  kSlotCNode = 2,
  kSlotUntyped = 3,
  kSlotSchedControl = 4,
  kSlotVSpace = 5,
  kSlotIrqHandler = 6,
  kSlotAsidPool = 7,
  kSlotAsidControl = 8,
  kSlotDomain = 9,
  kSlotMoreUntyped = 10,
  kFirstSlot = 16,
  kSlotCount = 200,
};

constinit PuppetMemory puppets[World::kPuppets];

CPtr image_frame(Word address) {
  const Word begin = reinterpret_cast<Word>(__executable_start) & ~(kPage - 1);
  return info->user_image_frames.start + (address - begin) / kPage;
}

CallSpace call_space(unsigned index) {
  return {.first = kFirstSlot,
          .count = kSlotCount,
          .cnode = kSlotCNode,
          .untyped = kSlotUntyped,
          .tcb = kSlotTcb,
          .sched_control = kSlotSchedControl,
          .vspace = kSlotVSpace,
          .irq_handler = kSlotIrqHandler,
          .asid_pool = kSlotAsidPool,
          .asid_control = kSlotAsidControl,
          .guard = kGuard.raw(),
          .entry_ip = reinterpret_cast<Word>(puppet_entry),
          .entry_sp = puppet_stack(puppets[index]),
          .free_address = 0x4000'0000};
}

}  // namespace

World::World(CPtr arena, CPtr irq_handler, Word seed)
    : arena_(arena), mark_(slot_mark()), random_(seed) {
  for (unsigned i = 0; i < kPuppets; ++i) {
    puppets[i].calls = 0;
    new (&puppets[i].generator) CallGenerator(call_space(i), random_.next());
  }
  build_space();
  cnode_ = make(ObjectType::kCNode, kRadix);
  for (unsigned i = 0; i < kPuppets; ++i) build_puppet(i);
  build_cspace(irq_handler);
  for (unsigned i = 0; i < kPuppets; ++i) start(i);
  build_nurse();
}

World::~World() {
  must(abi::tcb_suspend(nurse_), "stopping the nurse");
  for (const CPtr tcb : tcbs_) must(abi::tcb_suspend(tcb), "stopping a puppet");
  must(abi::cnode_revoke(slot_address(arena_)), "revoking the world");
  // Copies of the root task's own frames and other capabilities; those in between are gone.
  for (CPtr slot = mark_; slot < slot_mark(); ++slot) {
    must(abi::cnode_delete(slot_address(slot)), "deleting a copy");
  }
  slot_release(mark_);
}

CPtr World::make(ObjectType type, Word size_bits) {
  const CPtr slot = new_slot();
  must(abi::untyped_retype(arena_, type, size_bits, {abi::kSlotInitCNode, 0, 0}, slot, 1),
       "making an object of the world");
  return slot;
}

// The program's read-only part and the puppets' memory, where the root task has them itself.
void World::build_space() {
  vspace_ = make(ObjectType::kPml4);
  must(abi::asid_pool_assign(abi::kSlotInitAsidPool, vspace_), "an address space number");
  const Word begin = reinterpret_cast<Word>(__executable_start) & ~(kPage - 1);
  must(abi::pdpt_map(make(ObjectType::kPdpt), vspace_, begin), "mapping a table");
  must(abi::page_directory_map(make(ObjectType::kPageDirectory), vspace_, begin),
       "mapping a table");
  const Word end = reinterpret_cast<Word>(puppets + kPuppets);
  constexpr Word kReach = Word{1} << 21;
  for (Word at = begin & ~(kReach - 1); at < end; at += kReach) {
    must(abi::page_table_map(make(ObjectType::kPageTable), vspace_, at), "mapping a table");
  }
  for (Word at = begin; at < reinterpret_cast<Word>(etext); at += kPage) {
    map_page(at, abi::kCanRead);
  }
  for (unsigned i = 0; i < kPuppets; ++i) {
    const Word at = reinterpret_cast<Word>(&puppets[i]);
    buffers_[i] = slot_mark();
    map_page(at, abi::kReadWrite);
    map_page(at + kPage, abi::kReadWrite);
  }
}

void World::map_page(Word address, abi::CapRights rights) {
  const CPtr copy = new_slot();
  must(abi::cnode_copy(slot_address(copy), slot_address(image_frame(address)), rights),
       "copying a frame");
  must(abi::page_map(copy, vspace_, address, rights), "mapping a frame");
}

void World::give(Word index, CPtr cap, abi::CapRights rights) {
  must(abi::cnode_copy({cnode_, index, kRadix}, slot_address(cap), rights), "giving a capability");
}

void World::build_cspace(CPtr irq_handler) {
  give(kSlotTcb, tcbs_[0]);
  must(abi::cnode_mint({cnode_, kSlotCNode, kRadix}, slot_address(cnode_), abi::kAllRights,
                       kGuard.raw()),
       "giving the CNode");
  const abi::SlotAddress in_cnode{abi::kSlotInitCNode, cnode_, abi::kWordBits};
  must(abi::untyped_retype(arena_, ObjectType::kUntyped, 20, in_cnode, kSlotUntyped, 1),
       "giving memory");
  must(abi::untyped_retype(arena_, ObjectType::kUntyped, 16, in_cnode, kSlotMoreUntyped, 1),
       "giving memory");
  const Word cores = info->sched_control.end - info->sched_control.start;
  give(kSlotSchedControl, info->sched_control.start + random_.below(cores));
  give(kSlotVSpace, vspace_);
  give(kSlotIrqHandler, irq_handler);
  give(kSlotAsidPool, abi::kSlotInitAsidPool);
  give(kSlotAsidControl, abi::kSlotAsidControl);
  give(kSlotDomain, abi::kSlotDomain);
  for (unsigned i = 0; i < kPuppets; ++i) {
    give(kFirstSlot + i, tcbs_[i]);
    give(kFirstSlot + kPuppets + i, contexts_[i]);
    for (PuppetMemory& puppet : puppets) {
      puppet.generator.know(kFirstSlot + i, ObjectType::kTcb);
      puppet.generator.know(kFirstSlot + kPuppets + i, ObjectType::kSchedContext);
    }
  }
}

// The last one has no scheduling context: it lives on what it is lent.
void World::build_puppet(unsigned index) {
  const CPtr tcb = tcbs_[index] = make(ObjectType::kTcb);
  contexts_[index] = make(ObjectType::kSchedContext, 8);
  must(abi::tcb_set_mc_priority(tcb, abi::kSlotInitTcb, kMaxPriority), "a puppet's bound");
}

void World::build_nurse() {
  constexpr unsigned kNurseRadix = 4;
  constexpr Word kSliceUs = 1000;
  static_assert(kPuppets < 1u << kNurseRadix);
  alignas(16) static char stack[1024];
  const CPtr cnode = make(ObjectType::kCNode, kNurseRadix);
  const CPtr context = make(ObjectType::kSchedContext, abi::kMinSchedContextBits);
  nurse_ = make(ObjectType::kTcb);
  for (unsigned i = 0; i < kPuppets; ++i) {
    must(abi::cnode_copy({cnode, i + 1, kNurseRadix}, slot_address(tcbs_[i]), abi::kAllRights),
         "giving the nurse a puppet");
  }
  must(
      abi::sched_control_configure(info->sched_control.start, context, kSliceUs, kSliceUs, 0, 0, 0),
      "the nurse's time");
  // It runs in the root task's own address space, which no puppet can touch.
  must(
      abi::tcb_set_space(nurse_, 0, cnode, {0, abi::kWordBits - kNurseRadix}, abi::kSlotInitVSpace),
      "the nurse's space");
  must(abi::tcb_set_sched_params(nurse_, abi::kSlotInitTcb, 0, kNursePriority, context, 0),
       "the nurse's priority");
  abi::UserRegisters registers{};
  registers.rip = reinterpret_cast<Word>(nurse_main);
  registers.rsp = reinterpret_cast<Word>(stack + sizeof(stack)) - 8;
  registers.rdi = reinterpret_cast<Word>(puppets);
  registers.rsi = kPuppets;
  registers.rflags = 0x202;
  must(abi::tcb_write_registers(nurse_, true, abi::kUserRegisterCount, registers),
       "starting the nurse");
}

// Whatever was done to the puppet, it begins again with what it needs for system calls.
void World::start(unsigned index) {
  const CPtr tcb = tcbs_[index];
  const Word cores = info->sched_control.end - info->sched_control.start;
  must(abi::tcb_suspend(tcb), "stopping a puppet");
  // Refused if its CSpace is the last capability to a CNode by now: then it stays as it is.
  if (abi::tcb_configure(tcb, cnode_, kGuard, vspace_,
                         reinterpret_cast<Word>(&puppets[index].buffer),
                         buffers_[index]) != Error::kNone) {
    return;
  }
  must(abi::tcb_set_priority(tcb, abi::kSlotInitTcb, 100 + random_.below(8)),
       "a puppet's priority");
  if (index + 1 < kPuppets) {
    const Word budget = 50 + random_.below(500);
    const Word period = random_.one_in(3) ? budget : budget + random_.below(1000);
    (void)abi::sched_context_unbind(contexts_[index]);
    must(abi::sched_control_configure(info->sched_control.start + random_.below(cores),
                                      contexts_[index], budget, period, random_.below(4), index, 0),
         "a puppet's time");
    // It may run on another context by now.
    (void)abi::sched_context_bind(contexts_[index], tcb);
  }
  const CallSpace space = call_space(index);
  abi::UserRegisters registers{};
  registers.rip = space.entry_ip;
  registers.rsp = space.entry_sp;
  registers.rflags = 0x202;
  must(abi::tcb_write_registers(tcb, true, abi::kUserRegisterCount, registers),
       "starting a puppet");
}

Word World::calls() const {
  Word sum = 0;
  for (const PuppetMemory& puppet : puppets) sum += puppet.calls;
  return sum;
}

void World::revive() {
  for (unsigned i = 0; i < kPuppets; ++i) {
    const bool stands = puppets[i].calls == last_calls_[i];
    last_calls_[i] = puppets[i].calls;
    if (!stands) continue;
    // The nurse could not help it: it has lost something that it needs.
    start(i);
  }
}

}  // namespace lona::fuzz
