// SPDX-License-Identifier: BSD-2-Clause
// The root task: one world after the other until enough calls were made.
#include "systems/kernel-fuzz/bystander.hpp"
#include "systems/kernel-fuzz/world.hpp"

namespace lona::fuzz {

namespace {

constexpr unsigned kArenaBits = 22;
constexpr Word kDefaultCalls = 10'000'000;
constexpr Word kCallsPerBatch = 3000;
// The root task looks every few milliseconds and leaves the rest of it to the others.
constexpr Word kRootBudgetUs = 1000, kRootPeriodUs = 5000;
// A batch that stands still is over.
constexpr unsigned kTicksPerBatch = 60;
constexpr Word kIrqVector = 40;

Word checked_slots() {
  const Word slots = abi::debug_check();
  if (slots == 0) fail("the kernel has too many objects to check them all");
  return slots;
}

// Calls made in a world of this seed.
Word run_batch(CPtr arena, CPtr irq_handler, Word seed) {
  const Word beats = bystander_beats();
  Word calls = 0;
  {
    World world(arena, irq_handler, seed);
    for (unsigned tick = 0; tick < kTicksPerBatch && calls < kCallsPerBatch; ++tick) {
      abi::yield();
      calls = world.calls();
      world.revive();
      if (tick % 16 == 15) (void)checked_slots();
    }
    (void)checked_slots();
  }
  for (unsigned tick = 0; bystander_beats() == beats; ++tick) {
    if (tick == 200) fail("the bystander has stopped");
    abi::yield();
  }
  if (bystander_hurt()) fail("the bystander's registers or memory have changed");
  return calls;
}

void run() {
  const Word wanted = setting("opt/lona/calls", kDefaultCalls);
  const Word first_seed = setting("opt/lona/seed", 1);
  const CPtr untyped = root::largest_untyped();
  const CPtr arena = new_slot(), irq_handler = new_slot();
  must(abi::untyped_retype(untyped, ObjectType::kUntyped, kArenaBits, {abi::kSlotInitCNode, 0, 0},
                           arena, 1),
       "memory for the worlds");
  must(abi::irq_control_get_msi(abi::kSlotIrqControl, slot_address(irq_handler), 0, 0, 0, 0,
                                kIrqVector),
       "an interrupt handler");
  must(abi::sched_control_configure(info->sched_control.start, abi::kSlotInitSchedContext,
                                    kRootBudgetUs, kRootPeriodUs, 0, 0, 0),
       "the root task's own time");
  start_bystander(untyped);
  const Word slots_before = checked_slots();

  Word calls = 0, batches = 0;
  for (Word seed = first_seed; calls < wanted; ++seed, ++batches) {
    if (batches % 16 == 0) {
      print("kernel-fuzz: seed ");
      print_number(seed);
      print(", ");
      print_number(calls);
      print(" calls\n");
    }
    calls += run_batch(arena, irq_handler, seed);
    if (checked_slots() != slots_before) fail("capabilities are left over");
  }
  print("kernel-fuzz: done, ");
  print_number(calls);
  print(" calls in ");
  print_number(batches);
  print(" batches, bystander made ");
  print_number(bystander_beats());
  print(" rounds\n");
}

}  // namespace

}  // namespace lona::fuzz

void root_main(const lona::abi::BootInfo* boot_info) {
  lona::fuzz::info = boot_info;
  lona::fuzz::run();
  for (;;) lona::abi::debug_halt();
}
