// SPDX-License-Identifier: BSD-2-Clause
// Calls of everything that is not a closure of fixed arity with room on the stack: natives,
// variadic functions, keywords and collections; collections of garbage and the end of a slice.
#include <algorithm>

#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/collector.hpp"
#include "vm/interp/dispatch.hpp"
#include "vm/interp/frame.hpp"
#include "vm/sched/loads.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

// Room for `words` below the current frame; the current instruction is a call, which is executed
// again when this does not say kGo.
Next reserve(Process& p, std::size_t words) {
  auto room = static_cast<std::size_t>(frame_floor(p, p.fp_) - p.top());
  return room >= words ? Next::kGo : collect_garbage(p, p.pc_->c, words);
}

// Goes on after the call with its value.
Next finish(Process& p, Term value, bool tail) {
  Word* fp = p.fp_;
  if (tail) {
    const Instruction* back = return_address(fp);
    fp[2] = value.bits();
    p.fp_ = fp + (back - kCallWords)->a;
    p.pc_ = back;
  } else {
    fp[-static_cast<std::ptrdiff_t>(p.pc_->a - kHeaderWords)] = value.bits();
    p.pc_ += kCallWords;
  }
  return Next::kGo;
}

Next fail_arity(Process& p, Term callee, Args args) {
  Term list = Term::empty_list();
  for (std::uint32_t i = args.size(); i > 0; --i) list = p.cons(args[i - 1], list);
  Term info = map_put(p, empty_map(p), make_keyword("fn"), callee);
  p.fail("badarity", map_put(p, info, make_keyword("args"), list));
  return raise_exit(p);
}

// The arguments are at fp - k and there is room for the callee's frame and a rest tuple.
Next enter_closure(Process& p, Term closure, std::uint32_t argc, bool tail) {
  const Function* f = function_of(closure);
  Word* arguments = p.fp_ - p.pc_->a;
  if (f->variadic) {
    std::uint32_t extra_count = argc - f->required;
    Word* tuple = p.top();
    p.set_top(tuple + extra_count + 1);
    tuple[0] = Header::make(Kind::kTuple, extra_count).bits();
    for (std::uint32_t i = 0; i < extra_count; ++i) {
      tuple[1 + i] = arguments[-static_cast<std::ptrdiff_t>(f->required + i)];
    }
    arguments[-static_cast<std::ptrdiff_t>(f->required)] = Term::boxed(tuple).bits();
    argc = f->required + 1u;
  }
  if (tail) {
    for (std::uint32_t i = 0; i < argc; ++i) {
      p.fp_[-static_cast<std::ptrdiff_t>(i)] = arguments[-static_cast<std::ptrdiff_t>(i)];
    }
  } else {
    arguments[1] = reinterpret_cast<Word>(p.pc_ + kCallWords);
    p.fp_ = arguments;
  }
  p.fp_[2] = closure.bits();
  p.pc_ = f->code;
  p.reductions_left_--;
  return Next::kGo;
}

// Room for the callee's frame, its arguments, and a tuple of them.
std::size_t entry_words(const Process& p, std::uint32_t argc) {
  return p.pc_->a + std::size_t{p.slack()} + 2 * std::size_t{argc} + 8;
}

Term call_value(Process& p, Term callee, Args args, NativeFunction& native) {
  // (:key map default), (map key default), (set key)
  native = state_of(p).fallback(Fallback::kGet);
  bool keyword = callee.is_keyword();
  if (args.size() < 1 || args.size() > 2) {
    native = nullptr;
    return Term::nil();
  }
  Word words[3];
  words[2] = (keyword ? args[0] : callee).bits();
  words[1] = (keyword ? callee : args[0]).bits();
  if (args.size() == 2) words[0] = args[1].bits();
  return native(p, Args(&words[2], args.size() + 1));
}

// What a native gave back. kYield stands for "a call is pending".
enum class Outcome : std::uint8_t { kValue, kCall, kWait, kExit };
Outcome after_native(Process& p, Term result) {
  if (p.off_heap_due()) p.collect_ = true;
  if (p.leave_fragment() || p.collect_) {
    p.reductions_saved_ = p.reductions_left_;
    p.reductions_left_ = 0;
  }
  if (p.charged_ != 0) {
    std::int64_t& left = p.reductions_left_ > 0 ? p.reductions_left_ : p.reductions_saved_;
    left -= p.charged_;
    p.charged_ = 0;
  }
  p.reductions_left_--;
  if (p.oom_ || p.exit_pending_ || result == Term::raise()) return Outcome::kExit;
  if (result == Term::again()) return Outcome::kWait;
  if (result == Term::call()) return Outcome::kCall;
  return Outcome::kValue;
}

Next call_term(Process& p, Term callee, std::uint32_t argc, bool tail);

