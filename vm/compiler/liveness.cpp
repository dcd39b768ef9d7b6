// SPDX-License-Identifier: BSD-2-Clause
// Which values a collection keeps: those that are read again, not all that still have a name. A
// function that hands a large value on and waits for the answer must not keep the value.
//
// The usual analysis, from the end of the code to its start: what is live before an instruction is
// what it reads, and what is live behind it but not written by it. Only a receive goes back, so
// once is enough without one. An instruction that is not known in particular reads all its
// registers and writes none, which only keeps more. What comes out narrows the maps that the
// compiler has made, where a register holds a value as long as its name means something.
#include <bit>

#include "vm/compiler/emitter.hpp"
#include "vm/data/segment.hpp"
#include "vm/data/sequence.hpp"
#include "vm/interp/frame.hpp"

namespace lona::vm {

namespace {

// What an instruction writes besides what it reads.
bool writes_first(Op op) {
  switch (op) {
    case Op::kMove:
    case Op::kLoadImmediate:
    case Op::kLoadConstant:
    case Op::kLoadVar:
    case Op::kLoadCapture:
    case Op::kLoadSelf:
    case Op::kMakeClosure:
    case Op::kTupleGet:
    case Op::kTupleTail:
    case Op::kVectorGet:
    case Op::kMapGet:
    case Op::kSetGet:
    case Op::kPidPart:
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kAddI:
    case Op::kSubtractI:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kEqual:
    case Op::kNot:
    case Op::kFirst:
    case Op::kRest:
    case Op::kIsEmpty:
    case Op::kIsNil:
    case Op::kPrepend:
    case Op::kMakeTuple:
    case Op::kReceivePeek:
      return true;
    default:
      return false;
  }
}

bool is_call(Op op) {
  return op >= Op::kCallVar && op <= Op::kTailSelf;
}
static_assert(op_code(Op::kTailSelf) - op_code(Op::kCallVar) == 6, "seven kinds of calls");

// No way leads on behind it.
bool ends(Op op) {
  switch (op) {
    case Op::kTailVar:
    case Op::kTailRegister:
    case Op::kTailSelf:
    case Op::kReturn:
    case Op::kJump:
    case Op::kSelect:
    case Op::kBadMatch:
    case Op::kReceiveNext:
    case Op::kReceiveWait:
      return true;
    default:
      return false;
  }
}

class Liveness {
 public:
  Liveness(Arena& arena, const ArenaVector<Word>& code, std::uint32_t registers)
      : code_(code),
        width_((registers + 63) / 64),
        before_(arena.make_array<std::uint64_t>(code.size() * width_)),
        now_(arena.make_array<std::uint64_t>(width_)),
        starts_(arena) {}

  void run() {
    for (std::size_t i = 0; i < code_.size() * width_; ++i) before_[i] = 0;
    for (std::size_t at = 0; at < code_.size(); at += instruction_words(instruction(at))) {
      starts_.push_back(static_cast<std::uint32_t>(at));
    }
    do {
      changed_ = goes_back_ = false;
      for (std::size_t i = starts_.size(); i-- > 0;) look_at(starts_[i]);
    } while (changed_ && goes_back_);
  }

  // Before the instruction there.
  std::uint64_t word(std::size_t at, std::size_t w) const { return before_[at * width_ + w]; }
  std::size_t width() const { return width_; }
  const ArenaVector<std::uint32_t>& starts() const { return starts_; }

 private:
  const Instruction* instruction(std::size_t at) const {
    return reinterpret_cast<const Instruction*>(&code_[at]);
  }
  void read(std::uint32_t r) { now_[r / 64] |= std::uint64_t{1} << (r % 64); }
  void write(std::uint32_t r) { now_[r / 64] &= ~(std::uint64_t{1} << (r % 64)); }

  void join(std::size_t at, std::int64_t distance) {
    goes_back_ = goes_back_ || distance < 0;
    const auto to = static_cast<std::size_t>(static_cast<std::int64_t>(at) + distance);
    for (std::size_t w = 0; w < width_; ++w) now_[w] |= word(to, w);
  }

