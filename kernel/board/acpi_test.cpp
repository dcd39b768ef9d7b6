// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/board/acpi.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernel/memory/test_memory.hpp"

namespace lona::kernel {
namespace {

constexpr PhysicalAddress kRsdp = 0xf0000, kRoot = 0x100000, kMadt = 0x200000;

void fix_checksum(std::vector<std::uint8_t>& bytes, std::size_t at, std::size_t length) {
  bytes[at] = 0;
  std::uint8_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum = static_cast<std::uint8_t>(sum + bytes[i]);
  bytes[at] = static_cast<std::uint8_t>(-sum);
}

std::vector<std::uint8_t> table(const char* signature, const std::vector<std::uint8_t>& body) {
  ByteBuilder builder;
  builder.text(signature).u32(36 + body.size()).zeros(28);
  auto bytes = builder.bytes();
  bytes.insert(bytes.end(), body.begin(), body.end());
  fix_checksum(bytes, 9, bytes.size());
  return bytes;
}

std::vector<std::uint8_t> madt() {
  ByteBuilder body;
  body.u32(0xfee00000).u32(1);
  body.u8(0).u8(8).u8(0).u8(0).u32(1);                   // processor
  body.u8(1).u8(12).u8(2).u8(0).u32(0xfec00000).u32(0);  // I/O APIC
  body.u8(2).u8(10).u8(0).u8(0).u32(2).u16(0);           // ISA line 0 is interrupt 2
  return table("APIC", body.bytes());
}

std::vector<std::uint8_t> old_rsdp(std::uint32_t root) {
  ByteBuilder builder;
  builder.text("RSD PTR ").u8(0).text("OEMOEM").u8(0).u32(root);
  fix_checksum(builder.bytes(), 8, 20);
  return builder.bytes();
}

TestMemory small_machine() {
  TestMemory memory;
  auto rsdp = old_rsdp(kRoot);
  rsdp.resize(0x10000);
  memory.put(kRsdp, rsdp);
  memory.put(kRoot, table("RSDT", ByteBuilder().u32(kMadt).bytes()));
  memory.put(kMadt, madt());
  return memory;
}

TEST(Acpi, finds_controllers_from_the_bios_area) {
  const TestMemory memory = small_machine();
  const auto info = read_acpi(memory.reader(), {});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->local_apic_address, 0xfee00000u);
  ASSERT_EQ(info->io_apic_count, 1u);
  EXPECT_EQ(info->io_apics[0].id, 2u);
  EXPECT_EQ(info->io_apics[0].address, 0xfec00000u);
  EXPECT_EQ(info->processor_count, 1u);
  ASSERT_EQ(info->override_count, 1u);
  EXPECT_EQ(info->overrides[0].interrupt, 2u);
  EXPECT_TRUE(info->has_legacy_pic);
  EXPECT_EQ(info->rsdp_size, 20u);
}

TEST(Acpi, follows_the_wide_root_table_of_a_given_pointer) {
  TestMemory memory;
  ByteBuilder rsdp;
  rsdp.text("RSD PTR ").u8(0).text("OEMOEM").u8(2).u32(0).u32(36).u64(kRoot).u8(0).zeros(3);
  fix_checksum(rsdp.bytes(), 8, 20);
  fix_checksum(rsdp.bytes(), 32, 36);
  memory.put(kRoot, table("XSDT", ByteBuilder().u64(kMadt).bytes()));
  memory.put(kMadt, madt());
  const auto info = read_acpi(memory.reader(), rsdp.bytes());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->rsdp_size, 36u);
  EXPECT_EQ(info->io_apic_count, 1u);
}

TEST(Acpi, refuses_a_machine_without_root_pointer) {
  TestMemory memory;
  memory.put(0xe0000, std::vector<std::uint8_t>(0x20000));
  const auto info = read_acpi(memory.reader(), {});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error(), AcpiError::kNoRootPointer);
}

TEST(Acpi, refuses_a_root_table_with_a_wrong_checksum) {
  TestMemory memory = small_machine();
  memory.at(kRoot)[20] ^= 1;
  EXPECT_EQ(read_acpi(memory.reader(), {}).error(), AcpiError::kBadRootTable);
}

TEST(Acpi, refuses_a_root_table_longer_than_memory) {
  TestMemory memory = small_machine();
  memory.at(kRoot)[5] = 0xff;
  EXPECT_EQ(read_acpi(memory.reader(), {}).error(), AcpiError::kBadRootTable);
}

TEST(Acpi, ignores_an_interrupt_table_with_a_wrong_checksum) {
  TestMemory memory = small_machine();
  memory.at(kMadt)[40] ^= 1;
  EXPECT_EQ(read_acpi(memory.reader(), {}).error(), AcpiError::kNoInterruptTable);
}