// Process::tail_call: the arguments come as a list.
Next call_pending(Process& p, bool tail) {
  std::size_t argc = 0;
  for (Term t = p.pending_args_; t.is_pair(); t = t.rest()) argc++;
  if (argc > 0xffffff) return out_of_memory(p);
  Next next = reserve(p, entry_words(p, static_cast<std::uint32_t>(argc)));
  if (next != Next::kGo) return next;
  Word* at = p.fp_ - p.pc_->a;
  for (Term t = p.pending_args_; t.is_pair(); t = t.rest()) *at-- = t.first().bits();
  Term fn = p.pending_fn_;
  p.pending_fn_ = p.pending_args_ = Term::nil();
  return call_term(p, fn, static_cast<std::uint32_t>(argc), tail);
}

}  // namespace

Next after_call(Process& p, Term result, bool tail) {
  switch (after_native(p, result)) {
    case Outcome::kValue:
      return finish(p, result, tail);
    case Outcome::kCall:
      return call_pending(p, tail);
    case Outcome::kWait:
      return Next::kWait;
    case Outcome::kExit:
      break;
  }
  return raise_exit(p);
}

namespace {

// The arguments are in place; there is room for a closure's frame.
Next call_term(Process& p, Term callee, std::uint32_t argc, bool tail) {
  Args args(p.fp_ - p.pc_->a, argc);
  if (is_closure(callee)) {
    const Function* f = function_of(callee);
    if (argc == f->required || (f->variadic && argc > f->required)) {
      return enter_closure(p, callee, argc, tail);
    }
    p.set_limit(std::min(frame_floor(p, p.fp_), p.fp_ - p.pc_->a - argc));
    return fail_arity(p, callee, args);
  }
  p.set_limit(std::min(frame_floor(p, p.fp_), p.fp_ - p.pc_->a - argc));
  if (callee.is_native()) {
    const Native& native = native_table()[callee.native_index()];
    if (argc < native.min_args ||
        (argc > native.max_args && native.max_args != Native::kVariadic)) {
      return fail_arity(p, callee, args);
    }
    return after_call(p, native.function(p, args), tail);
  }
  if (callee.is_keyword() || is_map(callee) || is_set(callee)) {
    NativeFunction native;
    Term result = call_value(p, callee, args, native);
    return native == nullptr ? fail_arity(p, callee, args) : after_call(p, result, tail);
  }
  Term list = Term::empty_list();
  for (std::uint32_t i = argc; i > 0; --i) list = p.cons(args[i - 1], list);
  Term info = map_put(p, empty_map(p), make_keyword("fn"), callee);
  p.fail("badarg", map_put(p, info, make_keyword("args"), list));
  return raise_exit(p);
}

// The end of the slice, or a collection that a native has asked for. kGo: neither.
Next check_time(Process& p) {
  // A traced process stops before each call (trace_call.cpp), with one left after the last.
  const bool traced = p.tracer_.load(std::memory_order_relaxed) != 0;
  if (p.reductions_left_ > (traced ? 1 : 0)) return Next::kGo;
  if (p.oom_) return raise_exit(p);
  if (!p.collect_) return Next::kYield;
  std::int64_t left = p.reductions_saved_;
  p.reductions_saved_ = 0;
  if (Next next = collect_garbage(p, p.pc_->c, 0); next != Next::kGo) return next;
  p.reductions_left_ = left;
  return p.reductions_left_ > 0 ? Next::kGo : Next::kYield;
}

// In the test mode the next call collects again.
Next rearm(Process& p, Next next) {
  if (next == Next::kGo && state_of(p).options.collect_always && !p.collect_) {
    p.collect_ = true;
    p.reductions_saved_ = p.reductions_left_;
    p.reductions_left_ = 0;
  }
  return next;
}

}  // namespace

Term called_by(Process& p) {
  const Instruction* pc = p.pc_;
  switch (static_cast<Op>(pc->op)) {
    case Op::kCallVar:
    case Op::kTailVar:
      return reinterpret_cast<const Var*>(extra(pc))->value_in(view_of(p));
    case Op::kCallSelf:
    case Op::kTailSelf:
      return Term::from_bits(p.fp_[2]);
    default:
      return Term::from_bits(p.fp_[-static_cast<std::ptrdiff_t>(pc->a - kHeaderWords)]);
  }
}

Term var_value_slow(Process& p, Var*& var);
Term bound_value(Process& p, Var* var);

Next call_slow(Process& p, bool tail) {
  if (Next next = check_time(p); next != Next::kGo) return next;
  if (!p.pending_fn_.is_nil()) return call_pending(p, tail);  // its native has run already
  const Op op = static_cast<Op>(p.pc_->op);
  Term callee = Term::nil();
  Var* var = nullptr;
  if (op == Op::kCallVar || op == Op::kTailVar) {
    var = reinterpret_cast<Var*>(extra(p.pc_));
    callee = var_value_slow(p, var);
  } else if (callee = called_by(p); is_var(callee)) {  // called by what it holds now
    var = as_var(callee);
    callee = bound_value(p, var);
  }
  if (var != nullptr && callee == Term::raise()) return raise_exit(p);
  std::uint32_t argc = p.pc_->b;
  if (is_closure(callee)) {
    if (Next next = reserve(p, entry_words(p, argc)); next != Next::kGo) return next;
    if (var == nullptr) callee = called_by(p);  // it may have moved; what vars hold does not
  }
  return rearm(p, call_term(p, callee, argc, tail));
}

