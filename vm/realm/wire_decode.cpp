// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/wire.hpp"

#include <cstring>

#include "vm/data/binary.hpp"
#include "vm/data/foreign.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/data/map_builder.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/utf8.hpp"
#include "vm/data/vector.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"
#include "vm/realm/binaries.hpp"
#include "vm/realm/wire_code.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::wire {

namespace {

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

Term decode(Heap& heap, std::span<const std::uint8_t> bytes, Limits& limits,
            IncomingBinaries* binaries) {
  return Decoder(heap, bytes, limits, binaries).run();
}

}  // namespace lona::vm::wire
