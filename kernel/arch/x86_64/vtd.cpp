// SPDX-License-Identifier: BSD-2-Clause
// Registers and structures: Intel VT-d specification, chapters 6 (caches), 9 (tables) and 10
// (registers). Legacy mode, register-based invalidation: what every unit has.
#include "kernel/arch/x86_64/vtd.hpp"

#include <cstring>

#include "kernel/arch/x86_64/window.hpp"

namespace lona::kernel {

namespace {

enum Register : unsigned {
  kCapability = 0x08,
  kExtendedCapability = 0x10,
  kGlobalCommand = 0x18,
  kGlobalStatus = 0x1c,
  kRootTable = 0x20,
  kContextCommand = 0x28,
};

using NumDomains = base::Bits<Word, 0, 3>;
using NeedsWriteFlush = base::Flag<Word, 4>;
using AddressWidths = base::Bits<Word, 8, 5>;  // bit n: 2 + n levels
using IotlbOffset = base::Bits<Word, 8, 10>;   // of the extended capability, in 16 bytes

constexpr std::uint32_t kTranslate = 1u << 31, kSetRootTable = 1u << 30, kWriteFlush = 1u << 27;
constexpr Word kContextInvalidate = Word{1} << 63 | Word{1} << 61;  // all of it
constexpr Word kIotlbInvalidate = Word{1} << 63 | Word{1} << 60;    // all of it
constexpr Word kBusy = Word{1} << 63;

// Two words for each bus, pointing to two words for each device and function of it.
struct Pair {
  Word low, high;
};
using PairTable = std::array<Pair, 256>;
static_assert(sizeof(PairTable) == 4096);
using Domain = base::Bits<Word, 8, 16>;

struct Unit {
  volatile std::uint32_t* registers;
  volatile Word* iotlb;
  bool needs_write_flush;
};
constinit std::array<Unit, AcpiInfo::kMaxRemappingUnits> units{};
constinit unsigned unit_count = 0, levels = 0, domain_count = 0;
constinit PairTable* root_table = nullptr;

std::uint32_t read32(const Unit& unit, Register reg) {
  return unit.registers[reg / 4];
}
Word read64(volatile std::uint32_t* registers, Register reg) {
  return registers[reg / 4] | Word{registers[reg / 4 + 1]} << 32;
}
void write64(const Unit& unit, Register reg, Word value) {
  *reinterpret_cast<volatile Word*>(unit.registers + reg / 4) = value;
}

// One-shot commands and the enable bit share a register; the status tells what is on.
void command(const Unit& unit, std::uint32_t bit, bool wait_set) {
  const std::uint32_t on = read32(unit, kGlobalStatus) & kTranslate;
  unit.registers[kGlobalCommand / 4] = on | bit;
  while (((read32(unit, kGlobalStatus) & bit) != 0) != wait_set) {
  }
}

// Some units walk the tables past the caches, so what they read must be in memory.
void flush(const void* address, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const auto begin = reinterpret_cast<Word>(address);
  for (Word at = begin & ~(kLine - 1); at < begin + bytes; at += kLine) {
    asm volatile("clflush (%0)" : : "r"(at) : "memory");
  }
  asm volatile("mfence" : : : "memory");
}

void forget_translations() {
  for (unsigned i = 0; i < unit_count; ++i) {
    const Unit& unit = units[i];
    if (unit.needs_write_flush) command(unit, kWriteFlush, false);
    *unit.iotlb = kIotlbInvalidate;
    while ((*unit.iotlb & kBusy) != 0) {
    }
  }
}

void forget_contexts() {
  for (unsigned i = 0; i < unit_count; ++i) {
    const Unit& unit = units[i];
    if (unit.needs_write_flush) command(unit, kWriteFlush, false);
    write64(unit, kContextCommand, kContextInvalidate);
    while ((read64(unit.registers, kContextCommand) & kBusy) != 0) {
    }
  }
  forget_translations();
}

Pair& context_of(unsigned device) {
  return (*from_phys<PairTable>(io_entry::address((*root_table)[device >> 8].low)))[device & 255];
}

bool present(const Pair& pair) {
  return pair.low & 1;
}

// All units share the tables, so they must agree on the number of levels. The fewest are best: a
// walk is shorter, and the interface's page tables have three.
unsigned common_levels(unsigned widths) {
  for (unsigned bit = 1; bit <= 2; ++bit) {
    if ((widths >> bit & 1) != 0) return bit + 2;
  }
  return 0;
}

bool make_tables(RegionList& free) {
  constexpr Word kBytes = sizeof(PairTable) * 257;
  const auto memory = free.take(kBytes, sizeof(PairTable));
  if (!memory) return false;
  root_table = from_phys<PairTable>(*memory);
  std::memset(root_table, 0, kBytes);
  for (unsigned bus = 0; bus < 256; ++bus) {
    (*root_table)[bus].low = to_phys(root_table + 1 + bus) | 1;
  }
  flush(root_table, kBytes);
  return true;
}

}  // namespace

void vtd_init(const AcpiInfo& acpi, RegionList& free) {
  unsigned widths = ~0u;
  domain_count = 1 << 16;
  for (unsigned i = 0; i < acpi.remapping_unit_count; ++i) {
    const PhysicalAddress base = acpi.remapping_units[i];
    volatile std::uint32_t* const registers = map_device_page(base);
    const Word capability = read64(registers, kCapability);
    const Word extended = read64(registers, kExtendedCapability);
    widths &= static_cast<unsigned>(AddressWidths::get(capability));
    const unsigned domains = 1u << (4 + 2 * NumDomains::get(capability));
    if (domains < domain_count) domain_count = domains;
    constexpr Word kIotlbRegister = 8;
    const Word iotlb = base + IotlbOffset::get(extended) * 16 + kIotlbRegister;
    units[unit_count++] = {registers, reinterpret_cast<volatile Word*>(map_device_page(iotlb)),
                           NeedsWriteFlush::get(capability)};
  }
  if (unit_count == 0) return;
  levels = common_levels(widths);
  if (levels == 0 || !make_tables(free)) {
    unit_count = levels = 0;
    return;
  }
  for (unsigned i = 0; i < unit_count; ++i) {
    write64(units[i], kRootTable, to_phys(root_table));
    command(units[i], kSetRootTable, true);
  }
  forget_contexts();
  for (unsigned i = 0; i < unit_count; ++i) command(units[i], kTranslate, true);
}

unsigned vtd_levels() {
  return levels;
}
unsigned vtd_domain_count() {
  return domain_count;
}

IoRoot io_root_of(unsigned device) {
  const Pair& context = context_of(device);
  if (!present(context)) return {nullptr, 0};
  return {from_phys<IoTable>(io_entry::address(context.low)),
          static_cast<unsigned>(Domain::get(context.high))};
}

void io_set_root(unsigned device, unsigned domain, IoTable& table) {
  Pair& context = context_of(device);
  context.high = Domain::make(domain) | (levels - 2);
  context.low = to_phys(&table) | 1;
  flush(&context, sizeof(context));
  forget_contexts();
}

void io_clear_root(unsigned device) {
  Pair& context = context_of(device);
  if (!present(context)) return;
  context.low = 0;
  flush(&context, sizeof(context));
  forget_contexts();
}

void io_set_entry(IoEntry& entry, IoEntry value) {
  entry = value;
  flush(&entry, sizeof(entry));
  forget_translations();
}

void io_flush_table(const IoTable& table) {
  flush(&table, sizeof(table));
}

void io_unmap_page(unsigned device, Word address, PhysAddr frame) {
  const IoRoot root = io_root_of(device);
  if (root.table == nullptr) return;
  const auto entry = find_io_entry(*root.table, address, levels - 1, levels);
  if (!entry || !io_entry::present(**entry) || io_entry::address(**entry) != frame) return;
  io_set_entry(**entry, 0);
}

void io_unmap_table(unsigned device, Word address, unsigned level, PhysAddr table) {
  const IoRoot root = io_root_of(device);
  if (root.table == nullptr) return;
  if (level == 0) {
    if (to_phys(root.table) == table) io_clear_root(device);
    return;
  }
  const auto entry = find_io_entry(*root.table, address, level - 1, levels);
  if (!entry || !io_entry::present(**entry) || io_entry::address(**entry) != table) return;
  io_set_entry(**entry, 0);
}

}  // namespace lona::kernel
