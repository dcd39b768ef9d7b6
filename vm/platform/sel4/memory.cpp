// SPDX-License-Identifier: BSD-2-Clause
// Pages of the process pool, and of the level's code and binaries. The manager is asked for chunks
// of 2 MiB: one large page, or where the machine's memory has become too scattered for that, small
// pages; but the first chunk of a realm that another one has made grows piece by piece, as most of
// those realms are small.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "vm/platform/memory_request.hpp"
#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/page_pool.hpp"
#include "vm/platform/sel4/platform_state.hpp"

namespace lona::vm::platform {

namespace {

constexpr unsigned kSmallBits = 12;
constexpr unsigned kLargeBits = 21;
// Addresses are plenty: so many chunks for each one of memory, so that long runs find room.
constexpr std::uint64_t kAddressFactor = 4;
// What a VM needs at once, of 32 KiB.
constexpr unsigned kFirstPieces = 5;

class ManagerChunks {
 public:
  ManagerChunks(abi::Address base, std::span<bool> small) : base_(base), small_(small) {}

  bool map(std::uint64_t chunk, unsigned piece, unsigned pieces) {
    small_[chunk] =
        pieces != kPieces || manager_map(address(chunk, 0), 1, kLargeBits) != abi::Status::kOk;
    return !small_[chunk] ||
           manager_map(address(chunk, piece), pieces * kPiecePages, kSmallBits) == abi::Status::kOk;
  }
  void unmap(std::uint64_t chunk, unsigned piece, unsigned pieces) {
    const auto status = small_[chunk]
                            ? manager_unmap(address(chunk, piece), pieces * kPiecePages, kSmallBits)
                            : manager_unmap(address(chunk, 0), 1, kLargeBits);
    if (status != abi::Status::kOk) {
      panic("the manager does not take memory back");
    }
  }
  void zero(std::uint64_t page, std::uint64_t pages) {
    std::memset(reinterpret_cast<void*>(base_ + page * kPageSize), 0, pages * kPageSize);
  }

 private:
  static constexpr std::uint64_t kPiecePages = PagePool<ManagerChunks>::kPiecePages;
  static constexpr unsigned kPieces = PagePool<ManagerChunks>::kPieces;

  [[nodiscard]] abi::Address address(std::uint64_t chunk, unsigned piece) const {
    return base_ + chunk * abi::kLargePage + piece * kPiecePages * abi::kSmallPage;
  }

  abi::Address base_;
  std::span<bool> small_;  // chunks of small pages
};

using Pool = PagePool<ManagerChunks>;

// A range of addresses.
struct Part {
  Part(abi::Address start, std::span<Pool::Chunk> table, std::span<bool> small, Pool::Policy policy)
      : base(start), chunks(start, small), pool(chunks, table, policy) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void* take(std::size_t bytes) {
    if (bytes == 0 || bytes % kPageSize != 0) {
      panic("memory is asked for that is no whole pages");
    }
    const auto first = pool.take(bytes / kPageSize);
    return first ? reinterpret_cast<void*>(base + *first * kPageSize) : nullptr;
  }
  [[nodiscard]] bool give(void* address, std::size_t bytes) {
    const auto start = reinterpret_cast<abi::Address>(address);
    return start >= base && start % kPageSize == 0 &&
           pool.give((start - base) / kPageSize, bytes / kPageSize);
  }

