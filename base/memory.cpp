// SPDX-License-Identifier: BSD-2-Clause
// The memory functions of C for freestanding programs: the compiler and the headers of the
// standard library call them. Words of eight bytes, four a round: no vector registers, because the
// kernel has none, and quick also where an emulator makes string instructions slow.
// `no_builtin` keeps the compiler from turning a loop here into a call of itself.
#include <cstddef>
#include <cstdint>

#define LONA_NO_BUILTIN __attribute__((no_builtin))

namespace {

using Unaligned __attribute__((aligned(1), may_alias)) = std::uint64_t;

template <class Word>
LONA_NO_BUILTIN Word load(const unsigned char* from) {
  using Unaligned __attribute__((aligned(1), may_alias)) = Word;
  return *reinterpret_cast<const Unaligned*>(from);
}
template <class Word>
LONA_NO_BUILTIN void store(unsigned char* to, Word word) {
  using Unaligned __attribute__((aligned(1), may_alias)) = Word;
  *reinterpret_cast<Unaligned*>(to) = word;
}

// From one to two words: the first and the last, which may overlap. Everything is read before
// anything is written, so it is right for any overlap of source and target.
template <class Word>
LONA_NO_BUILTIN void copy_ends(unsigned char* to, const unsigned char* from, std::size_t size) {
  const Word first = load<Word>(from);
  const Word last = load<Word>(from + size - sizeof(Word));
  store(to, first);
  store(to + size - sizeof(Word), last);
}

// Less than 32 bytes: no loop, because most copies are that short.
LONA_NO_BUILTIN void copy_little(unsigned char* to, const unsigned char* from, std::size_t size) {
  if (size >= 16) {
    const auto a = load<std::uint64_t>(from);
    const auto b = load<std::uint64_t>(from + 8);
    const auto c = load<std::uint64_t>(from + size - 16);
    const auto d = load<std::uint64_t>(from + size - 8);
    store(to, a);
    store(to + 8, b);
    store(to + size - 16, c);
    store(to + size - 8, d);
  } else if (size >= 8) {
    copy_ends<std::uint64_t>(to, from, size);
  } else if (size >= 4) {
    copy_ends<std::uint32_t>(to, from, size);
  } else if (size >= 2) {
    copy_ends<std::uint16_t>(to, from, size);
  } else if (size == 1) {
    *to = *from;
  }
}

LONA_NO_BUILTIN void copy_up(unsigned char* to, const unsigned char* from, std::size_t size) {
  for (; size >= 32; from += 32, to += 32, size -= 32) {
    const auto a = load<std::uint64_t>(from);
    const auto b = load<std::uint64_t>(from + 8);
    const auto c = load<std::uint64_t>(from + 16);
    const auto d = load<std::uint64_t>(from + 24);
    store(to, a);
    store(to + 8, b);
    store(to + 16, c);
    store(to + 24, d);
  }
  copy_little(to, from, size);
}

LONA_NO_BUILTIN void copy_down(unsigned char* to, const unsigned char* from, std::size_t size) {
  for (; size >= 32; size -= 8) {
    store(to + size - 8, load<std::uint64_t>(from + size - 8));
  }
  copy_little(to, from, size);
}

}  // namespace

extern "C" {

LONA_NO_BUILTIN void* memcpy(void* to, const void* from, std::size_t size) {
  copy_up(static_cast<unsigned char*>(to), static_cast<const unsigned char*>(from), size);
  return to;
}

LONA_NO_BUILTIN void* memmove(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  // Upwards is right whenever the target starts below, or beyond, the source.
  if (reinterpret_cast<std::uintptr_t>(target) - reinterpret_cast<std::uintptr_t>(source) >= size) {
    copy_up(target, source, size);
  } else {
    copy_down(target, source, size);
  }
  return to;
}

LONA_NO_BUILTIN void* memset(void* to, int value, std::size_t size) {
  auto* target = static_cast<unsigned char*>(to);
  const std::uint64_t word = 0x0101010101010101ULL * static_cast<unsigned char>(value);
  // Long rounds: the kernel zeroes whole pages.
  for (; size >= 128; size -= 128, target += 128) {
    auto* words = reinterpret_cast<Unaligned*>(target);
#pragma clang loop unroll(full)
    for (unsigned i = 0; i < 16; ++i) words[i] = word;
  }
  for (; size >= 32; size -= 32, target += 32) {
    auto* words = reinterpret_cast<Unaligned*>(target);
    words[0] = word;
    words[1] = word;
    words[2] = word;
    words[3] = word;
  }
  for (; size > 0; --size) {
    *target++ = static_cast<unsigned char>(value);
  }
  return to;
}

LONA_NO_BUILTIN int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  while (size >= 8 &&
         *reinterpret_cast<const Unaligned*>(a) == *reinterpret_cast<const Unaligned*>(b)) {
    a += 8;
    b += 8;
    size -= 8;
  }
  for (; size > 0; --size, ++a, ++b) {
    if (*a != *b) {
      return *a < *b ? -1 : 1;
    }
  }
  return 0;
}

LONA_NO_BUILTIN int bcmp(const void* left, const void* right, std::size_t size) {
  return memcmp(left, right, size);
}

LONA_NO_BUILTIN void* memchr(const void* bytes, int value, std::size_t size) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (; size > 0; --size, ++at) {
    if (*at == static_cast<unsigned char>(value)) {
      return const_cast<unsigned char*>(at);
    }
  }
  return nullptr;
}

LONA_NO_BUILTIN std::size_t strlen(const char* text) {
  std::size_t length = 0;
  while (text[length] != '\0') {
    ++length;
  }
  return length;
}

}  // extern "C"
