// SPDX-License-Identifier: BSD-2-Clause
// The table of interned names: an index over permanent memory. Entries are cut from chunks of pages
// and never freed; neither is an index that a larger one has replaced, because others may be
// reading it (half of the memory of indices at most).
// The table is the VM's one piece of state that does not hang on the Vm object, because a name
// must be the same entry for whoever interns it; a lock makes it safe for several workers.
#include "vm/term/symbol.hpp"

#include <atomic>
#include <cstring>

#include "vm/code/level.hpp"
#include "vm/platform/platform.hpp"
#include "vm/term/hash.hpp"
#include "vm/term/name_id.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;
// Names that programs make up may fill this part of the realm's memory: they are never freed, and
// the system must be able to go on when one program makes them without end.
constexpr std::size_t kProgramShare = 4;
constexpr std::size_t kFirstPlaces = 1024;
constexpr std::size_t kRecent = 1024;

struct Table {
  std::atomic_flag lock;
  const NameIndex* image;
  // What was interned last, by a quick hash of the text: most names come again and again, and
  // their numbers take a thousand instructions.
  std::atomic<SymbolEntry*> recent[kRecent];
  std::size_t entries;
  char* chunk;
  std::size_t chunk_left;
  std::size_t bytes;  // of all chunks and indices
  char* reserve;      // one chunk for the VM's own names when memory has run out
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

char* take_pages(std::size_t bytes, User user) {
  const bool allowed =
      user == User::kVm || table.bytes + bytes <= platform::memory_figures().limit / kProgramShare;
  auto* p = allowed ? static_cast<char*>(map_shared_pages(bytes)) : nullptr;
  if (p != nullptr) table.bytes += bytes;
  return p;
}

// Room for one more name.
bool grow_index(User user) {
  NameIndex* old = own_level().names.load(std::memory_order_relaxed);
  if (old != nullptr && table.entries < old->count / 4 * 3) return true;
  const std::size_t count = old == nullptr ? kFirstPlaces : old->count * 2;
  auto* index = reinterpret_cast<NameIndex*>(
      take_pages(platform::whole_pages(sizeof(NameIndex) + count * sizeof(SymbolEntry*)), user));
  // A fuller one still does for the VM's own names.
  if (index == nullptr) {
    return user == User::kVm && old != nullptr && table.entries + 1 < old->count;
  }
  index->count = count;
  for (std::size_t i = 0; old != nullptr && i < old->count; i++) {
    if (old->places[i] != nullptr) index->put(old->places[i]);
  }
  own_level().names.store(index, std::memory_order_release);
  return true;
}

// A further chunk of at least `bytes`; false when there is none for this user.
bool new_chunk(std::size_t bytes, User user) {
  const std::size_t size = bytes <= kChunkBytes ? kChunkBytes : platform::whole_pages(bytes);
  if (table.reserve == nullptr && table.chunk == nullptr) {
    table.reserve = static_cast<char*>(map_shared_pages(kChunkBytes));
  }
  char* p = take_pages(size, user);
  if (p == nullptr && user == User::kVm && size == kChunkBytes) {
    p = table.reserve;
    table.reserve = nullptr;
  }
  if (p == nullptr) return false;
  table.chunk = p;
  table.chunk_left = size;
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

SymbolEntry* find_id(Word id) {
  const auto look = [id](const LevelHeader& level) -> SymbolEntry* {
    const NameIndex* names = level.names.load(std::memory_order_acquire);
    return names == nullptr ? nullptr : names->find(id);
  };
  if (SymbolEntry* e = look(own_level())) return e;
  if (table.image != nullptr) {
    if (SymbolEntry* e = table.image->find(id)) return e;
  }
  for (const LevelHeader* level : levels_above()) {
    if (SymbolEntry* e = look(*level)) return e;
  }
  return nullptr;
}

std::atomic<SymbolEntry*>& recent_place(std::string_view full) {
  return table.recent[hash_bytes(full) % kRecent];
}

SymbolEntry* add(std::string_view full, Word id, User user) {
  Locked locked;
  if (SymbolEntry* e = find_id(id)) return e;
  if (!grow_index(user)) return nullptr;
  SymbolEntry* e = new_entry(full.size(), user);
  if (e == nullptr) return nullptr;
  e->id = id;
  e->length = static_cast<std::uint32_t>(full.size());
  e->name_offset = name_offset(full);
  std::memcpy(e->text, full.data(), full.size());
  e->text[full.size()] = 0;
  own_level().names.load(std::memory_order_relaxed)->put(e);
  table.entries++;
  return e;
}

// Null when there is none (and none could be added), or when the number is another name's.
template <typename Miss>
SymbolEntry* find_or(std::string_view full, Miss miss) {
  std::atomic<SymbolEntry*>& recent = recent_place(full);
  SymbolEntry* e = recent.load(std::memory_order_acquire);
  if (e != nullptr && e->full() == full) return e;
  const Word id = name_id(full);
  e = find_id(id);
  if (e == nullptr) e = miss(id);
  if (e == nullptr || e->full() != full) return nullptr;
  recent.store(e, std::memory_order_release);
  return e;
}

SymbolEntry* find_or_add(std::string_view full, User user) {
  return find_or(full, [&](Word id) { return add(full, id, user); });
}

}  // namespace

SymbolEntry* NameIndex::find(Word id) const {
  for (std::uint64_t i = start(id, count);; i = (i + 1) & (count - 1)) {
    SymbolEntry* e = __atomic_load_n(&places[i], __ATOMIC_ACQUIRE);
    if (e == nullptr || e->id == id) return e;
  }
}

bool NameIndex::put(SymbolEntry* entry) {
  std::uint64_t i = start(entry->id, count);
  for (; places[i] != nullptr; i = (i + 1) & (count - 1)) {
    if (places[i]->id == entry->id) return false;
  }
  __atomic_store_n(&places[i], entry, __ATOMIC_RELEASE);
  return true;
}

SymbolEntry* find_name(std::string_view full) {
  return find_or(full, [](Word) -> SymbolEntry* { return nullptr; });
}

bool number_is_taken(std::string_view full) {
  const SymbolEntry* e = find_id(name_id(full));
  return e != nullptr && e->full() != full;
}

SymbolEntry* name_of(Word id) {
  SymbolEntry* e = find_id(id);
  if (e == nullptr) platform::panic("a name that nobody has interned");
  return e;
}

bool adopt_names(const NameIndex& index) {
  if (table.entries != 0) return false;
  table.image = &index;
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
