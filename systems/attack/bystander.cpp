// SPDX-License-Identifier: BSD-2-Clause
#include "systems/attack/neighbour.hpp"

namespace attack {

namespace {

constexpr std::uint64_t kWords = (512 << 10) / 8;

std::uint64_t pattern(std::uint64_t at) {
  return (at + 1) * 0x9e3779b97f4a7c15;
}

}  // namespace

void stand_by() {
  auto* memory = reinterpret_cast<volatile std::uint64_t*>(abi::kPoolRange.start);
  auto* health = reinterpret_cast<volatile Health*>(abi::kParentChannel);
  (void)ask(Request::kMapPages, abi::kPoolRange.start, kWords * 8 / abi::kSmallPage, 12);
  for (std::uint64_t at = 0; at < kWords; ++at) memory[at] = pattern(at);
  std::uint64_t due = tick();
  std::uint64_t looked = 0;
  Neighbour neighbour;
  while (true) {
    due += ticks_of_ms(10);
    sleep_until(due);
    const std::uint64_t late = tick() - due;
    if (late > health->worst_late) health->worst_late = late;
    // A part of its memory with each beat.
    for (unsigned count = 0; count < 2048; ++count, looked = (looked + 1) % kWords) {
      if (memory[looked] != pattern(looked)) health->damaged = health->damaged + 1;
    }
    if (inherited_word() != kInheritedWord) health->damaged = health->damaged + 1;
    neighbour.look(*health);
    health->beats = health->beats + 1;
    if (tick() > due + ticks_of_ms(10)) due = tick();
  }
}

}  // namespace attack
