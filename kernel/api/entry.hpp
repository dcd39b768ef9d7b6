// SPDX-License-Identifier: BSD-2-Clause
// The way into the kernel. The architecture saves the user state into the current thread's
// context, calls one of these with interrupts off, and then resumes the thread that is returned:
// its address space is already active. The idle thread is returned as null: wait for an interrupt.
#pragma once

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// The entry code needs no register preserved; sanitizers cannot build a function that does this.
#if __STDC_HOSTED__
#define LONA_ENTRY_CALL
#else
#define LONA_ENTRY_CALL [[clang::preserve_none]]
#endif

// Number in the context; also unknown numbers.
LONA_ENTRY_CALL Tcb* handle_syscall();
Tcb* handle_irq(unsigned irq);  // acknowledged at the controller, or masked, by arch
Tcb* handle_timer();            // the deadline passed
Tcb* handle_prod();             // another core changed what this one should run
Tcb* handle_vm_fault(Word address, Word status, bool instruction);
Tcb* handle_user_exception(Word vector, Word error);
// Reason and what was hit as in abi::debug_exception.
Tcb* handle_debug_exception(Word reason, Word address, unsigned breakpoint);

// The thread that runs now; null while idle.
Tcb* current_thread();

// --- Boot ----------------------------------------------------------------------------------------
// Before anything else of the core.
void initialise_scheduler();
// A new thread and scheduling context in zeroed memory.
void create_tcb(Tcb& tcb);
// Gives `context` the boot thread's time (round robin), highest priority, and binds it.
void bind_initial_thread(Tcb& tcb, SchedContext& context, Ticks slice_us);
// Makes `tcb` the thread to run; call start() afterwards.
void set_initial_thread(Tcb& tcb);
// Picks the first thread: what every entry does last.
Tcb* start();
// Puts an initial cap into an empty slot, as the root of a derivation tree or as a child.
void place_cap(Slot& slot, const Cap& cap);
void place_child(Slot& parent, Slot& slot, const Cap& cap);

}  // namespace lona::kernel
