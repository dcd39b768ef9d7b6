// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/off_heap.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "vm/data/sequence.hpp"
#include "vm/heap/arena.hpp"
#include "vm/heap/copy.hpp"

namespace lona::vm {
namespace {

TEST(OffHeap, the_last_heap_that_reaches_a_block_frees_it) {
  std::size_t before = off_heap_bytes();
  Arena a, b;
  Term blob = allocate_blob(a, 1000);
  ASSERT_NE(blob, Term::absent());
  EXPECT_EQ(a.off_heap().bytes(), 1000u);
  Term pair = make_pair_tuple(a, blob, blob);
  Term copy = copy_to(b, a, pair);
  EXPECT_EQ(blob_block(slot(copy, 0)), blob_block(blob));
  EXPECT_EQ(blob_block(blob)->references.load(), 3u);  // reached twice, copied twice
  a.clear();
  EXPECT_EQ(blob_block(slot(copy, 0))->references.load(), 2u);
  EXPECT_GT(off_heap_bytes(), before);
  b.clear();
  EXPECT_EQ(off_heap_bytes(), before);
}

TEST(OffHeap, a_chain_that_joins_no_heap_gives_its_references_back) {
  std::size_t before = off_heap_bytes();
  {
    Arena a;
    Term blob = allocate_blob(a, 100);
    Word space[3];
    Word* chain = nullptr;
    std::memcpy(space, blob.box(), sizeof space);
    OffHeapList::chain_copy(chain, space);
    EXPECT_EQ(blob_block(blob)->references.load(), 2u);
    OffHeapList::release_chain(chain);
    EXPECT_EQ(blob_block(blob)->references.load(), 1u);
  }
  EXPECT_EQ(off_heap_bytes(), before);
}

TEST(OffHeap, a_sweep_follows_what_moved_and_frees_what_died) {
  std::size_t before = off_heap_bytes();
  Arena a;
  Word* dead = allocate_blob(a, 64).box();
  Word* stays = allocate_blob(a, 64).box();
  Word* moves = allocate_blob(a, 64).box();
  Word copy[3] = {moves[0], moves[1], moves[2]};
  auto fate = [&](Word* blob) { return blob == dead ? nullptr : blob == moves ? copy : blob; };
  a.off_heap().sweep(true, fate, [&](Word* blob) { return blob == stays; });
  EXPECT_EQ(a.off_heap().bytes(), 128u);
  // A minor sweep does not look at what is old; a major one does.
  a.off_heap().sweep(false, [](Word*) -> Word* { return nullptr; }, [](Word*) { return false; });
  EXPECT_EQ(a.off_heap().bytes(), 64u);
  a.off_heap().sweep(true, [](Word*) -> Word* { return nullptr; }, [](Word*) { return false; });
  EXPECT_TRUE(a.off_heap().empty());
  EXPECT_EQ(off_heap_bytes(), before);
}

}  // namespace
}  // namespace lona::vm
