// SPDX-License-Identifier: BSD-2-Clause
#include "vm/bytecode/verify.hpp"

#include <algorithm>
#include <bit>

#include "vm/bytecode/opcodes.hpp"
#include "vm/compiler/emitter.hpp"
#include "vm/data/segment.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/arena.hpp"
#include "vm/interp/frame.hpp"
#include "vm/native/native.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

bool is_value(Term t) {
  if (t.is_integer()) return true;
  if (!t.is_special()) return false;
  switch (static_cast<Term::Special>(t.bits() >> Term::kTagBits & 31)) {
    case Term::Special::kConstant:
      return t == Term::nil() || t.is_boolean() || t.is_empty_list();
    case Term::Special::kNative:
      return t.special_payload() < native_count();
    case Term::Special::kCharacter:
      return t.special_payload() < 0x110000;
    case Term::Special::kU8:
    case Term::Special::kU16:
    case Term::Special::kU32:
    case Term::Special::kI8:
    case Term::Special::kI16:
    case Term::Special::kI32:
      return t.special_payload() <= 0xffffffff;
    default:
      return false;
  }
}

namespace {

// What is known of a register's value: a kind, and how many elements it has (at least, of tuples).
class Known {
 public:
  enum Kind : std::uint8_t {
    kNothing,
    kAny,
    kTuple,
    kVector,
    kSet,
    kMap,
    kPid,
    kBinary,
    kPosition
  };
  constexpr Known(Kind kind = kNothing, std::uint32_t count = 0)
      : bits_(static_cast<std::uint32_t>(kind) | count << 8) {}
  Kind kind() const { return static_cast<Kind>(bits_ & 0xff); }
  std::uint32_t count() const { return bits_ >> 8; }
  bool operator==(const Known&) const = default;
  // What holds on both of two ways.
  static Known both(Known a, Known b) {
    if (a.kind() == b.kind()) return {a.kind(), std::min(a.count(), b.count())};
    return a.kind() == kNothing || b.kind() == kNothing ? Known(kNothing) : Known(kAny);
  }

 private:
  std::uint32_t bits_;
};

bool is_address(Term t) {
  return t.is_pair() || t.is_boxed() || t.is_symbol() || t.is_keyword();
}

// How an instruction goes on.
enum class Way : std::uint8_t { kNext, kBranch, kJump, kEnd };

class Verifier {
 public:
  Verifier(const Function& f, const CodeWorld& world)
      : f_(f), world_(world), starts_(arena_), entries_(arena_), todo_(arena_) {}
  const char* run();

 private:
  static constexpr std::size_t kStepsPerWord = 64;

  void fail(const char* why) {
    if (problem_ == nullptr) problem_ = why;
  }
  bool shape();
  bool operands(const Instruction* i);
  bool field_operand(Operand kind, std::uint16_t value, const Instruction* i);
  bool extra_operand(Operand kind, Word word, std::uint32_t at);
  const void* here(Word address) const {
    return world_.here == nullptr ? reinterpret_cast<const void*>(address)
                                  : world_.here(world_.context, address);
  }
  Term here(Term box) const {
    const void* at = here(box.bits() & ~Term::kTagMask);
    return Term::boxed(static_cast<Word*>(const_cast<void*>(at)));
  }
  bool shapes(Term t) const;
  bool table(Term t, std::uint32_t at);
  bool target(std::uint32_t at, std::int64_t distance);
  bool native_arity(std::size_t fallback, std::uint32_t argc) const;

