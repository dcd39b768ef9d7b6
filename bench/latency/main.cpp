// SPDX-License-Identifier: BSD-2-Clause
// How long can a program keep the kernel from taking an interrupt? Each row is an operation that is
// meant to be the worst of its kind; before it the kernel forgets, after it the kernel tells the
// longest stretch it has run without a preemption point. Under QEMU's `-icount shift=0` a tick is
// an instruction. Needs the debug kernel.
#include "systems/kernel-fuzz/machine.hpp"

extern "C" {
// Where the threads of the rows begin: they call, wait at, or signal nothing else.
[[noreturn]] void caller_thread();
[[noreturn]] void waiter_thread();
[[noreturn]] void spinning_thread();
}

asm(R"(
.text
# rdi: what to call; nothing is on the stack.
.globl caller_thread
caller_thread:
    movq %rdi, %r14
1:  movq %r14, %rdi
    xorl %esi, %esi
    movq $-1, %rdx
    syscall
    jmp 1b
.globl waiter_thread
waiter_thread:
    movq %rdi, %r14
1:  movq %r14, %rdi
    movq $-9, %rdx
    syscall
    jmp 1b
.globl spinning_thread
spinning_thread:
    jmp spinning_thread
)");

namespace lona::fuzz {

namespace {

constexpr abi::SlotAddress kRoot{abi::kSlotInitCNode, 0, 0};
constexpr unsigned kThreads = 512;
constexpr unsigned kArenaBits = 24;

CPtr arena = 0;
Word worst = 0;

void make(ObjectType type, Word size_bits, CPtr first, Word count = 1) {
  must(abi::untyped_retype(arena, type, size_bits, kRoot, first, count), "making objects");
}

// Runs `operation` and prints what it cost at worst.
template <typename Operation>
void row(std::string_view name, Operation&& operation) {
  (void)abi::debug_latency();
  operation();
  const abi::KernelLatency latency = abi::debug_latency();
  print("latency ");
  print_number(latency.ticks);
  print(" ");
  print(name);
  print("\n");
  if (latency.ticks > worst) worst = latency.ticks;
}

// What every row begins with and ends with: an empty arena.
template <typename Build>
void stage(Build&& build) {
  const CPtr mark = slot_mark();
  build();
  must(abi::cnode_revoke(slot_address(arena)), "giving the arena back");
  for (CPtr slot = mark; slot < slot_mark(); ++slot) {
    must(abi::cnode_delete(slot_address(slot)), "emptying a slot");
  }
  slot_release(mark);
}

CPtr slots(unsigned count) {
  const CPtr first = new_slot();
  for (unsigned i = 1; i < count; ++i) (void)new_slot();
  return first;
}

// --- Objects -------------------------------------------------------------------------------------

void many_children() {
  constexpr unsigned kCount = 2048;
  stage([] {
    const CPtr first = slots(kCount);
    for (unsigned i = 0; i < kCount; i += 256) make(ObjectType::kEndpoint, 0, first + i, 256);
    row("revoke an untyped with 2048 endpoints",
        [] { must(abi::cnode_revoke(slot_address(arena)), "revoking"); });
  });
  stage([] {
    const CPtr first = slots(kCount);
    make(ObjectType::kNotification, 0, first);
    for (unsigned i = 1; i < kCount; ++i) {
      must(abi::cnode_mint(slot_address(first + i), slot_address(first), abi::kAllRights, i),
           "minting");
    }
    row("revoke a notification with 2047 badges",
        [=] { must(abi::cnode_revoke(slot_address(first)), "revoking"); });
  });
}

void retypes() {
  struct Row {
    std::string_view name;
    ObjectType type;
    Word size_bits, count;
  };
  static constexpr Row kRows[] = {
      {"retype a 2 MiB page", ObjectType::kLargePage, 0, 1},
      {"retype 256 pages", ObjectType::kPage4K, 0, 256},
      {"retype 256 threads", ObjectType::kTcb, 0, 256},
      {"retype 256 top-level tables", ObjectType::kPml4, 0, 256},
      {"retype 256 endpoints", ObjectType::kEndpoint, 0, 256},
      {"retype 256 untypeds", ObjectType::kUntyped, 12, 256},
      {"retype 256 CNodes", ObjectType::kCNode, 6, 256},
      {"retype a CNode of 65536 slots", ObjectType::kCNode, 16, 1},
      {"retype 256 scheduling contexts", ObjectType::kSchedContext, 8, 256},
  };
  for (const Row& r : kRows) {
    stage([&] {
      const CPtr first = slots(256);
      row(r.name, [&] { make(r.type, r.size_bits, first, r.count); });
    });
  }
}

void containers() {
  stage([] {
    const CPtr node = slots(1);
    make(ObjectType::kCNode, 16, node);
    row("delete a CNode of 65536 empty slots",
        [=] { must(abi::cnode_delete(slot_address(node)), "deleting"); });
  });
  stage([] {
    const CPtr node = slots(2);
    make(ObjectType::kCNode, 11, node);
    for (Word i = 0; i < 2048; i += 256) {
      must(abi::untyped_retype(arena, ObjectType::kReply, 0,
                               {abi::kSlotInitCNode, node, abi::kWordBits}, i, 256),
           "filling a CNode");
    }
    row("delete a CNode full of reply objects",
        [=] { must(abi::cnode_delete(slot_address(node)), "deleting"); });
  });
  stage([] {
    // Each CNode holds the only capability to the next.
    const CPtr first = slots(1);
    make(ObjectType::kCNode, 4, first);
    CPtr below = new_slot();
    for (unsigned i = 0; i < 1000; ++i) {
      make(ObjectType::kCNode, 4, below);
      must(abi::cnode_move({below, 3, 4}, slot_address(first)), "nesting");
      must(abi::cnode_move(slot_address(first), slot_address(below)), "nesting");
    }
    row("delete 1001 CNodes, one inside the other",
        [=] { must(abi::cnode_delete(slot_address(first)), "deleting"); });
  });
}

// --- Threads -------------------------------------------------------------------------------------

class Threads {
 public:
  // With time of their own, at `priority`.
  explicit Threads(Word priority, Word budget_us = 1000, Word period_us = 1000)
      : first_(slots(2 * kThreads)) {
    for (unsigned i = 0; i < kThreads; i += 256) {
      make(ObjectType::kTcb, 0, first_ + i, 256);
      make(ObjectType::kSchedContext, 8, first_ + kThreads + i, 256);
    }
    for (unsigned i = 0; i < kThreads; ++i) {
      const CPtr context = first_ + kThreads + i;
      must(abi::sched_control_configure(info->sched_control.start, context, budget_us, period_us, 0,
                                        0, 0),
           "time for a thread");
      must(abi::tcb_set_space(tcb(i), 0, abi::kSlotInitCNode, abi::CNodeData{0},
                              abi::kSlotInitVSpace),
           "a thread's space");
      must(abi::tcb_set_sched_params(tcb(i), abi::kSlotInitTcb, 0, priority, context, 0),
           "a thread's time");
    }
  }
  CPtr tcb(unsigned index) const { return first_ + index; }

