// SPDX-License-Identifier: BSD-2-Clause
// Everything of code that can be seen without following it.
#include <bit>

#include "vm/bytecode/opcodes.hpp"
#include "vm/bytecode/verify_parts.hpp"
#include "vm/compiler/emitter.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/arena.hpp"
#include "vm/interp/frame.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {
namespace {

bool is_address(Term t) {
  return t.is_pair() || t.is_boxed() || t.is_symbol() || t.is_keyword();
}

class Form {
 public:
  Form(const Function& f, const CodeWorld& world) : f_(f), world_(world), starts_(arena_) {}
  bool good();

 private:
  bool operands(const Instruction* i);
  bool field_operand(Operand kind, std::uint16_t value, const Instruction* i);
  bool extra_operand(Operand kind, Word word, std::uint32_t at);
  bool shapes(Term t) const;
  bool table(Term t, std::uint32_t at);
  bool target(std::uint32_t at, std::int64_t distance);

  const Function& f_;
  const CodeWorld& world_;
  Arena arena_;
  ArenaVector<bool> starts_;  // does an instruction begin at this word?
};

bool Form::target(std::uint32_t at, std::int64_t distance) {
  const std::int64_t to = static_cast<std::int64_t>(at) + distance;
  return distance != 0 && to >= 0 && to < f_.code_words && starts_[static_cast<std::size_t>(to)];
}

bool Form::field_operand(Operand kind, std::uint16_t value, const Instruction* i) {
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
bool Form::shapes(Term t) const {
  if (t.is_nil()) return true;
  if (!t.is_boxed()) return false;
  if (world_.term == nullptr) return true;
  if (!world_.term(world_.context, t)) return false;
  t = world_.box_at(t);
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
bool Form::table(Term t, std::uint32_t at) {
  if (!t.is_boxed()) return false;
  if (world_.term != nullptr && !world_.term(world_.context, t)) return false;
  t = world_.box_at(t);
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

bool Form::extra_operand(Operand kind, Word word, std::uint32_t at) {
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

bool Form::operands(const Instruction* i) {
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
  const bool for_ever = i->op == op_code(Op::kReceiveWait) && i->a == kNoOperand;
  for (std::size_t n = 1; n < info.words; ++n) {
    if (for_ever && info.extra[n - 1] == Operand::kFar) continue;
    if (!extra_operand(info.extra[n - 1], extra(i, n), at)) return false;
  }
  return true;
}

// Everything that can be seen without following the code.
bool Form::good() {
  const std::uint32_t direct = f_.variadic ? Function::kNoDirectCall : f_.required;
  if (f_.code == nullptr || f_.code_words == 0 || f_.frame_words == 0 ||
      f_.frame_words > Emitter::kMaxRegisters || parameter_count(f_) > f_.frame_words ||
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
      if (is_live(f_, map, r)) return false;
    }
  }
  return true;
}

}  // namespace

bool well_formed(const Function& f, const CodeWorld& world) {
  return Form(f, world).good();
}

}  // namespace lona::vm
