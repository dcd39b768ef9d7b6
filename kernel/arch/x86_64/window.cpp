// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/window.hpp"

#include <array>

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/page_entry.hpp"
#include "kernel/arch/x86_64/panic.hpp"

extern "C" {
extern const char kernel_text_begin[], kernel_text_end[], kernel_rodata_begin[];
extern const char kernel_rodata_end[], kernel_image_begin[], kernel_image_end[];
extern const char kernel_stack_guard[], fault_stack_guard[];
}

namespace lona::kernel {

namespace {

using Table = std::array<PageEntry, kEntriesPerTable>;

constexpr unsigned kImageTables = 2;  // 4 MiB of image
constexpr std::uint64_t kSmall = 1 << 12, kLarge = 1 << 21, kHuge = 1 << 30;

alignas(4096) constinit Table pml4{}, window_pdpt{}, image_pdpt{}, image_directory{};
alignas(4096) constinit std::array<Table, kImageTables> image_tables{};
alignas(4096) constinit Table device_directory{}, device_table{}, stack_table{};
constinit unsigned device_pages = 0, stack_pages = 0;

PageEntry with_features(PageEntry entry, bool execute) {
  namespace e = page_entry;
  if (!execute && cpu_features.no_execute) entry = e::NoExecute::set(entry, true);
  return entry;
}

PageEntry table_entry(const Table& table) {
  namespace e = page_entry;
  return virtual_to_physical(&table) | e::Present::make(true) | e::Writable::make(true);
}

PageEntry kernel_page(PhysicalAddress address, bool writable, bool execute) {
  namespace e = page_entry;
  return with_features(address | e::Present::make(true) | e::Writable::make(writable) |
                           e::Global::make(cpu_features.global_pages),
                       execute);
}

bool touches(const RegionList& ram, PhysicalRange range) {
  for (const PhysicalRange& r : ram.ranges()) {
    if (r.begin < range.end && range.begin < r.end) return true;
  }
  return false;
}

bool contains(const RegionList& ram, PhysicalRange range) {
  for (const PhysicalRange& r : ram.ranges()) {
    if (r.begin <= range.begin && range.end <= r.end) return true;
  }
  return false;
}

// Only memory that is RAM is mapped: a cached mapping of device registers would be a hazard even
// if nobody used it.
bool map_window(const RegionList& ram, RegionList& free) {
  for (unsigned gib = 0; gib < kEntriesPerTable; ++gib) {
    const PhysicalRange whole{gib * kHuge, (gib + 1) * kHuge};
    if (!touches(ram, whole)) continue;
    if (cpu_features.huge_pages && contains(ram, whole)) {
      window_pdpt[gib] = kernel_page(whole.begin, true, false) | page_entry::Large::make(true);
      continue;
    }
    const auto page = free.take(kSmall, kSmall);
    if (!page) return false;
    Table& directory = *physical_to<Table>(*page);
    for (unsigned i = 0; i < kEntriesPerTable; ++i) {
      const PhysicalRange part{whole.begin + i * kLarge, whole.begin + (i + 1) * kLarge};
      directory[i] = touches(ram, part)
                         ? kernel_page(part.begin, true, false) | page_entry::Large::make(true)
                         : 0;
    }
    window_pdpt[gib] = table_entry(directory);
  }
  return true;
}

void map_image() {
  const auto address = [](const char* symbol) { return reinterpret_cast<std::uint64_t>(symbol); };
  for (std::uint64_t at = address(kernel_image_begin); at < address(kernel_image_end);
       at += kSmall) {
    const PhysicalAddress physical = at - kImageOffset;
    const bool text = at >= address(kernel_text_begin) && at < address(kernel_text_end);
    const bool constant = at >= address(kernel_rodata_begin) && at < address(kernel_rodata_end);
    const bool guard = at == address(kernel_stack_guard) || at == address(fault_stack_guard);
    image_tables[physical / kLarge][physical / kSmall % kEntriesPerTable] =
        guard ? 0 : kernel_page(physical, !text && !constant, text);
  }
  for (unsigned i = 0; i < kImageTables; ++i) image_directory[i] = table_entry(image_tables[i]);
  image_pdpt[table_index(kImageOffset, PageLevel::kPdpt)] = table_entry(image_directory);
  image_pdpt[table_index(kDeviceWindow, PageLevel::kPdpt)] = table_entry(device_directory);
  device_directory[table_index(kDeviceWindow, PageLevel::kDirectory)] = table_entry(device_table);
  device_directory[table_index(kStackWindow, PageLevel::kDirectory)] = table_entry(stack_table);
}

}  // namespace

void enable_protections() {
  if (cpu_features.no_execute) {
    cpu::write_msr(cpu::kMsrEfer, cpu::read_msr(cpu::kMsrEfer) | cpu::kEferNoExecute);
  }
  std::uint64_t cr4 = cpu::read_cr4();
  if (cpu_features.global_pages) cr4 |= cpu::kCr4GlobalPages;
  if (cpu_features.smep) cr4 |= cpu::kCr4Smep;
  if (cpu_features.smap) cr4 |= cpu::kCr4Smap;
  if (cpu_features.umip) cr4 |= cpu::kCr4UserInstructionPrevention;
  cpu::write_cr4(cr4);
  // Entry 4 of the attribute table is write combining, as the ABI's attribute 4; the others are
  // the processor's own defaults.
  if (cpu_features.page_attributes) cpu::write_msr(cpu::kMsrPat, 0x0007'0401'0007'0406);
}

bool build_kernel_window(const RegionList& ram, RegionList& free) {
  if (!map_window(ram, free)) return false;
  map_image();
  pml4[table_index(kWindowBase, PageLevel::kPml4)] = table_entry(window_pdpt);
  pml4[table_index(kImageOffset, PageLevel::kPml4)] = table_entry(image_pdpt);
  enable_protections();
  cpu::write_cr3(kernel_only_root());
  return true;
}

volatile std::uint32_t* map_device_page(PhysicalAddress address) {
  namespace e = page_entry;
  if (device_pages == kEntriesPerTable) panic("too many device pages");
  const unsigned index = device_pages++;
  device_table[index] = kernel_page(address & ~(kSmall - 1), true, false) |
                        e::WriteThrough::make(true) | e::CacheDisabled::make(true);
  const std::uint64_t at = kDeviceWindow + index * kSmall;
  cpu::invalidate_page(at);
  return reinterpret_cast<volatile std::uint32_t*>(at + address % kSmall);
}

std::uint64_t map_stack(PhysicalAddress address, unsigned pages) {
  if (stack_pages + 1 + pages > kEntriesPerTable) panic("too many kernel stacks");
  ++stack_pages;
  for (unsigned i = 0; i < pages; ++i) {
    stack_table[stack_pages++] = kernel_page(address + i * kSmall, true, false);
  }
  return kStackWindow + stack_pages * kSmall;
}

bool is_core_stack(std::uint64_t address) {
  return address >= kStackWindow && address < kStackWindow + stack_pages * kSmall - 16;
}

void copy_kernel_window(std::span<std::uint64_t, 512> table) {
  for (unsigned i = kEntriesPerTable - 2; i < kEntriesPerTable; ++i) table[i] = pml4[i];
}

PhysicalAddress kernel_only_root() {
  return virtual_to_physical(&pml4);
}

}  // namespace lona::kernel
