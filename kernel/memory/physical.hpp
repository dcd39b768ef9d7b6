// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>

// Physical memory as boot-time parsers see it: firmware tables are claims by others, so a parser
// asks for bytes at an address and may get nothing.

namespace lona::kernel {

using PhysicalAddress = std::uint64_t;

class PhysicalReader {
 public:
  using Function = const std::uint8_t* (*)(const void* context, PhysicalAddress,
                                           std::uint64_t size);

  constexpr PhysicalReader(Function function, const void* context)
      : function_(function), context_(context) {}

  // All `size` bytes at `address`, or an empty span.
  std::span<const std::uint8_t> bytes(PhysicalAddress address, std::uint64_t size) const {
    if (size == 0 || address + size < address) return {};
    const std::uint8_t* first = function_(context_, address, size);
    if (first == nullptr) return {};
    return {first, static_cast<std::size_t>(size)};
  }

 private:
  Function function_;
  const void* context_;
};

// Little-endian words at any alignment; the caller has checked the size.
inline std::uint16_t load16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] | (p[1] << 8));
}
inline std::uint32_t load32(const std::uint8_t* p) {
  return std::uint32_t{load16(p)} | (std::uint32_t{load16(p + 2)} << 16);
}
inline std::uint64_t load64(const std::uint8_t* p) {
  return std::uint64_t{load32(p)} | (std::uint64_t{load32(p + 4)} << 32);
}

// A half-open range of physical addresses.
struct PhysicalRange {
  PhysicalAddress begin;
  PhysicalAddress end;

  constexpr std::uint64_t size() const { return end - begin; }
  constexpr bool empty() const { return end <= begin; }
  constexpr bool operator==(const PhysicalRange&) const = default;
};

}  // namespace lona::kernel
