// SPDX-License-Identifier: BSD-2-Clause
// Runs of pages out of chunks of 2 MiB that are taken from, and given back to, whoever backs them.
//
// A chunk is a bitmap of its pages. A run of less than a chunk lies in one chunk, the lowest that
// has room; a longer run starts with a chunk and may leave the rest of its last one to others. A
// chunk without a page in use is kept for a while (kSpare of them), then given back. Pages that
// were used before are zeroed when they are handed out again; fresh ones are zero already.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace lona::vm::platform {

// `Backing` has `bool map(std::uint64_t chunk)`, `void unmap(std::uint64_t chunk)` and
// `void zero(std::uint64_t page, std::uint64_t pages)`.
template <typename Backing>
class PagePool {
 public:
  static constexpr std::uint64_t kChunkPages = 512;
  static constexpr std::uint64_t kSpare = 8;

  struct Chunk {
    std::array<std::uint64_t, kChunkPages / 64> used{};
    std::array<std::uint64_t, kChunkPages / 64> dirty{};
    std::uint32_t used_count = 0;
    bool mapped = false;
  };

  PagePool(Backing& backing, std::span<Chunk> chunks) : backing_(backing), chunks_(chunks) {}

  // The first page of a run of `pages` zeroed pages.
  [[nodiscard]] std::optional<std::uint64_t> take(std::uint64_t pages) {
    const auto first = pages < kChunkPages ? find_within(pages) : find_across(pages);
    if (!first || !map_run(*first, pages)) {
      return std::nullopt;
    }
    mark(*first, pages, true);
    used_pages_ += pages;
    return first;
  }

  // False when the run is not in use as a whole.
  [[nodiscard]] bool give(std::uint64_t first, std::uint64_t pages) {
    if (pages == 0 || first > chunks_.size() * kChunkPages ||
        pages > chunks_.size() * kChunkPages - first) {
      return false;
    }
    for (std::uint64_t page = first; page < first + pages; ++page) {
      if (!bit(chunk_of(page).used, page)) {
        return false;
      }
    }
    mark(first, pages, false);
    used_pages_ -= pages;
    for (std::uint64_t c = first / kChunkPages; c <= (first + pages - 1) / kChunkPages; ++c) {
      if (chunks_[c].mapped && chunks_[c].used_count == 0) {
        ++spare_;
        if (spare_ > kSpare) {
          release(c);
        }
      }
    }
    return true;
  }

  // Gives back every chunk without a page in use. True when there was one.
  bool trim() {
    const bool any = spare_ != 0;
    for (std::uint64_t c = 0; c < chunks_.size() && spare_ != 0; ++c) {
      if (chunks_[c].mapped && chunks_[c].used_count == 0) {
        release(c);
      }
    }
    return any;
  }

  [[nodiscard]] std::uint64_t used_pages() const { return used_pages_; }
  [[nodiscard]] std::uint64_t spare_chunks() const { return spare_; }

 private:
  using Bits = std::array<std::uint64_t, kChunkPages / 64>;

  [[nodiscard]] static bool bit(const Bits& bits, std::uint64_t page) {
    return (bits[page % kChunkPages / 64] >> (page % 64)) & 1;
  }
  [[nodiscard]] Chunk& chunk_of(std::uint64_t page) { return chunks_[page / kChunkPages]; }

  // First fit: mapped chunks, lowest first, then the lowest that is not mapped.
  [[nodiscard]] std::optional<std::uint64_t> find_within(std::uint64_t pages) const {
    std::optional<std::uint64_t> unmapped;
    for (std::uint64_t c = 0; c < chunks_.size(); ++c) {
      const Chunk& chunk = chunks_[c];
      if (!chunk.mapped) {
        if (!unmapped) {
          unmapped = c * kChunkPages;
        }
      } else if (kChunkPages - chunk.used_count >= pages) {
        if (const auto at = find_run(chunk.used, pages)) {
          return c * kChunkPages + *at;
        }
      }
    }
    return unmapped;
  }

  [[nodiscard]] static std::optional<std::uint64_t> find_run(const Bits& used,
                                                             std::uint64_t pages) {
    std::uint64_t run = 0;
    for (std::uint64_t at = 0; at < kChunkPages; ++at) {
      if (run == 0 && at % 64 == 0 && used[at / 64] == ~std::uint64_t{0}) {
        at += 63;
        continue;
      }
      run = bit(used, at) ? 0 : run + 1;
      if (run == pages) {
        return at + 1 - pages;
      }
    }
    return std::nullopt;
  }

  // Whole empty chunks, then room for the rest at the start of the chunk after them.
  [[nodiscard]] std::optional<std::uint64_t> find_across(std::uint64_t pages) const {
    const std::uint64_t whole = pages / kChunkPages;
    const std::uint64_t rest = pages % kChunkPages;
    std::uint64_t run = 0;
    for (std::uint64_t c = 0; c < chunks_.size(); ++c) {
      if (run >= whole && starts_free(chunks_[c], rest)) {
        return (c - whole) * kChunkPages;
      }
      run = chunks_[c].used_count == 0 ? run + 1 : 0;
      if (run >= whole && rest == 0) {
        return (c + 1 - whole) * kChunkPages;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] static bool starts_free(const Chunk& chunk, std::uint64_t pages) {
    for (std::uint64_t at = 0; at < pages; ++at) {
      if (bit(chunk.used, at)) {
        return false;
      }
    }
    return pages != 0;
  }

  [[nodiscard]] bool map_run(std::uint64_t first, std::uint64_t pages) {
    for (std::uint64_t c = first / kChunkPages; c <= (first + pages - 1) / kChunkPages; ++c) {
      Chunk& chunk = chunks_[c];
      if (chunk.mapped) {
        continue;  // a spare one stays one until a page of it is marked
      }
      if (!backing_.map(c)) {
        return false;  // chunks mapped so far are spare
      }
      chunk = Chunk{};
      chunk.mapped = true;
      ++spare_;
    }
    return true;
  }

  void mark(std::uint64_t first, std::uint64_t pages, bool use) {
    std::uint64_t dirty_from = 0;
    std::uint64_t dirty_pages = 0;
    for (std::uint64_t page = first; page < first + pages; ++page) {
      Chunk& chunk = chunk_of(page);
      const std::uint64_t mask = std::uint64_t{1} << (page % 64);
      auto& used = chunk.used[page % kChunkPages / 64];
      auto& dirty = chunk.dirty[page % kChunkPages / 64];
      if (!use) {
        used &= ~mask;
        --chunk.used_count;
        continue;
      }
      spare_ -= chunk.used_count == 0 ? 1 : 0;
      ++chunk.used_count;
      used |= mask;
      if ((dirty & mask) != 0 && dirty_pages != 0 && dirty_from + dirty_pages == page) {
        ++dirty_pages;
      } else if ((dirty & mask) != 0) {
        if (dirty_pages != 0) {
          backing_.zero(dirty_from, dirty_pages);
        }
        dirty_from = page;
        dirty_pages = 1;
      }
      dirty |= mask;  // from now on
    }
    if (dirty_pages != 0) {
      backing_.zero(dirty_from, dirty_pages);
    }
  }

  void release(std::uint64_t c) {
    backing_.unmap(c);
    chunks_[c] = Chunk{};
    --spare_;
  }

  Backing& backing_;
  std::span<Chunk> chunks_;
  std::uint64_t used_pages_ = 0;
  std::uint64_t spare_ = 0;  // mapped chunks without a page in use
};

}  // namespace lona::vm::platform
