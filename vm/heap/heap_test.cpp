// SPDX-License-Identifier: BSD-2-Clause
// The allocator, deep copies and block sizes.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "vm/data/sequence.hpp"
#include "vm/heap/allocator.hpp"
#include "vm/heap/arena.hpp"
#include "vm/heap/collector.hpp"
#include "vm/heap/copy.hpp"
#include "vm/platform/platform.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {
namespace {

TEST(Allocator, blocks_never_overlap_and_everything_is_given_back) {
  std::size_t before = platform::memory_figures().mapped;
  {
    Allocator allocator;
    struct Block {
      unsigned char* address;
      std::size_t bytes;
      unsigned char mark;
    };
    std::vector<Block> blocks;
    std::mt19937 random(1);
    for (int i = 0; i < 20000; ++i) {
      if (blocks.size() > 300 || (!blocks.empty() && random() % 3 == 0)) {
        std::size_t at = random() % blocks.size();
        Block b = blocks[at];
        for (std::size_t j = 0; j < b.bytes; ++j) ASSERT_EQ(b.address[j], b.mark);
        allocator.release(b.address, b.bytes);
        blocks[at] = blocks.back();
        blocks.pop_back();
      } else {
        std::size_t bytes = 1 + random() % (random() % 20 == 0 ? 200000 : 3000);
        auto mark = static_cast<unsigned char>(random());
        auto* p = static_cast<unsigned char*>(allocator.allocate(bytes));
        ASSERT_NE(p, nullptr);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(p) % 8, 0u);
        std::memset(p, mark, bytes);
        blocks.push_back({p, bytes, mark});
      }
    }
    for (const Block& b : blocks) allocator.release(b.address, b.bytes);
    EXPECT_EQ(allocator.used_bytes(), 0u);
  }
  EXPECT_EQ(platform::memory_figures().mapped, before);
}

TEST(Blocks, sizes_grow_like_fibonacci_and_then_by_a_fifth) {
  EXPECT_EQ(block_size_for(1), 233u);
  EXPECT_EQ(block_size_for(234), 377u);
  EXPECT_EQ(block_size_for(378), 610u);
  for (std::size_t words = 1; words < (1u << 26); words += words / 3 + 1) {
    std::size_t size = block_size_for(words);
    EXPECT_GE(size, words);
    EXPECT_LE(size, words * 2 + 233);
  }
}

TEST(Copy, deep_and_long_values_cost_no_native_stack) {
  Arena from, to;
  Term deep = Term::empty_list();
  for (int i = 0; i < 1'000'000; ++i) deep = from.cons(deep, Term::empty_list());
  Term wide = Term::empty_list();
  for (int i = 0; i < 1'000'000; ++i) wide = from.cons(Term::integer(i), wide);
  Term both = make_pair_tuple(from, deep, wide);
  EXPECT_EQ(*copy_size(from, both), 3u + 4'000'000u);
  Term copy = copy_to(to, from, both);
  ASSERT_NE(copy, Term::absent());
  EXPECT_FALSE(from.owns(copy.box()));
  EXPECT_TRUE(equal(both, copy));
  from.clear();
  EXPECT_EQ(slot(copy, 1).first(), Term::integer(999'999));
}

TEST(Copy, what_the_source_does_not_own_is_shared) {
  Arena from, other, to;
  Term foreign = make_pair_tuple(other, Term::integer(1), Term::integer(2));
  Term own = make_pair_tuple(from, foreign, Term::true_());
  Term copy = copy_to(to, from, own);
  EXPECT_EQ(slot(copy, 0), foreign);
  EXPECT_NE(copy, own);
}

TEST(Copy, ends_where_there_is_no_more_room) {
  Arena from;
  Term t = make_pair_tuple(from, from.cons(Term::integer(1), Term::integer(2)), Term::true_());
  const std::size_t words = *copy_size(from, t);
  EXPECT_EQ(words, 5u);
  std::vector<Word> to(words + 1, 99);
  Word* blobs = nullptr;
  for (std::size_t room = 0; room < words; ++room) {
    const Copied copied = copy_into(from, t, {to.data(), room}, blobs);
    EXPECT_EQ(copied.value, Term::absent());
    EXPECT_TRUE(copied.full);
    EXPECT_EQ(to[room], 99u);
  }
  const Copied copied = copy_into(from, t, {to.data(), words}, blobs);
  EXPECT_EQ(copied.words, words);
  EXPECT_TRUE(equal(copied.value, t));
  EXPECT_EQ(to[words], 99u);
}

TEST(Copy, a_value_that_sharing_makes_huge_is_refused) {
  Arena from, to;
  Term t = Term::integer(1);
  for (int i = 0; i < 60; ++i) t = make_pair_tuple(from, t, t);
  EXPECT_FALSE(copy_size(from, t).has_value());
  EXPECT_EQ(copy_to(to, from, t), Term::absent());
}

}  // namespace
}  // namespace lona::vm
