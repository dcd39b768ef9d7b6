// SPDX-License-Identifier: BSD-2-Clause
// Boot on the first processor, from the first line of C++ to the first instruction of the root
// task.
#include "base/format.hpp"
#include "kernel/api/entry.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/console.hpp"
#include "kernel/arch/x86_64/cores.hpp"
#include "kernel/arch/x86_64/descriptors.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/fpu.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/panic.hpp"
#include "kernel/arch/x86_64/vtd.hpp"
#include "kernel/arch/x86_64/window.hpp"
#include "kernel/board/acpi.hpp"
#include "kernel/boot/boot_source.hpp"
#include "kernel/boot/root_task.hpp"
#include "kernel/config.hpp"
#include "kernel/memory/memory_plan.hpp"

extern "C" {
extern const char kernel_load_begin[], kernel_load_bss_end[];
extern const std::uint64_t boot_begin_ticks;
[[noreturn]] void enter_user(lona::kernel::UserContext* context);
}

namespace lona::kernel {

namespace {

using base::ByteSize;
using base::FixedText;

// Boot's large tables; the kernel stack is small.
constinit BootSource boot_source{};
constinit AcpiInfo acpi{};
constinit MemoryPlan memory_plan{};

// Until the kernel's own tables are built, the first 4 GiB are reachable.
const std::uint8_t* read_early(const void*, PhysicalAddress address, std::uint64_t size) {
  constexpr std::uint64_t kEarlyBytes = std::uint64_t{4} << 30;
  if (address >= kEarlyBytes || size > kEarlyBytes - address) return nullptr;
  return physical_to<const std::uint8_t>(address);
}
constexpr PhysicalReader kEarlyReader{read_early, nullptr};

void boot_log(std::string_view text) {
  if constexpr (config::kDebug) console_write(text);
}

void read_loader(std::uint32_t magic, PhysicalAddress info) {
  const auto result = read_boot_source(magic, info, kEarlyReader, boot_source);
  if (!result) refuse_to_boot(describe(result.error()));
  if (boot_source.module_count == 0) {
    refuse_to_boot("no module: the boot loader must load the root task as the first module");
  }
}

// A PC without usable tables still has its controllers at the addresses of the first PCs.
void read_firmware() {
  const auto result = read_acpi(
      kEarlyReader, {boot_source.rsdp.data(), static_cast<std::size_t>(boot_source.rsdp_size)});
  if (result) {
    acpi = *result;
    return;
  }
  FixedText<120> line;
  line << "[kernel] " << describe(result.error()) << ": standard addresses assumed\n";
  boot_log(line.text());
  acpi.local_apic_address = 0xfee0'0000;
  acpi.io_apics[0] = {0, 0xfec0'0000, 0};
  acpi.io_apic_count = 1;
}

void plan() {
  std::array<PhysicalRange, AcpiInfo::kMaxIoApics + AcpiInfo::kMaxRemappingUnits + 1> devices{};
  unsigned count = 0;
  devices[count++] = {acpi.local_apic_address, acpi.local_apic_address + 4096};
  for (unsigned i = 0; i < acpi.io_apic_count; ++i) {
    devices[count++] = {acpi.io_apics[i].address, acpi.io_apics[i].address + std::uint64_t{4096}};
  }
  // A kernel that does not use these leaves them to user space.
  const unsigned remapping_units = abi::kConfiguration.iommu ? acpi.remapping_unit_count : 0;
  for (unsigned i = 0; i < remapping_units; ++i) {
    devices[count++] = {acpi.remapping_units[i], acpi.remapping_units[i] + 4096};
  }
  const MemoryLimits limits{
      .kernel_image = {reinterpret_cast<std::uint64_t>(kernel_load_begin),
                       (reinterpret_cast<std::uint64_t>(kernel_load_bss_end) + 4095) & ~4095ULL},
      .window_end = kWindowBytes,
      .physical_address_bits = cpu_features.physical_address_bits,
  };
  plan_memory(boot_source, limits, {devices.data(), count}, memory_plan);
  const auto ram = memory_plan.ram.ranges();
  if (!is_device_address(acpi.local_apic_address, ram, limits.physical_address_bits)) {
    refuse_to_boot("the firmware's tables put the local APIC where there is memory");
  }
  drop_misplaced_controllers(acpi, ram, limits.physical_address_bits);
  if (!build_kernel_window(memory_plan.ram, memory_plan.free)) {
    refuse_to_boot("not enough memory for the kernel's page tables");
  }
}

void log_machine() {
  if constexpr (config::kDebug) {
    FixedText<160> line;
    if (vtd_levels() != 0) console_write("[kernel] devices reach no memory but what is mapped\n");
    line << "[kernel] memory " << ByteSize{memory_plan.ram.total()} << ", clock "
         << (clock_khz() / 1000) << " MHz, " << io_apic_count() << " I/O APIC, " << cores.count
         << (cores.count == 1 ? " core\n" : " cores\n");
    console_write(line.text());
  }
}

void log_end() {
  if constexpr (config::kDebug) {
    const Ticks ticks = clock_now() - boot_begin_ticks;
    FixedText<80> line;
    line << "[kernel] root task starts after " << (ticks / ticks_per_us()) << " us\n";
    console_write(line.text());
  }
}

}  // namespace

extern "C" [[noreturn]] void kernel_boot(std::uint32_t magic, PhysicalAddress info) {
  if constexpr (config::kDebug) console_init();
  cpu_features = CpuFeatures::detect();
  load_descriptors(boot_core().arch);
  read_loader(magic, info);
  read_firmware();
  plan();
  fpu_init();
  interrupts_init(acpi);
  if constexpr (abi::kConfiguration.iommu) vtd_init(acpi, memory_plan.free);
  clock_init();
  start_other_cores(acpi, boot_source, memory_plan.free);
  log_machine();

  initialise_scheduler();
  const BootFacts facts{
      .source = boot_source,
      .acpi_root = {acpi.rsdp.data(), static_cast<std::size_t>(acpi.rsdp_size)},
      .clock_mhz = clock_khz() / 1000,
      .cores = cores.count,
  };
  create_root_task(facts, memory_plan);
  log_end();
  auto* const first = reinterpret_cast<UserContext*>(start());
  if (cores.count > 1) leave_kernel();
  enter_user(first);
}

}  // namespace lona::kernel
