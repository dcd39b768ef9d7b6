// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/io_table.hpp"

#include <gtest/gtest.h>

namespace lona::kernel {
namespace {

constexpr unsigned kLevels = 3;
alignas(4096) IoTable tables[3];

IoEntry table_entry(IoTable& table) {
  return io_entry::make(to_phys(&table), true, true);
}

TEST(IoTable, names_the_first_table_that_is_missing) {
  for (IoTable& table : tables) table.fill(0);
  constexpr Word kAddress = 0x12'3456'7000;
  EXPECT_EQ(find_io_entry(tables[0], kAddress, 2, kLevels).error().level, 1u);
  tables[0][io_index(kAddress, 0, kLevels)] = table_entry(tables[1]);
  EXPECT_EQ(find_io_entry(tables[0], kAddress, 2, kLevels).error().level, 2u);
  tables[1][io_index(kAddress, 1, kLevels)] = table_entry(tables[2]);
  const auto entry = find_io_entry(tables[0], kAddress, 2, kLevels);
  ASSERT_TRUE(entry);
  EXPECT_EQ(*entry, &tables[2][0x167]);
}

TEST(IoTable, an_entry_for_writing_alone_is_present) {
  EXPECT_TRUE(io_entry::present(io_entry::make(0x1000, false, true)));
  EXPECT_TRUE(io_entry::present(io_entry::make(0x1000, true, false)));
  EXPECT_FALSE(io_entry::present(io_entry::make(0x1000, false, false)));
}

}  // namespace
}  // namespace lona::kernel
