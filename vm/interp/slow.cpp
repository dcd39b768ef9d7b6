// SPDX-License-Identifier: BSD-2-Clause
// Instructions that allocate, define, wait or fail.
#include <algorithm>
#include <bit>

#include "abi/lona/address_map.hpp"
#include "vm/code/level.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/arena.hpp"
#include "vm/heap/collector.hpp"
#include "vm/heap/copy.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/interp/dispatch.hpp"
#include "vm/interp/frame.hpp"
#include "vm/platform/platform.hpp"
#include "vm/process/worker.hpp"
#include "vm/realm/wire.hpp"
#include "vm/sched/loads.hpp"
#include "vm/sched/source.hpp"
#include "vm/sched/state.hpp"
#include "vm/sched/workers.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

void keep_trace(Process& p) {
  if (p.trace_ != nullptr) return;
  p.trace_ = static_cast<Trace*>(allocator_of(p).allocate(sizeof(Trace)));
  if (p.trace_ == nullptr) return;
  p.trace_->count = 0;
  p.trace_->truncated = false;
  each_frame(p, [&](Word* fp, const Instruction* call, std::uint32_t) {
    const Function* f = running_function(fp);
    if (f->name == nullptr) return;
    if (p.trace_->count == Trace::kMax) {
      p.trace_->truncated = true;
      return;
    }
    p.trace_->entries[p.trace_->count++] = {f, f->line_at(call == nullptr ? p.pc_ : call)};
  });
}

}  // namespace

Next heap_room(Process& p, std::uint16_t live, std::size_t words) {
  bool always = state_of(p).options.collect_always && !p.collected_;
  p.collected_ = false;
  auto free = frame_floor(p, p.fp_) - p.top();
  if (free >= static_cast<std::ptrdiff_t>(words) && !p.collect_ && !always) return Next::kGo;
  return collect_garbage(p, live, words);
}

Next out_of_memory(Process& p) {
  p.oom_ = true;
  return raise_exit(p);
}

Next collect_garbage(Process& p, std::uint16_t live, std::size_t need) {
  const bool if_room = std::exchange(p.collect_if_room_, false);
  switch (collect(p, live, need, Slices::kYes)) {
    case Collected::kDone:
      return Next::kGo;
    case Collected::kUnfinished:
      return Next::kYield;
    case Collected::kNoMemory:
      if (!if_room || frame_floor(p, p.fp_) - p.top() < static_cast<std::ptrdiff_t>(need)) break;
      return Next::kGo;
  }
  return out_of_memory(p);
}

Next raise_exit(Process& p) {
  if (p.oom_) p.exit_reason_ = state_of(p).oom_reason;
  keep_trace(p);
  return Next::kExit;
}

Term fall_back(Process& p, unsigned fallback, Term a, Term b) {
  Word words[2] = {b.bits(), a.bits()};
  p.set_limit(frame_floor(p, p.fp_));
  Term result = state_of(p).fallbacks[fallback](p, Args(&words[1], 2));
  if (p.leave_fragment()) p.collect_ = true;
  return p.oom_ ? Term::raise() : result;
}

Term fall_back(Process& p, unsigned fallback, Term a) {
  Word words[1] = {a.bits()};
  p.set_limit(frame_floor(p, p.fp_));
  Term result = state_of(p).fallbacks[fallback](p, Args(&words[0], 1));
  if (p.leave_fragment()) p.collect_ = true;
  return p.oom_ ? Term::raise() : result;
}

namespace {

// A value of a realm above with pids and references of its own: as if it had been sent.
Term value_of_above(Process& p, Var* var, Term value) {
  ByteBuffer bytes;
  Arena arena;
  wire::Limits limits{.own_realm = state_of(p).realms.own(), .names_left = 0};
  constexpr std::size_t kMost = 1024 * 1024;
  if (wire::encode(value, owner_of(var), bytes, kMost) == wire::Encoded::kOk) {
    value = wire::decode(arena, {bytes.data(), bytes.size()}, limits);
    const Term copy = value == Term::absent() ? value : copy_to(p, arena, value);
    if (copy != Term::absent()) return copy;
    return p.fail_oom();
  }
  return p.fail("not-owner",
                map_put(p, empty_map(p), make_keyword("var"), Term::symbol(var->name)));
}

// Of a process-bound var; unbound without a binding.
Term binding_of(const Process& p, Var* var) {
  for (Term t = p.bindings_; t.is_pair(); t = t.rest()) {
    if (t.first().first() == var->term()) return t.first().rest();
  }
  return Term::unbound();
}

}  // namespace