Next call_native(Process& p, NativeFunction native, bool tail) {
  if (Next next = check_time(p); next != Next::kGo) return next;
  if (!p.pending_fn_.is_nil()) return call_pending(p, tail);  // the native has run already
  p.set_limit(frame_floor(p, p.fp_));
  return after_call(p, native(p, Args(p.fp_ - p.pc_->a, p.pc_->b)), tail);
}

void start_call(Process& p, Term fn) {
  // A frame that calls `fn` and ends: so the process starts at a call, like any other moment.
  static constexpr Instruction kStart[] = {{op_code(Op::kTailRegister), 2, 0, 0}, {}};
  static constexpr std::uint64_t kLive[] = {1};
  static constinit const Function kStartFunction = [] {
    Function f;
    f.direct_arity = 0;
    f.frame_words = 3;
    f.code = kStart;
    f.code_words = 2;
    f.live_maps = kLive;
    f.live_map_count = 1;
    return f;
  }();
  // Laid out as a closure's words.
  struct Closure {
    Word header;
    const Function* function;
  };
  static constexpr Closure kClosure = {Header::make(Kind::kClosure, 1).bits(), &kStartFunction};
  Word* fp = p.block_end_ - 3;
  fp[2] = Term::boxed(reinterpret_cast<Word*>(const_cast<Closure*>(&kClosure))).bits();
  fp[1] = reinterpret_cast<Word>(kProcessEnd);
  fp[0] = fn.bits();
  p.fp_ = fp;
  p.pc_ = kStart;
}

Term run_nested(Process& p, Term fn, std::span<const Term> args) {
  if (!is_closure(fn)) return p.fail("badarg", fn);
  const Function* f = function_of(fn);
  auto argc = static_cast<std::uint32_t>(args.size());
  if (argc < f->required || (!f->variadic && argc > f->required)) {
    Term list = Term::empty_list();
    for (std::uint32_t i = argc; i > 0; --i) list = p.cons(args[i - 1], list);
    Term info = map_put(p, empty_map(p), make_keyword("fn"), fn);
    return p.fail("badarity", map_put(p, info, make_keyword("args"), list));
  }
  if (native_stack_low(p)) {
    return p.fail("syntax-error", make_keyword("macros-nested-too-deeply"));
  }
  p.leave_fragment();
  std::size_t words = p.slack() + argc * 2u + 8u;
  p.pending_fn_ = fn;
  auto room = static_cast<std::size_t>(frame_floor(p, p.fp_) - p.top());
  if (room < words && collect(p, p.pc_->c, words, Slices::kNo) != Collected::kDone) {
    return p.fail_oom();
  }
  fn = p.pending_fn_;
  p.pending_fn_ = Term::nil();

  NestedRun run{p.nested_, p.block_end_ - p.fp_, p.pc_};
  std::int64_t reductions = p.reductions_left_;
  Word* fp = frame_floor(p, p.fp_) - 2;
  fp[2] = fn.bits();
  fp[1] = reinterpret_cast<Word>(kNestedEnd);
  for (std::uint32_t i = 0; i < argc; ++i) fp[-static_cast<std::ptrdiff_t>(i)] = args[i].bits();
  if (f->variadic) {
    Word* tuple = p.top();
    std::uint32_t rest = argc - f->required;
    p.set_top(tuple + rest + 1);
    tuple[0] = Header::make(Kind::kTuple, rest).bits();
    for (std::uint32_t i = 0; i < rest; ++i) tuple[1 + i] = args[f->required + i].bits();
    fp[-static_cast<std::ptrdiff_t>(f->required)] = Term::boxed(tuple).bits();
  }
  p.nested_ = &run;
  p.fp_ = fp;
  p.pc_ = f->code;

  Term result = Term::raise();
  for (;;) {
    RunResult r = run_slice(p, state_of(p).options.slice_reductions);
    if (r == RunResult::kNested) {
      result = p.result_;
      p.result_ = Term::nil();
      break;
    }
    if (r == RunResult::kExit) break;
    if (r == RunResult::kWait) {
      p.waits_for_console_ = false;
      p.fail("badarg", make_keyword("waits-in-macro"));
      break;
    }
    // An endless macro must be stoppable, though nothing else runs meanwhile.
    if (p.worker_->index == 0) check_interrupt(state_of(p));
    receive_signals(p);
    if (p.exit_pending_) break;
  }
  p.nested_ = run.outer;
  p.fp_ = p.block_end_ - run.fp_offset;
  p.pc_ = run.pc;
  p.reductions_left_ = reductions;
  p.set_limit(frame_floor(p, p.fp_));
  return result;
}

}  // namespace lona::vm