TEST(Acpi, stops_at_an_entry_of_length_zero) {
  TestMemory memory = small_machine();
  ByteBuilder body;
  body.u32(0xfee00000).u32(1).u8(1).u8(0).zeros(30);
  memory.put(kMadt, table("APIC", body.bytes()));
  const auto info = read_acpi(memory.reader(), {});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->io_apic_count, 0u);
}

TEST(Acpi, keeps_no_more_controllers_than_it_has_room_for) {
  TestMemory memory = small_machine();
  ByteBuilder body;
  body.u32(0xfee00000).u32(1);
  for (unsigned i = 0; i < 100; ++i) body.u8(1).u8(12).u8(i).u8(0).u32(0xfec00000).u32(0);
  memory.put(kMadt, table("APIC", body.bytes()));
  EXPECT_EQ(read_acpi(memory.reader(), {})->io_apic_count, AcpiInfo::kMaxIoApics);
}

TEST(Acpi, finds_remapping_units_and_stops_at_a_bad_length) {
  TestMemory memory = small_machine();
  ByteBuilder body;
  body.u8(38).zeros(11);
  body.u16(0).u16(16).zeros(4).u64(0xfed9'0000);
  body.u16(1).u16(24).zeros(20);
  body.u16(0).u16(16).zeros(4).u64(0xfed9'1000);
  body.u16(0).u16(2).zeros(40);
  constexpr PhysicalAddress kDmar = 0x7000;
  memory.put(kDmar, table("DMAR", body.bytes()));
  ByteBuilder root;
  root.u32(kMadt).u32(kDmar);
  memory.put(kRoot, table("RSDT", root.bytes()));
  const auto info = read_acpi(memory.reader(), {});
  ASSERT_TRUE(info);
  ASSERT_EQ(info->remapping_unit_count, 2u);
  EXPECT_EQ(info->remapping_units[0], 0xfed9'0000u);
  EXPECT_EQ(info->remapping_units[1], 0xfed9'1000u);
}

// Whatever a firmware writes, the parser ends and stays inside what it was given.
TEST(Acpi, controllers_in_memory_or_out_of_reach_are_dropped) {
  constexpr unsigned kBits = 36;
  const PhysicalRange ram[] = {{0x100000, 0x8000000}, {0x100000000, 0x140000000}};
  EXPECT_TRUE(is_device_address(0xfec00000, ram, kBits));
  EXPECT_TRUE(is_device_address(0x8000000, ram, kBits));
  EXPECT_FALSE(is_device_address(0x7fff000, ram, kBits));
  EXPECT_FALSE(is_device_address(0x100000000, ram, kBits));
  EXPECT_FALSE(is_device_address(0xf000, ram, kBits));
  EXPECT_FALSE(is_device_address(0xfec00010, ram, kBits));
  EXPECT_FALSE(is_device_address(std::uint64_t{1} << kBits, ram, kBits));
  EXPECT_FALSE(is_device_address(~std::uint64_t{0} & ~std::uint64_t{4095}, ram, kBits));
  AcpiInfo info{};
  info.io_apics = {{{1, 0x200000, 0}, {2, 0xfec00000, 24}, {3, 0, 48}, {4, 0xfec01000, 72}}};
  info.io_apic_count = 4;
  info.remapping_units = {0x100000000, 0xfed90000};
  info.remapping_unit_count = 2;
  drop_misplaced_controllers(info, ram, kBits);
  ASSERT_EQ(info.io_apic_count, 2u);
  EXPECT_EQ(info.io_apics[0].id, 2u);
  EXPECT_EQ(info.io_apics[1].id, 4u);
  ASSERT_EQ(info.remapping_unit_count, 1u);
  EXPECT_EQ(info.remapping_units[0], 0xfed90000u);
}

TEST(Acpi, survives_random_damage) {
  std::mt19937 random(3);
  for (unsigned round = 0; round < 3000; ++round) {
    TestMemory memory = small_machine();
    for (unsigned i = 0; i < 4; ++i) {
      auto& bytes = memory.at(random() % 2 == 0 ? kRoot : kMadt);
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    for (const PhysicalAddress at : {kRoot, kMadt}) {
      auto& bytes = memory.at(at);
      fix_checksum(bytes, 9, bytes.size());
    }
    const auto info = read_acpi(memory.reader(), {});
    if (info) {
      EXPECT_LE(info->io_apic_count, AcpiInfo::kMaxIoApics);
    }
  }
}

}  // namespace
}  // namespace lona::kernel
