// SPDX-License-Identifier: BSD-2-Clause
// What keeps code and the values of vars: vars, and whatever a process holds (its heap and stack,
// messages it has not taken, where it failed), and messages that are to be sent later. Forms that
// are being compiled hold some too; but a compilation is over within a slice of its worker, and no
// worker is inside a slice when this is done.
//
// All workers wait meanwhile. The store asks for it so seldom that looking takes little of the time
// that making so much code took.
#include "vm/heap/collector.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"
#include "vm/sched/workers.hpp"

namespace lona::vm {

namespace {

void mark_words(void* store, std::span<const Word> words) {
  static_cast<CodeStore*>(store)->mark(words);
}

template <typename T>
void mark_object(CodeStore& store, const T& object) {
  static_assert(sizeof(T) % sizeof(Word) == 0 && alignof(T) == alignof(Word));
  store.mark({reinterpret_cast<const Word*>(&object), sizeof(T) / sizeof(Word)});
}

void mark_messages(CodeStore& store, const Fragment* list) {
  for (const Fragment* f = list; f != nullptr; f = f->next) {
    store.mark(f->value);
    store.mark({f->data, f->end()});
  }
}

void mark_process(CodeStore& store, const Process& p) {
  mark_object(store, p);
  if (p.trace_ != nullptr) mark_object(store, *p.trace_);
  each_heap_part(p, mark_words, &store);
  mark_messages(store, p.inbox_);
  const Fragment* arrived = p.arrived_.load();
  if (arrived != Process::closed()) mark_messages(store, arrived);
}

}  // namespace

void reclaim_code(Worker& w) {
  Vm::State& s = w.vm.state();
  AllPaused paused(w);
  // What realms below hold is not known.
  if (!s.code.due() || s.realms.has_children() || !paused.all_between_slices(w)) return;
  s.namespaces.each_writable_var([&](const Var* var) { mark_object(s.code, *var); });
  for (std::uint32_t i = 0; i < s.table.slots(); ++i) {
    if (const Process* p = s.table.at(i)) mark_process(s.code, *p);
  }
  for (unsigned i = 0; i < s.worker_count; ++i) {
    s.workers[i]->message_timers.each(
        [&](const MessageTimer& timer) { mark_messages(s.code, timer.message); });
  }
  s.code.sweep();
}

}  // namespace lona::vm
