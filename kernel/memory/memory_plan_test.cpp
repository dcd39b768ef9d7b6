// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/memory/memory_plan.hpp"

#include <gtest/gtest.h>

namespace lona::kernel {
namespace {

constexpr MemoryLimits kLimits{{0x100000, 0x180000}, std::uint64_t{512} << 30, 40};
constexpr PhysicalRange kLocalApic{0xfee00000, 0xfee01000};

bool holds(const RegionList& list, PhysicalAddress address) {
  for (const PhysicalRange& range : list.ranges()) {
    if (range.begin <= address && address < range.end) return true;
  }
  return false;
}

BootSource machine() {
  BootSource source{};
  source.add_memory({0, 0x9fc00, 1});
  source.add_memory({0xf0000, 0x10000, 2});
  source.add_memory({0x100000, 0x10000000 - 0x100000, 1});
  source.add_module({0x400123, 0x500456});
  return source;
}

TEST(MemoryPlan, free_memory_excludes_kernel_and_modules_with_whole_pages) {
  const BootSource source = machine();
  MemoryPlan plan;
  plan_memory(source, kLimits, {&kLocalApic, 1}, plan);
  EXPECT_FALSE(holds(plan.free, 0x100000));
  EXPECT_TRUE(holds(plan.free, 0x180000));
  EXPECT_FALSE(holds(plan.free, 0x400000));
  EXPECT_FALSE(holds(plan.free, 0x500fff));
  EXPECT_TRUE(holds(plan.free, 0x501000));
  EXPECT_TRUE(holds(plan.ram, 0x400000));
}

TEST(MemoryPlan, devices_are_all_the_rest_without_the_kernel_s_own) {
  const BootSource source = machine();
  MemoryPlan plan;
  plan_memory(source, kLimits, {&kLocalApic, 1}, plan);
  EXPECT_TRUE(holds(plan.device, 0xb8000));
  EXPECT_TRUE(holds(plan.device, 0xfd000000));
  EXPECT_FALSE(holds(plan.device, kLocalApic.begin));
  EXPECT_FALSE(holds(plan.device, 0x120000));
  EXPECT_FALSE(holds(plan.device, 0x600000));
  EXPECT_FALSE(holds(plan.device, std::uint64_t{1} << 40));
}

TEST(MemoryPlan, a_reserved_entry_wins_over_an_overlapping_ram_entry) {
  BootSource source = machine();
  source.add_memory({0x8000800, 0x100, 3});
  MemoryPlan plan;
  plan_memory(source, kLimits, {}, plan);
  EXPECT_FALSE(holds(plan.ram, 0x8000000));
  EXPECT_FALSE(holds(plan.free, 0x8000fff));
  EXPECT_TRUE(holds(plan.ram, 0x8001000));
  EXPECT_TRUE(holds(plan.device, 0x8000800));
}

TEST(MemoryPlan, entries_that_wrap_around_do_no_harm) {
  BootSource source = machine();
  source.add_memory({~std::uint64_t{0} - 0x1000, 0x10000, 1});
  source.add_memory({0x20000000, ~std::uint64_t{0}, 2});
  MemoryPlan plan;
  plan_memory(source, kLimits, {}, plan);
  EXPECT_TRUE(holds(plan.free, 0x200000));
  EXPECT_FALSE(holds(plan.ram, ~std::uint64_t{0} - 0x800));
}

TEST(MemoryPlan, a_module_up_to_the_last_address_is_not_free) {
  BootSource source = machine();
  source.add_module({0x1000000, ~std::uint64_t{0} - 8});
  MemoryPlan plan;
  plan_memory(source, kLimits, {}, plan);
  EXPECT_TRUE(holds(plan.ram, 0x1000000));
  EXPECT_FALSE(holds(plan.free, 0x1000000));
}

TEST(MemoryPlan, memory_beyond_the_window_is_neither_ram_nor_device) {
  BootSource source = machine();
  source.add_memory({kLimits.window_end, 1 << 30, 1});
  MemoryPlan plan;
  plan_memory(source, kLimits, {}, plan);
  EXPECT_FALSE(holds(plan.ram, kLimits.window_end));
  EXPECT_FALSE(holds(plan.device, kLimits.window_end));
}

}  // namespace
}  // namespace lona::kernel