Term value_of(Process& p, Var* var) {
  const Term plain = Var::now(var->value);
  if (plain != Term::unbound()) return plain;
  if (var == state_of(p).ns_var) return p.ns_->term();
  const Definition d = var->definition(view_of(p));
  if (d.value != Term::unbound()) return d.value;
  if (d.flags & Var::kLocal) return is_inherited(var) ? value_of_above(p, var, d.root) : d.root;
  if (!(d.flags & Var::kProcessBound)) return Term::unbound();
  const Term bound = binding_of(p, var);
  return bound != Term::unbound() ? bound : d.root;
}

namespace {

Term fail_undefined(Process& p, Var* var) {
  p.set_limit(frame_floor(p, p.fp_));
  Namespaces& namespaces = state_of(p).namespaces;
  Term info = map_put(p, empty_map(p), make_keyword("var"), Term::symbol(var->name));
  if (Var* near = namespaces.nearest(var->ns, var->name)) {
    info = map_put(p, info, make_keyword("hint"), Term::symbol(near->name));
  }
  return p.fail("undef", info);
}

}  // namespace

// What a var holds for this process; Term::raise() when it holds nothing.
Term bound_value(Process& p, Var* var) {
  Term value = value_of(p, var);
  return value != Term::unbound() ? value : fail_undefined(p, var);
}

// What the var of the instruction at hand holds. `var` may become another one: a name used before
// its definition came into view through another namespace.
Term var_value_slow(Process& p, Var*& var) {
  if (const Term plain = Var::now(var->value); plain != Term::unbound()) return plain;
  const Instruction* pc = p.pc_;
  const bool calls = pc->op == op_code(Op::kCallVar) || pc->op == op_code(Op::kTailVar);
  Word* floor = frame_floor(p, p.fp_);
  p.set_limit(calls ? std::min(floor, p.fp_ - pc->a - pc->b) : floor);
  Term value = value_of(p, var);
  if (p.leave_fragment()) p.collect_ = true;
  if (value != Term::unbound()) return value;
  Var* other = state_of(p).namespaces.resolve(var->ns, var->name, view_of(p));
  if (other != nullptr && other != var && other->is_bound(view_of(p))) {
    // From now on this place in the code refers to the other var; in the core image and in the code
    // of the realms above, which this realm cannot write, it goes on asking.
    if (!abi::kCoreConstants.contains(reinterpret_cast<std::uint64_t>(p.pc_)) &&
        !is_inherited(p.pc_)) {
      const_cast<Instruction*>(p.pc_)[1] = std::bit_cast<Instruction>(other);
    }
    var = other;
    return var_value_slow(p, var);
  }
  return fail_undefined(p, var);
}

Next load_var_slow(Process& p) {
  Var* var = reinterpret_cast<Var*>(extra(p.pc_));
  Term value = var_value_slow(p, var);
  if (value == Term::raise()) return raise_exit(p);
  reg(p, p.pc_->a) = value.bits();
  return go(p, 2);
}

Next enter_large(Process& p) {
  const Instruction* pc = p.pc_;
  // The parameters are in place, however many; their caller made room for them.
  if (p.slack() < pc->c) p.slack_bytes_ = pc->c * sizeof(Word);
  if (p.slack() < pc->b) {
    if (p.fp_ - pc->b < p.top()) {
      if (Next next = collect_garbage(p, pc->a, pc->b); next != Next::kGo) return next;
    }
    p.slack_bytes_ = pc->b * sizeof(Word);
  }
  return go(p, 1);
}

