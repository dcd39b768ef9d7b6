// SPDX-License-Identifier: BSD-2-Clause
// Pages of the process pool. The manager is asked for chunks of 2 MiB: one large page, or where
// the machine's memory has become too scattered for that, small pages.
#include <atomic>
#include <cstring>
#include <new>

#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/page_pool.hpp"
#include "vm/platform/sel4/platform_state.hpp"

namespace lona::vm::platform {

namespace {

constexpr unsigned kSmallBits = 12;
constexpr unsigned kLargeBits = 21;
// Addresses are plenty: so many chunks for each one of memory, so that long runs find room.
constexpr std::uint64_t kAddressFactor = 4;

class ManagerChunks {
 public:
  void start(abi::Address base, std::span<bool> small) {
    base_ = base;
    small_ = small;
  }

  bool map(std::uint64_t chunk) {
    small_[chunk] = false;
    if (manager_map(address(chunk), 1, kLargeBits) == abi::Status::kOk) {
      return true;
    }
    small_[chunk] = true;
    return manager_map(address(chunk), abi::kLargePage / abi::kSmallPage, kSmallBits) ==
           abi::Status::kOk;
  }
  void unmap(std::uint64_t chunk) {
    const auto status =
        small_[chunk] ? manager_unmap(address(chunk), abi::kLargePage / abi::kSmallPage, kSmallBits)
                      : manager_unmap(address(chunk), 1, kLargeBits);
    if (status != abi::Status::kOk) {
      panic("the manager does not take memory back");
    }
  }
  void zero(std::uint64_t page, std::uint64_t pages) {
    std::memset(reinterpret_cast<void*>(base_ + page * kPageSize), 0, pages * kPageSize);
  }

 private:
  [[nodiscard]] abi::Address address(std::uint64_t chunk) const {
    return base_ + chunk * abi::kLargePage;
  }

  abi::Address base_ = 0;
  std::span<bool> small_;
};

using Pool = PagePool<ManagerChunks>;

struct State {
  ManagerChunks chunks;
  Pool pool;
  abi::Address base;
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
  const std::uint64_t chunks = (limit / abi::kLargePage + 1) * kAddressFactor;
  const std::uint64_t table = chunks * (sizeof(Pool::Chunk) + sizeof(bool));
  const std::uint64_t pages = (table + kPageSize - 1) / kPageSize;
  const abi::Address tables = abi::kPoolRange.start;
  constexpr std::uint64_t kBatch = 256;
  for (std::uint64_t done = 0; done < pages; done += kBatch) {
    const std::uint64_t now = std::min(kBatch, pages - done);
    if (manager_map(tables + done * kPageSize, now, kSmallBits) != abi::Status::kOk) {
      panic("no memory for the tables of the page pool");
    }
  }
  const std::uint64_t skipped = (pages * kPageSize + abi::kLargePage - 1) / abi::kLargePage;
  const abi::Address base = tables + skipped * abi::kLargePage;
  auto* first = reinterpret_cast<Pool::Chunk*>(tables);
  for (std::uint64_t at = 0; at < chunks; ++at) {
    new (first + at) Pool::Chunk{};
  }
  auto* small = reinterpret_cast<bool*>(first + chunks);
  auto* made = new (state_storage) State{.chunks = {},
                                         .pool = {state().chunks, {first, chunks}},
                                         .base = base,
                                         .limit = limit - pages * kPageSize};
  made->chunks.start(base, {small, chunks});
}

void* map_pages(std::size_t bytes) {
  if (bytes == 0 || bytes % kPageSize != 0) {
    panic("map_pages: not a multiple of the page size");
  }
  const PoolLock lock;
  auto& pool = state().pool;
  auto first = pool.take(bytes / kPageSize);
  if (!first && pool.trim()) {
    first = pool.take(bytes / kPageSize);
  }
  if (!first) {
    return nullptr;
  }
  return reinterpret_cast<void*>(state().base + *first * kPageSize);
}

void unmap_pages(void* address, std::size_t bytes) {
  const PoolLock lock;
  const auto start = reinterpret_cast<abi::Address>(address);
  if (start < state().base || start % kPageSize != 0 ||
      !state().pool.give((start - state().base) / kPageSize, bytes / kPageSize)) {
    panic("unmap_pages: not what map_pages returned");
  }
}

MemoryFigures memory_figures() {
  return {.limit = state().limit, .mapped = state().pool.used_pages() * kPageSize};
}

std::size_t resident_bytes() {
  return memory_figures().mapped;
}

}  // namespace lona::vm::platform
