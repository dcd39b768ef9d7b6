// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/reserve.hpp"

#include <atomic>

#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {
constexpr std::size_t kPieces = 4;
constexpr std::size_t kPieceBytes = 256 * 1024;
// One realm has one reserve: it belongs to the memory of the realm, not to a Vm.
void* base = nullptr;
std::atomic<bool> taken[kPieces];
}  // namespace

bool Reserve::prepare() {
  if (base == nullptr) base = platform::map_pages(kPieces * kPieceBytes);
  return base != nullptr;
}

void* Reserve::take(std::size_t& bytes) {
  if (base == nullptr || bytes > kPieceBytes) return nullptr;
  for (std::size_t i = 0; i < kPieces; ++i) {
    if (taken[i].exchange(true, std::memory_order_acquire)) continue;
    bytes = kPieceBytes;
    return static_cast<char*>(base) + i * kPieceBytes;
  }
  return nullptr;
}

bool Reserve::give_back(const void* memory) {
  auto offset =
      static_cast<std::size_t>(static_cast<const char*>(memory) - static_cast<const char*>(base));
  if (base == nullptr || offset >= kPieces * kPieceBytes) return false;
  taken[offset / kPieceBytes].store(false, std::memory_order_release);
  return true;
}

}  // namespace lona::vm
