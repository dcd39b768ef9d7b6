// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "kernel/board/acpi.hpp"

// Interrupt controllers: local APIC, I/O APICs, and the old PIC, which is only switched off.

namespace lona::kernel {

// Vectors of the processor. The ABI tells user space that interrupt vector v of its numbering
// arrives at v + kIrqOffset (abi/sel4/types.hpp), for devices that send messages (MSI).
inline constexpr unsigned kLegacyVectorBase = 0x20;
inline constexpr unsigned kTimerVector = 0xf0;
// From core to core: look at your requests, and schedule.
inline constexpr unsigned kCoreVector = 0xf1;
inline constexpr unsigned kSpuriousVector = 0xff;

void interrupts_init(const AcpiInfo& acpi);

unsigned io_apic_count();
unsigned io_apic_pins(unsigned io_apic);

enum class Trigger : std::uint8_t { kEdge = 0, kLevel = 1 };
enum class Polarity : std::uint8_t { kHigh = 0, kLow = 1 };

// Sends the pin's interrupt to a processor vector, masked.
void io_apic_route(unsigned io_apic, unsigned pin, unsigned vector, Trigger trigger,
                   Polarity polarity);
void io_apic_set_masked(unsigned io_apic, unsigned pin, bool masked);

void local_apic_end_of_interrupt();
// An interrupt waits until the kernel is left.
bool local_apic_has_pending();
void local_apic_send_self(unsigned vector);

// --- Cores ---------------------------------------------------------------------------------------
std::uint32_t local_apic_id();
// Of a core other than the boot core.
void local_apic_init_core();
// Can it be addressed in the mode the controllers are in?
bool local_apic_can_reach(std::uint32_t apic_id);
void local_apic_send(std::uint32_t apic_id, unsigned vector);
void local_apic_nmi_to_others();
// The two messages that start a core: back to reset, then run from the start of a page below 1 MiB.
void local_apic_send_init(std::uint32_t apic_id);
void local_apic_send_start(std::uint32_t apic_id, unsigned page);

// The one-shot timer of the local APIC, for processors without a TSC deadline.
void local_apic_timer_init(bool tsc_deadline);
void local_apic_timer_start(std::uint32_t count);
std::uint32_t local_apic_timer_count();

}  // namespace lona::kernel
