// SPDX-License-Identifier: BSD-2-Clause
// Starting the cores other than the first, one at a time (Intel SDM volume 3, 9.4.4): a message
// puts the core back to reset, a second one lets it run a copy of core_start_begin (boot.S) in real
// mode. It then takes over what every core shares and waits for the kernel lock.
//
// Time is one counter for all of the kernel. A core whose counter is out of step with the first
// core's, measured in both directions, stays off.
#include <cstring>

#include "base/format.hpp"
#include "kernel/api/entry.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/console.hpp"
#include "kernel/arch/x86_64/cores.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/descriptors.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/fpu.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/window.hpp"
#include "kernel/config.hpp"

extern "C" {
extern const char core_start_begin[], core_start_end[];
// For the core that starts now.
lona::kernel::ArchCore* starting_core;
std::uint64_t starting_root, starting_efer;
[[noreturn]] void enter_user(lona::kernel::UserContext* context);
}

namespace lona::kernel {

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr unsigned kStackPages = 4, kFaultStackPages = 2;
constexpr Ticks kResetUs = 10'000, kStartUs = 200, kArriveUs = 200'000;

// --- In step? ------------------------------------------------------------------------------------

// Both sides take turns; odd turns are the new core's.
struct ClockCheck {
  std::atomic<unsigned> turn{0};
  std::atomic<Ticks> time{0};
  std::atomic<bool> in_step{true};
};
constinit ClockCheck clock_check;
constexpr unsigned kClockTurns = 20;

// What one side notes must not lie before what the other noted just before.
void check_clock(unsigned my_parity) {
  ClockCheck& c = clock_check;
  for (unsigned turn = my_parity; turn < kClockTurns; turn += 2) {
    while (c.turn.load(std::memory_order_acquire) != turn) cpu::pause();
    const Ticks now = clock_now();
    if (now < c.time.load(std::memory_order_relaxed)) c.in_step = false;
    c.time.store(clock_now(), std::memory_order_relaxed);
    c.turn.store(turn + 1, std::memory_order_release);
  }
  while (c.turn.load(std::memory_order_acquire) != kClockTurns) cpu::pause();
}

// --- The first core's side -----------------------------------------------------------------------

template <typename Done>
bool wait_for(Ticks us, Done&& done) {
  const Ticks end = clock_now() + us * ticks_per_us();
  while (!done()) {
    if (clock_now() > end) return false;
    cpu::pause();
  }
  return true;
}

// Any page of RAM below the video memory will do, since its content is put back.
PhysicalAddress find_low_page(const BootSource& source) {
  constexpr PhysicalAddress kLowest = 0x1000, kEnd = 0xa0000;
  for (const MemoryMapEntry& entry : source.memory()) {
    if (entry.type != kMemoryTypeRam || entry.base + entry.length < entry.base) continue;
    PhysicalAddress page = entry.base < kLowest ? kLowest : entry.base;
    page = (page + kPage - 1) & ~(kPage - 1);
    if (page < kEnd && page + kPage <= entry.base + entry.length) return page;
  }
  return 0;
}

Core* make_core(unsigned id, std::uint32_t apic_id, RegionList& free) {
  const std::uint64_t core_bytes = (sizeof(Core) + kPage - 1) & ~(kPage - 1);
  const auto memory = free.take(core_bytes, kPage);
  const auto stack = free.take(kStackPages * kPage, kPage);
  const auto fault_stack = free.take(kFaultStackPages * kPage, kPage);
  if (!memory || !stack || !fault_stack) return nullptr;
  Core* core = new (physical_to_virtual(*memory)) Core{};
  core->id = id;
  core->arch.self = core;
  core->arch.apic_id = apic_id;
  core->arch.kernel_stack_top = map_stack(*stack, kStackPages);
  core->arch.fault_stack_top = map_stack(*fault_stack, kFaultStackPages);
  return core;
}

bool start_core(Core& core, unsigned page) {
  ArchCore& arch = core.arch;
  starting_core = &arch;
  const auto arrived = [&arch] { return arch.running.load(std::memory_order_acquire); };
  // Old processors may miss the first message.
  for (int attempt = 0; attempt < 2; ++attempt) {
    local_apic_send_start(arch.apic_id, page);
    if (wait_for(attempt == 0 ? kStartUs : kArriveUs, arrived)) break;
  }
  if (!arrived()) {
    local_apic_send_init(arch.apic_id);  // whatever it does, it stops
    return false;
  }
  clock_check.turn = 0;
  check_clock(0);
  return clock_check.in_step.exchange(true);
}

void log_core_off(std::uint32_t apic_id, const char* reason) {
  if constexpr (config::kDebug) {
    base::FixedText<120> line;
    line << "[kernel] processor " << apic_id << " stays off: " << reason << "\n";
    console_write(line.text());
  }
}

}  // namespace

