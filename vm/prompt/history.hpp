// SPDX-License-Identifier: BSD-2-Clause
// What was submitted before, oldest first, in bounded memory: the oldest go when it is full.
#pragma once

#include <string_view>

#include "vm/session/byte_buffer.hpp"

namespace lona::vm {

class History {
 public:
  static constexpr std::size_t kMaxBytes = 64 * 1024;

  // Blank texts and repetitions of the newest entry are not kept.
  void add(std::string_view text);

  std::size_t count() const { return count_; }
  // `age` 0 is the newest entry; age < count().
  std::string_view entry(std::size_t age) const;
  // The age of the newest entry, from `age` on, that contains `text`; count() when none does.
  std::size_t find(std::string_view text, std::size_t age) const;

 private:
  ByteBuffer entries_;  // each followed by a NUL
  std::size_t count_ = 0;
};

}  // namespace lona::vm