  void join_branches(std::size_t at, const Instruction* i, const OpInfo& info) {
    const Op op = static_cast<Op>(i->op);
    for (Operand field : info.fields) {
      if (field == Operand::kNear) join(at, near_offset(i));
    }
    // A receive without a limit has no second way.
    if (op == Op::kReceiveWait && i->a == kNoOperand) return;
    for (std::size_t n = 1; n < info.words; ++n) {
      if (info.extra[n - 1] == Operand::kFar) join(at, static_cast<std::int64_t>(extra(i, n)));
    }
    if (op != Op::kSelect) return;
    const Term table = Term::from_bits(extra(i));
    for (std::size_t n = 1; n < tuple_count(table); n += 2) {
      const std::int64_t distance = slot(table, n).as_integer();
      if (distance != 0) join(at, distance);
    }
  }

  void read_all(const Instruction* i, Op op, const OpInfo& info) {
    const std::uint16_t fields[] = {i->a, i->b, i->c};
    for (std::size_t n = writes_first(op) ? 1 : 0; n < 3; ++n) {
      const bool maybe = info.fields[n] == Operand::kMaybeRegister && fields[n] != kNoOperand;
      if (maybe || info.fields[n] == Operand::kRegister) read(fields[n]);
    }
    // The size of a part of a binary may be in a register.
    for (std::size_t n = 1; n < info.words; ++n) {
      if (info.extra[n - 1] != Operand::kField) continue;
      const Segment segment = BitsField::decode(extra(i, n)).segment;
      if (segment.dynamic) read(static_cast<std::uint32_t>(segment.size));
    }
    if (op == Op::kMakeTuple) {
      for (std::uint32_t n = 1; n < i->c; ++n) read(i->b + n);
    }
    if (op == Op::kMakeClosure) {
      const auto* registers = reinterpret_cast<const std::uint16_t*>(i + 2);
      for (std::uint32_t n = 0; n < i->b; ++n) read(registers[n]);
    }
    if (!is_call(op)) return;
    for (std::uint32_t n = 0; n < i->b; ++n) read(i->a + n);
    if (op == Op::kCallRegister || op == Op::kTailRegister) read(i->a - kHeaderWords);
  }

  void look_at(std::size_t at) {
    const Instruction* i = instruction(at);
    const auto op = static_cast<Op>(i->op);
    const OpInfo& info = op_info(op);
    const std::size_t next = at + instruction_words(i);
    for (std::size_t w = 0; w < width_; ++w) {
      now_[w] = ends(op) || next >= code_.size() ? 0 : word(next, w);
    }
    if (writes_first(op)) write(i->a);
    if (is_call(op)) write(i->a - kHeaderWords);
    join_branches(at, i, info);
    read_all(i, op, info);
    for (std::size_t w = 0; w < width_; ++w) {
      std::uint64_t& before = before_[at * width_ + w];
      changed_ = changed_ || before != now_[w];
      before = now_[w];
    }
  }

  const ArenaVector<Word>& code_;
  std::size_t width_;
  std::uint64_t* before_;
  std::uint64_t* now_;
  ArenaVector<std::uint32_t> starts_;
  bool changed_ = false, goes_back_ = false;
};

}  // namespace

// What an instruction reads belongs to its map too: after a collection it is executed again.
void Emitter::narrow_live_maps(std::uint16_t& entry) {
  if (code_.empty() || too_large_) return;
  Liveness liveness(arena_, code_, most_);
  liveness.run();
  const ArenaVector<LiveSet> wide = maps_;
  maps_ = ArenaVector<LiveSet>(arena_);
  const auto narrow = [&](std::size_t at, std::size_t map) {
    live_ = wide[map];
    for (std::size_t w = 0; w < live_.size(); ++w) {
      live_[w] &= w < liveness.width() ? liveness.word(at, w) : 0;
    }
    return live_map();
  };
  entry = narrow(0, entry);
  for (std::uint32_t at : liveness.starts()) {
    auto i = std::bit_cast<Instruction>(code_[at]);
    const OpInfo& info = op_info(static_cast<Op>(i.op));
    std::uint16_t* fields[] = {&i.a, &i.b, &i.c};
    for (std::size_t n = 0; n < 3; ++n) {
      if (info.fields[n] == Operand::kLive) *fields[n] = narrow(at, *fields[n]);
    }
    code_[at] = std::bit_cast<Word>(i);
    for (std::size_t n = 1; n < info.words; ++n) {
      if (info.extra[n - 1] == Operand::kLive) code_[at + n] = narrow(at, code_[at + n]);
    }
  }
}

}  // namespace lona::vm