void start_other_cores(const AcpiInfo& acpi, const BootSource& source, RegionList& free) {
  const std::uint32_t own_id = local_apic_id();
  boot_core().arch.apic_id = own_id;
  const auto usable = [&](unsigned i) {
    return acpi.processors[i] != own_id && local_apic_can_reach(acpi.processors[i]);
  };
  unsigned others = 0;
  for (unsigned i = 0; i < acpi.processor_count; ++i) others += usable(i);
  const PhysicalAddress page = find_low_page(source);
  if (others == 0 || page == 0) return;

  const std::size_t code_bytes = static_cast<std::size_t>(core_start_end - core_start_begin);
  auto* low = physical_to<char>(page);
  char saved[128];
  static_assert(sizeof(saved) >= 64);
  if (code_bytes > sizeof(saved)) return;
  std::memcpy(saved, low, code_bytes);
  // The code lies where it is linked; that address is mapped through the window only.
  std::memcpy(low, physical_to<char>(reinterpret_cast<std::uint64_t>(core_start_begin)),
              code_bytes);
  starting_root = kernel_only_root();
  starting_efer = cpu::read_msr(cpu::kMsrEfer);

  for (unsigned i = 0; i < acpi.processor_count; ++i) {
    if (usable(i)) local_apic_send_init(acpi.processors[i]);
  }
  // Only real processors need the pause.
  if (!cpu_features.hypervisor) wait_for(kResetUs, [] { return false; });

  enter_kernel(boot_core());
  // The domain schedule is that of one core.
  constexpr unsigned kMaxCores = kHasDomains ? 1 : config::kMaxCores;
  for (unsigned i = 0; i < acpi.processor_count && cores.count < kMaxCores; ++i) {
    if (!usable(i)) continue;
    Core* core = make_core(cores.count, acpi.processors[i], free);
    if (core == nullptr) break;
    cores.all[core->id] = core;
    if (start_core(*core, static_cast<unsigned>(page / kPage))) {
      ++cores.count;
    } else {
      log_core_off(acpi.processors[i],
                   core->arch.running ? "its clock is not in step" : "it does not answer");
      core->arch.running = false;
    }
  }
  std::memcpy(low, saved, code_bytes);
  if (cores.count > 1) lock_system_calls();
}

// --- The new core's side -------------------------------------------------------------------------

extern "C" [[noreturn]] void kernel_boot_core(ArchCore* arch) {
  Core& core = *arch->self;
  enable_protections();
  load_descriptors(*arch);
  fpu_init();
  local_apic_init_core();
  local_apic_timer_init(cpu_features.tsc_deadline);
  lock_system_calls();
  initialise_scheduler();
  arch->active_root = kernel_only_root();
  arch->running.store(true, std::memory_order_release);
  check_clock(1);
  enter_kernel(core);
  if (!arch->running) {
    leave_kernel();
    cpu::halt_forever();
  }
  start();
  leave_kernel();
  enter_user(nullptr);
}

}  // namespace lona::kernel
