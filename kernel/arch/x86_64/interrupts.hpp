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

// The one-shot timer of the local APIC, for processors without a TSC deadline.
void local_apic_timer_init(bool tsc_deadline);
void local_apic_timer_start(std::uint32_t count);
std::uint32_t local_apic_timer_count();

}  // namespace lona::kernel
