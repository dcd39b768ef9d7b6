// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/boot/boot_source.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernel/memory/test_memory.hpp"

namespace lona::kernel {
namespace {

constexpr PhysicalAddress kInfo = 0x9000, kMap = 0xa000, kModules = 0xb000;

TestMemory multiboot1() {
  TestMemory memory;
  ByteBuilder info;
  info.u32(1 << 0 | 1 << 3 | 1 << 6).u32(639).u32(500 * 1024).zeros(8);
  info.u32(1).u32(kModules).zeros(16).u32(48).u32(kMap).pad_to(116);
  memory.put(kInfo, info.bytes());
  ByteBuilder map;
  map.u32(20).u64(0).u64(0x9fc00).u32(1);
  map.u32(20).u64(0x100000).u64(0x1ff00000).u32(1);
  memory.put(kMap, map.bytes());
  memory.put(kModules, ByteBuilder().u32(0x400000).u32(0x500000).u32(0).u32(0).bytes());
  return memory;
}

TestMemory multiboot2() {
  TestMemory memory;
  ByteBuilder tags;
  tags.u32(0).u32(0);
  tags.u32(3).u32(17).u32(0x400000).u32(0x500000).u8(0).zeros(7);
  tags.u32(6).u32(16 + 24).u32(24).u32(0).u64(0x100000).u64(0x1000000).u32(1).u32(0);
  tags.u32(14).u32(28).text("RSD PTR ").zeros(12).zeros(4);
  tags.u32(15).u32(44).text("RSD PTR ").zeros(28).zeros(4);
  tags.u32(8).u32(32).u64(0xfd000000).u32(4096).u32(1024).u32(768).u8(32).u8(1).u16(0);
  tags.u32(0).u32(8);
  auto bytes = tags.bytes();
  bytes[0] = static_cast<std::uint8_t>(bytes.size());
  bytes[1] = static_cast<std::uint8_t>(bytes.size() >> 8);
  memory.put(kInfo, bytes);
  return memory;
}

TEST(BootSource, reads_multiboot_1) {
  const TestMemory memory = multiboot1();
  BootSource source;
  ASSERT_TRUE(read_boot_source(kMultiboot1Magic, kInfo, memory.reader(), source));
  ASSERT_EQ(source.memory_count, 2u);
  EXPECT_EQ(source.memory_entries[1].base, 0x100000u);
  ASSERT_EQ(source.module_count, 1u);
  EXPECT_EQ(source.modules[0], (PhysicalRange{0x400000, 0x500000}));
}

TEST(BootSource, reads_multiboot_2) {
  const TestMemory memory = multiboot2();
  BootSource source;
  ASSERT_TRUE(read_boot_source(kMultiboot2Magic, kInfo, memory.reader(), source));
  ASSERT_EQ(source.memory_count, 1u);
  ASSERT_EQ(source.module_count, 1u);
  EXPECT_EQ(source.rsdp_size, 36u);
  ASSERT_TRUE(source.has_framebuffer);
  EXPECT_EQ(source.framebuffer.width, 1024u);
}

TEST(BootSource, falls_back_to_the_two_sizes_without_a_map) {
  TestMemory memory = multiboot1();
  memory.at(kInfo)[0] = 1;
  BootSource source;
  ASSERT_TRUE(read_boot_source(kMultiboot1Magic, kInfo, memory.reader(), source));
  ASSERT_EQ(source.memory_count, 2u);
  EXPECT_EQ(source.memory_entries[1].length, std::uint64_t{500} << 20);
  EXPECT_EQ(source.module_count, 0u);
}

TEST(BootSource, refuses_an_unknown_loader_and_a_missing_structure) {
  const TestMemory memory = multiboot1();
  BootSource source;
  EXPECT_EQ(read_boot_source(0x1234, kInfo, memory.reader(), source).error(),
            BootSourceError::kUnknownLoader);
  EXPECT_EQ(read_boot_source(kMultiboot1Magic, 0x1, memory.reader(), source).error(),
            BootSourceError::kBadInformation);
}

TEST(BootSource, refuses_a_loader_without_memory_map) {
  TestMemory memory = multiboot1();
  memory.at(kInfo)[0] = 0;
  BootSource source;
  EXPECT_EQ(read_boot_source(kMultiboot1Magic, kInfo, memory.reader(), source).error(),
            BootSourceError::kNoMemoryMap);
}

TEST(BootSource, drops_reversed_and_surplus_modules) {
  TestMemory memory = multiboot1();
  memory.at(kInfo)[20] = 200;
  ByteBuilder list;
  list.u32(0x500000).u32(0x400000).zeros(8);
  for (unsigned i = 0; i < 200; ++i) list.u32(0x400000).u32(0x500000).zeros(8);
  memory.put(kModules, list.bytes());
  BootSource source;
  ASSERT_TRUE(read_boot_source(kMultiboot1Magic, kInfo, memory.reader(), source));
  EXPECT_EQ(source.module_count, source.modules.size() - 1);
}

TEST(BootSource, survives_random_damage_of_both_protocols) {
  std::mt19937 random(5);
  for (unsigned round = 0; round < 4000; ++round) {
    const bool second = round % 2 != 0;
    TestMemory memory = second ? multiboot2() : multiboot1();
    for (unsigned i = 0; i < 3; ++i) {
      auto& bytes = memory.at(second || random() % 2 == 0 ? kInfo : kMap);
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    BootSource source;
    const auto result = read_boot_source(second ? kMultiboot2Magic : kMultiboot1Magic, kInfo,
                                         memory.reader(), source);
    EXPECT_LE(source.memory_count, BootSource::kMaxMemoryEntries);
    EXPECT_LE(source.module_count, source.modules.size());
    if (result) {
      EXPECT_GT(source.memory_count, 0u);
    }
  }
}

}  // namespace
}  // namespace lona::kernel
