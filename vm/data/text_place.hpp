// SPDX-License-Identifier: BSD-2-Clause
// Where the n-th character of a text is. Texts that are not ASCII only have to be walked through;
// what was found last is kept, so that going through a text by index, in either direction, takes
// O(1) a character.
#pragma once

#include "vm/data/string.hpp"

namespace lona::vm {

class TextPlaces {
 public:
  struct Found {
    std::size_t offset;
    std::size_t walked;  // bytes
  };
  // The byte offset of character `index` <= count of `s`. A text stays where it is for one `owner`
  // as long as this one's `age` is the same.
  Found find(Term s, std::size_t index, std::uint64_t owner, std::uint64_t age);

 private:
  // Shorter texts are walked through at once.
  static constexpr std::size_t kLong = 128;
  static constexpr std::size_t kEntries = 8;
  struct Entry {
    const char* text = nullptr;
    std::size_t bytes = 0;
    std::uint64_t owner = 0, age = 0;
    utf8::Place place;
  };
  Entry entries_[kEntries];  // by owner
};

}  // namespace lona::vm
