// SPDX-License-Identifier: BSD-2-Clause
#include "manager/realm_tree.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <vector>

namespace lona::manager {
namespace {

class Tree : public testing::Test {
 protected:
  std::unique_ptr<RealmTree> tree = std::make_unique<RealmTree>();
};

TEST_F(Tree, NumbersAreNeverUsedAgain) {
  std::set<std::uint32_t> seen;
  for (int round = 0; round < 5000; ++round) {
    const auto realm = tree->add(RealmTree::kRoot);
    ASSERT_TRUE(realm.has_value());
    EXPECT_TRUE(seen.insert(*realm).second);
    EXPECT_TRUE(tree->valid(*realm));
    tree->remove(*realm);
    EXPECT_FALSE(tree->valid(*realm));
  }
}

TEST_F(Tree, HoldsAThousandRealms) {
  for (int at = 0; at < 1000; ++at) {
    ASSERT_TRUE(tree->add(RealmTree::kRoot).has_value());
  }
  EXPECT_EQ(tree->children(RealmTree::kRoot), 1000U);
}

TEST_F(Tree, ATableThatIsFullSaysSo) {
  while (tree->count() < RealmTree::kMax) {
    ASSERT_TRUE(tree->add(RealmTree::kRoot).has_value());
  }
  EXPECT_EQ(tree->add(RealmTree::kRoot).error(), abi::Status::kTooMany);
}

TEST_F(Tree, WhoIsFurtherDownLeavesPlacesToThoseAbove) {
  const std::uint32_t child = *tree->add(RealmTree::kRoot);
  const std::uint32_t grandchild = *tree->add(child);
  while (tree->add(grandchild)) {
  }
  EXPECT_EQ(tree->count(), RealmTree::kMax - 2 * RealmTree::kKeptForALevel);
  while (tree->add(child)) {
  }
  EXPECT_EQ(tree->count(), RealmTree::kMax - RealmTree::kKeptForALevel);
  EXPECT_TRUE(tree->add(RealmTree::kRoot).has_value());
}

TEST_F(Tree, ThereAreSixteenLevelsBelowTheRoot) {
  std::uint32_t realm = RealmTree::kRoot;
  for (std::uint32_t depth = 1; depth <= RealmTree::kMaxDepth; ++depth) {
    realm = *tree->add(realm);
    EXPECT_EQ(tree->depth(realm), depth);
  }
  EXPECT_EQ(tree->add(realm).error(), abi::Status::kTooMany);
}

TEST_F(Tree, RemovingTakesAllBelow) {
  const auto a = *tree->add(RealmTree::kRoot);
  const auto b = *tree->add(RealmTree::kRoot);
  const auto aa = *tree->add(a);
  const auto aaa = *tree->add(aa);
  EXPECT_TRUE(tree->within(a, aaa));
  EXPECT_FALSE(tree->within(b, aaa));
  EXPECT_FALSE(tree->within(aaa, a));
  std::vector<std::uint32_t> order;
  tree->each_within(a, [&](std::uint32_t realm) { order.push_back(realm); });
  EXPECT_EQ(order, (std::vector{aaa, aa, a}));
  tree->remove(a);
  EXPECT_FALSE(tree->valid(aaa));
  EXPECT_FALSE(tree->within(RealmTree::kRoot, aaa));
  EXPECT_TRUE(tree->valid(b));
  EXPECT_EQ(tree->count(), 2U);
}

TEST_F(Tree, ForgedNumbersNameNothing) {
  const auto realm = *tree->add(RealmTree::kRoot);
  EXPECT_FALSE(tree->valid(realm + RealmTree::kMax));
  EXPECT_FALSE(tree->valid(abi::kNoRealm));
  EXPECT_FALSE(tree->within(RealmTree::kRoot, abi::kNoRealm));
  EXPECT_FALSE(tree->valid(realm + 1));
}

TEST_F(Tree, AgreesWithAModelUnderRandomUse) {
  std::mt19937 random(7);
  std::vector<std::uint32_t> alive{RealmTree::kRoot};
  for (int step = 0; step < 20000; ++step) {
    const std::uint32_t pick = alive[random() % alive.size()];
    if (random() % 3 != 0 || pick == RealmTree::kRoot) {
      if (const auto made = tree->add(pick)) {
        alive.push_back(*made);
      }
    } else {
      std::set<std::uint32_t> below;
      tree->each_within(pick, [&](std::uint32_t realm) { below.insert(realm); });
      tree->remove(pick);
      std::erase_if(alive, [&](std::uint32_t realm) { return below.contains(realm); });
    }
    ASSERT_EQ(tree->count(), alive.size());
  }
  for (const std::uint32_t realm : alive) {
    EXPECT_TRUE(tree->within(RealmTree::kRoot, realm));
  }
}

}  // namespace
}  // namespace lona::manager
