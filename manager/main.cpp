// SPDX-License-Identifier: BSD-2-Clause
// The root task, from its first line to the running system, top to bottom.
#include <array>
#include <new>

#include "base/ustar.hpp"
#include "manager/boot_facts.hpp"
#include "manager/calendar_clock.hpp"
#include "manager/guardian.hpp"
#include "manager/pci.hpp"
#include "manager/service.hpp"

extern "C" {
// The archive of the boot image (archive.S), and where this program starts (manager.ld).
extern const std::byte archive_start[];
extern const std::byte archive_end[];
extern const std::byte image_start[];
[[noreturn]] void manager_main(const lona::abi::BootInfo* info);
}

namespace lona::manager {

namespace {

constexpr std::uint64_t kMinimumForARealm = 16ULL << 20;

// Shares of the processor. Priorities: the timer above the service threads above the realms.
constexpr std::uint64_t kServicePriority = 250;
// A realm that floods its endpoint gets no more of the processor through the manager than this.
constexpr ThreadShare kServiceShare{kServicePriority, 9'000, 10'000};
constexpr ThreadShare kInitShare = thread_share(kRealmPriority, abi::kNoShare);
constexpr abi::Word kInitThreadArea = 0x20'0000'0000;
constexpr abi::Word kGuardianArea = kInitThreadArea + OwnThread::kAreaSize;
constexpr abi::Word kReservesArea = kGuardianArea + OwnThread::kAreaSize;
constexpr abi::Word kWindow = 0x30'0000'0000;
constexpr abi::Word kLargeWindow = 0x31'0000'0000;

// Everything that lives as long as the system. Built by hand in manager_main: there are no static
// constructors.
struct System {
  std::uint64_t start_tick = now_tick();
  std::array<SlotAllocator::Page, 48> slot_pages{};
  std::array<UntypedAllocator::Block, 16384> blocks{};
  std::array<KernelObject, 256> own_tables{};
  std::array<KernelObject, 512> init_tables{};
  GrantSpace<2048> init_grants;
  GrantSpace<512> init_level_grants;
  std::array<abi::CPtr, 4096> init_copies{};
  std::array<BlockId, 1 << abi::object_bits(abi::kInitCSpaceBits)> init_objects{};
  std::array<CapabilityBook::Original, 1 << abi::object_bits(abi::kInitCSpaceBits)>
      init_originals{};
  CSpace cspace;
  Memory memory{cspace, {slot_pages, blocks}};
  AddressSpace own{own_tables};
  AsidPools asids;
  Uart com1;
  Uart com2;
  Log log;
  Timer timer;
  VmImage image;
  RealmParts parts{.image = image,
                   .asids = asids,
                   .sched_control = 0,
                   .tsc_hertz = 0,
                   .wall_clock_zero = 0,
                   .iommu_labels = false};
  Realms realms{shared};
  SharedRegions regions{realms};
  SharedBinaries binaries{realms};
  Reserves reserves;
  PeerChannels peers{realms};
  SentCapabilities capabilities{realms, own};
  CapabilityBook init_capabilities{init_originals};
  Guardian guardian{shared};
  Shared shared{log,      timer, parts,        own,      realms,  regions,
                binaries, peers, capabilities, reserves, guardian};
  Realm init{memory, {init_tables, init_grants, init_level_grants, init_copies, init_objects}};
  OwnThread init_service;
  Service service{shared, init, 0};
};

alignas(System) std::byte system_storage[sizeof(System)];

// Without the means to go on there is nothing to do but to say so and to sleep.
[[noreturn]] void give_up(System& system) {
  system.log("the system cannot start");
  (void)abi::tcb_suspend(abi::kSlotInitTcb);
  __builtin_trap();
}

base::Expected<abi::CPtr, MemoryError> new_notification(System& system) {
  return TRY(system.memory.make(abi::ObjectType::kNotification)).cap;
}

// A UART that answers is set up and can be used; the ports of one that does not are kept.
bool find_uart(System& system, Uart& uart, const SerialPort& port) {
  const auto slot = system.memory.take_slot();
  if (!slot ||
      abi::io_port_control_issue(abi::kSlotIoPortControl, port.base, port.base + kSerialPorts - 1,
                                 system.memory.address_of(*slot)) != abi::Error::kNone) {
    return false;
  }
  uart.use(*slot, port.base);
  if (!uart.present()) {
    return false;
  }
  uart.set_up();
  return true;
}

// A cap to the interrupt of a pin of the I/O APIC; 0 when it cannot be had.
abi::CPtr issue_irq(System& system, const abi::IoApicPin& pin) {
  const auto irq = system.memory.take_slot();
  if (!irq || abi::irq_control_get_io_apic(abi::kSlotIrqControl, system.memory.address_of(*irq),
                                           pin, pin.pin) != abi::Error::kNone) {
    return 0;
  }
  return *irq;
}

// The host link's usual carrier: it takes thousands of bytes for one system call, a UART one.
ConsoleGrant virtio_console(System& system) {
  const auto found = find_virtio_console(system.memory);
  const auto ports = found ? system.memory.take_slot() : base::fail(MemoryError::out_of_slots);
  if (!ports || abi::io_port_control_issue(abi::kSlotIoPortControl, found->port,
                                           found->port + kVirtioPorts - 1,
                                           system.memory.address_of(*ports)) != abi::Error::kNone) {
    return {};
  }
  // PCI interrupts are levels.
  const abi::CPtr irq =
      issue_irq(system, {.io_apic = 0, .pin = found->irq, .level = 1, .polarity = 1});
  if (irq == 0) {
    return {};
  }
  return {.kind = abi::ConsoleKind::kHostLink,
          .device = abi::ConsoleDevice::kVirtio,
          .port = found->port,
          .ports = *ports,
          .irq = irq};
}

ConsoleGrant console_for_init(System& system, bool com1, bool com2) {
  if (const ConsoleGrant console = virtio_console(system);
      console.kind != abi::ConsoleKind::kNone) {
    return console;
  }
  if (!com1 && !com2) {
    return {};
  }
  const SerialPort& port = com2 ? kCom2 : kCom1;
  const abi::CPtr irq =
      issue_irq(system, {.io_apic = 0, .pin = port.pin, .level = 0, .polarity = 0});
  if (irq == 0) {
    system.log("the console has no interrupt");
    return {};
  }
  return {.kind = com2 ? abi::ConsoleKind::kHostLink : abi::ConsoleKind::kRaw,
          .port = port.base,
          .ports = (com2 ? system.com2 : system.com1).ports(),
          .irq = irq};
}

void start_log(System& system, bool com1) {
  const auto lock = new_notification(system);
  if (lock && com1) {
    system.log.use(*lock, &system.com1);
  }
}

void report_machine(System& system, const abi::BootInfo& info) {
  system.log("memory: ", base::ByteSize{system.memory.total_bytes()}, " in ",
             info.untyped.end - info.untyped.start,
             " untypeds, time stamp counter: ", system.timer.rate() / 1'000'000, " MHz");
  if (info.num_iopt_levels != 0 && info.num_iopt_levels != ~abi::Word{0}) {
    system.log("IOMMU enabled, DMA isolation active");
  } else {
    system.log("WARNING: No IOMMU detected. Driver realms are TRUSTED. DMA isolation disabled.");
  }
}

void start_timer(System& system, const abi::BootInfo& info) {
  const auto lock = new_notification(system);
  if (!lock || !system.timer.start(system.memory, *lock)) {
    system.log("the timer cannot be used");
    give_up(system);
  }
  const auto* extra = reinterpret_cast<const std::byte*>(&info) + abi::kSmallPage;
  const auto rate = tsc_hertz({extra, info.extra_len});
  system.timer.set_rate(rate ? *rate : system.timer.measure_tsc());
}

void read_clock(System& system) {
  const auto seconds = read_calendar_clock(system.memory);
  if (!seconds) {
    system.log("the calendar clock tells no time");
    return;
  }
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  const std::uint64_t tick = now_tick(), rate = system.timer.rate();
  const std::uint64_t up =
      tick / rate * kNsPerSecond + tick % rate * 1'000'000 / rate * (kNsPerSecond / 1'000'000);
  system.parts.wall_clock_zero = *seconds * kNsPerSecond - up;
}

// What realms need besides memory of their own.
void start_realms(System& system) {
  const auto slots_lock = new_notification(system);
  const auto realms_lock = new_notification(system);
  const auto plans_lock = new_notification(system);
  const auto regions_lock = new_notification(system);
  const auto binaries_lock = new_notification(system);
  const auto capabilities_lock = new_notification(system);
  const std::size_t spaces = RealmTree::kMax * (1 + abi::kMostAddressSpaces);
  if (!slots_lock || !realms_lock || !plans_lock || !regions_lock || !capabilities_lock ||
      !binaries_lock || !system.asids.start(system.memory, spaces) ||
      !system.realms.start(system.memory)) {
    give_up(system);
  }
  system.cspace.use(*slots_lock);
  system.realms.use(*realms_lock, *plans_lock);
  system.regions.use(*regions_lock);
  system.capabilities.use(*capabilities_lock);
  system.init.use(system.init_capabilities);
  system.binaries.use(*binaries_lock);
}

void load_image(System& system) {
  const base::ByteView bytes{archive_start, archive_end};
  const auto archive = base::UstarArchive::open(bytes);
  if (!archive) {
    system.log("the archive of the boot image is damaged: ", describe(archive.error()));
    give_up(system);
  }
  const auto file = archive->find("vm.elf");
  if (!file) {
    system.log("the archive of the boot image lacks vm.elf");
    give_up(system);
  }
  Window window(system.memory, system.own, kLargeWindow);
  if (const auto loaded = system.image.load(system.memory, window, *file); !loaded) {
    system.log("vm.elf cannot be loaded: ", loaded.error());
    give_up(system);
  }
}

void require_memory(System& system) {
  const std::uint64_t needed =
      static_cast<std::uint64_t>(archive_end - archive_start) + kMinimumForARealm;
  if (system.memory.free_bytes() < needed) {
    system.log("too little memory: ", base::ByteSize{system.memory.free_bytes()},
               " are free, the system needs ", base::ByteSize{needed});
    give_up(system);
  }
}

void start_init_realm(System& system, const abi::BootInfo& info, const ConsoleGrant& console) {
  const auto lead = static_cast<std::uint64_t>(archive_start - image_start);
  const auto size = static_cast<std::uint64_t>(archive_end - archive_start);
  const RealmConfig config{
      .name = "init",
      .worker = kInitShare,
      .workers = static_cast<unsigned>(info.sched_control.end - info.sched_control.start),
      .memory_reserve = (2ULL << 20) + system.memory.total_bytes() / 128,
      .cspace_bits = abi::kInitCSpaceBits,
      .stack_bytes = abi::kWorkerStackSize,
      .archive = {.first = info.user_image_frames.start + lead / abi::kSmallPage,
                  .count = (size + abi::kSmallPage - 1) / abi::kSmallPage},
      .archive_size = size,
      .console = console,
  };
  system.parts.sched_control = info.sched_control.start;
  system.parts.tsc_hertz = system.timer.rate();
  Window window(system.memory, system.own, kWindow);
  if (const auto built = system.init.build(window, system.parts, config); !built) {
    system.log("realm init cannot be built: ", built.error());
    give_up(system);
  }
  system.timer.join(0, system.init.deadline_signal());
  if (!system.guardian.start(system.memory, system.parts.sched_control, kGuardianArea)) {
    system.log("the guardian's thread cannot be started");
    give_up(system);
  }
  const auto of_reserves = system.guardian.handler(system.memory, Guardian::kReserves);
  if (!of_reserves || !system.reserves.start(system.memory, system.own, system.parts.sched_control,
                                             kReservesArea, *of_reserves)) {
    system.log("time cannot be reserved");
    give_up(system);
  }
  system.realms.adopt_root(system.init);
  const auto of_service =
      system.guardian.handler(system.memory, Guardian::service_of(RealmTree::kRoot));
  if (!of_service || !system.init_service.start(
                         system.memory, system.own, system.parts.sched_control, kInitThreadArea,
                         kServiceShare, Service::run, &system.service, *of_service)) {
    system.log("the service thread of realm init cannot be started");
    give_up(system);
  }
  const std::uint64_t us = (now_tick() - system.start_tick) * 1'000'000 / system.timer.rate();
  system.log("realm init: ", base::ByteSize{system.init.memory_limit()}, " of memory, starts ", us,
             " us after the manager");
  if (!system.init.run()) {
    give_up(system);
  }
}

}  // namespace

}  // namespace lona::manager

void manager_main(const lona::abi::BootInfo* info) {
  using namespace lona::manager;
  adopt_ipc_buffer(info->ipc_buffer);
  auto& system = *new (system_storage) System;
  system.parts.iommu_labels = lona::abi::kernel_has_iommu_labels(lona::abi::kSlotInitIpcBuffer);
  lona::abi::adopt_kernel_labels(system.parts.iommu_labels);
  if (!system.cspace.start(*info) || !system.memory.start(*info)) {
    give_up(system);
  }
  system.own.adopt(lona::abi::kSlotInitVSpace);
  start_realms(system);
  const bool com1 = find_uart(system, system.com1, kCom1);
  const bool com2 = find_uart(system, system.com2, kCom2);
  start_log(system, com1);
  start_timer(system, *info);
  read_clock(system);
  report_machine(system, *info);
  require_memory(system);
  load_image(system);
  system.memory.keep_slots_ready(2048);
  start_init_realm(system, *info, console_for_init(system, com1, com2));
  system.timer.run();
}
