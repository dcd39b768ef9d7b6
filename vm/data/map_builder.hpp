// SPDX-License-Identifier: BSD-2-Clause
// Builds a map of many entries without the copies that putting one after the other makes: entries
// are gathered in a hash table outside of the heap, then every node of the trie is made once.
// O(n); the heap gets nothing but the result.
#pragma once

#include "vm/data/work_stack.hpp"
#include "vm/heap/heap.hpp"

namespace lona::vm {

class MapBuilder {
 public:
  explicit MapBuilder(Heap& heap) : heap_(heap) {}
  ~MapBuilder();
  MapBuilder(const MapBuilder&) = delete;
  MapBuilder& operator=(const MapBuilder&) = delete;

  // A later value for an equal key replaces the former.
  void put(Term key, Term value) {
    if (Term* slot = find_or_add(key, value)) *slot = value;
  }
  // The value of `key`, which is `initial` when it was not there; null after running out of memory.
  Term* find_or_add(Term key, Term initial);
  void put_all(Term map);
  std::size_t count() const { return entries_.size(); }

  // The map, or `absent` when memory has run out.
  Term take();
  Term take_set();

 private:
  struct Entry {
    Term key, value;
    std::uint64_t hash;
  };
  bool grow_index();
  Term build(Entry* entries, Entry* spare, std::size_t count, unsigned shift);
  Word* node(std::uint32_t data, std::uint32_t child, std::size_t words);

  Heap& heap_;
  WorkStack<Entry, 16> entries_;
  // Open addressing: number of an entry + 1, or 0. Only used when there are more than a few.
  std::uint32_t* index_ = nullptr;
  std::size_t index_size_ = 0;
  bool failed_ = false;
};

}  // namespace lona::vm
