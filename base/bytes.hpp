// SPDX-License-Identifier: BSD-2-Clause
// Reading numbers and pieces out of bytes that somebody else wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/checked.hpp"

namespace lona::base {

using ByteView = std::span<const std::byte>;

// The piece [offset, offset + length), or nothing when it leaves the view.
[[nodiscard]] constexpr std::optional<ByteView> piece(ByteView bytes, std::uint64_t offset,
                                                      std::uint64_t length) {
  if (!range_within<std::uint64_t>(offset, length, bytes.size())) {
    return std::nullopt;
  }
  return bytes.subspan(offset, length);
}

// A little-endian (native) value of any alignment, or nothing when it leaves the view.
template <typename T>
  requires std::is_trivially_copyable_v<T>
[[nodiscard]] inline std::optional<T> read_at(ByteView bytes, std::uint64_t offset) {
  const auto source = piece(bytes, offset, sizeof(T));
  if (!source) {
    return std::nullopt;
  }
  T value;
  std::memcpy(&value, source->data(), sizeof(T));
  return value;
}

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace lona::base