Next make_closure(Process& p) {
  const Instruction* pc = p.pc_;
  std::uint32_t n = pc->b;
  if (Next next = heap_room(p, pc->c, n + 2); next != Next::kGo) return next;
  Word* box = p.top();
  p.set_top(box + n + 2);
  box[0] = Header::make(Kind::kClosure, n + 1).bits();
  box[1] = extra(pc);
  auto* registers = reinterpret_cast<const std::uint16_t*>(pc + 2);
  for (std::uint32_t i = 0; i < n; ++i) box[2 + i] = reg(p, registers[i]);
  reg(p, pc->a) = Term::boxed(box).bits();
  return go(p, 2 + (n + 3) / 4);
}

Next make_tuple_slow(Process& p) {
  const Instruction* pc = p.pc_;
  std::uint32_t n = pc->c;
  if (Next next = heap_room(p, static_cast<std::uint16_t>(extra(pc)), n + 1); next != Next::kGo)
    return next;
  Word* box = p.top();
  p.set_top(box + n + 1);
  box[0] = Header::make(Kind::kTuple, n).bits();
  for (std::uint32_t i = 0; i < n; ++i) box[1 + i] = reg(p, pc->b + i);
  reg(p, pc->a) = Term::boxed(box).bits();
  return go(p, 2);
}

Next prepend_slow(Process& p) {
  const Instruction* pc = p.pc_;
  if (Next next = heap_room(p, static_cast<std::uint16_t>(extra(pc)), 2); next != Next::kGo)
    return next;
  Term list = Term::from_bits(reg(p, pc->b));
  Term element = Term::from_bits(reg(p, pc->c));
  Term result = list.is_list()
                    ? Term::absent()
                    : fall_back(p, static_cast<unsigned>(Fallback::kPrepend), list, element);
  if (result == Term::raise()) return raise_exit(p);
  if (result == Term::absent()) {
    Word* cell = p.top();
    p.set_top(cell + 2);
    cell[0] = element.bits();
    cell[1] = list.bits();
    result = Term::pair(cell);
  }
  reg(p, pc->a) = result.bits();
  return go(p, 2);
}

Next tuple_tail(Process& p) {
  const Instruction* pc = p.pc_;
  std::size_t n = tuple_count(Term::from_bits(reg(p, pc->b))) - pc->c;
  if (Next next = heap_room(p, static_cast<std::uint16_t>(extra(pc)), 2 * n); next != Next::kGo)
    return next;
  Term tuple = Term::from_bits(reg(p, pc->b));
  Word* at = p.top();
  p.set_top(at + 2 * n);
  Term list = Term::empty_list();
  for (std::size_t i = n; i > 0; --i, at += 2) {
    at[0] = slot(tuple, pc->c + i - 1).bits();
    at[1] = list.bits();
    list = Term::pair(at);
  }
  reg(p, pc->a) = list.bits();
  return go(p, 2);
}

Next set_get(Process& p) {
  const Instruction* pc = p.pc_;
  MapCursor cursor(set_map(Term::from_bits(reg(p, pc->b))));
  for (std::uint32_t i = 0; i < pc->c; ++i) cursor.next();
  reg(p, pc->a) = cursor.key().bits();
  return go(p, 1);
}

Next bad_match(Process& p) {
  p.set_limit(frame_floor(p, p.fp_));
  Term value = Term::from_bits(reg(p, p.pc_->a));
  p.fail("badmatch", map_put(p, empty_map(p), make_keyword("value"), value));
  return raise_exit(p);
}

// --- Definitions --------------------------------------------------------------------------------

