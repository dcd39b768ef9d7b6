// SPDX-License-Identifier: BSD-2-Clause
// A stack for walking nested values without recursion: the first entries are inside the object,
// more are in pages. So the depth of a program's data never decides about the native stack.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "vm/platform/platform.hpp"

namespace lona::vm {

template <class T, std::size_t kInline>
class WorkStack {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  WorkStack() {}
  ~WorkStack() { release(); }
  WorkStack(const WorkStack&) = delete;
  WorkStack& operator=(const WorkStack&) = delete;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& top() { return data_[size_ - 1]; }
  T& operator[](std::size_t i) { return data_[i]; }
  T* data() { return data_; }
  std::size_t capacity() const { return capacity_; }
  void pop() { size_--; }
  void shrink(std::size_t size) { size_ = size; }

  // False when there is no memory for more.
  [[nodiscard]] bool push(const T& value) {
    if (size_ == capacity_ && !grow_full()) return false;
    data_[size_++] = value;
    return true;
  }
  // More room for a stack that is full; false without memory. A walk that keeps the top itself asks
  // for it, and finds its entries elsewhere then.
  [[nodiscard, gnu::noinline]] bool grow_full() {
    size_ = capacity_;
    std::size_t bytes = platform::whole_pages(capacity_ * 2 * sizeof(T));
    void* p = platform::map_pages(bytes);
    if (p == nullptr) return false;
    std::memcpy(p, data_, size_ * sizeof(T));
    release();
    data_ = static_cast<T*>(p);
    mapped_ = bytes;
    capacity_ = bytes / sizeof(T);
    return true;
  }
  // For walks that have no way to report failure.
  void must_push(const T& value) {
    if (!push(value)) platform::panic("no memory to walk a deeply nested value");
  }

 private:
  void release() {
    if (mapped_ != 0) platform::unmap_pages(data_, mapped_);
  }

  union {
    T inline_[kInline];  // uninitialised until pushed
  };
  T* data_ = inline_;
  std::size_t size_ = 0;
  std::size_t capacity_ = kInline;
  std::size_t mapped_ = 0;
};

}  // namespace lona::vm
