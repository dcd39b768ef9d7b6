// SPDX-License-Identifier: BSD-2-Clause
#include "manager/function_names.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lona::manager {
namespace {

// As tools/manager_names.py writes it.
std::vector<std::byte> table_of(
    const std::vector<std::pair<std::uint32_t, std::string>>& functions) {
  std::vector<std::uint32_t> words{static_cast<std::uint32_t>(functions.size())};
  std::string names;
  for (const auto& [offset, name] : functions) {
    words.push_back(offset);
    words.push_back(static_cast<std::uint32_t>(4 + 8 * functions.size() + names.size()));
    names += name + '\0';
  }
  const auto head = std::as_bytes(std::span(words));
  std::vector<std::byte> table(head.begin(), head.end());
  const auto rest = std::as_bytes(std::span(names));
  table.insert(table.end(), rest.begin(), rest.end());
  return table;
}

std::string at(const FunctionNames& names, std::uint64_t address) {
  const auto found = names.nearest_symbol(address);
  return found ? std::string(found->name) + '+' + std::to_string(address - found->address) : "";
}

TEST(FunctionNames, TheOneThatStartsNearestBelow) {
  const auto table = table_of({{0x10, "first"}, {0x30, "second"}, {0x40, "third"}});
  const FunctionNames names(0x400000, table);
  EXPECT_EQ(at(names, 0x40000f), "");
  EXPECT_EQ(at(names, 0x400010), "first+0");
  EXPECT_EQ(at(names, 0x40002f), "first+31");
  EXPECT_EQ(at(names, 0x400030), "second+0");
  EXPECT_EQ(at(names, 0x400050), "third+16");
  EXPECT_EQ(at(names, 8), "");
}

TEST(FunctionNames, WithoutATableNothing) {
  EXPECT_EQ(at(FunctionNames(0, {}), 5), "");
  const std::vector<std::byte> room(64);
  EXPECT_EQ(at(FunctionNames(0, room), 5), "");
}

TEST(FunctionNames, ABrokenTableIsNotLeft) {
  auto table = table_of({{0x10, "first"}, {0x30, "second"}});
  for (std::size_t size = 0; size < table.size(); ++size) {
    (void)at(FunctionNames(0, base::ByteView(table).first(size)), 0x35);
  }
  table[0] = table[3] = std::byte{0xff};
  EXPECT_EQ(at(FunctionNames(0, table), ~std::uint64_t{0}), "");
}

}  // namespace
}  // namespace lona::manager
