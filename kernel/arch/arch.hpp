// SPDX-License-Identifier: BSD-2-Clause
// What the portable kernel asks of the architecture.
#pragma once

#include "abi/sel4/object_types.hpp"
#include "kernel/api/invocation.hpp"
#include "kernel/object/tcb.hpp"

namespace lona::kernel {
struct Core;
}

namespace lona::kernel::arch {

// --- Time: a counter that never goes back
// ----------------------------------------------------------
Ticks now();
// handle_timer() is called then, or at once if it has passed; `now` is the time, or was a moment
// ago.
void set_deadline(Ticks at, Ticks now);
Ticks ticks_per_us();

// --- Interrupts ----------------------------------------------------------------------------------
inline constexpr unsigned kIrqCount = 16 + abi::kVectorMax + 1;  // ISA lines, then vectors
bool interrupt_pending();                                        // asked at preemption points
void mask_irq(unsigned irq, bool masked);
void ack_irq(unsigned irq);  // the driver is done: the line may interrupt again
// The last handler of `irq` is gone.
void release_irq(unsigned irq);

// --- Cores ---------------------------------------------------------------------------------------
// Makes another core enter the kernel, where it schedules once it has the lock. Does not wait.
void prod(Core& core);
// The same, and waits until it has left user mode: its thread's registers are in their context.
void stop(Core& core);

// --- Threads -------------------------------------------------------------------------------------
void init_context(UserContext& context);
// Makes the thread's address space and FPU state the active ones.
void switch_to(Tcb& tcb);
void switch_to_idle();
// The thread's flags change, or it leaves its core: its FPU state must not stay in the processor.
void release_fpu(Tcb& tcb);
// The thread ends: so does its FPU state.
void forget_fpu(Tcb& tcb);
void set_tls_base(Tcb& tcb, Word base);
// Register `index` in the order of abi::UserRegisters.
Word read_register(const Tcb& tcb, unsigned index);
void write_register(Tcb& tcb, unsigned index, Word value);
// Copy the registers a system call uses (frame) or the others (integer).
void copy_frame_registers(Tcb& to, const Tcb& from);
void copy_integer_registers(Tcb& to, const Tcb& from);
// Methods of TCBs for hardware debugging, in the kernel that has it.
Result<Done> decode_debug_method(Invocation& invocation);
// A debug fault after each so many instructions; 0: none.
void set_single_stepping(Tcb& tcb, Word instructions);
// Fault messages: word `index` of the layouts in abi/sel4/fault.hpp, read and set.
// All words of it but the last; those behind the registers only if there is a buffer.
void describe_unknown_syscall(const Tcb& tcb, Tcb& receiver, abi::IpcBuffer* buffer);
void set_unknown_syscall_word(Tcb& tcb, unsigned index, Word value);
Word user_exception_word(const Tcb& tcb, unsigned index);
void set_user_exception_word(Tcb& tcb, unsigned index, Word value);

// --- Objects -------------------------------------------------------------------------------------
// Size of an object the architecture defines, or 0 for an unknown type.
unsigned object_size_bits(abi::ObjectType type);
bool is_frame_type(abi::ObjectType type);
Cap cap_of_object(abi::ObjectType type, PhysAddr address, bool device);
// A new object, whose memory is zero (device memory is untouched).
void prepare_object(abi::ObjectType type, const Cap& cap);
// Copying a cap, or putting one into a TCB.
Result<Cap> derive(const Cap& cap);
Cap mask_rights(const Cap& cap, abi::CapRights rights);
// Mint and Mutate with a data word; a null cap means: not allowed.
Cap update_data(const Cap& cap, Word data);
// The cap is about to be deleted; `final` is true for the last one to its object.
void finalise(const Cap& cap, bool final);
// Range of memory or ports: does `parent` cover `child`?
bool same_region(const Cap& parent, const Cap& child);
bool same_object(const Cap& a, const Cap& b);
Result<Done> decode_invocation(Invocation& invocation);
// IRQControl methods other than the common ones.
Result<Done> decode_irq_control(Invocation& invocation);
// A usable root of an address space.
bool is_vspace_root(const Cap& cap);
// May the frame hold an IPC buffer at this user address?
Result<void> check_ipc_buffer(Word address, const Cap& frame);

// --- Memory --------------------------------------------------------------------------------------
// The address is aligned to 16 bytes.
void zero(void* memory, Word bytes);

// --- Debugging and the end
// -------------------------------------------------------------------------
void put_char(char c);
[[noreturn]] void halt();

void flush_caches();

}  // namespace lona::kernel::arch
