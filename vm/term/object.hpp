// SPDX-License-Identifier: BSD-2-Clause
// Boxed objects: a header word, then `size` payload words.
//
//   header: payload words << 8 | kind << 3 | 111
//
// The collector needs to know one thing of a kind: how many of its payload words are raw (not
// terms). Raw words come first, so an object is `header, raw…, terms…`.
#pragma once

#include "vm/term/term.hpp"

namespace lona::vm {

// kind, raw payload words before the terms (kAllRaw: no terms at all), what the payload holds
#define LONA_BOX_KINDS(X)                                                                     \
  X(Tuple, 0, "elements")                                                                     \
  X(Vector, 1, "raw: count<<8|shift; root node, tail node")                                   \
  X(Node, 1, "raw: bitmap or 0; children or elements (tries of vectors, maps and sets)")      \
  X(Map, 1, "raw: count; small: k v k v… in insertion order, else one root Node")             \
  X(Set, 0, "one Map whose values are true")                                                  \
  X(String, kAllRaw, "raw: byte length, code point count; then UTF-8 bytes, zero padded")     \
  X(Closure, 1, "raw: const Function*; captured terms")                                       \
  X(Ref, kAllRaw, "raw: unique number")                                                       \
  X(Var, kAllRaw, "raw: Var*; permanent, see vm/code/var.hpp")                                \
  X(Namespace, kAllRaw, "raw: Namespace*; permanent")                                         \
  X(MetaForm, 0, "form, metadata map: what the reader makes of ^meta form")                   \
  X(Float, kAllRaw, "raw: IEEE 754 double")                                                   \
  X(Float32, kAllRaw, "raw: IEEE 754 single in the low half")                                 \
  X(Bignum, kAllRaw, "raw: 1 when negative; limbs, lowest first")                             \
  X(Ratio, 0, "numerator, denominator > 1, without common factor")                            \
  X(U64, kAllRaw, "raw: a fixed-width integer of 64 bits")                                    \
  X(I64, kAllRaw, "raw: likewise, signed")                                                    \
  X(Machine, kAllRaw, "raw: MachineType, word; see vm/data/machine_value.hpp")                \
  X(Foreign, kAllRaw, "raw: ForeignType << 32 | realm, word; see vm/data/foreign.hpp")        \
  X(Binary, kAllRaw, "raw: byte length; bytes, zero padded: fewer than kPoolBytes")           \
  X(Slice, 2, "raw: byte length, address of the bytes; Blob: a binary of kPoolBytes or more") \
  X(Text, 3, "raw: byte length, code points, address of the UTF-8; Blob: a long string")      \
  X(ByteBuffer, 2, "raw: byte length, address of the bytes; Blob: mutable, never sent")       \
  X(Blob, kAllRaw, "raw: next in its OffHeapList, OffHeapBlock*; see vm/heap/off_heap.hpp")

inline constexpr unsigned kAllRaw = ~0u;

enum class Kind : std::uint8_t {
#define LONA_KIND(name, raw, doc) k##name,
  LONA_BOX_KINDS(LONA_KIND)
#undef LONA_KIND
      kCount
};
static_assert(static_cast<unsigned>(Kind::kCount) <= 32);

inline constexpr unsigned kRawWords[] = {
#define LONA_KIND(name, raw, doc) raw,
    LONA_BOX_KINDS(LONA_KIND)
#undef LONA_KIND
};

class Header {
 public:
  static constexpr Header make(Kind kind, std::size_t payload_words) {
    return Header((Word{payload_words} << 8) | (Word(kind) << 3) | Word(Tag::kHeader));
  }
  static constexpr Header from_bits(Word bits) { return Header(bits); }
  constexpr Word bits() const { return bits_; }
  constexpr bool is_header() const { return (bits_ & Term::kTagMask) == Word(Tag::kHeader); }
  constexpr Kind kind() const { return static_cast<Kind>((bits_ >> 3) & 31); }
  constexpr std::size_t words() const { return bits_ >> 8; }  // payload, without the header

 private:
  explicit constexpr Header(Word bits) : bits_(bits) {}
  Word bits_;
};
static_assert(Header::make(Kind::kString, 5).words() == 5);
static_assert(Header::make(Kind::kBinary, 1).kind() == Kind::kBinary);

inline Header header_of(Term boxed) {
  return Header::from_bits(boxed.box()[0]);
}
inline bool is_kind(Term t, Kind k) {
  return t.is_boxed() && header_of(t).kind() == k;
}
inline Word* payload(Term boxed) {
  return boxed.box() + 1;
}
inline Term slot(Term boxed, std::size_t i) {
  return Term::from_bits(payload(boxed)[i]);
}

}  // namespace lona::vm
