// SPDX-License-Identifier: BSD-2-Clause
// A Lonala value in one 64-bit word: three tag bits, then an immediate or a pointer.
//
//   000  small integer, 61 bits signed (value << 3)
//   001  pair: pointer to two terms (first, rest), no header
//   010  boxed: pointer to a header word followed by its payload (object.hpp)
//   011  special: nil, true, false, (), characters, natives, realms, fixed-width integers of up to
//         32 bits
//        and the VM's own marks
//   100  symbol: the number of its name, the same in every realm (name_id.hpp)
//   101  keyword: likewise
//   110  pid of this realm: process table slot and generation
//   111  header word of a boxed object; never a value on its own
//
// All pointers are 8-byte aligned. Terms are compared by bits where the type says so (integers,
// symbols, keywords, pids, specials); all else by term/equal.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lona::vm {

using Word = std::uint64_t;

enum class Tag : std::uint8_t {
  kInteger = 0,
  kPair = 1,
  kBoxed = 2,
  kSpecial = 3,
  kSymbol = 4,
  kKeyword = 5,
  kPid = 6,
  kHeader = 7,
};

struct SymbolEntry;

class Term {
 public:
  static constexpr unsigned kTagBits = 3;
  static constexpr Word kTagMask = 7;
  static constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 60) - 1;
  static constexpr std::int64_t kMinInteger = -(std::int64_t{1} << 60);

  constexpr Term() = default;  // nil
  static constexpr Term from_bits(Word bits) { return Term(bits); }
  constexpr Word bits() const { return bits_; }
  constexpr bool operator==(const Term&) const = default;  // same bits, not Lonala's `=`

  constexpr Tag tag() const { return static_cast<Tag>(bits_ & kTagMask); }

  // Small integers.
  static constexpr bool fits_integer(std::int64_t v) {
    return v >= kMinInteger && v <= kMaxInteger;
  }
  static constexpr Term integer(std::int64_t v) { return Term(static_cast<Word>(v) << kTagBits); }
  constexpr bool is_integer() const { return tag() == Tag::kInteger; }
  constexpr std::int64_t as_integer() const { return static_cast<std::int64_t>(bits_) >> kTagBits; }

  // Pairs. The two words may live in any heap; `rest` of a proper list is a pair or `empty_list`.
  static Term pair(Word* cell) { return tagged(cell, Tag::kPair); }
  constexpr bool is_pair() const { return tag() == Tag::kPair; }
  Word* cell() const { return pointer(); }
  Term first() const { return Term(cell()[0]); }
  Term rest() const { return Term(cell()[1]); }

  // Boxed objects.
  static Term boxed(Word* header) { return tagged(header, Tag::kBoxed); }
  constexpr bool is_boxed() const { return tag() == Tag::kBoxed; }
  Word* box() const { return pointer(); }

  // Symbols and keywords.
  static Term symbol(const SymbolEntry* e);  // defined in symbol.hpp
  static Term keyword(const SymbolEntry* e);
  constexpr bool is_symbol() const { return tag() == Tag::kSymbol; }
  constexpr bool is_keyword() const { return tag() == Tag::kKeyword; }
  constexpr Word name_number() const { return bits_ & ~kTagMask; }
  SymbolEntry* entry() const;  // where the name's text is: a look into a table

  // Pids: 28 bits of table slot, 33 bits of generation.
  static constexpr Term pid(std::uint32_t slot, std::uint64_t generation) {
    return Term((generation << 31) | (Word{slot} << kTagBits) | static_cast<Word>(Tag::kPid));
  }
  constexpr bool is_pid() const { return tag() == Tag::kPid; }
  constexpr std::uint32_t pid_slot() const { return (bits_ >> kTagBits) & 0xfffffff; }
  constexpr std::uint64_t pid_generation() const { return bits_ >> 31; }

  // Specials: payload << 8 | kind << 3 | tag.
  enum class Special : std::uint8_t {
    kConstant,   // nil true false () and the VM's marks; the payload says which
    kCharacter,  // payload: code point
    kNative,     // payload: index in the native table
    kU8,         // fixed-width integers (vm/number/number.hpp); payload: their bits, unsigned
    kU16,
    kU32,
    kI8,
    kI16,
    kI32,
    kRealm,  // payload: the realm's number
  };
  static constexpr Term special(Special kind, Word payload) {
    return Term((payload << 8) | (Word(kind) << kTagBits) | static_cast<Word>(Tag::kSpecial));
  }
  constexpr bool is_special() const { return tag() == Tag::kSpecial; }
  constexpr bool is_special(Special kind) const { return (bits_ & 0xff) == special(kind, 0).bits_; }
  constexpr Word special_payload() const { return bits_ >> 8; }

  static constexpr Term nil() { return special(Special::kConstant, 0); }
  static constexpr Term false_() { return special(Special::kConstant, 1); }
  static constexpr Term true_() { return special(Special::kConstant, 2); }
  static constexpr Term empty_list() { return special(Special::kConstant, 3); }
  static constexpr Term unbound() { return special(Special::kConstant, 4); }  // a var without value
  static constexpr Term raise() { return special(Special::kConstant, 5); }    // native failed
  static constexpr Term moved() { return special(Special::kConstant, 6); }    // GC: forwarded pair
  static constexpr Term absent() { return special(Special::kConstant, 7); }   // "no such key"
  static constexpr Term again() { return special(Special::kConstant, 8); }  // native yields/blocks
  // A native's result is that of a call: Process::tail_call.
  static constexpr Term call() { return special(Special::kConstant, 9); }
  static constexpr Term boolean(bool b) { return b ? true_() : false_(); }
  constexpr bool is_nil() const { return *this == nil(); }
  constexpr bool is_empty_list() const { return *this == empty_list(); }
  constexpr bool is_list() const { return is_pair() || is_empty_list(); }
  constexpr bool is_boolean() const { return *this == true_() || *this == false_(); }
  // nil and false are the only false values.
  constexpr bool is_truthy() const { return *this != nil() && *this != false_(); }

  static constexpr Term character(std::uint32_t cp) { return special(Special::kCharacter, cp); }
  constexpr bool is_character() const { return is_special(Special::kCharacter); }
  constexpr std::uint32_t as_character() const {
    return static_cast<std::uint32_t>(special_payload());
  }

  static constexpr Term realm(std::uint32_t number) { return special(Special::kRealm, number); }
  constexpr bool is_realm() const { return is_special(Special::kRealm); }
  constexpr std::uint32_t realm_number() const {
    return static_cast<std::uint32_t>(special_payload());
  }

  static constexpr Term native(std::uint32_t index) { return special(Special::kNative, index); }
  constexpr bool is_native() const { return is_special(Special::kNative); }
  constexpr std::uint32_t native_index() const {
    return static_cast<std::uint32_t>(special_payload());
  }

 private:
  explicit constexpr Term(Word bits) : bits_(bits) {}
  static Term tagged(Word* p, Tag t) { return Term(reinterpret_cast<Word>(p) | Word(t)); }
  Word* pointer() const { return reinterpret_cast<Word*>(bits_ & ~kTagMask); }

  Word bits_ = static_cast<Word>(Tag::kSpecial);
};

static_assert(sizeof(Term) == 8);
static_assert(Term() == Term::nil());
static_assert(Term::integer(-5).as_integer() == -5);
static_assert(Term::pid(7, 9).pid_slot() == 7 && Term::pid(7, 9).pid_generation() == 9);

}  // namespace lona::vm