  // The analysis.
  void begin();
  void flow_to(std::uint32_t at);
  void walk(std::uint32_t at);
  Way step(const Instruction* i, std::uint32_t at);
  Way call(const Instruction* i, Op op);
  Way bits(const Instruction* i, Op op, std::uint32_t at);
  // Only a receive goes back, to look at the next message, which takes time from the slice; all
  // else that repeats is a call, which does too.
  Way branch(std::uint32_t at, std::int64_t distance) {
    if (distance < 0 && !(goes_back_to_look(at, distance))) fail("a loop without end");
    flow_to(static_cast<std::uint32_t>(at + distance));
    return Way::kBranch;
  }
  bool goes_back_to_look(std::uint32_t at, std::int64_t distance) const {
    const std::uint16_t op = f_.code[at].op;
    return (op == op_code(Op::kReceiveNext) || op == op_code(Op::kReceiveWait)) &&
           f_.code[static_cast<std::int64_t>(at) + distance].op == op_code(Op::kReceivePeek);
  }
  // The target does not have what the test promises to who goes on.
  Way test(const Instruction* i, std::uint32_t at, std::int64_t distance, Known known) {
    need(i->a);
    branch(at, distance);
    if (now_[i->a].kind() != known.kind() || now_[i->a].count() < known.count()) now_[i->a] = known;
    return Way::kNext;
  }
  void need(std::uint32_t r) {
    if (now_[r].kind() == Known::kNothing) fail("a register is read that holds no value");
  }
  void need_kind(std::uint32_t r, Known::Kind kind, std::uint32_t count = 0) {
    if (now_[r].kind() != kind || now_[r].count() < count) fail("a value is used before its test");
  }
  void need_many(std::uint32_t first, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) need(first + i);
  }
  void set(std::uint32_t r, Known known = Known::kAny) { now_[r] = known; }
  bool live(std::uint32_t map, std::uint32_t r) const {
    return (f_.live_maps[std::size_t{map} * f_.live_words + r / 64] >> (r % 64) & 1) != 0;
  }
  void need_live(std::uint32_t map, std::uint32_t r) {
    need(r);
    if (!live(map, r)) fail("a register that is needed is not in the live map");
  }
  void collect(std::uint32_t map);

  const Function& f_;
  const CodeWorld& world_;
  Arena arena_;
  struct Entry {
    Known* known = nullptr;  // null: not reached yet
    bool peeking = false;
    bool waits = false;  // on the list of work
  };
  ArenaVector<bool> starts_;
  ArenaVector<Entry> entries_;
  ArenaVector<std::uint32_t> todo_;
  Known* now_ = nullptr;
  bool peeking_ = false;  // a message is being looked at
  std::size_t steps_ = 0;
  const char* problem_ = nullptr;
};

// --- Instructions one by one --------------------------------------------------------------------

bool Verifier::native_arity(std::size_t fallback, std::uint32_t argc) const {
  if (fallback >= static_cast<std::size_t>(Fallback::kNextForm)) return false;
  const std::string_view name = fallback_name(static_cast<unsigned>(fallback));
  for (std::uint32_t n = 0; n < native_count(); ++n) {
    const Native& native = native_table()[n];
    if (native.name != name) continue;
    return argc >= native.min_args &&
           (argc <= native.max_args || native.max_args == Native::kVariadic);
  }
  return false;
}

bool Verifier::target(std::uint32_t at, std::int64_t distance) {
  const std::int64_t to = static_cast<std::int64_t>(at) + distance;
  return distance != 0 && to >= 0 && to < f_.code_words && starts_[static_cast<std::size_t>(to)];
}

bool Verifier::field_operand(Operand kind, std::uint16_t value, const Instruction* i) {
  switch (kind) {
    case Operand::kRegister:
      return value < f_.frame_words;
    case Operand::kMaybeRegister:
      return value < f_.frame_words || value == kNoOperand;
    case Operand::kArguments:
      return value >= kHeaderWords && std::size_t{value} + i->b <= f_.frame_words;
    case Operand::kLive:
      return value < f_.live_map_count;
    case Operand::kUnknown:
      return false;
    default:
      return true;
  }
}

// Pairs of an arity, or nil, and a value that is compared by its bits.
bool Verifier::shapes(Term t) const {
  if (t.is_nil()) return true;
  if (!t.is_boxed()) return false;
  if (world_.term == nullptr) return true;
  if (!world_.term(world_.context, t)) return false;
  t = here(t);
  if (!is_tuple(t)) return false;
  if (tuple_count(t) == 0 || tuple_count(t) % 2 != 0) return false;
  for (std::size_t i = 0; i < tuple_count(t); i += 2) {
    const Term arity = slot(t, i), value = slot(t, i + 1);
    const bool good = arity.is_nil() || (arity.is_integer() && arity.as_integer() >= -0x10000 &&
                                         arity.as_integer() <= 0xffff);
    if (!good || (!value.is_keyword() && !is_value(value))) return false;
  }
  return true;
}

