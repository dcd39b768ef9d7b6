// SPDX-License-Identifier: BSD-2-Clause
// The table of interned names: chained hashing over permanent memory. The names of the core image
// have chains of their own, which are never written. Other entries are cut from chunks
// of pages and never freed; only the array of chain heads is replaced when it gets too small.
// The table is the VM's one piece of state that does not hang on the Vm object, because a name
// must be the same entry for whoever interns it; a lock makes it safe for several workers.
#include "vm/term/symbol.hpp"

#include <atomic>
#include <cstring>

#include "vm/platform/platform.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
// Names that programs make up may fill this part of the realm's memory: they are never freed, and
// the system must be able to go on when one program makes them without end.
constexpr std::size_t kProgramShare = 4;
constexpr std::size_t kFirstHeads = 4096;

struct Table {
  std::atomic_flag lock;
  SymbolEntry** heads;
  std::size_t head_count;  // a power of two, or 0 before the first name
  std::size_t entries;
  SymbolChains adopted;
  char* chunk;
  std::size_t chunk_left;
  std::size_t chunk_bytes;  // of all chunks
  char* reserve;            // one chunk for the VM's own names when memory has run out
};

enum class User : std::uint8_t { kProgram, kVm };

constinit Table table{};

class Locked {
 public:
  Locked() {
    while (table.lock.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~Locked() { table.lock.clear(std::memory_order_release); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
};

bool grow_heads() {
  std::size_t n = table.head_count == 0 ? kFirstHeads : table.head_count * 2;
  auto* heads = static_cast<SymbolEntry**>(platform::map_pages(n * sizeof(SymbolEntry*)));
  if (heads == nullptr) return false;
  for (std::size_t i = 0; i < table.head_count; i++) {
    for (SymbolEntry* e = table.heads[i]; e != nullptr;) {
      SymbolEntry* next = e->next;
      SymbolEntry*& head = heads[e->hash & (n - 1)];
      e->next = head;
      head = e;
      e = next;
    }
  }
  if (table.heads != nullptr) {
    platform::unmap_pages(table.heads, table.head_count * sizeof(SymbolEntry*));
  }
  table.heads = heads;
  table.head_count = n;
  return true;
}

// A further chunk of at least `bytes`; false when there is none for this user.
bool new_chunk(std::size_t bytes, User user) {
  std::size_t size = bytes <= kChunkBytes ? kChunkBytes : (bytes + 4095) & ~std::size_t{4095};
  if (table.reserve == nullptr && table.chunk_bytes == 0) {
    table.reserve = static_cast<char*>(platform::map_pages(kChunkBytes));
  }
  bool allowed = user == User::kVm ||
                 table.chunk_bytes + size <= platform::memory_figures().limit / kProgramShare;
  auto* p = allowed ? static_cast<char*>(platform::map_pages(size)) : nullptr;
  if (p == nullptr && user == User::kVm && size == kChunkBytes) {
    p = table.reserve;
    table.reserve = nullptr;
  }
  if (p == nullptr) return false;
  table.chunk = p;
  table.chunk_left = size;
  table.chunk_bytes += size;
  return true;
}

SymbolEntry* new_entry(std::size_t name_bytes, User user) {
  std::size_t bytes = (sizeof(SymbolEntry) + name_bytes + 1 + 7) & ~std::size_t{7};
  if (bytes > table.chunk_left && !new_chunk(bytes, user)) return nullptr;
  auto* e = reinterpret_cast<SymbolEntry*>(table.chunk);
  table.chunk += bytes;
  table.chunk_left -= bytes;
  return e;
}

// "ns/name" splits at the first slash that has something on both sides; "/" is a plain name.
std::uint32_t name_offset(std::string_view full) {
  std::size_t slash = full.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == full.size()) return 0;
  return static_cast<std::uint32_t>(slash + 1);
}

SymbolEntry* find_in(SymbolEntry* chain, std::uint64_t hash, std::string_view full) {
  for (SymbolEntry* e = chain; e != nullptr; e = e->next) {
    if (e->hash == hash && e->full() == full) return e;
  }
  return nullptr;
}

SymbolEntry* find_or_add(std::string_view full, User user) {
  std::uint64_t hash = hash_bytes(full);
  if (table.adopted.count != 0) {
    SymbolEntry* chain = table.adopted.heads[hash & (table.adopted.count - 1)];
    if (SymbolEntry* e = find_in(chain, hash, full)) return e;
  }
  Locked locked;
  if (table.entries >= table.head_count && !grow_heads() && table.head_count == 0) return nullptr;
  SymbolEntry*& head = table.heads[hash & (table.head_count - 1)];
  if (SymbolEntry* e = find_in(head, hash, full)) return e;
  SymbolEntry* e = new_entry(full.size(), user);
  if (e == nullptr) return nullptr;
  e->hash = hash;
  e->length = static_cast<std::uint32_t>(full.size());
  e->name_offset = name_offset(full);
  std::memcpy(e->text, full.data(), full.size());
  e->text[full.size()] = 0;
  e->next = head;
  head = e;
  table.entries++;
  return e;
}

}  // namespace

SymbolEntry* find_name(std::string_view full) {
  const std::uint64_t hash = hash_bytes(full);
  if (table.adopted.count != 0) {
    SymbolEntry* chain = table.adopted.heads[hash & (table.adopted.count - 1)];
    if (SymbolEntry* e = find_in(chain, hash, full)) return e;
  }
  Locked locked;
  if (table.head_count == 0) return nullptr;
  return find_in(table.heads[hash & (table.head_count - 1)], hash, full);
}

bool adopt_symbols(const SymbolChains& chains) {
  if (table.entries != 0) return false;
  table.adopted = chains;
  return true;
}

SymbolEntry* try_intern(std::string_view full) {
  return full.size() <= kMaxNameBytes ? find_or_add(full, User::kProgram) : nullptr;
}

SymbolEntry* intern(std::string_view full) {
  SymbolEntry* e = full.size() <= kMaxNameBytes ? find_or_add(full, User::kVm) : nullptr;
  if (e == nullptr) platform::panic("no memory for a symbol");
  return e;
}

}  // namespace lona::vm