  abi::Address base;
  ManagerChunks chunks;
  Pool pool;
};

struct State {
  Part pool;
  Part code, binaries;  // of the realm's level
  std::uint64_t limit;
};

alignas(State) std::byte state_storage[sizeof(State)];

State& state() {
  return *std::launder(reinterpret_cast<State*>(state_storage));
}

// Workers take turns. Whoever has it may be waiting for the manager, but not for another worker.
std::atomic_flag pool_taken;
class PoolLock {
 public:
  PoolLock() {
    while (pool_taken.test_and_set(std::memory_order_acquire)) __builtin_ia32_pause();
  }
  ~PoolLock() { pool_taken.clear(std::memory_order_release); }
  PoolLock(const PoolLock&) = delete;
  PoolLock& operator=(const PoolLock&) = delete;
};

}  // namespace

// The tables lie at the start of the pool, in pages of their own.
void start_memory() {
  const std::uint64_t limit = start_block().memory_limit;
  const std::uint64_t whole = limit / abi::kLargePage + 1;
  const std::uint64_t of_pool = whole * kAddressFactor;
  const abi::AddressRange code = abi::level_code(start_block().depth);
  const abi::AddressRange binaries = abi::level_binaries(start_block().depth);
  const std::uint64_t of_code = std::min(whole, code.size / abi::kLargePage);
  const std::uint64_t of_binaries = std::min(whole, binaries.size / abi::kLargePage);
  const std::uint64_t chunks = of_pool + of_code + of_binaries;
  const std::uint64_t table = chunks * (sizeof(Pool::Chunk) + sizeof(bool));
  const std::uint64_t pages = whole_pages(table) / kPageSize;
  const abi::Address tables = abi::kPoolRange.start;
  constexpr std::uint64_t kBatch = 256;
  for (std::uint64_t done = 0; done < pages; done += kBatch) {
    const std::uint64_t now = std::min(kBatch, pages - done);
    if (manager_map(tables + done * kPageSize, now, kSmallBits) != abi::Status::kOk) {
      panic("no memory for the tables of the page pool");
    }
  }
  const std::uint64_t skipped = (pages * kPageSize + abi::kLargePage - 1) / abi::kLargePage;
  auto* first = reinterpret_cast<Pool::Chunk*>(tables);
  auto* small = reinterpret_cast<bool*>(first + chunks);
  for (std::uint64_t at = 0; at < chunks; ++at) {
    new (first + at) Pool::Chunk{};
  }
  const std::uint64_t pieced = start_block().parent == abi::kNoRealm ? 0 : 1;
  const Pool::Policy stays{.spare = ~std::uint64_t{0}, .pieced = pieced};
  const auto part = [&](abi::Address base, std::uint64_t before, std::uint64_t count,
                        Pool::Policy policy) {
    return Part(base, {first + before, count}, {small + before, count}, policy);
  };
  new (state_storage) State{.pool = part(tables + skipped * abi::kLargePage, 0, of_pool,
                                         {.pieced = pieced, .together = kFirstPieces}),
                            .code = part(code.start, of_pool, of_code, stays),
                            .binaries = part(binaries.start, of_pool + of_code, of_binaries, stays),
                            .limit = limit - pages * kPageSize};
}

void* map_pages(std::size_t bytes) {
  const PoolLock lock;
  Part& pool = state().pool;
  void* pages = pool.take(bytes);
  return pages == nullptr && pool.pool.trim() ? pool.take(bytes) : pages;
}

void unmap_pages(void* address, std::size_t bytes) {
  const PoolLock lock;
  if (!state().pool.give(address, bytes)) {
    panic("unmap_pages: not what map_pages returned");
  }
}

void* map_level_pages(LevelPart part, std::size_t bytes) {
  const PoolLock lock;
  Part& pages = part == LevelPart::kCode ? state().code : state().binaries;
  void* got = pages.take(bytes);
  return got == nullptr && state().pool.pool.trim() ? pages.take(bytes) : got;
}

void unmap_level_pages(void* address, std::size_t bytes) {
  const PoolLock lock;
  if (!state().code.give(address, bytes) && !state().binaries.give(address, bytes)) {
    panic("unmap_level_pages: not what map_level_pages returned");
  }
}

const void* inherited_level(std::uint32_t depth) {
  return reinterpret_cast<const void*>(abi::level_code(depth).start);
}

bool request_memory(std::size_t bytes) {
  return ask_manager(abi::Request::kRequestMemory, 1, {bytes, 0, 0, 0}) == abi::Status::kOk;
}

void return_memory() {
  const PoolLock lock;
  (void)state().pool.pool.trim();
  (void)ask_manager(abi::Request::kRequestMemory, 1, {0, 0, 0, 0});
}

MemoryFigures memory_figures() {
  const State& now = state();
  const std::uint64_t pages =
      now.pool.pool.used_pages() + now.code.pool.used_pages() + now.binaries.pool.used_pages();
  return {.limit = now.limit, .mapped = pages * kPageSize};
}

std::size_t resident_bytes() {
  return memory_figures().mapped;
}

}  // namespace lona::vm::platform