  void start(void (*entry)(), Word argument) {
    abi::UserRegisters registers{};
    registers.rip = reinterpret_cast<Word>(entry);
    registers.rdi = argument;
    registers.rflags = 0x202;
    for (unsigned i = 0; i < kThreads; ++i) {
      must(abi::tcb_write_registers(tcb(i), true, abi::kUserRegisterCount, registers),
           "starting a thread");
    }
  }

 private:
  CPtr first_;
};

// The root task sleeps, so that the others do what they were started for.
void let_them_run(unsigned periods = 40) {
  for (unsigned i = 0; i < periods; ++i) abi::yield();
}

void long_queues() {
  stage([] {
    const CPtr endpoint = slots(1);
    make(ObjectType::kEndpoint, 0, endpoint);
    Threads threads(100);
    threads.start(caller_thread, endpoint);
    let_them_run();
    row("delete an endpoint with 512 callers",
        [=] { must(abi::cnode_delete(slot_address(endpoint)), "deleting"); });
  });
  stage([] {
    const CPtr notification = slots(1);
    make(ObjectType::kNotification, 0, notification);
    Threads threads(100);
    threads.start(waiter_thread, notification);
    let_them_run();
    row("delete a notification with 512 waiters",
        [=] { must(abi::cnode_delete(slot_address(notification)), "deleting"); });
  });
  for (const bool same : {true, false}) {
    stage([=] {
      const CPtr endpoint = slots(3);
      make(ObjectType::kEndpoint, 0, endpoint);
      for (Word badge = 1; badge <= 2; ++badge) {
        must(abi::cnode_mint(slot_address(endpoint + badge), slot_address(endpoint),
                             abi::kAllRights, badge),
             "minting");
      }
      Threads threads(100);
      threads.start(caller_thread, endpoint + 1);
      let_them_run();
      row(same ? "cancel 512 sends of a badge" : "look for a badge among 512 sends", [=] {
        must(abi::cnode_cancel_badged_sends(slot_address(endpoint + (same ? 1 : 2))), "cancelling");
      });
    });
  }
  stage([] {
    const CPtr endpoint = slots(1);
    make(ObjectType::kEndpoint, 0, endpoint);
    Threads threads(100);
    threads.start(caller_thread, endpoint);
    let_them_run();
    row("raise the priority of the last of 512 callers", [&] {
      must(abi::tcb_set_priority(threads.tcb(kThreads - 1), abi::kSlotInitTcb, 200), "raising");
      must(abi::tcb_set_priority(threads.tcb(0), abi::kSlotInitTcb, 50), "lowering");
    });
  });
  stage([] {
    const CPtr endpoint = slots(1);
    make(ObjectType::kEndpoint, 0, endpoint);
    Threads threads(100);
    threads.start(caller_thread, endpoint);
    let_them_run();
    for (unsigned i = 0; i < kThreads; ++i) {
      must(abi::tcb_set_priority(threads.tcb(i), abi::kSlotInitTcb, 1 + i % 240), "sorting");
    }
    row("pass callers of 240 priorities",
        [&] { must(abi::tcb_set_priority(threads.tcb(0), abi::kSlotInitTcb, 250), "raising"); });
  });
  stage([] {
    Threads threads(100, 20, 400'000);
    row("512 threads wait for their time", [&] {
      threads.start(spinning_thread, 0);
      let_them_run();
    });
    row("512 threads get their time again", [] { let_them_run(120); });
  });
}

// --- Address spaces and the rest -----------------------------------------------------------------

void address_spaces() {
  stage([] {
    const CPtr vspace = slots(4);
    make(ObjectType::kPml4, 0, vspace);
    must(abi::asid_pool_assign(abi::kSlotInitAsidPool, vspace), "an address space number");
    make(ObjectType::kPdpt, 0, vspace + 1);
    make(ObjectType::kPageDirectory, 0, vspace + 2);
    must(abi::pdpt_map(vspace + 1, vspace, 0), "mapping");
    must(abi::page_directory_map(vspace + 2, vspace, 0), "mapping");
    for (Word table = 0; table < 4; ++table) {
      const CPtr slot = slots(513);
      make(ObjectType::kPageTable, 0, slot);
      must(abi::page_table_map(slot, vspace, table << 21), "mapping");
      make(ObjectType::kPage4K, 0, slot + 1, 256);
      make(ObjectType::kPage4K, 0, slot + 257, 256);
      for (Word page = 0; page < 512; ++page) {
        must(abi::page_map(slot + 1 + page, vspace, table << 21 | page << 12, abi::kReadWrite),
             "mapping");
      }
    }
    row("unmap a full page directory",
        [=] { must(abi::page_directory_unmap(vspace + 2), "unmapping"); });
    row("revoke an address space of 2048 pages",
        [] { must(abi::cnode_revoke(slot_address(arena)), "revoking"); });
  });
}

void the_rest() {
  const CPtr ports = new_slot();
  row("issue 60000 I/O ports and delete them", [=] {
    must(abi::io_port_control_issue(abi::kSlotIoPortControl, 0, 60000, slot_address(ports)),
         "issuing");
    must(abi::cnode_delete(slot_address(ports)), "deleting");
  });
  stage([] {
    // A CSpace that resolves one bit a level.
    const CPtr first = slots(64);
    make(ObjectType::kCNode, 1, first, 64);
    for (unsigned i = 63; i-- > 0;) {
      must(abi::cnode_copy({first + i, 0, 1}, slot_address(first + i + 1), abi::kAllRights),
           "nesting");
    }
    row("look a slot up through 64 CNodes",
        [=] { (void)abi::cnode_copy({first, 0, 64}, {first, 1, 64}, abi::kAllRights); });
  });
}

void run() {
  CPtr untyped = 0;
  for (CPtr i = 0; i < info->untyped.end - info->untyped.start; ++i) {
    const abi::UntypedDesc& desc = info->untyped_list[i];
    if (desc.is_device == 0 && desc.size_bits > kArenaBits) untyped = info->untyped.start + i;
  }
  arena = new_slot();
  must(abi::untyped_retype(untyped, ObjectType::kUntyped, kArenaBits, kRoot, arena, 1), "memory");
  must(abi::sched_control_configure(info->sched_control.start, abi::kSlotInitSchedContext, 4000,
                                    5000, 0, 0, 0),
       "the root task's own time");
  many_children();
  retypes();
  containers();
  long_queues();
  address_spaces();
  the_rest();
  print("latency ");
  print_number(worst);
  print(" worst of all\n");
}

}  // namespace

}  // namespace lona::fuzz

void root_main(const lona::abi::BootInfo* boot_info) {
  lona::fuzz::info = boot_info;
  lona::fuzz::run();
  for (;;) lona::abi::debug_halt();
}
