// SPDX-License-Identifier: BSD-2-Clause
// Bytes that grow, in pages of the platform. For text of unknown length outside any process heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "vm/platform/platform.hpp"

namespace lona::vm {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer() { release(); }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t unused() const { return capacity_ - size_; }
  std::uint8_t* data() { return data_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  char operator[](std::size_t i) const { return static_cast<char>(data_[i]); }

  // False when the realm has no memory for it; the content stays as it was.
  [[nodiscard]] bool reserve(std::size_t capacity) {
    if (capacity <= capacity_) return true;
    std::size_t bytes = capacity_ == 0 ? platform::kPageSize : capacity_ * 2;
    if (bytes < capacity) bytes = capacity;
    bytes = platform::whole_pages(bytes);
    auto* grown = static_cast<std::uint8_t*>(platform::map_pages(bytes));
    if (grown == nullptr) return false;
    if (size_ != 0) std::memcpy(grown, data_, size_);
    const std::size_t kept = size_;
    release();
    data_ = grown;
    capacity_ = bytes;
    size_ = kept;
    return true;
  }

  [[nodiscard]] bool insert(std::size_t at, std::string_view bytes) {
    if (bytes.empty()) return true;
    if (!reserve(size_ + bytes.size())) return false;
    std::memmove(data_ + at + bytes.size(), data_ + at, size_ - at);
    std::memcpy(data_ + at, bytes.data(), bytes.size());
    size_ += bytes.size();
    return true;
  }
  [[nodiscard]] bool append(std::string_view bytes) {
    if (bytes.empty()) return true;
    if (!reserve(size_ + bytes.size())) return false;
    std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return true;
  }

  // Room for `bytes` more behind the content, to be filled and then counted by grow(); empty when
  // there is no memory.
  std::span<std::uint8_t> room(std::size_t bytes) {
    if (!reserve(size_ + bytes)) return {};
    return {data_ + size_, bytes};
  }
  void grow(std::size_t bytes) { size_ += bytes; }

  void erase(std::size_t from, std::size_t to) {
    if (from == to) return;
    if (to != size_) std::memmove(data_ + from, data_ + to, size_ - to);
    size_ -= to - from;
  }
  void clear() { size_ = 0; }
  // Empty, without its memory when that is more than so many bytes.
  void shrink(std::size_t most) {
    size_ = 0;
    if (capacity_ > most) release();
  }
  void swap(ByteBuffer& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  void release() {
    if (data_ != nullptr) platform::unmap_pages(data_, capacity_);
    data_ = nullptr;
    capacity_ = size_ = 0;
  }

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace lona::vm
