// SPDX-License-Identifier: BSD-2-Clause
// Heaps over platform pages that only grow: the scratch memory of reading and compiling (`Arena`,
// given back as a whole) and the memory of definitions and code (`PermanentRegion`, never given
// back). Objects in them do not move. Neither is scanned by a collector: terms in them point only
// into the same region or into permanent memory.
#pragma once

#include "vm/heap/heap.hpp"

namespace lona::vm {

class Arena final : public Heap {
 public:
  Arena() { refill_ = &Arena::refill; }
  ~Arena() { clear(); }

  // Gives all pages back; every term made here is gone.
  void clear();
  // Is this address inside the arena?
  bool owns(const Word* p) const;
  std::size_t mapped_bytes() const { return mapped_; }
  // True once memory could not be had; `alloc` then works on a small reserve inside the arena, so
  // that the user may finish its step and report :oom.
  bool exhausted() const { return exhausted_; }

  // Raw memory for C++ objects with trivial destructors (vectors of the compiler and the like).
  template <typename T>
  T* make_array(std::size_t count) {
    static_assert(alignof(T) <= alignof(Word));
    return reinterpret_cast<T*>(alloc((count * sizeof(T) + sizeof(Word) - 1) / sizeof(Word)));
  }

 private:
  struct Chunk {
    Chunk* next;
    std::size_t bytes;
  };
  static Word* refill(Heap& self, std::size_t words, bool may_use_reserve);

  Chunk* chunks_ = nullptr;
  std::size_t mapped_ = 0;
  bool exhausted_ = false;
};

// A growing array in an arena. No destructor: its memory goes with the arena.
template <typename T>
class ArenaVector {
 public:
  explicit ArenaVector(Arena& arena) : arena_(&arena) {}
  void push_back(const T& value) {
    if (size_ == capacity_) grow();
    data_[size_++] = value;
  }
  void pop_back() { --size_; }
  void resize_down(std::size_t size) { size_ = size; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void grow() {
    std::size_t capacity = capacity_ == 0 ? 8 : capacity_ * 2;
    T* data = arena_->make_array<T>(capacity);
    for (std::size_t i = 0; i < size_; ++i) data[i] = data_[i];
    data_ = data;
    capacity_ = capacity;
  }
  Arena* arena_;
  T* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace lona::vm
