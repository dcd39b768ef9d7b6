// SPDX-License-Identifier: BSD-2-Clause
// Birth and death of processes.
#include "vm/heap/collector.hpp"
#include "vm/heap/copy.hpp"
#include "vm/interp/interp.hpp"
#include "vm/native/not_sendable.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/loads.hpp"
#include "vm/sched/source.hpp"
#include "vm/sched/state.hpp"
#include "vm/sched/workers.hpp"

namespace lona::vm {

Process* spawn_process(Worker& w, const Process* parent, Term fn, const SpawnOptions& options) {
  Vm::State& s = w.vm.state();
  std::size_t fn_words = 0, binding_words = 0;
  if (parent != nullptr) {
    std::optional<std::size_t> a = copy_size(*parent, fn);
    std::optional<std::size_t> b = copy_size(*parent, parent->bindings_);
    if (!a || !b) return nullptr;
    fn_words = *a;
    binding_words = *b;
  }
  Process* p = s.table.create(w);
  if (p == nullptr) return nullptr;
  constexpr std::size_t kStackWords = 2 * Process::kFrameWords;
  std::size_t words = fn_words + binding_words + kStackWords;
  if (words < options.min_heap_words) words = options.min_heap_words;
  if (s.options.tight_heaps && words < Process::kFirstBlockWords) {
    p->block_end_ = p->block_ + words;
  }
  if (words > Process::kFirstBlockWords) {
    words = block_size_for(words);
    auto* block = static_cast<Word*>(w.allocator.allocate(words * sizeof(Word)));
    if (block == nullptr) {
      retire(w, *p);
      return nullptr;
    }
    p->block_ = block;
    p->block_end_ = block + words;
    p->high_water_ = block;
    p->set_top(block);
  }
  p->max_heap_words_ = options.max_heap_words;
  p->priority_ = options.priority;
  if (parent != nullptr) {
    Word* top = p->top();
    Word* blobs = nullptr;
    fn = copy_into(*parent, fn, {top, fn_words}, blobs).value;
    p->bindings_ =
        copy_into(*parent, parent->bindings_, {top + fn_words, binding_words}, blobs).value;
    p->off_heap().append(blobs);
    if (fn == Term::absent() || p->bindings_ == Term::absent()) {
      free_heap(*p);
      retire(w, *p);
      return nullptr;
    }
    p->set_top(top + fn_words + binding_words);
    p->ns_ = parent->ns_;
    if (parent->load_ != nullptr && parent->load_->is_open()) p->load_ = parent->load_;
  }
  start_call(*p, fn);
  return p;
}

void start_process(Worker& w, Process& p) {
  p.state_.store(Process::State::kWaiting);
  make_ready(w, p);
}

namespace {

void forget_name(Process& p) {
  Vm::State& s = state_of(p);
  Guard guard(s.names_lock, s.several);
  if (p.name_ != nullptr) s.names.put(s.permanent, p.name_, nullptr);
}

void leave_console(Process& p) {
  Vm::State& s = state_of(p);
  Guard guard(s.console_lock, s.several);
  if (!p.in_console_list_) return;
  Process** at = &s.console_waiters;
  while (*at != &p) at = &(*at)->console_next_;
  *at = p.console_next_;
}

void free_messages(Process& p) {
  Fragment* arrived = p.arrived_.exchange(Process::closed());
  for (Fragment* list : {arrived, p.inbox_}) {
    while (list != nullptr) {
      Fragment* message = list;
      list = message->next;
      free_fragment(p, message);
    }
  }
}

}  // namespace

void end_process(Process& p) {
  Vm::State& s = state_of(p);
  Worker& w = *p.worker_;
  p.doomed_.store(true, std::memory_order_relaxed);
  drop_definitions(p);
  if (s.hooks != nullptr && s.hooks->exited != nullptr) {
    Guard guard(s.console_lock, s.several);
    s.hooks->exited(*s.hooks, p);
  }
  forget_name(p);
  p.exit_reason_ = sendable_reason(p, p.exit_reason_);
  notify_end(p);
  leave_console(p);
  leave_kernel(p);
  while (p.source_ != nullptr) pop_source(p);
  if (p.trace_ != nullptr) w.allocator.release(p.trace_, sizeof(Trace));
  free_messages(p);
  free_heap(p);
  if (p.pinned_ && s.foreground == p.pid()) s.foreground = Term::nil();
  if (w.running == &p) w.running = nullptr;
  retire(w, p);
}

}  // namespace lona::vm