// As interp/select.hpp has it: what is looked for is found, or a free entry.
bool Verifier::table(Term t, std::uint32_t at) {
  if (!t.is_boxed()) return false;
  if (world_.term != nullptr && !world_.term(world_.context, t)) return false;
  t = here(t);
  if (!is_tuple(t) || tuple_count(t) < 4 || !std::has_single_bit(tuple_count(t))) return false;
  bool any_free = false;
  for (std::size_t i = 0; i < tuple_count(t); i += 2) {
    const Term key = slot(t, i), distance = slot(t, i + 1);
    if (!distance.is_integer()) return false;
    any_free = any_free || distance == Term::integer(0);
    if (distance == Term::integer(0)) continue;
    const bool good = is_address(key) ? !key.is_pair() : is_value(key);
    if (!good || !target(at, distance.as_integer())) return false;
  }
  return any_free;
}

bool Verifier::extra_operand(Operand kind, Word word, std::uint32_t at) {
  switch (kind) {
    case Operand::kFar:
      return target(at, static_cast<std::int64_t>(word));
    case Operand::kTerm: {
      const Term t = Term::from_bits(word);
      if (!is_address(t)) return is_value(t);
      return world_.term == nullptr || world_.term(world_.context, t);
    }
    case Operand::kShapes:
      return shapes(Term::from_bits(word));
    case Operand::kTable:
      return table(Term::from_bits(word), at);
    case Operand::kVar:
      return world_.var == nullptr ||
             world_.var(world_.context, reinterpret_cast<const Var*>(word));
    case Operand::kFunction:
      return world_.function == nullptr ||
             world_.function(world_.context, reinterpret_cast<const Function*>(word));
    case Operand::kLive:
      return word < f_.live_map_count;
    case Operand::kUnknown:
      return false;
    default:
      return true;
  }
}

bool Verifier::operands(const Instruction* i) {
  const auto at = static_cast<std::uint32_t>(i - f_.code);
  const OpInfo& info = op_info(static_cast<Op>(i->op));
  const std::uint16_t fields[] = {i->a, i->b, i->c};
  for (std::size_t n = 0; n < 3; ++n) {
    if (info.fields[n] == Operand::kNear) {
      if (!target(at, near_offset(i))) return false;
    } else if (!field_operand(info.fields[n], fields[n], i)) {
      return false;
    }
  }
  // Without a limit there is no end of the time to go to.
  if (i->op == op_code(Op::kReceiveWait) && i->a == kNoOperand) return true;
  for (std::size_t n = 1; n < info.words; ++n) {
    if (!extra_operand(info.extra[n - 1], extra(i, n), at)) return false;
  }
  return true;
}

// Everything that can be seen without following the code.
bool Verifier::shape() {
  const std::uint32_t parameters = f_.required + (f_.variadic ? 1u : 0u);
  const std::uint32_t direct = f_.variadic ? Function::kNoDirectCall : f_.required;
  if (f_.code == nullptr || f_.code_words == 0 || f_.frame_words == 0 ||
      f_.frame_words > Emitter::kMaxRegisters || parameters > f_.frame_words ||
      f_.direct_arity != direct || f_.live_words != (f_.frame_words + 63) / 64 ||
      (f_.live_map_count != 0 && f_.live_maps == nullptr)) {
    return false;
  }
  for (std::uint32_t i = 0; i < f_.code_words; ++i) starts_.push_back(false);
  for (std::uint32_t at = 0; at < f_.code_words;) {
    const Instruction* i = f_.code + at;
    if (i->op >= op_code(Op::kProcessEnd)) return false;
    const std::size_t words = op_info(static_cast<Op>(i->op)).words;
    if (words > f_.code_words - at || instruction_words(i) > f_.code_words - at) return false;
    starts_[at] = true;
    at += static_cast<std::uint32_t>(instruction_words(i));
  }
  const bool large = f_.frame_words > Process::kFrameWords;
  if (large != (f_.code->op == op_code(Op::kEnterLarge))) return false;
  for (std::uint32_t at = 0; at < f_.code_words; ++at) {
    if (starts_[at] && !operands(f_.code + at)) return false;
  }
  for (std::uint32_t map = 0; map < f_.live_map_count; ++map) {
    for (std::uint32_t r = f_.frame_words; r < f_.live_words * 64u; ++r) {
      if (live(map, r)) return false;
    }
  }
  return true;
}

// --- The analysis -------------------------------------------------------------------------------