namespace {

void bind_in_process(Process& p, Var* var, Term value) {
  // Rebuilds the list without an older binding; there are few.
  Term kept = p.cons(p.cons(var->term(), value), Term::empty_list());
  for (Term t = p.bindings_; t.is_pair(); t = t.rest()) {
    if (t.first().first() != var->term()) kept = p.cons(t.first(), kept);
  }
  p.bindings_ = kept;
}

// Metadata of the definition at hand, copied; raise: no memory.
Term definition_meta(Process& p) {
  if (p.pc_->b == kNoOperand) return Term::nil();
  Term meta = bare(Term::from_bits(reg(p, p.pc_->b)));
  Term copy = state_of(p).code.keep(p, meta);
  return copy == Term::absent() ? Term::raise() : copy;
}

std::string_view without_leading_space(std::string_view text) {
  for (;;) {
    const std::size_t start = text.find_first_not_of(" \t\r\n,");
    text.remove_prefix(std::min(start, text.size()));
    if (text.empty() || text.front() != ';') return text;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
}

void note_place(Process& p, Definition& d) {
  const Function* f = running_function(p.fp_);
  d.line = f->line_at(p.pc_);
  d.file = f->file;
  d.source = Term::nil();
  // Text of the archive can be looked up there; other text is gone when its form is over.
  const SourceRun* run = p.source_;
  constexpr std::size_t kMost = 64 * 1024;
  if (run == nullptr || !run->form_running || f->file == nullptr || f->direct_arity != 0 ||
      run->form_text.size() > kMost || f->file->full() != run->text.file ||
      (!run->file.from_user && platform::archive_file(f->file->full()).data() != nullptr)) {
    return;
  }
  const Term text = make_string(p, without_leading_space(run->form_text));
  const Term kept = text == Term::absent() ? text : state_of(p).code.keep(p, text);
  if (kept != Term::absent()) d.source = kept;
}

// Code of a realm above means a var of that realm. Here a definition makes one of the same name,
// which hides it; a binding of the process is the process's own.
Var* own_var(Process& p, Var* var) {
  if (!is_inherited(var) || var->is_process_bound(view_of(p))) return var;
  return state_of(p).namespaces.intern(var->ns, var->name);
}

// (def *ns* value) and the like.
bool bind(Process& p, Var* var, Term value) {
  if (var != state_of(p).ns_var) {
    bind_in_process(p, var, value);
    if (p.leave_fragment() || p.oom_) p.collect_ = true;
    return true;
  }
  if (!is_namespace(value)) {
    p.fail_type("*ns*", "namespace", value);
    return false;
  }
  p.ns_ = as_namespace(value);
  return true;
}

}  // namespace

Next define(Process& p) {
  Vm::State& s = state_of(p);
  Var* var = own_var(p, reinterpret_cast<Var*>(extra(p.pc_)));
  Term value = Term::from_bits(reg(p, p.pc_->a));
  Term meta = definition_meta(p);
  if (meta == Term::raise()) return out_of_memory(p);
  Definition d = var->definition(view_of(p));
  const bool binds = d.flags & Var::kProcessBound;
  const bool has_meta = p.pc_->b != kNoOperand;
  if (!binds || has_meta) d.set_meta(meta);
  if (binds) d.flags |= Var::kProcessBound;
  p.set_limit(frame_floor(p, p.fp_));
  if (binds) {
    if (has_meta && !is_inherited(var) && !define_var(p, *var, d)) return out_of_memory(p);
    if (!bind(p, var, value)) return raise_exit(p);
  } else {
    const Term permanent = s.code.keep(p, value);
    if (permanent == Term::absent()) return out_of_memory(p);
    note_place(p, d);
    s.give_value(d, permanent);
    if (d.flags & Var::kProcessBound) {
      d.value = Term::unbound();
      d.root = permanent;
      d.flags &= ~std::uint32_t{Var::kLocal};
    }
    if (!define_var(p, *var, d)) return out_of_memory(p);
  }
  reg(p, p.pc_->a) = var->term().bits();
  return go(p, 2);
}

Next declare(Process& p) {
  Var* var = own_var(p, reinterpret_cast<Var*>(extra(p.pc_)));
  Term meta = definition_meta(p);
  if (meta == Term::raise()) return out_of_memory(p);
  Definition d = var->definition(view_of(p));
  if (p.pc_->b != kNoOperand) d.set_meta(meta);
  bool special = meta_flag(meta, "special-form") && is_special_form(var->name);
  if (meta_flag(meta, "native") && !d.value.is_native() && !special && var != state_of(p).ns_var) {
    p.set_limit(frame_floor(p, p.fp_));
    p.fail("unknown-intrinsic",
           map_put(p, empty_map(p), make_keyword("name"), Term::symbol(var->name)));
    return raise_exit(p);
  }
  note_place(p, d);
  if (!is_inherited(var) && !define_var(p, *var, d)) return out_of_memory(p);
  reg(p, p.pc_->a) = var->term().bits();
  return go(p, 2);
}

}  // namespace lona::vm
