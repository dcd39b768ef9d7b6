// SPDX-License-Identifier: BSD-2-Clause
// Birth and death of processes.
#include "vm/heap/collector.hpp"
#include "vm/heap/copy.hpp"
#include "vm/interp/interp.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/source.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

Allocator& allocator_of(const Process& p) {
  return state_of(p).allocator;
}

Process* spawn_process(Vm& vm, const Process* parent, Term fn, const SpawnOptions& options) {
  Vm::State& s = vm.state();
  std::size_t fn_words = 0, binding_words = 0;
  if (parent != nullptr) {
    std::optional<std::size_t> a = copy_size(*parent, fn);
    std::optional<std::size_t> b = copy_size(*parent, parent->bindings_);
    if (!a || !b) return nullptr;
    fn_words = *a;
    binding_words = *b;
  }
  Process* p = s.table.create(vm);
  if (p == nullptr) return nullptr;
  constexpr std::size_t kStackWords = 2 * Process::kFrameWords;
  std::size_t words = fn_words + binding_words + kStackWords;
  if (words < options.min_heap_words) words = options.min_heap_words;
  if (words > Process::kFirstBlockWords) {
    words = block_size_for(words);
    auto* block = static_cast<Word*>(s.allocator.allocate(words * sizeof(Word)));
    if (block == nullptr) {
      s.table.destroy(p);
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
    fn = copy_into(*parent, fn, top, blobs);
    p->bindings_ = copy_into(*parent, parent->bindings_, top + fn_words, blobs);
    p->off_heap().append(blobs);
    p->set_top(top + fn_words + binding_words);
    p->ns_ = parent->ns_;
  }
  start_call(*p, fn);
  p->state_ = Process::State::kWaiting;
  make_ready(*p);
  return p;
}

void end_process(Process& p) {
  Vm::State& s = state_of(p);
  if (s.hooks != nullptr && s.hooks->exited != nullptr) s.hooks->exited(*s.hooks, p);
  if (p.name_ != nullptr) s.names.put(s.permanent, p.name_, nullptr);
  notify_end(p);
  s.timers.cancel(p);
  if (p.in_console_list_) {
    Process** at = &s.console_waiters;
    while (*at != &p) at = &(*at)->console_next_;
    *at = p.console_next_;
  }
  while (p.source_ != nullptr) pop_source(p);
  if (p.trace_ != nullptr) s.allocator.release(p.trace_, sizeof(Trace));
  while (p.inbox_ != nullptr) {
    Fragment* message = p.inbox_;
    p.inbox_ = message->next;
    free_fragment(p, message);
  }
  free_heap(p);
  if (s.foreground == p.pid()) s.foreground = Term::nil();
  s.table.destroy(&p);
}

}  // namespace lona::vm
