// SPDX-License-Identifier: BSD-2-Clause
// Pages from mmap, counted against a quota as a realm's pages are.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>

#include "vm/platform/linux/linux.hpp"
#include "vm/platform/memory_request.hpp"

namespace lona::vm::platform {

namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;

std::size_t g_limit = std::size_t{1} << 30;
std::atomic<std::size_t> g_mapped{0};

void* map_aligned(std::size_t bytes, std::size_t alignment) {
  const std::size_t slack = alignment - kPageSize;
  void* raw = mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  const auto start = reinterpret_cast<std::uintptr_t>(raw);
  const auto aligned = (start + alignment - 1) & ~(alignment - 1);
  const std::size_t before = aligned - start;
  const std::size_t after = slack - before;
  if (before != 0) munmap(raw, before);
  if (after != 0) munmap(reinterpret_cast<void*>(aligned + bytes), after);
  return reinterpret_cast<void*>(aligned);
}

}  // namespace

void set_memory_limit(std::size_t bytes) {
  g_limit = bytes;
}

void* map_pages(std::size_t bytes) {
  if (bytes == 0 || bytes % kPageSize != 0) panic("map_pages: not a multiple of the page size");
  const std::size_t before = g_mapped.fetch_add(bytes);
  if (before > g_limit || bytes > g_limit - before) {
    g_mapped.fetch_sub(bytes);
    return nullptr;
  }
  const bool large = bytes >= kLargePage;
  void* p = map_aligned(bytes, large ? kLargePage : kPageSize);
  if (p == nullptr) {
    g_mapped.fetch_sub(bytes);
  } else if (large) {
    // A wish only: one page fault instead of 512.
    madvise(p, bytes, MADV_HUGEPAGE);
  }
  return p;
}

void unmap_pages(void* address, std::size_t bytes) {
  if (munmap(address, bytes) != 0) panic("unmap_pages: not what map_pages returned");
  g_mapped.fetch_sub(bytes);
}

// No realm is below, so any pages will do.
void* map_level_pages(LevelPart, std::size_t bytes) {
  return map_pages(bytes);
}
void unmap_level_pages(void* address, std::size_t bytes) {
  unmap_pages(address, bytes);
}
const void* inherited_level(std::uint32_t) {
  return nullptr;
}

bool request_memory(std::size_t bytes) {
  return bytes <= g_limit - std::min(g_limit, g_mapped.load());
}
void return_memory() {}

MemoryFigures memory_figures() {
  return {.limit = g_limit, .mapped = g_mapped.load()};
}

std::size_t resident_bytes() {
  std::FILE* f = std::fopen("/proc/self/statm", "r");
  if (f == nullptr) return 0;
  unsigned long all = 0, resident = 0;
  const bool good = std::fscanf(f, "%lu %lu", &all, &resident) == 2;
  std::fclose(f);
  return good ? resident * kPageSize : 0;
}

void*& thread_slot() {
  thread_local void* slot = nullptr;
  return slot;
}

}  // namespace lona::vm::platform
