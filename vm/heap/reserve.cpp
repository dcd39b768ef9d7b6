// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/reserve.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {
constexpr std::size_t kPieces = 4;
constexpr std::size_t kMostBytes = 256 * 1024;
constexpr std::size_t kLeastBytes = 32 * 1024;
// Of the realm's memory, for one piece.
constexpr std::size_t kPart = 1024;
// One realm has one reserve: it belongs to the memory of the realm, not to a Vm.
void* base = nullptr;
std::size_t piece_bytes = 0;
std::size_t pieces = 0;
std::atomic<bool> taken[kPieces];
}  // namespace

bool Reserve::prepare() {
  if (base != nullptr) return true;
  piece_bytes =
      std::clamp(std::bit_floor(platform::memory_figures().limit / kPart), kLeastBytes, kMostBytes);
  pieces = piece_bytes == kMostBytes ? kPieces : 1;
  base = platform::map_pages(pieces * piece_bytes);
  return base != nullptr;
}

void* Reserve::take(std::size_t& bytes) {
  if (base == nullptr || bytes > piece_bytes) return nullptr;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (taken[i].exchange(true, std::memory_order_acquire)) continue;
    bytes = piece_bytes;
    return static_cast<char*>(base) + i * piece_bytes;
  }
  return nullptr;
}

bool Reserve::give_back(const void* memory) {
  auto offset =
      static_cast<std::size_t>(static_cast<const char*>(memory) - static_cast<const char*>(base));
  if (base == nullptr || offset >= pieces * piece_bytes) return false;
  taken[offset / piece_bytes].store(false, std::memory_order_release);
  return true;
}

}  // namespace lona::vm
