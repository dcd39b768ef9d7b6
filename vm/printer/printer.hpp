// SPDX-License-Identifier: BSD-2-Clause
// From values to text. Data prints so that the reader reads it back; functions, pids and the like
// print as #<…>, which the reader refuses. Nesting costs no native stack.
#pragma once

#include <cstring>
#include <span>
#include <string_view>

#include "vm/heap/heap.hpp"

namespace lona::vm {

// Where text goes, piece by piece.
class Sink {
 public:
  using Write = bool (*)(Sink& self, std::string_view text);
  bool write(std::string_view text) { return write_(*this, text); }

 protected:
  explicit constexpr Sink(Write write) : write_(write) {}
  ~Sink() = default;

 private:
  Write write_;  // false: no more wanted
};

enum class Style : std::uint8_t {
  kReadable,  // what `pr` and the prompt show
  kDisplay,   // what `print` and `str` show: a string or character itself; inside of
              // collections they stay readable
};

// False when the sink has refused a piece, or when there is no memory to walk a deeply nested
// value; printing stops there.
bool print(Sink& sink, Term value, Style style = Style::kReadable);

// The printed value as a string; `absent` when there is no memory.
Term print_to_string(Heap& heap, Term value, Style style = Style::kReadable);

// A string or character in its readable form.
bool print_quoted(Sink& sink, std::string_view text);

// A fixed buffer: keeps what fits and then refuses.
class BufferSink final : public Sink {
 public:
  explicit BufferSink(std::span<char> buffer) : Sink(&BufferSink::put), buffer_(buffer) {}
  std::string_view text() const { return {buffer_.data(), size_}; }
  bool truncated() const { return truncated_; }

 private:
  static bool put(Sink& self, std::string_view text) {
    auto& s = static_cast<BufferSink&>(self);
    std::size_t room = s.buffer_.size() - s.size_;
    std::size_t n = text.size() < room ? text.size() : room;
    if (n != 0) std::memcpy(s.buffer_.data() + s.size_, text.data(), n);
    s.size_ += n;
    s.truncated_ = s.truncated_ || n < text.size();
    return !s.truncated_;
  }

  std::span<char> buffer_;
  std::size_t size_ = 0;
  bool truncated_ = false;
};

// Counts only.
class CountSink final : public Sink {
 public:
  CountSink() : Sink(&CountSink::put) {}
  std::size_t bytes() const { return bytes_; }

 private:
  static bool put(Sink& self, std::string_view text) {
    static_cast<CountSink&>(self).bytes_ += text.size();
    return true;
  }
  std::size_t bytes_ = 0;
};

}  // namespace lona::vm
