// SPDX-License-Identifier: BSD-2-Clause
// Registers: Intel SDM volume 3 chapter 11 (local APIC), 82093AA data sheet (I/O APIC), 8259A.
#include "kernel/arch/x86_64/interrupts.hpp"

#include <array>

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/window.hpp"

namespace lona::kernel {

namespace {

enum LocalRegister : unsigned {
  kTaskPriority = 0x80,
  kEndOfInterrupt = 0xb0,
  kSpurious = 0xf0,
  kId = 0x20,
  kCommandLow = 0x300,
  kCommandHigh = 0x310,
  kLvtTimer = 0x320,
  kLvtThermal = 0x330,
  kLvtPerformance = 0x340,
  kLvtLint0 = 0x350,
  kLvtLint1 = 0x360,
  kLvtError = 0x370,
  kTimerInitial = 0x380,
  kTimerCurrent = 0x390,
  kTimerDivide = 0x3e0,
};
constexpr std::uint32_t kLvtMasked = 1 << 16;
constexpr std::uint32_t kLvtNmi = 4 << 8;
constexpr std::uint32_t kLvtTscDeadline = 2 << 17;
constexpr std::uint32_t kSelfShorthand = 1 << 18, kOthersShorthand = 3 << 18;
constexpr std::uint32_t kCommandPending = 1 << 12, kCommandAssert = 1 << 14;
constexpr std::uint32_t kCommandNmi = 4 << 8, kCommandInit = 5 << 8, kCommandStart = 6 << 8;
constexpr std::uint32_t kDivideByOne = 0xb;
constexpr std::uint64_t kApicBaseEnable = 1 << 11, kApicBaseX2 = 1 << 10;

// Firmware may have switched to x2APIC mode, which has no registers in memory.
constinit volatile std::uint32_t* local = nullptr;

void write_local(LocalRegister reg, std::uint32_t value) {
  if (local != nullptr) {
    local[reg / 4] = value;
  } else {
    cpu::write_msr(cpu::kMsrX2ApicFirst + reg / 16, value);
  }
}

std::uint32_t read_local(LocalRegister reg) {
  if (local != nullptr) return local[reg / 4];
  return static_cast<std::uint32_t>(cpu::read_msr(cpu::kMsrX2ApicFirst + reg / 16));
}

struct IoApic {
  volatile std::uint32_t* registers;
  unsigned pins;
};
constinit std::array<IoApic, AcpiInfo::kMaxIoApics> io_apics{};
constinit unsigned io_apics_used = 0;

constexpr unsigned kIoVersion = 1, kIoRedirection = 0x10;
constexpr std::uint32_t kIoMasked = 1 << 16;

void io_write(const IoApic& apic, unsigned reg, std::uint32_t value) {
  apic.registers[0] = reg;
  apic.registers[4] = value;
}
std::uint32_t io_read(const IoApic& apic, unsigned reg) {
  apic.registers[0] = reg;
  return apic.registers[4];
}

// The old controllers get vectors of their own for the spurious interrupts they may still raise.
void legacy_pic_off() {
  constexpr std::uint16_t kMaster = 0x20, kSlave = 0xa0;
  cpu::out8(kMaster, 0x11);
  cpu::out8(kSlave, 0x11);
  cpu::out8(kMaster + 1, kLegacyVectorBase);
  cpu::out8(kSlave + 1, kLegacyVectorBase + 8);
  cpu::out8(kMaster + 1, 4);
  cpu::out8(kSlave + 1, 2);
  cpu::out8(kMaster + 1, 1);
  cpu::out8(kSlave + 1, 1);
  cpu::out8(kMaster + 1, 0xff);
  cpu::out8(kSlave + 1, 0xff);
}

void local_apic_setup() {
  write_local(kTaskPriority, 0);
  write_local(kLvtTimer, kLvtMasked);
  write_local(kLvtThermal, kLvtMasked);
  write_local(kLvtPerformance, kLvtMasked);
  write_local(kLvtLint0, kLvtMasked);
  // On a PC this pin reports broken memory and the like: the kernel stops with a report.
  write_local(kLvtLint1, kLvtNmi);
  write_local(kLvtError, kLvtMasked);
  write_local(kSpurious, 0x100 | kSpuriousVector);
}

void local_apic_init(std::uint64_t address) {
  const std::uint64_t base = cpu::read_msr(cpu::kMsrApicBase);
  if (cpu_features.x2apic && (base & kApicBaseX2) != 0) {
    local = nullptr;
  } else {
    cpu::write_msr(cpu::kMsrApicBase, base | kApicBaseEnable);
    local = map_device_page(address);
  }
  local_apic_setup();
}

// The memory form has two registers, of which the lower one sends; the other one holds 64 bits.
void command(std::uint32_t apic_id, std::uint32_t low) {
  if (local == nullptr) {
    // Unlike a store to the memory form, this orders nothing (Intel SDM volume 3, 11.12.3).
    asm volatile("mfence; lfence" : : : "memory");
    cpu::write_msr(cpu::kMsrX2ApicFirst + kCommandLow / 16, std::uint64_t{apic_id} << 32 | low);
    return;
  }
  while ((read_local(kCommandLow) & kCommandPending) != 0) cpu::pause();
  write_local(kCommandHigh, apic_id << 24);
  write_local(kCommandLow, low);
}

void io_apic_init(const IoApicEntry& entry) {
  IoApic apic{map_device_page(entry.address), 0};
  apic.pins = (io_read(apic, kIoVersion) >> 16 & 0xff) + 1;
  if (apic.pins > 240) return;  // nothing answers at this address
  for (unsigned pin = 0; pin < apic.pins; ++pin) {
    io_write(apic, kIoRedirection + 2 * pin, kIoMasked);
  }
  io_apics[io_apics_used++] = apic;
}

}  // namespace

void interrupts_init(const AcpiInfo& acpi) {
  legacy_pic_off();
  local_apic_init(acpi.local_apic_address);
  for (unsigned i = 0; i < acpi.io_apic_count; ++i) io_apic_init(acpi.io_apics[i]);
}

unsigned io_apic_count() {
  return io_apics_used;
}
unsigned io_apic_pins(unsigned io_apic) {
  return io_apics[io_apic].pins;
}

void io_apic_route(unsigned io_apic, unsigned pin, unsigned vector, Trigger trigger,
                   Polarity polarity) {
  const IoApic& apic = io_apics[io_apic];
  io_write(apic, kIoRedirection + 2 * pin, kIoMasked);
  io_write(apic, kIoRedirection + 2 * pin + 1, local_apic_id() << 24);
  io_write(apic, kIoRedirection + 2 * pin,
           kIoMasked | vector | (static_cast<std::uint32_t>(polarity) << 13) |
               (static_cast<std::uint32_t>(trigger) << 15));
}

void io_apic_set_masked(unsigned io_apic, unsigned pin, bool masked) {
  const IoApic& apic = io_apics[io_apic];
  const std::uint32_t low = io_read(apic, kIoRedirection + 2 * pin);
  io_write(apic, kIoRedirection + 2 * pin, masked ? low | kIoMasked : low & ~kIoMasked);
}

void local_apic_end_of_interrupt() {
  write_local(kEndOfInterrupt, 0);
}

bool local_apic_has_pending() {
  // The request register, 32 vectors a word; words without a vector of ours are left out.
  constexpr unsigned kFirstWord = 0x200, kStride = 0x10;
  for (const unsigned word : {1u, 2u, 3u, 4u, 7u}) {
    if (read_local(static_cast<LocalRegister>(kFirstWord + word * kStride)) != 0) return true;
  }
  return false;
}

void local_apic_send_self(unsigned vector) {
  command(0, kSelfShorthand | vector);
}

std::uint32_t local_apic_id() {
  return local != nullptr ? read_local(kId) >> 24 : read_local(kId);
}

void local_apic_init_core() {
  std::uint64_t base = cpu::read_msr(cpu::kMsrApicBase) | kApicBaseEnable;
  if (local == nullptr) base |= kApicBaseX2;
  cpu::write_msr(cpu::kMsrApicBase, base);
  local_apic_setup();
}

bool local_apic_can_reach(std::uint32_t apic_id) {
  return local == nullptr || apic_id < 0xff;
}

void local_apic_send(std::uint32_t apic_id, unsigned vector) {
  command(apic_id, kCommandAssert | vector);
}

void local_apic_nmi_to_others() {
  command(0, kOthersShorthand | kCommandAssert | kCommandNmi);
}

void local_apic_send_init(std::uint32_t apic_id) {
  command(apic_id, kCommandAssert | kCommandInit);
}

void local_apic_send_start(std::uint32_t apic_id, unsigned page) {
  command(apic_id, kCommandAssert | kCommandStart | page);
}

void local_apic_timer_init(bool tsc_deadline) {
  write_local(kTimerDivide, kDivideByOne);
  write_local(kLvtTimer, kTimerVector | (tsc_deadline ? kLvtTscDeadline : 0));
  // The mode must have arrived before the first deadline does (Intel SDM volume 3, 11.5.4.1).
  asm volatile("mfence" : : : "memory");
}

void local_apic_timer_start(std::uint32_t count) {
  write_local(kTimerInitial, count);
}

std::uint32_t local_apic_timer_count() {
  return read_local(kTimerCurrent);
}

}  // namespace lona::kernel