// What is known now also holds when this instruction is come to.
void Verifier::flow_to(std::uint32_t at) {
  if (problem_ != nullptr) return;
  if (at >= f_.code_words) return fail("code that does not end");
  Entry& entry = entries_[at];
  bool changed = entry.known == nullptr;
  if (changed) {
    entry.known = arena_.make_array<Known>(f_.frame_words);
    std::copy(now_, now_ + f_.frame_words, entry.known);
    entry.peeking = peeking_;
  } else {
    if (entry.peeking != peeking_) return fail("a message is looked at on one of two ways only");
    for (std::uint32_t r = 0; r < f_.frame_words; ++r) {
      const Known merged = Known::both(entry.known[r], now_[r]);
      changed = changed || !(merged == entry.known[r]);
      entry.known[r] = merged;
    }
  }
  if (!changed || entry.waits) return;
  entry.waits = true;
  todo_.push_back(at);
}

// A collection may happen: what the map does not tell of is lost.
void Verifier::collect(std::uint32_t map) {
  for (std::uint32_t r = 0; r < f_.frame_words; ++r) {
    if (live(map, r)) {
      need(r);
    } else if (now_[r].kind() != Known::kPosition) {  // a number, which does not move
      now_[r] = Known::kNothing;
    }
  }
}

Way Verifier::call(const Instruction* i, Op op) {
  const std::uint32_t k = i->a, argc = i->b;
  const bool tail = op == Op::kTailVar || op == Op::kTailRegister || op == Op::kTailSelf;
  const bool self = op == Op::kCallSelf || op == Op::kTailSelf;
  if (self && (f_.variadic || argc != f_.required)) fail("a call of itself with a wrong arity");
  if (op == Op::kCallNative && !native_arity(extra(i), argc)) fail("no such native");
  if (op == Op::kCallRegister || op == Op::kTailRegister) need_live(i->c, k - kHeaderWords);
  for (std::uint32_t n = 0; n < argc; ++n) need_live(i->c, k + n);
  collect(i->c);
  if (tail) return Way::kEnd;
  // The callee's frame lies there.
  for (std::uint32_t r = k - kHeaderWords; r < f_.frame_words; ++r) now_[r] = Known::kNothing;
  set(k - kHeaderWords);
  return Way::kNext;
}

Way Verifier::bits(const Instruction* i, Op op, std::uint32_t at) {
  const BitsField field = BitsField::decode(extra(i));
  const bool end = op == Op::kBranchNotBitsEnd;
  const std::uint32_t subject = end ? i->a : i->b, position = end ? i->b : i->c;
  const Segment& s = field.segment;
  need_kind(subject, Known::kBinary);
  if (!field.from_start) {
    if (position == kNoOperand) {
      fail("a position in no register");
      return Way::kEnd;
    }
    need_kind(position, Known::kPosition);
  }
  if (field.advance && position == kNoOperand) fail("a position in no register");
  if (s.dynamic && s.size >= f_.frame_words) fail("a size in no register");
  if (field.advance && op != Op::kBitsNumber && op != Op::kBitsBytes) fail("it does not move on");
  if (problem_ != nullptr) return Way::kEnd;
  const bool quick = op == Op::kBitsInteger;
  if (quick && (s.dynamic || s.bytes || s.size == 0 || s.size > 57))
    fail("a number of too many bits");
  if ((op == Op::kBitsRest || op == Op::kBitsBytes) && !(s.bytes || s.whole))
    fail("bits of no kind");
  if (s.dynamic) need(s.size);
  if (end) {
    branch(at, static_cast<std::int64_t>(extra(i, 2)));
    return Way::kNext;
  }
  if (!quick && i->a != kNoOperand) {
    need_live(static_cast<std::uint32_t>(extra(i, 3)), subject);
    if (s.dynamic) need_live(static_cast<std::uint32_t>(extra(i, 3)), s.size);
  }
  // A collection comes before the test, if at all.
  if (!quick) collect(static_cast<std::uint32_t>(extra(i, 3)));
  branch(at, static_cast<std::int64_t>(extra(i, 2)));
  if (i->a != kNoOperand) set(i->a);
  if (field.advance) set(position, Known::kPosition);
  return Way::kNext;
}

