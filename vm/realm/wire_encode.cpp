// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/wire.hpp"

#include <cstring>

#include "vm/data/binary.hpp"
#include "vm/data/foreign.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"
#include "vm/realm/binaries.hpp"
#include "vm/realm/wire_code.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::wire {

namespace {

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

}  // namespace

Encoded encode(Term value, std::uint32_t own_realm, ByteBuffer& out, std::size_t most,
               const Offers* offers, OutgoingBinaries* binaries) {
  return Encoder(own_realm, out, most, offers, binaries).run(value);
}

}  // namespace lona::vm::wire
