// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/wire.hpp"

#include <cstring>

#include "vm/data/binary.hpp"
#include "vm/data/foreign.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/data/map.hpp"
#include "vm/data/map_builder.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"
#include "vm/realm/binaries.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::wire {

namespace {

enum class Code : std::uint8_t {
  kNil,
  kFalse,
  kTrue,
  kEmptyList,
  kCharacter,  // u32
  kInteger,    // u64: a small integer
  kBignum,     // u8 negative, u32 limbs, limbs
  kRatio,      // two integers
  kFloat,      // u64
  kFloat32,    // u32
  kFixed,      // u8 NumberType, u64
  kString,     // u32 bytes, bytes
  kSymbol,     // u16 bytes, bytes
  kKeyword,
  kBinary,    // u32 bytes, bytes
  kPid,       // u32 realm, u64
  kRef,       // u32 realm, u64
  kRealm,     // u32
  kMachine,   // u8 MachineType, u64
  kList,      // u32 elements, elements
  kListTail,  // likewise, then the tail, which is no list
  kTuple,     // u32, elements
  kVector,
  kMap,  // u32 entries, keys and values
  kSet,
  kCapability,    // u8 MachineType, u8 rights, u64 number
  kSharedString,  // u64 number of a shared binary, u32 offset, u32 bytes
  kSharedBinary,
};

// --- Encoding ------------------------------------------------------------------------------------

class Encoder {
 public:
  Encoder(std::uint32_t realm, ByteBuffer& out, std::size_t most, const Offers* offers,
          OutgoingBinaries* binaries)
      : realm_(realm), out_(out), most_(most), offers_(offers), binaries_(binaries) {}

  Encoded run(Term value) {
    if (!push(value)) return result_;
    while (!left_.empty() && result_ == Encoded::kOk) {
      Term next = left_.top();
      left_.pop();
      leaf_or_whole(bare(next));
    }
    return result_;
  }

 private:
  bool fail(Encoded why) {
    result_ = why;
    return false;
  }
  bool refuse(Term part) {
    if (offers_ != nullptr && offers_->refused != nullptr) *offers_->refused = part;
    return fail(Encoded::kNotSendable);
  }
  bool push(Term t) { return left_.push(t) || fail(Encoded::kNoMemory); }
  // Room for so many bytes more, or null. A message is many small parts: each is one look at the
  // room, and then stores.
  std::uint8_t* room(std::size_t count) {
    if (out_.size() + count > most_) {
      fail(Encoded::kTooLong);
      return nullptr;
    }
    const std::span<std::uint8_t> place = out_.room(count);
    if (place.empty()) {
      fail(Encoded::kNoMemory);
      return nullptr;
    }
    out_.grow(count);
    return place.data();
  }
  // The parts one after the other. `__builtin`: freestanding, std::memcpy is a call for any size.
  template <class... T>
  bool put(T... parts) {
    std::uint8_t* at = room((sizeof parts + ...));
    if (at == nullptr) return false;
    ((__builtin_memcpy(at, &parts, sizeof parts), at += sizeof parts), ...);
    return true;
  }
  bool bytes(const void* bytes, std::size_t count) {
    if (count == 0) return true;
    std::uint8_t* at = room(count);
    if (at == nullptr) return false;
    std::memcpy(at, bytes, count);
    return true;
  }
  bool count(Code c, std::size_t n) {
    if (n > most_) return fail(Encoded::kTooLong);
    return put(c, static_cast<std::uint32_t>(n));
  }
  bool text(Code c, std::string_view text) {
    return count(c, text.size()) && bytes(text.data(), text.size());
  }
  bool name(Code c, const SymbolEntry* entry) {
    return put(c, static_cast<std::uint16_t>(entry->length)) && bytes(entry->text, entry->length);
  }

  bool leaf_or_whole(Term t);
  bool special(Term t);
  bool box(Term t);
  bool shared(Code c, Term blob, std::span<const std::uint8_t> bytes);
  bool long_text(Term t);
  bool long_binary(Term t);
  bool capability(Term t);
  bool list(Term t);
  bool words(Code c, const Word* elements, std::size_t n);
  bool vector(Term t);
  bool entries(Code c, Term map, bool values);

