// SPDX-License-Identifier: BSD-2-Clause
#include "manager/binary_book.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace lona::manager {
namespace {

constexpr std::uint64_t kMemory = 512 << 20;
constexpr std::uint64_t kCost = 4 << 20;  // too much to be kept
constexpr std::uint64_t kPage = abi::kLargePage, kSmall = 64 << 10;
constexpr std::uint32_t kOwner = 1, kChild = 2, kOther = 3;

class Book : public testing::Test {
 protected:
  BinaryBook::Binary& make(std::uint64_t cost = kCost) {
    BinaryBook::Binary* made = book.add(kOwner, cost, cost, kMemory);
    EXPECT_NE(made, nullptr);
    made->number = ++numbers;
    made->state = BinaryBook::Binary::State::sealed;
    made->frames.count = 1;
    return *made;
  }
  BinaryBook::Use* use(BinaryBook::Binary& binary, std::uint32_t realm,
                       std::uint32_t from = abi::kNoRealm) {
    return book.add_use(binary, realm, from, kOwner, kMemory);
  }

  BinaryBook book;
  std::uint64_t numbers = 0;
};

TEST_F(Book, ABinaryDiesWithItsLastUse) {
  BinaryBook::Binary& binary = make();
  BinaryBook::Use* mine = use(binary, kOwner);
  BinaryBook::Use* on_its_way = use(binary, kChild, kOwner);
  book.end(*mine);
  EXPECT_FALSE(book.any_dead());
  EXPECT_EQ(book.find(1), &binary);
  book.end(*on_its_way);
  EXPECT_TRUE(book.any_dead());
  EXPECT_EQ(book.find(1), nullptr);
  EXPECT_EQ(book.take_empty().frames.count, 0U);  // what it was made of holds something still
  ASSERT_EQ(book.next_to_empty(), &binary);
  EXPECT_EQ(book.next_to_empty(), nullptr);
  EXPECT_EQ(book.take_empty().frames.count, 0U);
  EXPECT_TRUE(book.any_dead());
  BinaryBook::emptied(binary);
  EXPECT_EQ(book.take_empty().number, 1U);
  EXPECT_FALSE(book.any_dead());
  EXPECT_EQ(book.take_empty().frames.count, 0U);
  EXPECT_EQ(book.cost_of_all(), 0U);
}

TEST_F(Book, WhatWasSentTwiceIsTakenTwice) {
  BinaryBook::Binary& binary = make();
  BinaryBook::Use* first = use(binary, kChild, kOwner);
  BinaryBook::Use* second = use(binary, kChild, kOwner);
  ASSERT_NE(first, second);
  BinaryBook::arrive(*first, 5);
  EXPECT_EQ(book.held(binary, kChild), first);
  EXPECT_EQ(book.sent(binary, kChild, kOwner), second);
  book.end(*second);
  EXPECT_FALSE(book.any_dead());
  book.end(*first);
  EXPECT_TRUE(book.any_dead());
}

TEST_F(Book, WhatHasArrivedOutlivesWhoSentIt) {
  BinaryBook::Binary& binary = make();
  BinaryBook::arrive(*use(binary, kOwner, kChild), 1);
  book.leave([](std::uint32_t realm) { return realm == kChild; });
  EXPECT_EQ(book.find(binary.number), &binary);
}

TEST_F(Book, NothingHasTheNumberOfNone) {
  (void)book.add(kChild, kCost, kCost, kMemory);  // it is being made
  EXPECT_EQ(book.find(abi::kNoBinary), nullptr);
}

TEST_F(Book, ARealmThatIsGoneHasNothingAndWhatItSentDoesNotCome) {
  BinaryBook::Binary& held = make();
  BinaryBook::Binary& sent = make();
  BinaryBook::Binary& both = make();
  use(held, kChild);
  use(sent, kOwner, kChild);
  use(both, kChild);
  use(both, kOther);
  book.leave([](std::uint32_t realm) { return realm == kChild; });
  EXPECT_EQ(book.find(held.number), nullptr);
  EXPECT_EQ(book.find(sent.number), nullptr);
  EXPECT_EQ(book.find(both.number), &both);
  EXPECT_EQ(book.held(both, kChild), nullptr);
  EXPECT_NE(book.held(both, kOther), nullptr);
  EXPECT_EQ(book.cost_of(kChild), 0U);
}

TEST_F(Book, ARealmHasOnlySoMuchOfItsParentsMemory) {
  BinaryBook::Binary& large = make(kMemory / 8);
  EXPECT_NE(use(large, kOwner), nullptr);
  EXPECT_NE(use(large, kChild), nullptr);
  EXPECT_EQ(use(make(), kChild), nullptr);
  EXPECT_EQ(use(large, kOwner, kChild), nullptr);  // what it sends is its as well
  EXPECT_NE(use(large, kOther), nullptr);
}

TEST_F(Book, ARealmHasOnlySoManyEntries) {
  BinaryBook::Binary& binary = make(kSmall);
  for (std::size_t at = 0; at < BinaryBook::kUsesOfOne; ++at) {
    EXPECT_NE(use(binary, kChild), nullptr);
  }
  EXPECT_EQ(use(binary, kChild), nullptr);
  EXPECT_NE(use(binary, kOther), nullptr);
}

TEST_F(Book, TheOwnerKeepsTheMostOfItsMemory) {
  make(kMemory / 8);
  make(kMemory / 8);
  EXPECT_EQ(book.add(kOwner, kCost, kCost, kMemory), nullptr);
}

TEST_F(Book, FramesAreKeptForTheNextOneOfTheSameMaker) {
  BinaryBook::Binary& first = make(kPage);
  first.frames.count = 1;
  book.end(*use(first, kOther, kOwner));
  EXPECT_FALSE(book.any_dead());
  EXPECT_EQ(book.find(1), nullptr);
  EXPECT_NE(book.add(kChild, kPage, kPage, kMemory), &first);
  BinaryBook::Binary* next = book.add(kOwner, kPage / 2, kPage, kMemory);
  ASSERT_EQ(next, &first);
  EXPECT_EQ(next->dirty, kPage);
  EXPECT_EQ(next->frames.count, 1U);
  EXPECT_EQ(next->number, abi::kNoBinary);
  // It remembers the most that was ever in it.
  next->state = BinaryBook::Binary::State::sealed;
  book.end(*use(*next, kOther));
  EXPECT_EQ(book.add(kOwner, kPage, kPage, kMemory)->dirty, kPage);
}

TEST_F(Book, WhatIsKeptIsLittleAndMakesWay) {
  for (unsigned at = 0; at < 4; ++at) {
    BinaryBook::Binary& one = make(kPage);
    one.maker = kOther;
    book.end(*use(one, kOwner));
    EXPECT_EQ(book.any_dead(), at >= BinaryBook::kKeptOfOne) << at;
  }
  while (BinaryBook::Binary* dead = book.next_to_empty()) BinaryBook::emptied(*dead);
  while (book.take_empty().frames.count != 0) {
  }
  EXPECT_EQ(book.cost_of_all(), BinaryBook::kKeptOfOne * kPage);
  book.let_go();
  EXPECT_TRUE(book.any_dead());
  EXPECT_EQ(book.add(kOther, kPage, kPage, kMemory)->frames.count, 0U);
}

TEST_F(Book, NothingIsKeptForARealmThatIsGone) {
  BinaryBook::Binary& kept = make(kPage);
  BinaryBook::Binary& held = make(kPage);
  kept.maker = held.maker = kChild;
  book.end(*use(kept, kChild));
  BinaryBook::Use* last = use(held, kOther);
  book.leave([](std::uint32_t realm) { return realm == kChild; });
  EXPECT_EQ(book.next_to_empty(), &kept);
  book.end(*last);
  EXPECT_EQ(book.next_to_empty(), &held);
}

// Against a plain count: what is alive is what has uses, and nothing is lost.
TEST_F(Book, CountsLikeAList) {
  std::mt19937 random(7);
  std::map<std::uint64_t, std::multimap<std::uint32_t, std::uint32_t>> plain;
  for (unsigned step = 0; step < 20'000; ++step) {
    const std::uint32_t realm = kChild + random() % 6;
    const std::uint32_t from = random() % 2 == 0 ? abi::kNoRealm : kChild + random() % 6;
    if (random() % 4 == 0) {
      if (BinaryBook::Binary* made = book.add(realm, kCost, kCost, kMemory)) {
        if (use(*made, kOwner) == nullptr) {  // all entries are in use
          book.give_up(*made);
          continue;
        }
        made->number = ++numbers;
        made->state = BinaryBook::Binary::State::sealed;
        made->frames.count = random() % 8;
        plain[numbers].emplace(kOwner, abi::kNoRealm);
      }
    } else if (!plain.empty()) {
      auto at = plain.begin();
      std::advance(at, random() % plain.size());
      BinaryBook::Binary* binary = book.find(at->first);
      ASSERT_NE(binary, nullptr);
      const auto found = std::find_if(at->second.begin(), at->second.end(), [&](const auto& one) {
        return one.first == realm && one.second == from;
      });
      if (BinaryBook::Use* own = book.held(*binary, kOwner); own != nullptr && random() % 3 == 0) {
        at->second.erase(at->second.find(kOwner));
        book.end(*own);
      } else if (found != at->second.end()) {
        at->second.erase(found);
        book.end(from == abi::kNoRealm ? *book.held(*binary, realm)
                                       : *book.sent(*binary, realm, from));
      } else if (use(*binary, realm, from) != nullptr) {
        at->second.emplace(realm, from);
      }
      if (at->second.empty()) plain.erase(at);
    }
    if (random() % 50 == 0) {
      const std::uint32_t gone = kChild + random() % 6;
      book.leave([&](std::uint32_t one) { return one == gone; });
      for (auto at = plain.begin(); at != plain.end();) {
        std::erase_if(at->second,
                      [&](const auto& one) { return one.first == gone || one.second == gone; });
        at = at->second.empty() ? plain.erase(at) : std::next(at);
      }
    }
    book.let_go();
    while (BinaryBook::Binary* dead = book.next_to_empty()) {
      EXPECT_EQ(plain.count(dead->number), 0U);
      BinaryBook::emptied(*dead);
    }
    while (book.take_empty().frames.count != 0) {
    }
    EXPECT_FALSE(book.any_dead());
    EXPECT_EQ(book.cost_of_all(), plain.size() * kCost);
  }
  EXPECT_GT(numbers, 1000U);
}

}  // namespace
}  // namespace lona::manager
