// SPDX-License-Identifier: BSD-2-Clause
// Runs of pages out of chunks of 2 MiB that are taken from, and given back to, whoever backs them.
//
// A chunk is a bitmap of its pages. A run of less than a chunk lies in one chunk, the lowest that
// has room; a longer run starts with a chunk and may leave the rest of its last one to others. A
// chunk without a page in use is kept for a while (so many of them), then given back. Pages that
// were used before are zeroed when they are handed out again; fresh ones are zero already.
//
// A chunk is backed as a whole, or in pieces of 32 KiB as its pages are needed: so the first ones
// where little memory is to be enough, and any one when there is no memory for a whole. The more
// pieces it has, the more come together: few requests, and little that nobody uses.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "base/bit_run.hpp"

namespace lona::vm::platform {

// `Backing` has `bool map(std::uint64_t chunk, unsigned piece, unsigned pieces)`, `unmap` of
// exactly that, and `void zero(std::uint64_t page, std::uint64_t pages)`.
template <typename Backing>
class PagePool {
 public:
  static constexpr std::uint64_t kChunkPages = 512;
  static constexpr std::uint64_t kPiecePages = 8;
  static constexpr unsigned kPieces = kChunkPages / kPiecePages;

  struct Policy {
    std::uint64_t spare = 8;   // chunks without a page in use that are kept
    std::uint64_t pieced = 0;  // of the first ones: backed in pieces
    unsigned together = 1;     // so many at first
  };

  struct Chunk {
    std::array<std::uint64_t, kChunkPages / 64> used{};
    std::array<std::uint64_t, kChunkPages / 64> dirty{};
    std::uint32_t used_count = 0;
    std::uint64_t backed = 0;  // its pieces
    std::uint64_t starts = 0;  // the first ones of those that were mapped together

    [[nodiscard]] bool mapped() const { return backed != 0; }
    // Of a piece: a bit for each page in use.
    [[nodiscard]] std::uint64_t used_of(unsigned piece) const {
      return used[piece / kWordPieces] >> (piece % kWordPieces * kPiecePages) & kPieceMask;
    }
  };

