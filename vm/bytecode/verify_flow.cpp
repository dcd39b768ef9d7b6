// SPDX-License-Identifier: BSD-2-Clause
// What each register holds when an instruction is come to, on whatever way.
#include <algorithm>

#include "vm/bytecode/opcodes.hpp"
#include "vm/bytecode/verify_parts.hpp"
#include "vm/data/segment.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/arena.hpp"
#include "vm/interp/frame.hpp"
#include "vm/native/native.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {
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

std::int64_t far(const Instruction* i, std::size_t n = 1) {
  return static_cast<std::int64_t>(extra(i, n));
}

std::uint32_t live_word(const Instruction* i) {
  return static_cast<std::uint32_t>(extra(i));
}

// How an instruction goes on.
enum class Way : std::uint8_t { kNext, kJump, kEnd };

bool takes(std::size_t fallback, std::uint32_t argc) {
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

class Flow {
 public:
  Flow(const Function& f, const CodeWorld& world)
      : f_(f), world_(world), entries_(arena_), todo_(arena_) {}
  const char* run();

 private:
  static constexpr std::size_t kStepsPerWord = 64;

  void fail(const char* why) {
    if (problem_ == nullptr) problem_ = why;
  }
  void begin();
  void flow_to(std::uint32_t at);
  void walk(std::uint32_t at);
  Way step(const Instruction* i, std::uint32_t at);
  Way jump(const Instruction* i, Op op, std::uint32_t at);
  Way part(const Instruction* i, Op op, std::uint32_t at);
  Way make(const Instruction* i, Op op, std::uint32_t at);
  Way receive(const Instruction* i, Op op, std::uint32_t at);
  Way call(const Instruction* i, Op op);
  Way bits(const Instruction* i, Op op, std::uint32_t at);
  Way make_closure(const Instruction* i);
  Way select(const Instruction* i, std::uint32_t at);
  // Only a receive goes back, to look at the next message, which takes time from the slice; all
  // else that repeats is a call, which does too.
  void branch(std::uint32_t at, std::int64_t distance) {
    if (distance < 0 && !goes_back_to_look(at, distance)) fail("a loop without end");
    flow_to(static_cast<std::uint32_t>(at + distance));
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
  Way set(std::uint32_t r, Known known = Known::kAny) {
    now_[r] = known;
    return Way::kNext;
  }
  Way set_after_collection(std::uint32_t r, std::uint32_t map) {
    collect(map);
    return set(r);
  }
  void need_live(std::uint32_t map, std::uint32_t r) {
    need(r);
    if (!is_live(f_, map, r)) fail("a register that is needed is not in the live map");
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
  ArenaVector<Entry> entries_;
  ArenaVector<std::uint32_t> todo_;
  Known* now_ = nullptr;
  bool peeking_ = false;  // a message is being looked at
  std::size_t steps_ = 0;
  const char* problem_ = nullptr;
};

// What is known now also holds when this instruction is come to.
void Flow::flow_to(std::uint32_t at) {
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
void Flow::collect(std::uint32_t map) {
  for (std::uint32_t r = 0; r < f_.frame_words; ++r) {
    if (is_live(f_, map, r)) {
      need(r);
    } else if (now_[r].kind() != Known::kPosition) {  // a number, which does not move
      now_[r] = Known::kNothing;
    }
  }
}

Way Flow::call(const Instruction* i, Op op) {
  const std::uint32_t k = i->a, argc = i->b;
  const bool tail = op == Op::kTailVar || op == Op::kTailRegister || op == Op::kTailSelf;
  const bool self = op == Op::kCallSelf || op == Op::kTailSelf;
  if (self && (f_.variadic || argc != f_.required)) fail("a call of itself with a wrong arity");
  if (op == Op::kCallNative && !takes(extra(i), argc)) fail("no such native");
  if (op == Op::kCallRegister || op == Op::kTailRegister) need_live(i->c, k - kHeaderWords);
  for (std::uint32_t n = 0; n < argc; ++n) need_live(i->c, k + n);
  collect(i->c);
  if (tail) return Way::kEnd;
  // The callee's frame lies there.
  for (std::uint32_t r = k - kHeaderWords; r < f_.frame_words; ++r) now_[r] = Known::kNothing;
  set(k - kHeaderWords);
  return Way::kNext;
}

Way Flow::bits(const Instruction* i, Op op, std::uint32_t at) {
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

Way Flow::make_closure(const Instruction* i) {
  const auto* callee = static_cast<const Function*>(world_.at(extra(i)));
  const auto* registers = reinterpret_cast<const std::uint16_t*>(i + 2);
  if (callee->captures != i->b) fail("a closure with a wrong number of values");
  for (std::uint32_t n = 0; n < i->b; ++n) {
    if (registers[n] >= f_.frame_words) {
      fail("no such register");
      return Way::kEnd;
    }
    need_live(i->c, registers[n]);
  }
  return set_after_collection(i->a, i->c);
}

Way Flow::select(const Instruction* i, std::uint32_t at) {
  need(i->a);
  branch(at, near_offset(i));
  const Term table = world_.box_at(Term::from_bits(extra(i)));
  for (std::size_t n = 1; n < tuple_count(table); n += 2) {
    const std::int64_t distance = slot(table, n).as_integer();
    if (distance != 0) branch(at, distance);
  }
  return Way::kJump;
}

Way Flow::step(const Instruction* i, std::uint32_t at) {
  const Op op = static_cast<Op>(i->op);
  switch (op) {
    case Op::kMove:
      need(i->b);
      return set(i->a, now_[i->b]);
    case Op::kLoadImmediate:
      if (!is_value(Term::from_bits(static_cast<Word>(std::int64_t{near_offset(i)})))) {
        fail("an immediate that is no value");
      }
      return set(i->a);
    case Op::kLoadConstant:
    case Op::kLoadVar:
    case Op::kLoadSelf:
      return set(i->a);
    case Op::kLoadCapture:
      if (i->b >= f_.captures) fail("no such captured value");
      return set(i->a);
    case Op::kMakeClosure:
      return make_closure(i);
    case Op::kCallVar:
    case Op::kCallRegister:
    case Op::kCallSelf:
    case Op::kCallNative:
    case Op::kTailVar:
    case Op::kTailRegister:
    case Op::kTailSelf:
      return call(i, op);
    case Op::kEnterLarge:
      if (at != 0 || i->b != f_.frame_words || i->c != parameter_count(f_)) {
        fail("a frame of another size");
      }
      collect(i->a);
      return Way::kNext;
    case Op::kReturn:
    case Op::kBadMatch:
      need(i->a);
      return Way::kEnd;
    default:
      return jump(i, op, at);
  }
}

Way Flow::jump(const Instruction* i, Op op, std::uint32_t at) {
  switch (op) {
    case Op::kJump:
      branch(at, near_offset(i));
      return Way::kJump;
    case Op::kSelect:
      return select(i, at);
    case Op::kBranchFalse:
    case Op::kBranchTrue:
    case Op::kBranchNotBits:
    case Op::kBranchNotValue:
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
      branch(at, far(i));
      return Way::kNext;
    case Op::kBranchNotTuple:
    case Op::kBranchNotTupleMin:
      return test(i, at, far(i), {Known::kTuple, i->b});
    case Op::kBranchNotVector:
      return test(i, at, far(i), {Known::kVector, i->b});
    case Op::kBranchNotSet:
      return test(i, at, far(i), {Known::kSet, i->b});
    case Op::kBranchNotMap:
      return test(i, at, near_offset(i), Known::kMap);
    case Op::kBranchNotPid:
      return test(i, at, near_offset(i), Known::kPid);
    case Op::kBranchNotBinary:
      return test(i, at, near_offset(i), Known::kBinary);
    default:
      return part(i, op, at);
  }
}

// Parts of what was tested.
Way Flow::part(const Instruction* i, Op op, std::uint32_t at) {
  switch (op) {
    case Op::kTupleGet:
      need_kind(i->b, Known::kTuple, i->c + 1u);
      return set(i->a);
    case Op::kTupleTail:
      need_kind(i->b, Known::kTuple, i->c);
      need_live(live_word(i), i->b);
      return set_after_collection(i->a, live_word(i));
    case Op::kVectorGet:
      need_kind(i->b, Known::kVector, i->c + 1u);
      return set(i->a);
    case Op::kSetGet:
      need_kind(i->b, Known::kSet, i->c + 1u);
      return set(i->a);
    case Op::kMapGet:
      need_kind(i->b, Known::kMap);
      branch(at, far(i, 2));
      return set(i->a);
    case Op::kPidPart:
      need_kind(i->b, Known::kPid);
      return set(i->a);
    case Op::kBitsInteger:
    case Op::kBitsNumber:
    case Op::kBitsBytes:
    case Op::kBitsFloat:
    case Op::kBitsRest:
    case Op::kBranchNotBitsEnd:
      return bits(i, op, at);
    default:
      return make(i, op, at);
  }
}

// What makes a value of values.
Way Flow::make(const Instruction* i, Op op, std::uint32_t at) {
  switch (op) {
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
      return set(i->a);
    case Op::kPrepend:
      need_live(live_word(i), i->b);
      need_live(live_word(i), i->c);
      return set_after_collection(i->a, live_word(i));
    case Op::kMakeTuple:
      if (std::size_t{i->b} + i->c > f_.frame_words) {
        fail("no such register");
        return Way::kEnd;
      }
      for (std::uint32_t n = 0; n < i->c; ++n) need_live(live_word(i), i->b + n);
      return set_after_collection(i->a, live_word(i));
    case Op::kDefine:
      need(i->a);
      [[fallthrough]];
    case Op::kDeclare:
      if (i->b != kNoOperand) need(i->b);
      return set_after_collection(i->a, i->c);
    default:
      return receive(i, op, at);
  }
}

Way Flow::receive(const Instruction* i, Op op, std::uint32_t at) {
  switch (op) {
    case Op::kReceivePeek:
      branch(at, near_offset(i));
      peeking_ = true;
      return set(i->a);
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
      if (i->a != kNoOperand) need_live(static_cast<std::uint32_t>(extra(i, 2)), i->a);
      collect(static_cast<std::uint32_t>(extra(i, 2)));
      branch(at, near_offset(i));
      if (i->a != kNoOperand) branch(at, far(i));
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

void Flow::walk(std::uint32_t at) {
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

void Flow::begin() {
  for (std::uint32_t i = 0; i < f_.code_words; ++i) entries_.push_back({});
  now_ = arena_.make_array<Known>(f_.frame_words);
  for (std::uint32_t r = 0; r < f_.frame_words; ++r) {
    now_[r] = r < parameter_count(f_) ? Known::kAny : Known::kNothing;
  }
  flow_to(0);
}

const char* Flow::run() {
  begin();
  while (!todo_.empty() && problem_ == nullptr) {
    const std::uint32_t at = todo_.back();
    todo_.pop_back();
    walk(at);
  }
  return arena_.exhausted() ? "not enough memory to verify it" : problem_;
}

}  // namespace

const char* follow(const Function& f, const CodeWorld& world) {
  return Flow(f, world).run();
}

}  // namespace lona::vm
