// SPDX-License-Identifier: BSD-2-Clause
// Random bytes as what the loader, the firmware and the root task's file say. Besides what the
// sanitizers see: what a parser lets through keeps the promises that boot relies on.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <vector>

#include "base/elf.hpp"
#include "kernel/board/acpi.hpp"
#include "kernel/boot/boot_source.hpp"
#include "kernel/memory/memory_plan.hpp"
#include "kernel/memory/test_memory.hpp"
#include "kernel/memory/untyped_split.hpp"

namespace lona::kernel {
namespace {

using Input = std::vector<std::uint8_t>;

constexpr MemoryLimits kLimits{.kernel_image = {0x100000, 0x280000},
                               .window_end = std::uint64_t{512} << 30,
                               .physical_address_bits = 40};

void promise(bool kept, std::source_location where = std::source_location::current()) {
  if (kept) return;
  std::fprintf(stderr, "broken promise at line %u\n", unsigned{where.line()});
  std::abort();
}

bool overlap(const PhysicalRange& a, const PhysicalRange& b) {
  return !a.empty() && !b.empty() && a.begin < b.end && b.begin < a.end;
}

bool overlap(const RegionList& list, const PhysicalRange& range) {
  for (const PhysicalRange& one : list.ranges()) {
    if (overlap(one, range)) return true;
  }
  return false;
}

// --- The memory map and what becomes of it
// -------------------------------------------------------

void check_blocks(const RegionList& list) {
  for (const PhysicalRange& range : list.ranges()) {
    UntypedSplitter splitter(range, 12, 47);
    PhysicalAddress at = range.begin;
    for (UntypedBlock block{}; splitter.next(block);) {
      const std::uint64_t size = std::uint64_t{1} << block.size_bits;
      promise(block.base >= at && block.base % size == 0 && block.base + size <= range.end);
      at = block.base + size;
    }
  }
}

void check_plan(const BootSource& source) {
  const PhysicalRange device{0xfee00000, 0xfee01000};
  static MemoryPlan plan;
  plan_memory(source, kLimits, {&device, 1}, plan);
  for (const PhysicalRange& ram : plan.ram.ranges()) {
    promise(ram.begin < ram.end && ram.begin >= kLowMemoryEnd && ram.end <= kLimits.window_end);
    promise(ram.begin % 4096 == 0 && ram.end % 4096 == 0);
    promise(!overlap(plan.device, ram));
  }
  for (const PhysicalRange& free : plan.free.ranges()) {
    promise(!overlap(free, kLimits.kernel_image));
    for (unsigned i = 0; i < source.module_count; ++i) promise(!overlap(free, source.modules[i]));
    for (const MemoryMapEntry& entry : source.memory()) {
      const PhysicalRange taken{entry.base, entry.base + entry.length};
      if (entry.type != kMemoryTypeRam) promise(!overlap(free, taken));
    }
  }
  promise(!overlap(plan.device, kLimits.kernel_image) && !overlap(plan.device, device));
  check_blocks(plan.free);
  check_blocks(plan.device);
}

// The structure lies at 0x9000 and may point into itself.
void read_as_loader(std::uint32_t magic, const Input& input) {
  TestMemory memory;
  memory.put(0x9000, input);
  static BootSource source;
  if (read_boot_source(magic, 0x9000, memory.reader(), source)) check_plan(source);
}

// A map of the input's own, so that every round has one.
void read_as_map(const Input& input) {
  static BootSource source;
  source = BootSource{};
  for (std::size_t at = 0; at + 17 <= input.size(); at += 17) {
    const std::uint64_t base = load64(&input[at]), length = load64(&input[at + 8]);
    if (input[at + 16] % 4 == 3) {
      source.add_module({base, base + length});
    } else {
      source.add_memory({base, length, input[at + 16] % 4u});
    }
  }
  check_plan(source);
}

// --- Firmware tables -----------------------------------------------------------------------------

void fix_sum(Input& bytes, std::size_t from, std::size_t length, std::size_t at) {
  bytes[at] = 0;
  std::uint8_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum = static_cast<std::uint8_t>(sum + bytes[from + i]);
  bytes[at] = static_cast<std::uint8_t>(-sum);
}

// Tables of the input's bodies, with heads that are believed.
Input table(const char* signature, const Input& body) {
  ByteBuilder head;
  head.text(signature).u32(36 + body.size()).zeros(28);
  Input bytes = head.bytes();
  bytes.insert(bytes.end(), body.begin(), body.end());
  fix_sum(bytes, 0, bytes.size(), 9);
  return bytes;
}

void read_as_firmware(const Input& input) {
  constexpr std::uint32_t kRoot = 0x100000, kInterrupts = 0x200000, kUnits = 0x300000;
  const std::size_t half = input.size() / 2;
  TestMemory memory;
  memory.put(kRoot, table("RSDT", ByteBuilder().u32(kInterrupts).u32(kUnits).bytes()));
  memory.put(kInterrupts, table("APIC", Input(input.begin(), input.begin() + half)));
  memory.put(kUnits, table("DMAR", Input(input.begin() + half, input.end())));
  ByteBuilder pointer;
  pointer.text("RSD PTR ").u8(0).text("OEMOEM").u8(0).u32(kRoot);
  fix_sum(pointer.bytes(), 0, 20, 8);
  auto info = read_acpi(memory.reader(), pointer.bytes());
  if (!info) return;
  promise(info->processor_count <= AcpiInfo::kMaxProcessors);
  promise(info->override_count <= AcpiInfo::kMaxOverrides);
  const PhysicalRange ram[] = {{0x100000, 0x80000000}};
  drop_misplaced_controllers(*info, ram, kLimits.physical_address_bits);
  promise(info->io_apic_count <= AcpiInfo::kMaxIoApics);
  for (unsigned i = 0; i < info->io_apic_count; ++i) {
    promise(info->io_apics[i].address >= ram[0].end);
  }
  promise(info->remapping_unit_count <= AcpiInfo::kMaxRemappingUnits);
  for (unsigned i = 0; i < info->remapping_unit_count; ++i) {
    promise(info->remapping_units[i] >= ram[0].end);
  }
}

// --- The root task -------------------------------------------------------------------------------

void read_as_program(Input input) {
  if (input.size() >= 20) {
    // A head that gets past the first checks.
    constexpr std::uint8_t kHead[] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0,  0,
                                      0,    0,   0,   0,   0, 0, 2, 0, 62, 0};
    std::memcpy(input.data(), kHead, sizeof(kHead));
  }
  const base::ByteView bytes{reinterpret_cast<const std::byte*>(input.data()), input.size()};
  const auto elf = base::ElfFile::open(bytes);
  if (!elf) return;
  bool executable = false;
  std::uint32_t cursor = 0;
  while (const auto segment = elf->next_segment(cursor)) {
    promise(segment->address >= elf->low());
    promise(segment->memory_size <= elf->high() - segment->address);
    promise(segment->file.size() <= segment->memory_size);
    std::size_t sum = 0;
    for (const std::byte byte : segment->file) sum += static_cast<std::size_t>(byte);
    if (sum == ~std::size_t{0}) std::abort();  // so that the bytes are read
    executable = executable || segment->executable;
  }
  promise(executable);
  (void)elf->nearest_symbol(elf->entry());
}

}  // namespace
}  // namespace lona::kernel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lona::kernel;
  if (size == 0) return 0;
  const Input input(data + 1, data + size);
  switch (data[0] % 5) {
    case 0:
      read_as_loader(kMultiboot1Magic, input);
      break;
    case 1:
      read_as_loader(kMultiboot2Magic, input);
      break;
    case 2:
      read_as_map(input);
      break;
    case 3:
      read_as_firmware(input);
      break;
    default:
      read_as_program(input);
      break;
  }
  return 0;
}
