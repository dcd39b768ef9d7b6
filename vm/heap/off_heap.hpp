// SPDX-License-Identifier: BSD-2-Clause
// Bytes outside of all process heaps: large binaries, long strings, byte buffers. They never move
// and are not copied when a value is sent; every heap that reaches such a block holds a reference
// to it, and the last one frees it.
//
// A heap refers to a block by a Blob object (raw: next Blob of the same list, the block). All Blobs
// of a heap are on its OffHeapList, so that its owner finds those that died:
//
//   allocate_blob    makes a block and its Blob in a heap
//   chain_copy       a Blob that was copied by words joins a chain, with a reference of its own
//   append           all Blobs of such a chain join the list of the heap they were copied to
//   release_chain    a message's fragment goes without ever joining a heap
//   sweep            after a collection: Blobs that moved are followed, those that died are
//   released release_all      the heap is gone
//
// Links and block pointers are raw words, so a collection leaves them as they are in what it moves.
//
// A list counts the bytes it keeps alive: they belong to the process's memory. A block may be on
// several lists and is counted in each.
#pragma once

#include <atomic>

#include "vm/term/object.hpp"

namespace lona::vm {

class Heap;

struct OffHeapBlock {
  std::atomic<std::uint64_t> references;
  std::size_t capacity;
  // Bytes that belong to a value. Who owns the value that ends here may grow it in place by moving
  // this on: values are immutable, so what lies behind it is nobody's.
  std::atomic<std::size_t> used;
  char bytes[];
};

// A block with one reference, which the caller owns; null without memory.
OffHeapBlock* make_off_heap(std::size_t capacity);
void release_off_heap(OffHeapBlock* block);  // gives up one reference
// Gives back pages that are kept for later blocks.
void trim_off_heap();
// Memory of all blocks of the VM.
std::size_t off_heap_bytes();

class OffHeapList {
 public:
  OffHeapList() = default;
  ~OffHeapList() { release_all(); }
  OffHeapList(const OffHeapList&) = delete;
  OffHeapList& operator=(const OffHeapList&) = delete;

  static OffHeapBlock* block_of(const Word* blob) {
    return reinterpret_cast<OffHeapBlock*>(blob[2]);
  }
  bool empty() const { return young_ == nullptr && old_ == nullptr; }
  std::size_t bytes() const { return bytes_; }
  // So much has been added since the last sweep that a collection is due.
  bool full() const { return bytes_ > limit_; }
  // So much has outlived minor sweeps that a major one is due.
  bool wants_major() const { return bytes_ > major_limit_; }

  // `blob` is the address of a Blob whose reference the list takes over.
  void take(Word* blob) {
    blob[1] = reinterpret_cast<Word>(young_);
    young_ = blob;
    bytes_ += block_of(blob)->capacity;
  }
  // `chain` is the first Blob or null.
  static void chain_copy(Word*& chain, Word* blob) {
    block_of(blob)->references.fetch_add(1, std::memory_order_relaxed);
    blob[1] = reinterpret_cast<Word>(chain);
    chain = blob;
  }
  static void release_chain(Word* chain);
  static std::size_t chain_words(const Word* chain) {
    std::size_t words = 0;
    for (; chain != nullptr; chain = reinterpret_cast<const Word*>(chain[1])) {
      words += block_of(chain)->capacity / sizeof(Word);
    }
    return words;
  }
  void append(Word* chain);
  void release_all();

  // After a collection. `fate(blob)` is the Blob's address now, or null when it died; `old(blob)`
  // says of such an address whether it belongs to the old part. A minor sweep leaves out Blobs that
  // were found in the old part before.
  template <class Fate, class Old>
  void sweep(bool major, Fate fate, Old old) {
    Word* lists[2] = {young_, major ? old_ : nullptr};
    young_ = nullptr;
    if (major) old_ = nullptr;
    for (Word* blob : lists) {
      while (blob != nullptr) {
        Word* next = reinterpret_cast<Word*>(blob[1]);
        Word* now = fate(blob);
        if (now == nullptr) {
          bytes_ -= block_of(blob)->capacity;
          release_off_heap(block_of(blob));
        } else {
          Word*& list = old(now) ? old_ : young_;
          now[1] = reinterpret_cast<Word>(list);
          list = now;
        }
        blob = next;
      }
    }
    limit_ = bytes_ > kLeastLimit / 2 ? bytes_ * 2 : kLeastLimit;
    if (major) major_limit_ = 2 * bytes_ + kLeastMajorLimit;
  }

 private:
  static constexpr std::size_t kLeastLimit = 512 * 1024;
  static constexpr std::size_t kLeastMajorLimit = 8 * 1024 * 1024;

  Word* young_ = nullptr;
  Word* old_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t limit_ = kLeastLimit;
  std::size_t major_limit_ = kLeastMajorLimit;
};

// A fresh block of at least `bytes`, none of them used yet, on the list of `heap`; `absent` without
// memory.
Term allocate_blob(Heap& heap, std::size_t bytes);
inline OffHeapBlock* blob_block(Term blob) {
  return OffHeapList::block_of(blob.box());
}

}  // namespace lona::vm
