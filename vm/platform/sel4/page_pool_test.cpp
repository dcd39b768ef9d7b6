// SPDX-License-Identifier: BSD-2-Clause
#include "vm/platform/sel4/page_pool.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace lona::vm::platform {
namespace {

// Remembers which pieces are mapped, by what request, and which pages hold something.
struct Model {
  bool map(std::uint64_t chunk, unsigned piece, unsigned pieces) {
    if (mapped.size() + pieces > limit) {
      return false;
    }
    for (unsigned at = 0; at < pieces; ++at) {
      EXPECT_TRUE(mapped.insert(chunk * 64 + piece + at).second);
    }
    requests[chunk * 64 + piece] = pieces;
    return true;
  }
  void unmap(std::uint64_t chunk, unsigned piece, unsigned pieces) {
    EXPECT_EQ(requests[chunk * 64 + piece], pieces) << "not what was mapped";
    requests.erase(chunk * 64 + piece);
    for (unsigned at = 0; at < pieces; ++at) {
      EXPECT_EQ(mapped.erase(chunk * 64 + piece + at), 1U);
    }
    for (std::uint64_t page = chunk * 512 + piece * 8; page < chunk * 512 + (piece + pieces) * 8;
         ++page) {
      written.erase(page);
    }
  }
  void zero(std::uint64_t page, std::uint64_t pages) {
    for (std::uint64_t at = page; at < page + pages; ++at) {
      written.erase(at);
    }
  }

  [[nodiscard]] std::size_t chunks() const { return mapped.size() / 64; }

  std::size_t limit = ~std::size_t{0};  // pieces
  std::map<std::uint64_t, unsigned> requests;
  std::set<std::uint64_t> mapped;
  std::set<std::uint64_t> written;
};

class PagePoolTest : public testing::Test {
 protected:
  using Pool = PagePool<Model>;
  Model model;
  std::vector<Pool::Chunk> chunks = std::vector<Pool::Chunk>(64);
  Pool pool{model, chunks};
  void use(Pool::Policy policy) {
    std::destroy_at(&pool);
    std::construct_at(&pool, model, chunks, policy);
  }

  // Takes a run and checks that it is mapped and zero, then writes to it.
  std::optional<std::uint64_t> take(std::uint64_t pages) {
    const auto first = pool.take(pages);
    for (std::uint64_t page = first.value_or(0); first && page < *first + pages; ++page) {
      EXPECT_TRUE(model.mapped.contains(page / 8));
      EXPECT_TRUE(model.written.insert(page).second) << "page " << page << " is not zero";
    }
    return first;
  }
};

TEST_F(PagePoolTest, SmallRunsShareAChunk) {
  const auto a = take(3);
  const auto b = take(5);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*b, *a + 3);
  EXPECT_EQ(model.mapped.size(), 64U);
  EXPECT_EQ(pool.used_pages(), 8U);
}

TEST_F(PagePoolTest, LongRunsStartWithAChunkAndShareTheirLast) {
  ASSERT_TRUE(take(1));
  const auto long_run = take(512 * 2 + 100);
  ASSERT_TRUE(long_run);
  EXPECT_EQ(*long_run % 512, 0U);
  EXPECT_EQ(model.chunks(), 4U);
  ASSERT_TRUE(take(411));
  ASSERT_TRUE(take(400));  // the rest of the first and of the last chunk
  EXPECT_EQ(model.chunks(), 4U);
}

TEST_F(PagePoolTest, WhatIsGivenBackIsZeroWhenTakenAgain) {
  const auto first = take(10);
  ASSERT_TRUE(first);
  EXPECT_TRUE(pool.give(*first, 10));
  EXPECT_EQ(take(10), first);
}

TEST_F(PagePoolTest, KeepsAFewChunksAndTrimsThem) {
  std::vector<std::uint64_t> runs;
  for (int run = 0; run < 12; ++run) {
    runs.push_back(*take(512));
  }
  for (const auto run : runs) {
    EXPECT_TRUE(pool.give(run, 512));
  }
  EXPECT_EQ(model.chunks(), Pool::Policy{}.spare);
  EXPECT_TRUE(pool.trim());
  EXPECT_TRUE(model.mapped.empty());
  EXPECT_FALSE(pool.trim());
}

TEST_F(PagePoolTest, RefusesToTakeBackWhatIsNotInUse) {
  const auto first = take(10);
  ASSERT_TRUE(first);
  EXPECT_FALSE(pool.give(*first, 11));
  EXPECT_FALSE(pool.give(*first, 0));
  EXPECT_FALSE(pool.give(64 * 512, 1));
  EXPECT_FALSE(pool.give(1, ~std::uint64_t{0}));
  EXPECT_TRUE(pool.give(*first, 10));
  EXPECT_FALSE(pool.give(*first, 10));
}

