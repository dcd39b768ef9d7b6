// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/page_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

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

// Tables and pages at random, against a map from level and address to what was put there.
class RandomTables {
 public:
  using Place = std::pair<PageLevel, Word>;

  RandomTables() { tables_.push_back(std::make_unique<Table>()); }

  // Few indices at each level, so that places are met again.
  Word address() {
    Word result = 0;
    for (const unsigned level : {12, 21, 30, 39}) {
      static constexpr Word kIndices[] = {0, 1, 255, 511};
      const Word index = kIndices[random_() % (level == 39 ? 2 : 4)];
      result |= index << level;
    }
    return result | random_() % 4096;
  }
  PageLevel level() {
    static constexpr PageLevel kLevels[] = {PageLevel::kPageTable, PageLevel::kDirectory,
                                            PageLevel::kPdpt, PageLevel::kPml4};
    return kLevels[random_() % 4];
  }
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }

  static Place place(Word address, PageLevel level) {
    return {level, address >> static_cast<unsigned>(level)};
  }
  // The level at which the way to an entry ends early; none if it does not.
  std::optional<PageLevel> missing(Word address, PageLevel wanted) const {
    for (const PageLevel at : {PageLevel::kPml4, PageLevel::kPdpt, PageLevel::kDirectory}) {
      if (at == wanted) return std::nullopt;
      const auto found = model_.find(place(address, at));
      if (found == model_.end() || !found->second.is_table) return at;
    }
    return std::nullopt;
  }

  void check(Word address, PageLevel wanted) {
    const auto entry = find_entry(tables_[0]->table, address, wanted);
    const auto stop = missing(address, wanted);
    ASSERT_EQ(entry.has_value(), !stop.has_value());
    if (stop) {
      ASSERT_EQ(entry.error().level, *stop);
      return;
    }
    const auto found = model_.find(place(address, wanted));
    ASSERT_EQ(**entry, found == model_.end() ? 0 : found->second.entry);
  }

  void change(Word address, PageLevel wanted) {
    if (missing(address, wanted)) return;
    PageEntry& entry = **find_entry(tables_[0]->table, address, wanted);
    const Place at = place(address, wanted);
    const bool may_be_table = wanted != PageLevel::kPageTable;
    const bool may_be_page = wanted != PageLevel::kPml4;
    const auto old = model_.find(at);
    if (old != model_.end() && old->second.is_table) return;  // what is below stays reachable
    if (may_be_table && (!may_be_page || pick(2) == 0) && tables_.size() < 300) {
      tables_.push_back(std::make_unique<Table>());
      entry = make_table_entry(to_phys(&tables_.back()->table));
      model_[at] = {entry, true};
    } else if (may_be_page && pick(3) != 0) {
      const Word size = Word{1} << static_cast<unsigned>(wanted);
      entry = make_page_entry(pick(1000) * size, wanted, abi::kReadWrite, pick(8));
      model_[at] = {entry, false};
    } else {
      entry = 0;
      model_.erase(at);
    }
  }

 private:
  struct alignas(4096) Table {
    PageTable table{};
  };
  struct Content {
    PageEntry entry;
    bool is_table;
  };

  std::mt19937 random_{21};
  std::vector<std::unique_ptr<Table>> tables_;
  std::map<Place, Content> model_;
};

TEST(PageTable, finds_what_was_put_where_under_random_changes) {
  RandomTables tables;
  for (int step = 0; step < 20'000; ++step) {
    const Word address = tables.address();
    tables.change(address, tables.level());
    ASSERT_NO_FATAL_FAILURE(tables.check(address, tables.level())) << "step " << step;
    ASSERT_NO_FATAL_FAILURE(tables.check(tables.address(), tables.level())) << "step " << step;
  }
}

}  // namespace
}  // namespace lona::kernel
