// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstring>
#include <map>
#include <vector>

#include "kernel/memory/physical.hpp"

// Physical memory for tests: pieces at chosen addresses, nothing in between. Each piece is its own
// allocation, so the address sanitizer sees a parser that reads past what it asked for.

namespace lona::kernel {

class TestMemory {
 public:
  void put(PhysicalAddress address, std::vector<std::uint8_t> bytes) {
    pieces_[address] = std::move(bytes);
  }
  std::vector<std::uint8_t>& at(PhysicalAddress address) { return pieces_.at(address); }
  PhysicalReader reader() const { return {read, this}; }

 private:
  static const std::uint8_t* read(const void* context, PhysicalAddress address,
                                  std::uint64_t size) {
    const auto& pieces = static_cast<const TestMemory*>(context)->pieces_;
    auto piece = pieces.upper_bound(address);
    if (piece == pieces.begin()) return nullptr;
    --piece;
    const std::uint64_t offset = address - piece->first;
    if (offset > piece->second.size() || size > piece->second.size() - offset) return nullptr;
    return piece->second.data() + offset;
  }

  std::map<PhysicalAddress, std::vector<std::uint8_t>> pieces_;
};

// Builds tables byte by byte, little endian.
class ByteBuilder {
 public:
  ByteBuilder& text(const char* string) {
    bytes_.insert(bytes_.end(), string, string + std::strlen(string));
    return *this;
  }
  ByteBuilder& u8(std::uint64_t v) { return number(v, 1); }
  ByteBuilder& u16(std::uint64_t v) { return number(v, 2); }
  ByteBuilder& u32(std::uint64_t v) { return number(v, 4); }
  ByteBuilder& u64(std::uint64_t v) { return number(v, 8); }
  ByteBuilder& zeros(std::size_t count) {
    bytes_.resize(bytes_.size() + count);
    return *this;
  }
  ByteBuilder& pad_to(std::size_t size) {
    if (bytes_.size() < size) bytes_.resize(size);
    return *this;
  }
  std::vector<std::uint8_t>& bytes() { return bytes_; }

 private:
  ByteBuilder& number(std::uint64_t v, unsigned count) {
    for (unsigned i = 0; i < count; ++i) bytes_.push_back(static_cast<std::uint8_t>(v >> 8 * i));
    return *this;
  }
  std::vector<std::uint8_t> bytes_;
};

}  // namespace lona::kernel