Way Verifier::step(const Instruction* i, std::uint32_t at) {
  const Op op = static_cast<Op>(i->op);
  const auto far = [&](std::size_t n = 1) { return static_cast<std::int64_t>(extra(i, n)); };
  const auto live_word = [&] { return static_cast<std::uint32_t>(extra(i)); };
  switch (op) {
    case Op::kMove:
      need(i->b);
      now_[i->a] = now_[i->b];
      return Way::kNext;
    case Op::kLoadImmediate:
      if (!is_value(Term::from_bits(static_cast<Word>(std::int64_t{near_offset(i)})))) {
        fail("an immediate that is no value");
      }
      [[fallthrough]];
    case Op::kLoadConstant:
    case Op::kLoadVar:
    case Op::kLoadSelf:
      set(i->a);
      return Way::kNext;
    case Op::kLoadCapture:
      if (i->b >= f_.captures) fail("no such captured value");
      set(i->a);
      return Way::kNext;
    case Op::kMakeClosure: {
      const auto* callee = static_cast<const Function*>(here(extra(i)));
      const auto* registers = reinterpret_cast<const std::uint16_t*>(i + 2);
      if (callee->captures != i->b) fail("a closure with a wrong number of values");
      for (std::uint32_t n = 0; n < i->b; ++n) {
        if (registers[n] >= f_.frame_words) {
          fail("no such register");
          return Way::kEnd;
        }
        need_live(i->c, registers[n]);
      }
      collect(i->c);
      set(i->a);
      return Way::kNext;
    }
    case Op::kCallVar:
    case Op::kCallRegister:
    case Op::kCallSelf:
    case Op::kCallNative:
    case Op::kTailVar:
    case Op::kTailRegister:
    case Op::kTailSelf:
      return call(i, op);
    case Op::kEnterLarge:
      if (at != 0 || i->b != f_.frame_words || i->c != f_.required + (f_.variadic ? 1u : 0u)) {
        fail("a frame of another size");
      }
      collect(i->a);
      return Way::kNext;
    case Op::kReturn:
    case Op::kBadMatch:
      need(i->a);
      return Way::kEnd;
    case Op::kJump:
      branch(at, near_offset(i));
      return Way::kJump;
    case Op::kBranchFalse:
    case Op::kBranchTrue:
      need(i->a);
      branch(at, near_offset(i));
      return Way::kNext;
    case Op::kBranchNotLess:
    case Op::kBranchNotLessEqual:
    case Op::kBranchNotEqual:
      need(i->b);
      [[fallthrough]];
    case Op::kBranchNotLessI:
    case Op::kBranchNotLessEqualI:
    case Op::kBranchNotGreaterI:
    case Op::kBranchNotGreaterEqualI:
    case Op::kBranchNotEqualI:
      need(i->a);
      branch(at, far());
      return Way::kNext;
    case Op::kBranchNotBits:
    case Op::kBranchNotValue:
      need(i->a);
      branch(at, near_offset(i));
      return Way::kNext;
    case Op::kSelect: {
      need(i->a);
      branch(at, near_offset(i));
      const Term table = here(Term::from_bits(extra(i)));
      for (std::size_t n = 1; n < tuple_count(table); n += 2) {
        const std::int64_t distance = slot(table, n).as_integer();
        if (distance != 0) branch(at, distance);
      }
      return Way::kJump;
    }
    case Op::kBranchNotTuple:
    case Op::kBranchNotTupleMin:
      return test(i, at, far(), {Known::kTuple, i->b});
    case Op::kBranchNotVector:
      return test(i, at, far(), {Known::kVector, i->b});
    case Op::kBranchNotSet:
      return test(i, at, far(), {Known::kSet, i->b});
    case Op::kBranchNotMap:
      return test(i, at, near_offset(i), Known::kMap);
    case Op::kBranchNotPid:
      return test(i, at, near_offset(i), Known::kPid);
    case Op::kBranchNotBinary:
      return test(i, at, near_offset(i), Known::kBinary);
    case Op::kTupleGet:
      need_kind(i->b, Known::kTuple, i->c + 1u);
      set(i->a);
      return Way::kNext;
    case Op::kTupleTail:
      need_kind(i->b, Known::kTuple, i->c);
      need_live(live_word(), i->b);
      collect(live_word());
      set(i->a);
      return Way::kNext;
    case Op::kVectorGet:
      need_kind(i->b, Known::kVector, i->c + 1u);
      set(i->a);
      return Way::kNext;
    case Op::kSetGet:
      need_kind(i->b, Known::kSet, i->c + 1u);
      set(i->a);
      return Way::kNext;
    case Op::kMapGet:
      need_kind(i->b, Known::kMap);
      branch(at, far(2));
      set(i->a);
      return Way::kNext;
    case Op::kPidPart:
      need_kind(i->b, Known::kPid);
      set(i->a);
      return Way::kNext;
    case Op::kBitsInteger:
    case Op::kBitsNumber:
    case Op::kBitsBytes:
    case Op::kBitsFloat:
    case Op::kBitsRest:
    case Op::kBranchNotBitsEnd:
      return bits(i, op, at);
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kEqual:
      need(i->c);
      [[fallthrough]];
    case Op::kAddI:
    case Op::kSubtractI:
    case Op::kNot:
    case Op::kFirst:
    case Op::kRest:
    case Op::kIsEmpty:
    case Op::kIsNil:
      need(i->b);
      set(i->a);
      return Way::kNext;
    case Op::kPrepend:
      need_live(live_word(), i->b);
      need_live(live_word(), i->c);
      collect(live_word());
      set(i->a);
      return Way::kNext;
    case Op::kMakeTuple:
      if (std::size_t{i->b} + i->c > f_.frame_words) {
        fail("no such register");
        return Way::kEnd;
      }
      for (std::uint32_t n = 0; n < i->c; ++n) need_live(live_word(), i->b + n);
      collect(live_word());
      set(i->a);
      return Way::kNext;
    case Op::kDefine:
      need(i->a);
      [[fallthrough]];
    case Op::kDeclare:
      if (i->b != kNoOperand) need(i->b);
      collect(i->c);
      set(i->a);
      return Way::kNext;
    case Op::kReceivePeek:
      branch(at, near_offset(i));
      set(i->a);
      peeking_ = true;
      return Way::kNext;
    case Op::kReceiveTake:
      if (!peeking_) fail("no message is being looked at");
      peeking_ = false;
      return Way::kNext;
    case Op::kReceiveNext:
      if (!peeking_) fail("no message is being looked at");
      peeking_ = false;
      branch(at, near_offset(i));
      return Way::kJump;
    case Op::kReceiveWait:
      if (peeking_) fail("a message is being looked at");
      if (i->a != kNoOperand) need(i->a);
      branch(at, near_offset(i));
      if (i->a != kNoOperand) branch(at, far());
      return Way::kJump;
    case Op::kReceiveTimer:
      if (i->a != kNoOperand) need(i->a);
      return peeking_ ? Way::kEnd : Way::kNext;  // a receive in a guard ends the process
    case Op::kReceiveMark:
      need(i->a);
      return Way::kNext;
    default:
      fail("an instruction that is not for programs");
      return Way::kEnd;
  }
}

