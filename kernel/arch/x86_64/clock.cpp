// SPDX-License-Identifier: BSD-2-Clause
// The frequency comes from the processor or hypervisor if they tell, else from a comparison with
// the PIT. A comparison reads both counters twice, some milliseconds apart; of several readings the
// one with the shortest pause around it counts, so that a preempted virtual processor does not
// spoil it. The local APIC's timer is measured in the same interval.
#include "kernel/arch/x86_64/clock.hpp"

#include <algorithm>

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/panic.hpp"

namespace lona::kernel {

namespace {

constexpr std::uint64_t kPitHz = 1'193'182;
constexpr std::uint16_t kPitChannel2 = 0x42, kPitCommand = 0x43, kPitGate = 0x61;
constexpr std::uint64_t kMeasurePitTicks = kPitHz * 2 / 1000;  // 2 ms
constexpr unsigned kReadings = 5;
// A PIT that stands still is noticed after so many polls.
constexpr unsigned kMaxPolls = 1 << 22;

constinit std::uint32_t tsc_khz = 0;
constinit std::uint64_t tsc_per_us = 1;
// Local APIC counts per TSC tick, 32 fraction bits.
constinit std::uint64_t apic_counts_per_tick = 0;

struct Reading {
  std::uint64_t tsc;
  std::uint32_t apic;
  std::uint16_t pit;
};

std::uint16_t read_pit() {
  cpu::out8(kPitCommand, 0x80);  // latch channel 2
  const std::uint8_t low = cpu::in8(kPitChannel2);
  return static_cast<std::uint16_t>(low | (cpu::in8(kPitChannel2) << 8));
}

Reading read_all() {
  Reading best{};
  std::uint64_t best_width = ~std::uint64_t{0};
  for (unsigned i = 0; i < kReadings; ++i) {
    const std::uint64_t before = cpu::read_tsc();
    const std::uint16_t pit = read_pit();
    const std::uint32_t apic = local_apic_timer_count();
    const std::uint64_t after = cpu::read_tsc();
    if (after - before >= best_width) continue;
    best_width = after - before;
    best = {before + (after - before) / 2, apic, pit};
  }
  return best;
}

void start_pit() {
  // Channel 2, gate on, speaker off; mode 0 counts down from the top and wraps.
  cpu::out8(kPitGate, static_cast<std::uint8_t>((cpu::in8(kPitGate) & ~2) | 1));
  cpu::out8(kPitCommand, 0xb0);
  cpu::out8(kPitChannel2, 0xff);
  cpu::out8(kPitChannel2, 0xff);
}

void measure() {
  start_pit();
  local_apic_timer_start(0xffff'ffff);
  const Reading begin = read_all();
  for (unsigned polls = 0;; ++polls) {
    if (static_cast<std::uint16_t>(begin.pit - read_pit()) >= kMeasurePitTicks) break;
    if (polls == kMaxPolls) refuse_to_boot("no timer to measure the processor's clock with");
  }
  const Reading end = read_all();
  local_apic_timer_start(0);

  const std::uint64_t pit_ticks = static_cast<std::uint16_t>(begin.pit - end.pit);
  const std::uint64_t tsc_ticks = end.tsc - begin.tsc;
  const std::uint64_t apic_ticks = begin.apic - end.apic;
  if (tsc_khz == 0) tsc_khz = static_cast<std::uint32_t>(tsc_ticks * kPitHz / pit_ticks / 1000);
  if (tsc_khz == 0) refuse_to_boot("the processor's clock stands still");
  apic_counts_per_tick = (apic_ticks << 32) / tsc_ticks;
}

}  // namespace

void clock_init() {
  tsc_khz = cpu_features.tsc_khz;
  local_apic_timer_init(cpu_features.tsc_deadline);
  if (!cpu_features.tsc_deadline || tsc_khz == 0) measure();
  tsc_per_us = std::max<std::uint64_t>(1, tsc_khz / 1000);
}

std::uint32_t clock_khz() {
  return tsc_khz;
}
std::uint64_t ticks_per_us() {
  return tsc_per_us;
}
Ticks clock_now() {
  return cpu::read_tsc();
}

void clock_set_deadline(Ticks when, Ticks now) {
  if (cpu_features.tsc_deadline) {
    cpu::write_msr(cpu::kMsrTscDeadline, std::max<Ticks>(when, 1));
    return;
  }
  // Longer waits than the counter holds end early; the scheduler then arms the rest.
  constexpr Ticks kLongest = Ticks{1} << 31;
  const Ticks delta = when > now ? std::min(when - now, kLongest) : 0;
  const std::uint64_t count = (delta * apic_counts_per_tick >> 32) + 1;
  local_apic_timer_start(static_cast<std::uint32_t>(std::min<std::uint64_t>(count, 0xffff'ffff)));
}

}  // namespace lona::kernel
