// SPDX-License-Identifier: BSD-2-Clause
// Tracing of one process: what it calls is told to another process, as a message
// [:trace pid function arguments]. Sends are calls, too. Nothing is paid for it by processes that
// are not traced: a traced one gets slices of a single call, and each is looked at before it runs.
#include <algorithm>

#include "vm/data/sequence.hpp"
#include "vm/heap/copy.hpp"
#include "vm/interp/dispatch.hpp"
#include "vm/interp/frame.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

bool is_call(Op op) {
  return op == Op::kCallVar || op == Op::kCallRegister || op == Op::kCallSelf ||
         op == Op::kTailVar || op == Op::kTailRegister || op == Op::kTailSelf;
}

SymbolEntry* qualified(const SymbolEntry* ns, SymbolEntry* name) {
  constexpr std::size_t kMost = 512;
  char text[kMost];
  if (ns == nullptr || ns->full().size() + 1 + name->full().size() > kMost) return name;
  char* end = std::copy(ns->full().begin(), ns->full().end(), text);
  *end++ = '/';
  end = std::copy(name->full().begin(), name->full().end(), end);
  return intern({text, static_cast<std::size_t>(end - text)});
}

// The name of what is called; what has none stands for itself.
Term name_of(Term callee) {
  if (callee.is_native()) return Term::symbol(intern(native_table()[callee.native_index()].name));
  if (!is_closure(callee)) return callee;
  const Function* f = function_of(callee);
  return f->name == nullptr ? callee : Term::symbol(qualified(f->ns, f->name));
}

}  // namespace

bool trace_call(Process& p) {
  const Term tracer = Term::from_bits(p.tracer_.load(std::memory_order_relaxed));
  Process* receiver = tracer.is_pid() ? state_of(p).table.find(tracer) : nullptr;
  if (receiver == nullptr) {
    p.tracer_.store(0, std::memory_order_relaxed);
    return false;
  }
  if (!is_call(static_cast<Op>(p.pc_->op))) return false;
  if (!p.pending_fn_.is_nil() || p.in_fragment()) return true;
  const std::uint32_t argc = p.pc_->b;
  const Word* first = p.fp_ - p.pc_->a;
  p.set_limit(std::min(frame_floor(p, p.fp_), p.fp_ - p.pc_->a - argc));
  Term arguments = Term::empty_list();
  for (std::uint32_t i = argc; i-- > 0;) {
    arguments = p.cons(Term::from_bits(first[-static_cast<std::ptrdiff_t>(i)]), arguments);
  }
  Word* tuple = p.alloc_box(Kind::kTuple, 4);
  tuple[1] = make_keyword("trace").bits();
  tuple[2] = p.pid().bits();
  tuple[3] = name_of(called_by(p)).bits();
  tuple[4] = arguments.bits();
  if (byte_buffer_in(p, arguments) == Term::absent()) {
    send_message(p, *receiver, Term::boxed(tuple));
  }
  if (p.leave_fragment()) p.collect_ = true;
  return true;
}

}  // namespace lona::vm
