// SPDX-License-Identifier: BSD-2-Clause
// What the manager looks for on the PCI bus, through configuration mechanism #1 (PCI Local Bus
// Specification 3.0, 3.2.2.3.2). Bus 0 only: that is where machines have the devices we grant.
#pragma once

#include <cstdint>
#include <optional>

#include "manager/memory.hpp"

namespace lona::manager {

// Ports of a virtio device's legacy interface that are used (virtio 1.2, 4.1.4.8).
inline constexpr std::uint16_t kVirtioPorts = 32;

struct PciConsole {
  std::uint16_t port;  // of its first register
  std::uint8_t irq;    // pin of the I/O APIC, as the firmware routed it
};

// A virtio console with the legacy interface, ready to be driven: its ports answer and it may
// reach memory.
[[nodiscard]] std::optional<PciConsole> find_virtio_console(Memory& memory);

// The device forgets its queues and reaches no memory any more.
void reset_virtio(abi::CPtr ports, std::uint16_t port);

}  // namespace lona::manager
