// SPDX-License-Identifier: BSD-2-Clause
// Text into a fixed buffer. What does not fit is cut off, and `truncated()` says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lona::base {

struct Hex {
  std::uint64_t value;
};

// A number of bytes as a person reads it: `512 MB`, `3 KB`, `17 B`; powers of 1024, rounded
// down.
struct ByteSize {
  std::uint64_t value;
};

class TextWriter {
 public:
  explicit constexpr TextWriter(std::span<char> buffer) : buffer_(buffer) {}

  TextWriter& operator<<(std::string_view text);
  TextWriter& operator<<(const char* text) { return *this << std::string_view(text); }
  TextWriter& operator<<(char character) { return *this << std::string_view(&character, 1); }
  TextWriter& operator<<(std::uint64_t number);
  TextWriter& operator<<(std::uint32_t number) { return *this << std::uint64_t{number}; }
  TextWriter& operator<<(std::int64_t number);
  TextWriter& operator<<(std::int32_t number) { return *this << std::int64_t{number}; }
  TextWriter& operator<<(Hex number);
  TextWriter& operator<<(ByteSize size);

  [[nodiscard]] std::string_view text() const { return {buffer_.data(), used_}; }
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  std::span<char> buffer_;
  std::size_t used_ = 0;
  bool truncated_ = false;
};

// A writer with its own buffer of `kSize` characters.
template <std::size_t kSize>
class FixedText : public TextWriter {
 public:
  FixedText() : TextWriter(storage_) {}
  FixedText(const FixedText&) = delete;
  FixedText& operator=(const FixedText&) = delete;

 private:
  char storage_[kSize];
};

}  // namespace lona::base
