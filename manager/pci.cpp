// SPDX-License-Identifier: BSD-2-Clause
#include "manager/pci.hpp"

namespace lona::manager {

namespace {

constexpr std::uint16_t kAddressPort = 0xcf8;
constexpr std::uint16_t kDataPort = 0xcfc;
constexpr std::uint32_t kEnable = 1U << 31;
constexpr std::uint32_t kDevices = 32;

// Registers of the configuration space, by offset.
constexpr std::uint32_t kIdentity = 0x00;
constexpr std::uint32_t kCommand = 0x04;
constexpr std::uint32_t kFirstBar = 0x10;
constexpr std::uint32_t kInterrupt = 0x3c;

constexpr std::uint32_t kVirtioConsole = 0x1003'1af4;  // device and vendor
constexpr std::uint32_t kIoSpace = 1U << 0;
constexpr std::uint32_t kBusMaster = 1U << 2;
constexpr std::uint32_t kInterruptOff = 1U << 10;
constexpr std::uint32_t kBarIsIo = 1;
constexpr std::uint32_t kLastPin = 23;

class PciBus {
 public:
  explicit PciBus(abi::CPtr ports) : ports_(ports) {}

  [[nodiscard]] std::uint32_t read(std::uint32_t device, std::uint32_t offset) const {
    select(device, offset);
    return static_cast<std::uint32_t>(abi::io_port_in32(ports_, kDataPort).value);
  }
  void write(std::uint32_t device, std::uint32_t offset, std::uint32_t value) const {
    select(device, offset);
    (void)abi::io_port_out32(ports_, kDataPort, value);
  }

 private:
  void select(std::uint32_t device, std::uint32_t offset) const {
    (void)abi::io_port_out32(ports_, kAddressPort, kEnable | device << 11 | offset);
  }

  abi::CPtr ports_;
};

std::optional<PciConsole> ready_console(const PciBus& bus, std::uint32_t device) {
  const std::uint32_t bar = bus.read(device, kFirstBar);
  const std::uint32_t irq = bus.read(device, kInterrupt) & 0xff;
  const std::uint32_t port = bar & ~3U;
  if ((bar & kBarIsIo) == 0 || port == 0 || port > 0xffffU - kVirtioPorts || irq == 0 ||
      irq > kLastPin) {
    return std::nullopt;
  }
  const std::uint32_t command = bus.read(device, kCommand) & 0xffff;
  bus.write(device, kCommand, (command | kIoSpace | kBusMaster) & ~kInterruptOff);
  return PciConsole{.port = static_cast<std::uint16_t>(port),
                    .irq = static_cast<std::uint8_t>(irq)};
}

}  // namespace

std::optional<PciConsole> find_virtio_console(Memory& memory) {
  const auto ports = memory.take_slot();
  if (!ports || abi::io_port_control_issue(abi::kSlotIoPortControl, kAddressPort, kDataPort + 3,
                                           memory.address_of(*ports)) != abi::Error::kNone) {
    return std::nullopt;
  }
  const PciBus bus(*ports);
  for (std::uint32_t device = 0; device < kDevices; ++device) {
    if (bus.read(device, kIdentity) == kVirtioConsole) {
      return ready_console(bus, device);
    }
  }
  return std::nullopt;
}

void reset_virtio(abi::CPtr ports, std::uint16_t port) {
  constexpr std::uint16_t kStatus = 18;
  (void)abi::io_port_out8(ports, std::uint64_t{port} + kStatus, 0);
}

}  // namespace lona::manager