void Verifier::walk(std::uint32_t at) {
  entries_[at].waits = false;
  std::copy(entries_[at].known, entries_[at].known + f_.frame_words, now_);
  peeking_ = entries_[at].peeking;
  for (;;) {
    if (++steps_ > kStepsPerWord * f_.code_words) return fail("too many ways through the code");
    const Instruction* i = f_.code + at;
    const Way way = step(i, at);
    if (problem_ != nullptr || way == Way::kEnd || way == Way::kJump) return;
    at += static_cast<std::uint32_t>(instruction_words(i));
    if (at >= f_.code_words) return fail("code that does not end");
    // Where several ways meet, who comes first leaves what it knows.
    if (entries_[at].known != nullptr) return flow_to(at);
  }
}

void Verifier::begin() {
  for (std::uint32_t i = 0; i < f_.code_words; ++i) entries_.push_back({});
  now_ = arena_.make_array<Known>(f_.frame_words);
  const std::uint32_t parameters = f_.required + (f_.variadic ? 1u : 0u);
  for (std::uint32_t r = 0; r < f_.frame_words; ++r) {
    now_[r] = r < parameters ? Known::kAny : Known::kNothing;
  }
  flow_to(0);
}

const char* Verifier::run() {
  if (!shape()) return "malformed code";
  begin();
  while (!todo_.empty() && problem_ == nullptr) {
    const std::uint32_t at = todo_.back();
    todo_.pop_back();
    walk(at);
  }
  return arena_.exhausted() ? "not enough memory to verify it" : problem_;
}

}  // namespace

const char* verify(const Function& function, const CodeWorld& world) {
  Verifier verifier(function, world);
  return verifier.run();
}

}  // namespace lona::vm
