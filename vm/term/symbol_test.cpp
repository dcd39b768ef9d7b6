// SPDX-License-Identifier: BSD-2-Clause
// What happens when names use up their share of the memory. In a program of its own, because names
// are never freed.
#include "vm/term/symbol.hpp"

#include <gtest/gtest.h>

#include <string>

#include "vm/platform/linux/linux.hpp"
#include "vm/platform/platform.hpp"

namespace lona::vm {
namespace {

TEST(Symbols, ProgramsCannotUseUpTheMemoryWithNames) {
  platform::set_memory_limit(std::size_t{16} << 20);
  SymbolEntry* first = intern("first-name");
  std::size_t made = 0;
  while (try_intern("made-up-" + std::to_string(made)) != nullptr) {
    made++;
    ASSERT_LT(made, 1'000'000u);
  }
  EXPECT_GT(made, 10'000u);
  EXPECT_LT(platform::memory_figures().mapped, platform::memory_figures().limit / 2);
  // Known names are still found, and the VM itself may make new ones.
  EXPECT_EQ(try_intern("first-name"), first);
  EXPECT_NE(try_intern("made-up-0"), nullptr);
  EXPECT_EQ(try_intern("another"), nullptr);
  EXPECT_NE(intern("another"), nullptr);
}

TEST(Symbols, TheVmHasNamesInReserveWhenNoPageIsLeft) {
  while (platform::map_pages(platform::kPageSize) != nullptr) {
  }
  for (int i = 0; i < 100; i++) ASSERT_NE(intern("reserve-" + std::to_string(i)), nullptr);
}

}  // namespace
}  // namespace lona::vm
