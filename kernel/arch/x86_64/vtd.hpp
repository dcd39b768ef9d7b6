// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/api/invocation.hpp"
#include "kernel/arch/x86_64/io_table.hpp"
#include "kernel/board/acpi.hpp"
#include "kernel/memory/region_list.hpp"

// Intel's IOMMU: which memory each PCI device reaches. From vtd_init on a device reaches none but
// what is mapped for it. A device is named by its PCI identifier (bus 8, device 5, function 3).

namespace lona::kernel {

// Turns on all units; takes about a megabyte for the tables of devices. Without a usable unit
// nothing happens.
void vtd_init(const AcpiInfo& acpi, RegionList& free);

// Levels of page tables; 0: no IOMMU.
unsigned vtd_levels();
// Numbers of domains that can be used are below this; domain 0 is the hardware's in some units.
unsigned vtd_domain_count();

// What a device's address space hangs on.
struct IoRoot {
  IoTable* table;  // null: none yet
  unsigned domain;
};
IoRoot io_root_of(unsigned device);
void io_set_root(unsigned device, unsigned domain, IoTable& table);
void io_clear_root(unsigned device);

// Changes an entry, and what the units remember of it.
void io_set_entry(IoEntry& entry, IoEntry value);
// A table with new content is about to be mapped.
void io_flush_table(const IoTable& table);

// Undo mappings that capabilities remember; nothing happens if the tables say otherwise.
void io_unmap_page(unsigned device, Word address, PhysAddr frame);
void io_unmap_table(unsigned device, Word address, unsigned level, PhysAddr table);

Result<Done> decode_io_page_table(Invocation& invocation);
Result<Done> decode_page_map_io(Invocation& invocation);

}  // namespace lona::kernel
