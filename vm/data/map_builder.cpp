// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/map_builder.hpp"

#include <bit>

#include "vm/data/map.hpp"
#include "vm/platform/platform.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kLinear = 8;  // up to so many entries are searched one by one
constexpr unsigned kHashBits = 60;

}  // namespace

MapBuilder::~MapBuilder() {
  if (index_ != nullptr) platform::unmap_pages(index_, index_size_ * sizeof(std::uint32_t));
}

bool MapBuilder::grow_index() {
  std::size_t size =
      index_size_ == 0 ? platform::kPageSize / sizeof(std::uint32_t) : index_size_ * 2;
  auto* fresh = static_cast<std::uint32_t*>(platform::map_pages(size * sizeof(std::uint32_t)));
  if (fresh == nullptr) return false;
  for (std::size_t i = 0; i < entries_.size(); i++) {
    std::size_t at = entries_[i].hash & (size - 1);
    while (fresh[at] != 0) at = (at + 1) & (size - 1);
    fresh[at] = static_cast<std::uint32_t>(i + 1);
  }
  if (index_ != nullptr) platform::unmap_pages(index_, index_size_ * sizeof(std::uint32_t));
  index_ = fresh;
  index_size_ = size;
  return true;
}

Term* MapBuilder::find_or_add(Term key, Term initial) {
  if (failed_) return nullptr;
  key = bare(key);
  std::uint64_t hash = hash_term(key);
  std::size_t at = 0;
  if (entries_.size() < kLinear) {
    for (std::size_t i = 0; i < entries_.size(); i++) {
      if (entries_[i].hash == hash && equal(entries_[i].key, key)) return &entries_[i].value;
    }
  } else {
    if (entries_.size() * 2 >= index_size_ && !grow_index()) {
      failed_ = true;
      return nullptr;
    }
    at = hash & (index_size_ - 1);
    for (; index_[at] != 0; at = (at + 1) & (index_size_ - 1)) {
      Entry& e = entries_[index_[at] - 1];
      if (e.hash == hash && equal(e.key, key)) return &e.value;
    }
  }
  if (!entries_.push({key, initial, hash})) {
    failed_ = true;
    return nullptr;
  }
  if (entries_.size() > kLinear) index_[at] = static_cast<std::uint32_t>(entries_.size());
  return &entries_.top().value;
}

void MapBuilder::put_all(Term map) {
  for (MapCursor c(map); !c.done(); c.next()) put(c.key(), c.value());
}

Word* MapBuilder::node(std::uint32_t data, std::uint32_t child, std::size_t words) {
  Word* p = heap_.try_alloc(words + 2);
  if (p == nullptr) return nullptr;
  p[0] = Header::make(Kind::kNode, words + 1).bits();
  p[1] = Word{child} << 32 | data;
  return p + 2;
}

// The node over `count` entries that agree in the hash bits below `shift`. `spare` is room for as
// many. Gives nil when there is no memory.
Term MapBuilder::build(Entry* entries, Entry* spare, std::size_t count, unsigned shift) {
  if (shift >= kHashBits) {
    Word* w = node(0, 0, 2 * count);
    if (w == nullptr) return Term::nil();
    for (std::size_t i = 0; i < count; i++) {
      w[2 * i] = entries[i].key.bits();
      w[2 * i + 1] = entries[i].value.bits();
    }
    return Term::boxed(w - 2);
  }
  // Sort by the next five bits; the sorted entries are in `spare` then.
  std::size_t start[33] = {};
  for (std::size_t i = 0; i < count; i++) start[(entries[i].hash >> shift & 31) + 1]++;
  std::uint32_t data = 0, child = 0;
  for (unsigned b = 0; b < 32; b++) {
    if (start[b + 1] == 1) data |= 1u << b;
    if (start[b + 1] > 1) child |= 1u << b;
    start[b + 1] += start[b];
  }
  std::size_t next[32];
  for (unsigned b = 0; b < 32; b++) next[b] = start[b];
  for (std::size_t i = 0; i < count; i++) spare[next[entries[i].hash >> shift & 31]++] = entries[i];

  std::size_t data_words = 2 * static_cast<std::size_t>(std::popcount(data));
  Word* w = node(data, child, data_words + static_cast<std::size_t>(std::popcount(child)));
  if (w == nullptr) return Term::nil();
  Word *data_at = w, *child_at = w + data_words;
  for (unsigned b = 0; b < 32; b++) {
    std::size_t from = start[b], n = start[b + 1] - from;
    if (n == 1) {
      *data_at++ = spare[from].key.bits();
      *data_at++ = spare[from].value.bits();
    } else if (n > 1) {
      Term sub = build(spare + from, entries + from, n, shift + 5);
      if (sub.is_nil()) return sub;
      *child_at++ = sub.bits();
    }
  }
  return Term::boxed(w - 2);
}

Term MapBuilder::take() {
  std::size_t n = entries_.size();
  if (failed_) return Term::absent();
  if (n <= kSmallMap) {
    Word* p = heap_.alloc_box(Kind::kMap, 1 + 2 * n);
    p[1] = n;
    for (std::size_t i = 0; i < n; i++) {
      p[2 + 2 * i] = entries_[i].key.bits();
      p[3 + 2 * i] = entries_[i].value.bits();
    }
    return Term::boxed(p);
  }
  std::size_t bytes = platform::whole_pages(n * sizeof(Entry));
  auto* spare = static_cast<Entry*>(platform::map_pages(bytes));
  if (spare == nullptr) return Term::absent();
  Term root = build(entries_.data(), spare, n, 0);
  platform::unmap_pages(spare, bytes);
  if (root.is_nil()) return Term::absent();
  Word* p = heap_.alloc_box(Kind::kMap, 2);
  p[1] = n;
  p[2] = root.bits();
  return Term::boxed(p);
}

Term MapBuilder::take_set() {
  Term map = take();
  return map == Term::absent() ? map : make_set(heap_, map);
}

}  // namespace lona::vm