  PagePool(Backing& backing, std::span<Chunk> chunks, Policy policy = {})
      : backing_(backing), chunks_(chunks), policy_(policy) {}

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
      if (chunks_[c].mapped() && chunks_[c].used_count == 0) {
        ++spare_;
        if (spare_ > policy_.spare) {
          release_unused(c);
        }
      }
    }
    return true;
  }

  // Gives back whatever has no page in use. True when there was something.
  bool trim() {
    bool any = false;
    for (std::uint64_t c = 0; c < chunks_.size(); ++c) {
      any = (chunks_[c].mapped() && release_unused(c)) || any;
    }
    return any;
  }

  [[nodiscard]] std::uint64_t used_pages() const { return used_pages_; }
  [[nodiscard]] std::uint64_t spare_chunks() const { return spare_; }

 private:
  using Bits = std::array<std::uint64_t, kChunkPages / 64>;
  static constexpr unsigned kWordPieces = 64 / kPiecePages;
  static constexpr std::uint64_t kAllPieces = ~std::uint64_t{0};
  static constexpr std::uint64_t kPieceMask = (1 << kPiecePages) - 1;
  static constexpr unsigned kGrowth = 4;  // of what a chunk has, so much comes at once
  static_assert(kPieces == 64);

  // One or more.
  static constexpr std::uint64_t pieces_from(unsigned piece, unsigned count) {
    return kAllPieces >> (kPieces - count) << piece;
  }

  [[nodiscard]] static bool bit(const Bits& bits, std::uint64_t page) {
    return (bits[page % kChunkPages / 64] >> (page % 64)) & 1;
  }
  [[nodiscard]] Chunk& chunk_of(std::uint64_t page) { return chunks_[page / kChunkPages]; }

  // First fit: backed pages, lowest first, then a chunk that has pieces, then the lowest that has
  // none.
  [[nodiscard]] std::optional<std::uint64_t> find_within(std::uint64_t pages) const {
    std::optional<std::uint64_t> with_more_pieces;
    std::optional<std::uint64_t> unmapped;
    for (std::uint64_t c = 0; c < chunks_.size(); ++c) {
      const Chunk& chunk = chunks_[c];
      if (!chunk.mapped()) {
        if (!unmapped) {
          unmapped = c * kChunkPages;
        }
        continue;
      }
      if (kChunkPages - chunk.used_count < pages) {
        continue;
      }
      if (const auto at = find_run(unusable(chunk), pages)) {
        return c * kChunkPages + *at;
      }
      if (chunk.backed != kAllPieces && !with_more_pieces) {
        if (const auto at = find_run(chunk.used, pages)) {
          with_more_pieces = c * kChunkPages + *at;
        }
      }
    }
    return with_more_pieces ? with_more_pieces : unmapped;
  }

  // Pages in use and those without memory.
  [[nodiscard]] static Bits unusable(const Chunk& chunk) {
    Bits bits = chunk.used;
    for (std::uint64_t missing = ~chunk.backed; missing != 0; missing &= missing - 1) {
      const auto piece = static_cast<unsigned>(std::countr_zero(missing));
      bits[piece / kWordPieces] |= kPieceMask << (piece % kWordPieces * kPiecePages);
    }
    return bits;
  }

  [[nodiscard]] static std::optional<std::uint64_t> find_run(const Bits& used,
                                                             std::uint64_t pages) {
    return base::find_clear_run(used, 0, kChunkPages, pages);
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

  // What was backed so far stays so when there is no memory for the rest.
  [[nodiscard]] bool map_run(std::uint64_t first, std::uint64_t pages) {
    const std::uint64_t last = first + pages - 1;
    for (std::uint64_t c = first / kChunkPages; c <= last / kChunkPages; ++c) {
      const std::uint64_t from = std::max(first, c * kChunkPages) % kChunkPages;
      const std::uint64_t to = std::min(last, (c + 1) * kChunkPages - 1) % kChunkPages;
      const auto piece = static_cast<unsigned>(from / kPiecePages);
      if (!back(c, pieces_from(piece, static_cast<unsigned>(to / kPiecePages) + 1 - piece))) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool back(std::uint64_t c, std::uint64_t wanted) {
    Chunk& chunk = chunks_[c];
    std::uint64_t missing = wanted & ~chunk.backed;
    if (!chunk.mapped() && c >= policy_.pieced && map_pieces(c, 0, kPieces)) {
      return true;
    }
    if (!chunk.mapped() && c < policy_.pieced) {
      missing |= pieces_from(0, policy_.together);
    }
    while (missing != 0) {
      const auto piece = static_cast<unsigned>(std::countr_zero(missing));
      auto count = static_cast<unsigned>(std::countr_one(missing >> piece));
      const auto room = static_cast<unsigned>(std::countr_zero(chunk.backed >> piece));
      const unsigned more = std::clamp(static_cast<unsigned>(std::popcount(chunk.backed)) / kGrowth,
                                       count, std::max(count, std::min(room, kPieces - piece)));
      if (map_pieces(c, piece, more)) {
        count = more;
      } else if (more == count || !map_pieces(c, piece, count)) {
        return false;
      }
      missing &= ~pieces_from(piece, count);
    }
    return true;
  }

  [[nodiscard]] bool map_pieces(std::uint64_t c, unsigned piece, unsigned count) {
    if (!backing_.map(c, piece, count)) {
      return false;
    }
    Chunk& chunk = chunks_[c];
    spare_ += chunk.mapped() ? 0 : 1;  // until a page of it is marked
    chunk.backed |= pieces_from(piece, count);
    chunk.starts |= std::uint64_t{1} << piece;
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

  // Pieces go back as they came.
  bool release_unused(std::uint64_t c) {
    Chunk& chunk = chunks_[c];
    bool any = false;
    for (std::uint64_t starts = chunk.starts; starts != 0; starts &= starts - 1) {
      const auto piece = static_cast<unsigned>(std::countr_zero(starts));
      const std::uint64_t later = starts & (starts - 1);
      const auto end = later == 0 ? kPieces : static_cast<unsigned>(std::countr_zero(later));
      const auto count =
          std::min(end - piece, static_cast<unsigned>(std::countr_one(chunk.backed >> piece)));
      any = release_pieces(c, piece, count) || any;
    }
    if (any && !chunk.mapped()) {
      --spare_;
    }
    return any;
  }

  bool release_pieces(std::uint64_t c, unsigned piece, unsigned count) {
    Chunk& chunk = chunks_[c];
    for (unsigned at = piece; at < piece + count; ++at) {
      if (chunk.used_of(at) != 0) {
        return false;
      }
    }
    backing_.unmap(c, piece, count);
    chunk.backed &= ~pieces_from(piece, count);
    chunk.starts &= ~(std::uint64_t{1} << piece);
    for (unsigned at = piece; at < piece + count; ++at) {
      chunk.dirty[at / kWordPieces] &= ~(kPieceMask << (at % kWordPieces * kPiecePages));
    }
    return true;
  }

  Backing& backing_;
  std::span<Chunk> chunks_;
  Policy policy_;
  std::uint64_t used_pages_ = 0;
  std::uint64_t spare_ = 0;  // mapped chunks without a page in use
};

}  // namespace lona::vm::platform