TEST_F(PagePoolTest, RunningOutIsAnAnswerAndLosesNothing) {
  model.limit = 3 * 64;
  EXPECT_EQ(take(512 * 4), std::nullopt);
  EXPECT_EQ(pool.used_pages(), 0U);
  EXPECT_TRUE(take(512 * 3));
  EXPECT_EQ(take(1), std::nullopt);
}

TEST_F(PagePoolTest, TheFirstChunkGrowsByPiecesWhereLittleIsToBeEnough) {
  use({.pieced = 1});
  const auto a = take(1);
  EXPECT_EQ(model.mapped.size(), 1U);
  const auto b = take(16);
  EXPECT_EQ(*b, *a + 1);
  EXPECT_EQ(model.mapped.size(), 3U);
  ASSERT_TRUE(take(7));  // what is backed comes first
  EXPECT_EQ(model.mapped.size(), 3U);
  const auto rest = take(488);
  EXPECT_EQ(model.chunks(), 1U);
  const auto more = take(1);
  EXPECT_EQ(model.chunks(), 2U) << "the next one is backed as a whole";
  EXPECT_TRUE(pool.give(*b, 16));
  EXPECT_FALSE(pool.trim()) << "of what came together, a page is still in use";
  EXPECT_TRUE(pool.give(*a, 1));
  EXPECT_TRUE(pool.give(*more, 1));
  EXPECT_TRUE(pool.trim());
  EXPECT_EQ(model.mapped.size(), 63U);
  EXPECT_TRUE(pool.give(*rest, 488));
  EXPECT_TRUE(pool.trim());
  EXPECT_EQ(model.mapped.size(), 2U);
  EXPECT_EQ(take(16), a) << "a piece that has gone is mapped again";
}

TEST_F(PagePoolTest, TheFirstPiecesMayComeTogether) {
  use({.pieced = 1, .together = 3});
  ASSERT_TRUE(take(1));
  EXPECT_EQ(model.mapped.size(), 3U);
  EXPECT_EQ(model.requests.size(), 1U);
  ASSERT_TRUE(take(23));
  EXPECT_EQ(model.mapped.size(), 3U);
}

TEST_F(PagePoolTest, TheMoreThereIsTheMoreComesTogether) {
  use({.pieced = 1});
  for (std::size_t wanted = 1; wanted <= 64; ++wanted) {
    ASSERT_TRUE(take(8));
    EXPECT_GE(model.mapped.size(), wanted);
    EXPECT_LE(model.mapped.size(), wanted + wanted / 4);
  }
  EXPECT_EQ(model.chunks(), 1U);
  EXPECT_LT(model.requests.size(), 24U);
}

TEST_F(PagePoolTest, NoMoreComesTogetherThanThereIs) {
  use({.pieced = 1});
  model.limit = 9;
  for (int run = 0; run < 9; ++run) ASSERT_TRUE(take(8));
  EXPECT_EQ(take(1), std::nullopt);
}

TEST_F(PagePoolTest, PiecesAreTakenWhereNoWholeChunkIsLeft) {
  model.limit = 65;
  ASSERT_TRUE(take(512));
  ASSERT_TRUE(take(8));
  EXPECT_EQ(model.mapped.size(), 65U);
  EXPECT_EQ(take(1), std::nullopt);
}

TEST_F(PagePoolTest, WhatIsNeverGivenBackServesAgain) {
  use({.spare = ~std::uint64_t{0}, .pieced = 1});
  const auto first = take(2000);
  const std::size_t mapped = model.mapped.size();
  EXPECT_TRUE(pool.give(*first, 2000));
  EXPECT_EQ(model.mapped.size(), mapped);
  EXPECT_EQ(take(2000), first);
}

class PagePoolTraffic : public PagePoolTest, public testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Pieced, PagePoolTraffic, testing::Values(0, 3, 64));

TEST_P(PagePoolTraffic, NeverOverlaps) {
  use({.pieced = GetParam()});
  model.limit = 40 * 64 + 7;
  std::mt19937 random(11);
  std::map<std::uint64_t, std::uint64_t> runs;
  std::uint64_t used = 0;
  for (int step = 0; step < 4000; ++step) {
    if (step % 100 == 0) pool.trim();
    if (random() % 2 == 0 || runs.empty()) {
      const std::uint64_t pages = random() % 8 == 0 ? 1 + random() % 2000 : 1 + random() % 40;
      if (const auto first = take(pages)) {
        runs[*first] = pages;
        used += pages;
      }
    } else {
      auto at = runs.begin();
      std::advance(at, static_cast<long>(random() % runs.size()));
      EXPECT_TRUE(pool.give(at->first, at->second));
      used -= at->second;
      runs.erase(at);
    }
    ASSERT_EQ(pool.used_pages(), used);
    std::uint64_t end = 0;
    for (const auto& [first, pages] : runs) {
      ASSERT_GE(first, end);
      end = first + pages;
    }
  }
  for (const auto& [first, pages] : runs) {
    EXPECT_TRUE(pool.give(first, pages));
  }
  pool.trim();
  EXPECT_TRUE(model.mapped.empty());
}

}  // namespace
}  // namespace lona::vm::platform
