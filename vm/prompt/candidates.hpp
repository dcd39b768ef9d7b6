// SPDX-License-Identifier: BSD-2-Clause
// The names that the word being typed could become.
#pragma once

#include <cstdint>
#include <string_view>

#include "vm/session/byte_buffer.hpp"

namespace lona::vm {

class Candidates {
 public:
  // Of what was typed; only names that start with it are kept.
  explicit Candidates(std::string_view word) : word_(word) {}

  std::string_view word() const { return word_; }
  // The name `qualifier` + `name`; both may be empty. Names come in any order, but each only once.
  void add(std::string_view qualifier, std::string_view name);

  std::size_t count() const { return count_; }
  // What all names go on with behind the word.
  std::string_view extension() const {
    return common_.text().substr(common_.empty() ? 0 : word_.size());
  }
  // The names in alphabetical order, laid out in columns; how many there are when they are too
  // many. False without memory.
  bool layout(unsigned columns, ByteBuffer& out);

 private:
  static constexpr std::size_t kMost = 256;
  std::string_view name(std::size_t i) const { return names_.text().substr(start_[i], size_[i]); }

  std::string_view word_;
  ByteBuffer names_;
  ByteBuffer common_;
  std::size_t count_ = 0;
  std::uint32_t start_[kMost];
  std::uint16_t size_[kMost];
};

}  // namespace lona::vm
