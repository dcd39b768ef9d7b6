// SPDX-License-Identifier: BSD-2-Clause
#include "manager/calendar_clock.hpp"

namespace lona::manager {

namespace {

constexpr std::uint16_t kIndex = 0x70;
constexpr std::uint16_t kData = 0x71;
constexpr std::uint8_t kRegisterA = 10, kRegisterB = 11;
constexpr std::uint8_t kUpdateInProgress = 0x80;
// An update takes two milliseconds, far less than so many reads of a port.
constexpr int kPatience = 100'000;

class Ports {
 public:
  explicit Ports(abi::CPtr cap) : cap_(cap) {}

  [[nodiscard]] std::uint8_t read(std::uint8_t index) const {
    (void)abi::io_port_out8(cap_, kIndex, index);
    return static_cast<std::uint8_t>(abi::io_port_in8(cap_, kData).value);
  }
  [[nodiscard]] bool updates() const { return (read(kRegisterA) & kUpdateInProgress) != 0; }
  [[nodiscard]] CalendarReading reading() const {
    return {.second = read(0),
            .minute = read(2),
            .hour = read(4),
            .day = read(7),
            .month = read(8),
            .year = read(9),
            .format = read(kRegisterB)};
  }

 private:
  abi::CPtr cap_;
};

}  // namespace

std::optional<std::uint64_t> read_calendar_clock(Memory& memory) {
  const auto slot = memory.take_slot();
  if (!slot || abi::io_port_control_issue(abi::kSlotIoPortControl, kIndex, kData,
                                          memory.address_of(*slot)) != abi::Error::kNone) {
    return std::nullopt;
  }
  const Ports ports(*slot);
  // Two readings that are the same were not made in the middle of an update.
  CalendarReading before{}, now{};
  for (int left = kPatience; left > 0; --left) {
    if (ports.updates()) continue;
    now = ports.reading();
    if (now == before) return unix_seconds(now);
    before = now;
  }
  return std::nullopt;
}

}  // namespace lona::manager