  std::uint32_t realm_;
  ByteBuffer& out_;
  std::size_t most_;
  const Offers* offers_;
  OutgoingBinaries* binaries_;
  Encoded result_ = Encoded::kOk;
  WorkStack<Term, 64> left_;  // the next one on top
};

bool Encoder::leaf_or_whole(Term t) {
  switch (t.tag()) {
    case Tag::kInteger:
      return put(Code::kInteger, t.as_integer());
    case Tag::kPair:
      return list(t);
    case Tag::kBoxed:
      return box(t);
    case Tag::kSpecial:
      return special(t);
    case Tag::kSymbol:
      return name(Code::kSymbol, t.entry());
    case Tag::kKeyword:
      return name(Code::kKeyword, t.entry());
    case Tag::kPid:
      if (offers_ != nullptr && offers_->told != nullptr) offers_->told(offers_->context, t);
      return put(Code::kPid, realm_, t.bits());
    case Tag::kHeader:
      break;
  }
  return refuse(t);
}

bool Encoder::special(Term t) {
  if (t.is_character()) return put(Code::kCharacter, t.as_character());
  if (t.is_realm()) return put(Code::kRealm, t.realm_number());
  if (t.is_nil()) return put(Code::kNil);
  if (t.is_boolean()) return put(t == Term::true_() ? Code::kTrue : Code::kFalse);
  if (t.is_empty_list()) return put(Code::kEmptyList);
  if (const NumberType type = number_type(t); is_fixed(type)) {
    return put(Code::kFixed, static_cast<std::uint8_t>(type),
               static_cast<std::uint64_t>(fixed_value(t)));
  }
  return refuse(t);
}

bool Encoder::box(Term t) {
  const Word* words_of = payload(t);
  switch (header_of(t).kind()) {
    case Kind::kTuple:
      return words(Code::kTuple, words_of, tuple_count(t));
    case Kind::kVector:
      return vector(t);
    case Kind::kMap:
      return entries(Code::kMap, t, true);
    case Kind::kSet:
      return entries(Code::kSet, set_map(t), false);
    case Kind::kString:
    case Kind::kText:
      return long_text(t) || text(Code::kString, string_text(t));
    case Kind::kBinary:
    case Kind::kSlice:
      return long_binary(t) ||
             (count(Code::kBinary, binary_size(t)) && bytes(binary_data(t), binary_size(t)));
    case Kind::kRef:
      return put(Code::kRef, realm_, words_of[0]);
    case Kind::kForeign:
      return put(is_foreign(t, ForeignType::kPid) ? Code::kPid : Code::kRef, foreign_realm(t),
                 foreign_word(t));
    case Kind::kMachine:
      if (is_capability(t)) return capability(t);
      return put(Code::kMachine, static_cast<std::uint8_t>(machine_type(t)), machine_word(t));
    case Kind::kFloat:
      return put(Code::kFloat, words_of[0]);
    case Kind::kFloat32:
      return put(Code::kFloat32, static_cast<std::uint32_t>(words_of[0]));
    case Kind::kU64:
    case Kind::kI64:
      return put(Code::kFixed, static_cast<std::uint8_t>(number_type(t)), words_of[0]);
    case Kind::kBignum: {
      const std::size_t limbs = header_of(t).words() - 1;
      return put(Code::kBignum, static_cast<std::uint8_t>(words_of[0]),
                 static_cast<std::uint32_t>(limbs)) &&
             bytes(words_of + 1, limbs * sizeof(Word));
    }
    case Kind::kRatio:
      return put(Code::kRatio) && push(slot(t, 1)) && push(slot(t, 0));
    default:
      return refuse(t);
  }
}

// Another realm sees these bytes without a copy.
bool Encoder::shared(Code c, Term blob, std::span<const std::uint8_t> bytes) {
  SharedPart part{};
  return binaries_ != nullptr && binaries_->share(blob, bytes, part) &&
         put(c, part.number, part.offset, static_cast<std::uint32_t>(bytes.size()));
}

bool Encoder::long_text(Term t) {
  const std::string_view text = string_text(t);
  return text.size() >= platform::kLeastBinary &&
         shared(Code::kSharedString, is_kind(t, Kind::kText) ? slot(t, 3) : Term::nil(),
                {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

bool Encoder::long_binary(Term t) {
  return binary_size(t) >= platform::kLeastBinary &&
         shared(Code::kSharedBinary, is_kind(t, Kind::kSlice) ? slot(t, 2) : Term::nil(),
                binary_bytes(t));
}

bool Encoder::capability(Term t) {
  const Capability cap = capability_of(t);
  std::uint64_t number = 0;
  if (offers_ == nullptr || offers_->offer == nullptr) return refuse(t);
  const Encoded offered = offers_->offer(offers_->context, cap, number);
  if (offered == Encoded::kNotSendable) return refuse(t);
  if (offered != Encoded::kOk) return fail(offered);
  return put(Code::kCapability, static_cast<std::uint8_t>(cap.kind.type), cap.kind.rights, number);
}

// The elements go onto the stack backwards, so that the first one is next.
bool Encoder::list(Term t) {
  std::size_t n = 0;
  Term at = t;
  for (; at.is_pair(); at = at.rest()) {
    if (++n > most_) return fail(Encoded::kTooLong);
  }
  const bool proper = at.is_empty_list();
  if (!count(proper ? Code::kList : Code::kListTail, n)) return false;
  if (!proper && !push(at)) return false;
  const std::size_t first = left_.size();
  for (at = t; at.is_pair(); at = at.rest()) {
    if (!push(at.first())) return false;
  }
  for (std::size_t low = first, high = left_.size() - 1; low < high; ++low, --high) {
    std::swap(left_[low], left_[high]);
  }
  return true;
}

bool Encoder::words(Code c, const Word* elements, std::size_t n) {
  if (!count(c, n)) return false;
  for (std::size_t at = n; at-- > 0;) {
    if (!push(Term::from_bits(elements[at]))) return false;
  }
  return true;
}

bool Encoder::vector(Term t) {
  const std::size_t n = vector_count(t);
  if (!count(Code::kVector, n)) return false;
  for (std::size_t at = n; at-- > 0;) {
    if (!push(vector_get(t, at))) return false;
  }
  return true;
}

bool Encoder::entries(Code c, Term map, bool values) {
  if (!count(c, map_count(map))) return false;
  const std::size_t first = left_.size();
  for (MapCursor at(map); !at.done(); at.next()) {
    if (!push(at.key()) || (values && !push(at.value()))) return false;
  }
  if (left_.size() == first) return true;
  for (std::size_t low = first, high = left_.size() - 1; low < high; ++low, --high) {
    std::swap(left_[low], left_[high]);
  }
  return true;
}

// --- Decoding ------------------------------------------------------------------------------------

class Decoder {
 public:
  Decoder(Heap& heap, std::span<const std::uint8_t> bytes, Limits& limits,
          IncomingBinaries* binaries)
      : heap_(heap), bytes_(bytes), limits_(limits), binaries_(binaries) {}

  Term run() {
    for (;;) {
      if (!one()) return Term::absent();
      // A whole may end with this value, and be the last part of another.
      while (!open_.empty() && values_.size() - open_.top().first == open_.top().parts) {
        if (!close()) return Term::absent();
      }
      if (open_.empty()) break;
    }
    return bytes_.empty() ? values_.top() : Term::absent();
  }

 private:
  // A whole whose parts are still to come.
  struct Open {
    Code code;
    std::size_t first;  // of its parts in values_
    std::size_t parts;
  };

  template <class T>
  bool get(T& value) {
    if (bytes_.size() < sizeof value) return false;
    __builtin_memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return true;
  }
  bool get_text(std::size_t size, std::string_view& text) {
    if (bytes_.size() < size) return false;
    text = {reinterpret_cast<const char*>(bytes_.data()), size};
    bytes_ = bytes_.subspan(size);
    return true;
  }
  // There was no memory.
  bool lacking() {
    limits_.no_memory = true;
    return false;
  }
  bool value(Term t) { return t != Term::absent() && (values_.push(t) || lacking()); }
  // The same of what can be long: there was memory for it or not.
  bool long_value(Term t) { return t != Term::absent() ? value(t) : lacking(); }
  // Each part takes a byte at least, so the count cannot be larger than what is left.
  bool open(Code code, std::size_t parts) {
    if (parts > bytes_.size()) return false;
    return open_.push({code, values_.size(), parts}) || lacking();
  }

  bool one();
  bool integer();
  bool bignum();
  bool fixed();
  bool name(bool keyword);
  bool text();
  bool binary();
  bool foreign(bool pid);
  bool machine();
  bool capability();
  bool shared(bool text);
  bool whole(Code code);
  bool close();
  Term make(const Open& o, std::span<const Term> parts);

  Heap& heap_;
  std::span<const std::uint8_t> bytes_;
  Limits& limits_;
  IncomingBinaries* binaries_;
  WorkStack<Term, 64> values_;
  WorkStack<Open, 24> open_;
};

bool Decoder::one() {
  std::uint8_t byte = 0;
  if (!get(byte)) return false;
  std::uint32_t small = 0;
  std::uint64_t large = 0;
  switch (const auto code = static_cast<Code>(byte)) {
    case Code::kNil:
      return value(Term::nil());
    case Code::kFalse:
      return value(Term::false_());
    case Code::kTrue:
      return value(Term::true_());
    case Code::kEmptyList:
      return value(Term::empty_list());
    case Code::kCharacter:
      return get(small) && utf8::is_scalar(small) && value(Term::character(small));
    case Code::kInteger:
      return integer();
    case Code::kBignum:
      return bignum();
    case Code::kFloat:
      return get(large) && value(make_float(heap_, std::bit_cast<double>(large)));
    case Code::kFloat32:
      return get(small) && value(make_float32(heap_, std::bit_cast<float>(small)));
    case Code::kFixed:
      return fixed();
    case Code::kString:
      return text();
    case Code::kSymbol:
      return name(false);
    case Code::kKeyword:
      return name(true);
    case Code::kBinary:
      return binary();
    case Code::kPid:
      return foreign(true);
    case Code::kRef:
      return foreign(false);
    case Code::kRealm:
      return get(small) && value(Term::realm(small));
    case Code::kMachine:
      return machine();
    case Code::kCapability:
      return capability();
    case Code::kSharedString:
      return shared(true);
    case Code::kSharedBinary:
      return shared(false);
    case Code::kRatio:
      return open(code, 2);
    case Code::kList:
    case Code::kListTail:
    case Code::kTuple:
    case Code::kVector:
    case Code::kMap:
    case Code::kSet:
      return whole(code);
  }
  return false;
}

bool Decoder::integer() {
  std::int64_t number = 0;
  return get(number) && Term::fits_integer(number) && value(Term::integer(number));
}

// Only what no small integer could be, so that equal numbers are equal values.
bool Decoder::bignum() {
  std::uint8_t negative = 0;
  std::uint32_t limbs = 0;
  if (!get(negative) || !get(limbs) || negative > 1 || limbs == 0 ||
      limbs > bytes_.size() / sizeof(Word)) {
    return false;
  }
  NewInteger made(heap_, limbs);
  if (!made) return lacking();
  std::memcpy(made.limbs(), bytes_.data(), limbs * sizeof(Word));
  bytes_ = bytes_.subspan(limbs * sizeof(Word));
  return value(made.finish(negative != 0));
}

bool Decoder::fixed() {
  std::uint8_t type = 0;
  std::uint64_t bits = 0;
  if (!get(type) || !get(bits) || type < static_cast<std::uint8_t>(NumberType::kU8) ||
      type > static_cast<std::uint8_t>(NumberType::kI64)) {
    return false;
  }
  return value(make_fixed(heap_, static_cast<NumberType>(type), static_cast<Wide>(bits)));
}

bool Decoder::name(bool keyword) {
  std::uint16_t size = 0;
  std::string_view full;
  if (!get(size) || size == 0 || !get_text(size, full) || utf8::valid_prefix(full) != full.size()) {
    return false;
  }
  SymbolEntry* entry = find_name(full);
  if (entry == nullptr) {
    if (limits_.names_left < full.size()) return false;
    limits_.names_left -= full.size();
    entry = try_intern(full);
  }
  if (entry == nullptr) return false;
  return value(keyword ? Term::keyword(entry) : Term::symbol(entry));
}

bool Decoder::text() {
  std::uint32_t size = 0;
  std::string_view bytes;
  return get(size) && get_text(size, bytes) && utf8::valid_prefix(bytes) == bytes.size() &&
         long_value(make_string(heap_, bytes));
}

bool Decoder::binary() {
  std::uint32_t size = 0;
  std::string_view bytes;
  return get(size) && get_text(size, bytes) &&
         long_value(
             make_binary(heap_, {reinterpret_cast<const std::uint8_t*>(bytes.data()), size}));
}

bool Decoder::foreign(bool pid) {
  std::uint32_t realm = 0;
  std::uint64_t word = 0;
  if (!get(realm) || !get(word)) return false;
  if (pid && !Term::from_bits(word).is_pid()) return false;
  if (realm != limits_.own_realm) {
    return value(make_foreign(heap_, pid ? ForeignType::kPid : ForeignType::kRef, realm, word));
  }
  if (pid) return value(Term::from_bits(word));
  Word* box = heap_.alloc_box(Kind::kRef, 1);
  box[1] = word;
  return value(Term::boxed(box));
}

bool Decoder::machine() {
  std::uint8_t type = 0;
  std::uint64_t word = 0;
  return get(type) && get(word) &&
         (type <= static_cast<std::uint8_t>(MachineType::kMessageInfo) ||
          type == static_cast<std::uint8_t>(MachineType::kRegion)) &&
         value(make_machine_value(heap_, static_cast<MachineType>(type), word));
}

// Only what can be sent, and from nobody else than who sends it.
bool Decoder::capability() {
  std::uint8_t type = 0, rights = 0;
  std::uint64_t number = 0;
  if (!get(type) || !get(rights) || !get(number) || rights > 15 ||
      (type != static_cast<std::uint8_t>(MachineType::kEndpoint) &&
       type != static_cast<std::uint8_t>(MachineType::kNotification))) {
    return false;
  }
  return value(
      make_capability(heap_, {.kind = {.type = static_cast<MachineType>(type), .rights = rights},
                              .realm = limits_.peer,
                              .slot = static_cast<std::uint32_t>(number),
                              .use = static_cast<std::uint32_t>(number >> 32)}));
}

// Nobody writes the bytes any more, so what is found of them once holds.
bool Decoder::shared(bool text) {
  SharedPart part{};
  std::uint32_t size = 0;
  if (binaries_ == nullptr || !get(part.number) || !get(part.offset) || !get(size)) return false;
  const auto [block, bytes] = binaries_->take(part, size, limits_.no_memory);
  if (block == nullptr) return false;
  if (!text) return value(binary_in_block(heap_, block, bytes.data(), bytes.size()));
  const std::string_view chars{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return utf8::valid_prefix(chars) == chars.size() &&
         value(text_in_block(heap_, block, chars, utf8::count(chars)));
}

bool Decoder::whole(Code code) {
  std::uint32_t n = 0;
  if (!get(n)) return false;
  std::size_t parts = n;
  if (code == Code::kMap) parts *= 2;
  if (code == Code::kListTail) parts += 1;
  if (n == 0 && (code == Code::kList || code == Code::kListTail)) return false;
  return open(code, parts);
}

bool Decoder::close() {
  const Open o = open_.top();
  open_.pop();
  const std::span<const Term> parts{values_.data() + o.first, o.parts};
  if (o.code == Code::kListTail && parts.back().is_list()) return false;
  const Term made = make(o, parts);
  values_.shrink(o.first);
  return o.code == Code::kRatio ? value(made) : long_value(made);
}

Term Decoder::make(const Open& o, std::span<const Term> parts) {
  switch (o.code) {
    case Code::kRatio: {
      // As arithmetic makes it, whatever the sender says.
      if (!is_exact_integer(parts[0]) || !is_exact_integer(parts[1]) ||
          parts[1] == Term::integer(0)) {
        return Term::absent();
      }
      const NumberResult ratio = make_ratio(heap_, parts[0], parts[1]);
      return ratio ? *ratio : Term::absent();
    }
    case Code::kList:
      return make_list(heap_, parts);
    case Code::kListTail:
      return make_list(heap_, parts.first(parts.size() - 1), parts.back());
    case Code::kTuple:
      return make_tuple(heap_, parts);
    case Code::kVector:
      return make_vector(heap_, parts);
    case Code::kMap: {
      MapBuilder builder(heap_);
      for (std::size_t at = 0; at < parts.size(); at += 2) builder.put(parts[at], parts[at + 1]);
      return builder.take();
    }
    case Code::kSet: {
      MapBuilder builder(heap_);
      for (const Term part : parts) builder.put(part, Term::true_());
      return builder.take_set();
    }
    default:
      return Term::absent();
  }
}

}  // namespace

Encoded encode(Term value, std::uint32_t own_realm, ByteBuffer& out, std::size_t most,
               const Offers* offers, OutgoingBinaries* binaries) {
  return Encoder(own_realm, out, most, offers, binaries).run(value);
}

Term decode(Heap& heap, std::span<const std::uint8_t> bytes, Limits& limits,
            IncomingBinaries* binaries) {
  return Decoder(heap, bytes, limits, binaries).run();
}

}  // namespace lona::vm::wire
