// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/page_table.hpp"

#include <gtest/gtest.h>

namespace lona::kernel {
namespace {

namespace e = page_entry;

struct Tables {
  alignas(4096) PageTable pml4{}, pdpt{}, directory{}, table{};

  void link(PageTable& from, Word address, PageLevel level, PageTable& to) {
    from[table_index(address, level)] = make_table_entry(to_phys(&to));
  }
};

constexpr Word kAddress = 0x0000'7abc'dead'b000;

TEST(PageTable, reports_the_level_at_which_a_table_is_missing) {
  auto t = std::make_unique<Tables>();
  const auto level = [&] {
    return find_entry(t->pml4, kAddress, PageLevel::kPageTable).error().level;
  };
  EXPECT_EQ(level(), PageLevel::kPml4);
  t->link(t->pml4, kAddress, PageLevel::kPml4, t->pdpt);
  EXPECT_EQ(level(), PageLevel::kPdpt);
  t->link(t->pdpt, kAddress, PageLevel::kPdpt, t->directory);
  EXPECT_EQ(level(), PageLevel::kDirectory);
  t->link(t->directory, kAddress, PageLevel::kDirectory, t->table);
  const auto entry = find_entry(t->pml4, kAddress, PageLevel::kPageTable);
  ASSERT_TRUE(entry);
  EXPECT_EQ(*entry, &t->table[kAddress >> 12 & 511]);
}

TEST(PageTable, does_not_walk_through_a_large_page) {
  auto t = std::make_unique<Tables>();
  t->link(t->pml4, kAddress, PageLevel::kPml4, t->pdpt);
  t->link(t->pdpt, kAddress, PageLevel::kPdpt, t->directory);
  t->directory[table_index(kAddress, PageLevel::kDirectory)] =
      make_page_entry(0x20'0000, PageLevel::kDirectory, abi::kReadWrite, 0);
  EXPECT_FALSE(find_entry(t->pml4, kAddress, PageLevel::kPageTable));
  ASSERT_TRUE(find_entry(t->pml4, kAddress, PageLevel::kDirectory));
}

TEST(PageTable, rights_decide_what_user_mode_may_do) {
  const auto entry = [](abi::CapRights rights) {
    return make_page_entry(0x5000, PageLevel::kPageTable, rights, 0);
  };
  EXPECT_TRUE(e::User::get(entry(abi::kReadWrite)) && e::Writable::get(entry(abi::kReadWrite)));
  EXPECT_TRUE(e::User::get(entry(abi::kCanRead)));
  EXPECT_FALSE(e::Writable::get(entry(abi::kCanRead)));
  EXPECT_FALSE(e::User::get(entry(abi::kCanWrite)));
  EXPECT_FALSE(e::Writable::get(entry(abi::kCanWrite)));
  EXPECT_FALSE(e::User::get(entry(abi::kNoRights)));
}

TEST(PageTable, attributes_go_to_the_bits_of_their_level) {
  const PageEntry small = make_page_entry(0x5000, PageLevel::kPageTable, abi::kReadWrite,
                                          static_cast<Word>(abi::PageAttribute::kWriteCombining));
  EXPECT_EQ(small, 0x5000u | 1 | 2 | 4 | 0x80);
  const PageEntry large = make_page_entry(0x20'0000, PageLevel::kDirectory, abi::kReadWrite,
                                          static_cast<Word>(abi::PageAttribute::kWriteCombining));
  EXPECT_EQ(large, 0x20'0000u | 1 | 2 | 4 | 0x80 | 0x1000);
  const PageEntry uncached = make_page_entry(0x5000, PageLevel::kPageTable, abi::kReadWrite,
                                             static_cast<Word>(abi::PageAttribute::kUncacheable));
  EXPECT_EQ(uncached, 0x5000u | 1 | 2 | 4 | 8 | 16);
}

}  // namespace
}  // namespace lona::kernel
